#!/usr/bin/env python3
"""Drills of the example provider: what they rehearse, where, and what they must never touch.

usage: test-drill.py --salvor PROGRAM --plugins FOLDER --simulator PROGRAM [TEST...]
"""

import json
import os
import sys

from stories import Site, expect, expect_end, hash_in, tell

KEYS = 40
WHOLE = ["stop ", "restore SITE/data.restored", "start SITE/data", f"compact {KEYS + 1}"]


def block(site, name, *marks):
    """The site as it stands in salvor.yaml."""
    lines = [f"  {name}:", "    provider: example", *(f"    {mark}" for mark in marks),
             "    endpoint: http://127.0.0.1:2379", f"    etcdctl: {site.etcdctl}",
             f"    data-dir: {site.data}", f"    stop: [{site.etcdctl}, stop]",
             f"    start: [{site.etcdctl}, start, '{{data-dir}}']"]
    return "\n".join(lines) + "\n"


class Pair:
    """Site 'prod', which works, and site 'lab', which is for practice, in one salvor.yaml."""

    def __init__(self, prod):
        self.prod = prod
        self.lab = Site(prod.programs, f"{prod.folder}/lab")
        self.config = f"{prod.folder}/salvor.yaml"
        self.write()
        prod.play("init", prod.data, str(KEYS))
        expect_end(self.salvor("--site", "prod", "backup"), 0)
        self.lab.wreck()
        os.unlink(f"{prod.folder}/audit")

    def write(self, lab_marks=("practice: true",), prod_marks=()):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write("sites:\n" + block(self.prod, "prod", *prod_marks)
                       + block(self.lab, "lab", *lab_marks))

    def salvor(self, *words):
        return self.prod.salvor("--config", self.config, *words)

    def expect_untouched(self, *results):
        for site in (self.prod, self.lab):
            expect(site.changes() == [], f"something was changed: {site.changes()}", *results)

    def finish(self, result):
        """Approves what waits until the run is done."""
        for _ in range(4):
            if result.returncode != 4:
                return result
            result = self.salvor("resume", "last", "--yes", "--approve", hash_in(result))
        return result


def test_a_drill_restores_the_newest_backup_on_the_site_for_practice(prod):
    pair = Pair(prod)
    waits = pair.salvor("--site", "prod", "drill", "--into", "lab", "--yes")
    expect_end(waits, 4, "all of site 'lab', which is marked for practice, may be overwritten",
               "cannot be undone")
    done = pair.finish(waits)
    expect_end(done, 0)
    for piece in ("Restore the snapshot to a new data dir", "done", "recovered in "):
        expect(piece in done.stdout, f"the times lack '{piece}'", done)
    expect(prod.changes() == [], f"prod was changed: {prod.changes()}", done)
    expect(pair.lab.changes() == WHOLE, f"lab was restored: {pair.lab.changes()}", done)
    end = pair.lab.end_state()
    expect(len(end["database"]["keys"]) == KEYS and end["running"], f"the keys are there: {end}")
    for form, piece in (("text", "of site 'prod', on site 'lab'"), ("md", "| Drill |"),
                        ("html", "drill"), ("json", '"mode": "ran"')):
        report = pair.salvor("report", "last", "--verify", "-o", form)
        expect_end(report, 0)
        expect(piece in report.stdout, f"the {form} report tells of the drill: '{piece}'", report)


def test_elsewhere_a_drill_looks_and_says_what_it_did_not_try(prod):
    pair = Pair(prod)
    result = pair.salvor("--site", "prod", "drill", "--yes")
    expect_end(result, 0, "nothing was changed", "site 'prod' is not marked for practice")
    pair.expect_untouched(result)
    rehearsed, not_rehearsed = result.stdout.split("not rehearsed:")
    for piece in ("the backup was judged", "check of 'Stop the member", ": not-started\n",
                  ": conflict (before its turn)"):
        expect(piece in rehearsed, f"'{piece}' was rehearsed", result)
    for piece in ("Restore the snapshot to a new data dir (change)", "stage 'compact'",
                  "post-resync"):
        expect(piece in not_rehearsed, f"'{piece}' was not rehearsed", result)
    report = pair.salvor("report", "last", "-o", "text")
    expect("What the drill did not try" in report.stdout and "looking only" in report.stdout,
           "the report says so, too", report)
    expect_end(pair.salvor("resume", "last"), 2, "only looked")
    data = json.loads(pair.salvor("--site", "prod", "drill", "-o", "json").stdout)
    expect(len(data["drill"]["checks"]) == 5 and len(data["drill"]["not_run"]) == 5,
           f"every step was asked and none run: {data['drill']}")


def test_a_drill_never_has_effect_on_a_site_that_is_not_marked(prod):
    pair = Pair(prod)
    pair.write(lab_marks=())
    refused = pair.salvor("--site", "prod", "drill", "--into", "lab", "--yes")
    expect_end(refused, 5, "not marked for practice: 'lab'", "practice: true")
    pair.expect_untouched(refused)
    looked = prod.salvor("--provider", "example", "drill", "--yes", *prod.options())
    expect_end(looked, 0, "what the options name is not marked")
    pair.expect_untouched(looked)
    pair.write()
    dry = pair.salvor("--site", "prod", "drill", "--into", "lab", "--dry-run")
    expect_end(dry, 0)
    other = pair.salvor("--site", "lab", "drill", "--yes", "--set", f"data-dir={prod.data}")
    expect_end(other, 2, "with option 'data-dir' of the command line it would be another one")
    expect_end(pair.salvor("--site", "prod", "drill", "--into", "lob"), 2, "did you mean 'lab'?")
    pair.expect_untouched(dry, other)


def test_a_copied_site_that_was_only_marked_is_none_for_practice(prod):
    pair = Pair(prod)
    with open(pair.config, "w", encoding="utf-8") as file:
        file.write("sites:\n" + block(prod, "prod") + block(prod, "copy", "practice: true"))
    refused = pair.salvor("--site", "prod", "drill", "--into", "copy", "--yes")
    expect_end(refused, 2, "site 'copy' is marked for practice, but its options are those of")
    pair.expect_untouched(refused)


def test_a_drill_goes_on_only_while_its_site_is_marked(prod):
    pair = Pair(prod)
    waits = pair.salvor("--site", "prod", "drill", "--into", "lab")
    expect_end(waits, 4, "waits for approval")
    pair.write(lab_marks=("practice: false",))
    refused = pair.salvor("resume", "last", "--yes")
    expect_end(refused, 5, "'lab': it is not marked for practice")
    pair.expect_untouched(refused)
    pair.write()
    expect_end(pair.finish(pair.salvor("resume", "last", "--yes")), 0)
    expect(pair.lab.changes() == WHOLE, f"it went on: {pair.lab.changes()}")


def test_a_check_that_cannot_look_fails_the_drill(prod):
    pair = Pair(prod)
    broken = pair.salvor("--site", "prod", "drill", "--set", "etcdctl=/nonexistent/etcdctl")
    expect(broken.returncode != 0, "a program that is missing is found before the day", broken)
    pair.expect_untouched(broken)


def test_when_each_site_was_drilled_is_told(prod):
    pair = Pair(prod)
    pair.write(prod_marks=("drill-every: 30d",))
    never = pair.salvor("--site", "prod", "backup")
    expect_end(never, 0, "a restore of site 'prod' was never rehearsed", "drill --into SITE")
    expect_end(pair.salvor("--site", "prod", "drill"), 0)
    rows = json.loads(pair.salvor("runs", "drills", "-o", "json").stdout)
    expect([row["site"] for row in rows] == ["prod"], f"one site needs drills: {rows}")
    expect(rows[0]["drilled"] is None and rows[0]["last_mode"] == "looked" and rows[0]["overdue"],
           f"looking is no drill: {rows}")
    expect_end(pair.finish(pair.salvor("--site", "prod", "drill", "--into", "lab", "--yes")), 0)
    rows = json.loads(pair.salvor("runs", "drills", "-o", "json").stdout)
    expect(rows[0]["into"] == "lab" and rows[0]["took_ms"] > 0 and not rows[0]["overdue"],
           f"now it was: {rows}")
    table = pair.salvor("runs", "drills")
    expect("prod" in table.stdout and "lab" in table.stdout, "as a table, too", table)
    again = pair.salvor("--site", "prod", "discover")
    expect_end(again, 0)
    expect("rehearsed" not in again.stderr, "nothing is overdue", again)
    pair.write(prod_marks=("drill-every: 1ms",))
    expect_end(pair.salvor("--site", "prod", "discover"), 0, "was last rehearsed")


def test_a_drill_that_is_killed_is_resumed_like_a_restore(prod):
    pair = Pair(prod)
    pair.lab.fault("fail-restore", 2)
    failed = pair.salvor("--site", "prod", "drill", "--into", "lab", "--yes")
    expect_end(failed, 1, "ended before its goal", "salvor resume")
    done = pair.finish(pair.salvor("resume", "last", "--yes"))
    expect_end(done, 0)
    expect("recovered in " in done.stdout, "its times are told", done)
    expect(len(pair.lab.end_state()["database"]["keys"]) == KEYS, "the keys are there")


sys.exit(tell(globals()))
