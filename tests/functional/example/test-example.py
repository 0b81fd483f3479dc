#!/usr/bin/env python3
"""The whole program on the example provider and a simulated member: what an operator meets.

usage: test-example.py --salvor PROGRAM --plugins FOLDER --simulator PROGRAM [TEST...]
"""

import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from stories import expect, expect_end, hash_in, tell

KEYS = 40
ALL_CHANGES = [
    "stop ", "restore SITE/data.restored", "start SITE/data", f"compact {KEYS + 1}",
]


def wrecked(site):
    """A backup of KEYS keys, and a member on data that nobody wants."""
    backup = site.take_backup(KEYS)
    site.wreck()
    return backup


def records(site, kind):
    """Records of that type of the newest run, from its report."""
    report = site.salvor("report", "last", "-o", "json")
    expect(report.returncode == 0, "the report can be written", report)
    return [entry for entry in json.loads(report.stdout).get("timeline", [])
            if entry.get("type") == kind]


def finish(site):
    """Resumes until done, approving what waits; returns how many resumes it took."""
    for count in range(1, 6):
        result = site.salvor("resume", "last", "--yes")
        if result.returncode == 4:
            result = site.salvor("resume", "last", "--yes", "--approve", hash_in(result))
        if result.returncode == 0:
            return count
    raise AssertionError(f"not done:\n{result.stderr}")


def await_true(what, condition):
    for _ in range(600):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen within 12 s")


def is_stopping(site):
    """1 while the site's stop command runs."""
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                words = file.read()
        except OSError:
            continue
        if words == f"{site.etcdctl}\0stop\0".encode():
            return True
    return False


# ---- looking ---------------------------------------------------------------------------------


def test_discover_shows_the_site(site):
    site.play("init", site.data, str(KEYS))
    result = site.salvor("--provider", "example", "discover", *site.options()[:2],
                         "--set", f"data-dir={site.data}", "-o", "json")
    expect_end(result, 0)
    found = json.loads(result.stdout)
    expect(found["facts"]["data-dir"] == {"class": "identity", "value": site.data},
           "the data dir is the identity", result)
    expect({"endpoint", "member"} == {item["kind"] for item in found["items"]},
           "endpoint and member are found", result)


def test_plan_and_dry_run_change_nothing(site):
    backup = wrecked(site)
    before = sorted(glob.glob(f"{site.folder}/data*/**", recursive=True))
    words = ["--provider", "example", "plan", f"--from={backup}", *site.options(), "-o", "name"]
    first, second = site.salvor(*words), site.salvor(*words)
    dry = site.salvor(*site.restore_words(backup), "--dry-run", "-o", "name")
    for result in (first, second, dry):
        expect_end(result, 0)
    expect(first.stdout == second.stdout == dry.stdout and len(first.stdout.strip()) == 64,
           "the same site gives the same plan", first, second, dry)
    expect(site.changes() == [], f"planning changed something: {site.changes()}")
    expect(before == sorted(glob.glob(f"{site.folder}/data*/**", recursive=True)),
           "planning left something in the data dir")


def test_a_dry_run_of_any_command_runs_nothing(site):
    site.take_backup(KEYS)
    site.play("stop")
    before, sets = site.changes(), glob.glob(f"{site.state}/sets/example/*")
    for words in (["backup", *site.options()[:2]], ["post-resync", *site.options()[:3]]):
        result = site.salvor("--provider", "example", *words, "--dry-run")
        expect_end(result, 0)
        expect("plan hash " in result.stdout, "it shows the plan", result)
        expect("[1/" not in result.stderr, "it ran a step", result)
        run = max(glob.glob(f"{site.state}/runs/*-{words[0]}-*"), key=os.path.getmtime)
        expect_end(site.salvor("resume", os.path.basename(run)), 2, "only looked")
        shown = site.salvor("runs", "show", os.path.basename(run))
        expect("resume" not in shown.stderr, "nothing to resume is nothing to suggest", shown)
    expect((before, sets) == (site.changes(), glob.glob(f"{site.state}/sets/example/*")),
           "a dry run changed something")


def test_slips_of_the_pen_leave_no_run(site):
    backup = wrecked(site)
    runs = glob.glob(f"{site.state}/runs/*")
    for words, why in ((["--policy", "/nonexistent.yaml"], "cannot open '/nonexistent.yaml'"),
                       (["--approve", "12ab"], "is not a plan hash"),
                       (["--manual", "stop-membr"], "has no step 'stop-membr' to do by hand")):
        expect_end(site.salvor(*site.restore_words(backup), *words), 2, why)
    expect(runs == glob.glob(f"{site.state}/runs/*"), "a run was recorded")
    expect_end(site.salvor(*site.restore_words(backup)), 4)
    expect_end(site.salvor("resume", "last", "--set", "member=other"), 2,
               "a run goes on with the options that it began with")


def test_the_plan_is_readable(site):
    backup = wrecked(site)
    result = site.salvor("--provider", "example", "plan", f"--from={backup}", *site.options())
    expect_end(result, 0)
    for piece in ("procedure 'snapshot-restore', stage 'restore': 5 steps",
                  "after the page \"etcd: Disaster recovery\"", "[ETCD-002]",
                  "only while data-dir-state is", "then stage 'compact'", "plan hash "):
        expect(piece in result.stdout, f"the plan lacks '{piece}'", result)


def test_validate_needs_no_site(site):
    backup = site.take_backup(KEYS)
    snapshot = shutil.copy(f"{backup}/snapshot.db", f"{site.folder}/mine.db")
    words = ["--provider", "example", "validate", snapshot, f"--etcdctl={site.etcdctl}"]
    good = site.salvor(*words)
    expect_end(good, 0)
    expect("ETCD-SNAPSHOT-READ" in good.stdout and "ETCD-KEYS-UNRECORDED" in good.stdout,
           "a bare snapshot is read", good)
    with open(snapshot, "r+b") as file:
        file.seek(100)
        file.write(b"!")
    bad = site.salvor(*words)
    expect_end(bad, 3)
    expect("ETCD-HASH-MISMATCH" in bad.stdout, "a damaged snapshot is a blocker", bad)


def test_the_configuration_of_the_readme_is_good(site):
    readme = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../README.md")
    with open(readme, encoding="utf-8") as file:
        lines = file.read().split("    sites:\n", 1)[1].splitlines()
    text = "sites:\n"
    for line in lines:
        if not line.startswith("      "):
            break
        text += f"{line[4:]}\n"
    config = f"{site.folder}/salvor.yaml"
    with open(config, "w", encoding="utf-8") as file:
        file.write(text)
    checked = site.salvor("--config", config, "config", "check")
    expect_end(checked, 0)
    expect("ok, sites: 2" in checked.stdout and checked.stderr == "", "no complaint", checked)


# ---- approval --------------------------------------------------------------------------------


def test_nothing_runs_unapproved(site):
    backup = wrecked(site)
    result = site.salvor(*site.restore_words(backup))
    expect_end(result, 4, "waits for approval of stage 'restore'", "hint: read the plan, then")
    expect(site.changes() == [], "a run that waits has changed something", result)


def test_the_hash_of_the_plan_is_the_hash_that_runs(site):
    backup = wrecked(site)
    plan = site.salvor("--provider", "example", "plan", f"--from={backup}", *site.options(),
                       "-o", "name")
    result = site.salvor(*site.restore_words(backup), "--approve", plan.stdout.strip())
    expect_end(result, 4, "waits for approval of stage 'compact'")
    expect(site.changes() == ALL_CHANGES[:3], f"stage 'restore' ran: {site.changes()}", result)
    expect(finish(site) == 1, "the rest runs after approval")
    expect(site.changes() == ALL_CHANGES, f"all of it ran once: {site.changes()}")


def test_a_changed_site_is_another_plan(site):
    backup = wrecked(site)
    plan = site.salvor("--provider", "example", "plan", f"--from={backup}", *site.options(),
                       "-o", "name")
    os.rename(site.data, f"{site.data}-old")
    shutil.copytree(f"{site.data}-old", site.data)
    result = site.salvor(*site.restore_words(backup), "--approve", plan.stdout.strip())
    expect_end(result, 4, "the plan that was approved is another one")
    expect(site.changes() == [], "another plan ran", result)


def test_other_options_are_another_plan(site):
    backup = wrecked(site)
    plan = site.salvor("--provider", "example", "plan", f"--from={backup}", *site.options(),
                       "-o", "name")
    words = site.restore_words(backup)
    words[words.index("--stop=stop")] = "--stop=start"
    result = site.salvor(*words, "--approve", plan.stdout.strip())
    expect_end(result, 4, "the plan that was approved is another one")
    expect(site.changes() == [], "another command ran under the hash", result)


def test_a_guard_that_changes_stops_the_step(site):
    backup = wrecked(site)
    site.fault("slow-stop", 1500)
    process = subprocess.Popen(site.command(*site.restore_words(backup), "--yes"),
                               env=site.environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    await_true("the stop", lambda: is_stopping(site))
    os.rename(site.data, f"{site.data}-old")
    shutil.copytree(f"{site.data}-old", site.data)
    out, err = process.communicate(timeout=60)
    result = subprocess.CompletedProcess([], process.returncode, out, err)
    expect_end(result, 5, "guard fact 'data-dir-state'", "salvor resume")
    expect(os.path.exists(f"{site.data}/member"), "the other data dir is still there", result)


def test_a_policy_bounds_what_runs_unattended(site):
    backup = wrecked(site)
    policy = f"{site.folder}/policy.yaml"
    text = ("provider: example\neffect: change\nprocedures: [snapshot-restore]\n"
            "targets: ['*']\nmax-steps: 5\n")
    with open(policy, "w", encoding="utf-8") as file:
        file.write(text)
    result = site.salvor(*site.restore_words(backup), "--policy", policy)
    expect_end(result, 4, "is destructive, the policy covers change")
    expect(site.changes() == ALL_CHANGES[:3], "the policy covers stage 'restore'", result)
    with open(policy, "w", encoding="utf-8") as file:
        file.write(text.replace("change", "destructive") + "max-objects: 1\n")
    result = site.salvor("resume", "last", "--policy", policy)
    expect_end(result, 4, "waits for approval of stage 'old-data'")
    expect(site.changes() == ALL_CHANGES, "the policy covers stage 'compact'", result)


def test_blockers_stop_a_restore_before_it_begins(site):
    backup = wrecked(site)
    snapshot = shutil.copy(f"{backup}/snapshot.db", f"{site.folder}/mine.db")
    with open(snapshot, "r+b") as file:
        file.truncate(os.path.getsize(snapshot) - 32)
    refused = site.salvor(*site.restore_words(snapshot), "--yes")
    expect_end(refused, 3, "ETCD-HASH-MISSING", "--waive ID --reason TEXT")
    expect(site.changes() == [], "a blocked restore changed something", refused)


# ---- restoring ----------------------------------------------------------------------------------


def test_a_restore_without_a_set_of_salvor(site):
    backup = wrecked(site)
    snapshot = shutil.copy(f"{backup}/snapshot.db", f"{site.folder}/mine.db")
    shutil.rmtree(backup)
    result = site.salvor(*site.restore_words(snapshot), "--yes")
    expect_end(result, 4, "no list of keys to compare with", "cannot be undone")
    finish(site)
    end = site.end_state()
    expect(len(end["database"]["keys"]) == KEYS and end["running"], f"the keys are back: {end}")
    expect(end["beside"] == ["data"], f"the old data dir went after approval: {end['beside']}")


def test_a_failing_job_is_tried_again(site):
    backup = wrecked(site)
    site.fault("fail-restore", 1)
    result = site.salvor(*site.restore_words(backup), "--yes", "--no-post-resync")
    expect_end(result, 0, "ended before its goal; trying again")
    expect(site.changes().count("restore SITE/data.restored") == 2, str(site.changes()), result)


def test_a_job_that_goes_on_failing_ends_the_run_resumably(site):
    backup = wrecked(site)
    site.fault("fail-restore", 2)
    result = site.salvor(*site.restore_words(backup), "--yes", "--no-post-resync")
    expect_end(result, 1, "ended before its goal", "salvor resume")
    expect(site.salvor("resume", "last", "--yes").returncode == 0, "it goes on when mended")
    expect(len(site.end_state()["database"]["keys"]) == KEYS, "the keys are back")


def test_a_command_that_fails_is_told_with_its_words(site):
    backup = wrecked(site)
    site.fault("fail-stop", 9)
    result = site.salvor(*site.restore_words(backup), "--yes")
    expect_end(result, 1, "step 'snapshot-restore/restore/1'", "the unit does not stop",
               "salvor resume")
    expect(site.changes() == [], "nothing else ran", result)


def test_one_run_a_site(site):
    backup = wrecked(site)
    site.fault("slow-stop", 2000)
    first = subprocess.Popen(site.command(*site.restore_words(backup), "--yes",
                                          "--no-post-resync"),
                             env=site.environment, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    await_true("the stop", lambda: is_stopping(site))
    second = site.salvor(*site.restore_words(backup), "--yes")
    runs = glob.glob(f"{site.state}/runs/*-restore-*")
    again = site.salvor("resume", os.path.basename(runs[0]), "--yes")
    first.wait(timeout=60)
    expect(len(runs) == 1, f"a refused run leaves nothing: {runs}")
    expect_end(second, 5)
    expect_end(again, 5)
    expect(first.returncode == 0, "the first run is not disturbed")


def test_what_was_sealed_goes_with_its_run(site):
    backup = wrecked(site)
    expect_end(site.salvor(*site.restore_words(backup)), 4)
    run = max(glob.glob(f"{site.state}/runs/*-restore-*"), key=os.path.getmtime)
    os.mkdir(f"{run}/sealed")
    with open(f"{run}/sealed/key", "wb") as file:
        file.write(os.urandom(32))
    finish(site)
    expect(not os.path.exists(f"{run}/sealed"), "the key of sealed secrets outlives the run")


def test_a_finished_run_is_finished(site):
    backup = wrecked(site)
    expect_end(site.salvor(*site.restore_words(backup), "--yes", "--no-post-resync"), 0)
    expect_end(site.salvor("resume", "last"), 2, "is finished; there is nothing to resume")


def test_another_build_of_the_plugin_asks_first(site):
    backup = wrecked(site)
    waits = site.salvor(*site.restore_words(backup))
    expect_end(waits, 4)
    other = f"{site.folder}/plugins"
    os.makedirs(other)
    with open(f"{site.programs.plugins}/salvor_example.so", "rb") as file:
        content = bytearray(file.read())
    position = content.find(b"GNU\0", content.find(b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0"))
    content[position + 4] ^= 0xff  # the build id is another one now
    with open(f"{other}/salvor_example.so", "wb") as file:
        file.write(content)
    refused = site.salvor("resume", "last", "--yes", SALVOR_PLUGIN_PATH=other)
    expect_end(refused, 5, "journal was written by plugin 'example'", "--accept-plugin-change")
    accepted = site.salvor("resume", "last", "--approve", hash_in(waits),
                           "--accept-plugin-change", SALVOR_PLUGIN_PATH=other)
    expect(accepted.returncode in (0, 4), "it goes on when accepted", accepted)


def test_a_changed_backup_is_refused_at_resume(site):
    backup = wrecked(site)
    expect_end(site.salvor(*site.restore_words(f"{backup}/snapshot.db")), 4)
    with open(f"{backup}/snapshot.db", "ab") as file:
        file.write(b"more")
    expect_end(site.salvor("resume", "last", "--yes"), 5, "is not the one that run")


def test_a_restore_within_limits(site):
    backup = wrecked(site)
    config = f"{site.folder}/salvor.yaml"
    with open(config, "w", encoding="utf-8") as file:
        file.write("limits: {worker-memory: 64MiB, worker-cpu: 10s}\n")
    words = [*site.restore_words(backup), "--config", config, "--yes", "--no-post-resync"]
    expect_end(site.salvor(*words), 0)
    expect(len(site.end_state()["database"]["keys"]) == KEYS, "the least memory is enough")


def test_a_recording_answers_without_the_site(site):
    backup = wrecked(site)
    words = [*site.restore_words(backup), "--yes", "--no-post-resync"]
    recorded = site.salvor(*words, "--record", f"{site.folder}/recording")
    expect_end(recorded, 0)
    changes = site.changes()
    for path in glob.glob(f"{site.folder}/data*"):
        shutil.rmtree(path)
    os.unlink(site.etcdctl)
    shutil.copy("/bin/false", site.etcdctl)
    replayed = site.salvor(*words, "--replay", f"{site.folder}/recording")
    expect_end(replayed, 0)
    expect(site.changes() == changes, "a replay changed something", replayed)
    expect(glob.glob(f"{site.folder}/data*") == [], "a replay made a data dir", replayed)
    hashes = [re.findall(r"plan hash ([0-9a-f]{64})", r.stderr) for r in (recorded, replayed)]
    expect(hashes[0] == hashes[1] and len(hashes[0]) == 2, f"the same plans: {hashes}", replayed)


# ---- interruption ---------------------------------------------------------------------------------


def interrupted(site, words, when, signals):
    """Runs salvor, sends `signals` (seconds apart) when the condition holds; (result, seconds)."""
    process = subprocess.Popen(site.command(*words), env=site.environment,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    await_true("the moment to interrupt", when)
    began = time.monotonic()
    for pause, number in signals:
        time.sleep(pause)
        process.send_signal(number)
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(words, process.returncode, out, err), time.monotonic() - began


def test_ctrl_c_once_leaves_a_job_running_and_a_resumable_run(site):
    backup = wrecked(site)
    site.fault("slow-restore", 3000)
    result, took = interrupted(site, site.restore_words(backup) + ["--yes"],
                               lambda: "restore SITE/data.restored" in site.changes(),
                               [(0, signal.SIGINT)])
    expect_end(result, 130, "salvor resume")
    expect(took < 2.5, f"it took {took:.1f} s to reach a safe point", result)
    finish(site)
    expect(site.changes() == ALL_CHANGES, f"the job ran once: {site.changes()}")


def test_ctrl_c_twice_stops_now(site):
    backup = wrecked(site)
    site.fault("slow-stop", 20000)
    result, took = interrupted(
        site, site.restore_words(backup) + ["--yes"],
        lambda: is_stopping(site),
        [(0, signal.SIGINT), (0.3, signal.SIGINT)])
    expect_end(result, 130, "salvor resume")
    expect(took < 5, f"it took {took:.1f} s to stop", result)
    os.unlink(f"{site.folder}/slow-stop")
    finish(site)
    expect(site.changes() == ALL_CHANGES, f"all of it ran once: {site.changes()}")


def test_a_time_limit_leaves_a_resumable_run(site):
    backup = wrecked(site)
    site.fault("slow-restore", 3000)
    result = site.salvor(*site.restore_words(backup), "--yes", "--timeout", "1500ms")
    expect_end(result, 1, "time limit (--timeout)", "salvor resume")
    finish(site)
    expect(site.changes() == ALL_CHANGES, f"the job ran once: {site.changes()}")


def test_what_a_person_did_is_told(site):
    backup = wrecked(site)
    words = [*site.restore_words(backup), "--yes", "--manual", "stop-member", "--no-post-resync"]
    expect_end(site.salvor(*words), 4, "a person has to do this", "do what the step says")
    site.play("stop")
    expect_end(site.salvor("resume", "last", "--yes"), 0)
    report = json.loads(site.salvor("report", "last", "-o", "json").stdout)
    step = report["stages"][0]["steps"][0]
    events = [event["event"] for event in step["manual_events"]]
    expect(events == ["shown", "seen-done"], f"shown, then seen: {events}")
    expect(step["state"] == "done", f"its state is {step['state']}")


def test_a_step_by_hand_that_the_plan_lacks_is_refused(site):
    backup = wrecked(site)
    words = [*site.restore_words(backup), "--yes", "--no-post-resync"]
    expect_end(site.salvor(*words, "--manual", "snapshot-restore/restore/6"), 2,
               "stage 'restore' has no step 'snapshot-restore/restore/6' to do by hand: it has 5",
               "with '--manual'")
    expect_end(site.salvor(*words, "--manual", "after-restore/health/x"), 2, "to do by hand")
    expect(site.changes() == [], "something ran all the same")
    expect_end(site.salvor("resume", "last", "--yes", "--manual", "snapshot-restore/restore/1"), 4,
               "a person has to do this")
    expect_end(site.salvor("resume", "last", "--yes", "--manual", "none"), 4,
               "a person has to do this")  # its stage is approved: nothing takes it back
    site.play("stop")
    expect_end(site.salvor("resume", "last", "--yes"), 0)


def test_term_is_as_ctrl_c(site):
    backup = wrecked(site)
    site.fault("slow-restore", 2000)
    result, _ = interrupted(site, site.restore_words(backup) + ["--yes"],
                            lambda: "restore SITE/data.restored" in site.changes(),
                            [(0, signal.SIGTERM)])
    expect_end(result, 130)
    finish(site)


# ---- afterwards -----------------------------------------------------------------------------------


def test_every_format_of_the_report(site):
    backup = wrecked(site)
    expect_end(site.salvor(*site.restore_words(backup), "--yes", "--no-post-resync"), 0)
    text = site.salvor("report", "last", "--verify")
    expect_end(text, 0)
    expect("Restore the snapshot to a new data dir" in text.stdout, "steps by their titles", text)
    for form, piece in (("json", '"snapshot-restore"'), ("md", "# "), ("html", "<!doctype html")):
        result = site.salvor("report", "last", "-o", form)
        expect_end(result, 0)
        expect(piece in result.stdout.lower() or piece in result.stdout, f"{form} report", result)
    listed = site.salvor("runs", "-o", "json")
    expect_end(listed, 0)
    expect(len(json.loads(listed.stdout)) >= 2, "backup and restore are listed", listed)


def test_backups_are_listed_and_proved(site):
    backup = site.take_backup(KEYS)
    name = os.path.basename(backup)
    listed = site.salvor("backups", "list", "-o", "name")
    expect(listed.stdout.strip() == name, "the set is listed", listed)
    expect_end(site.salvor("backups", "verify", name), 0)
    with open(f"{backup}/keys.txt", "ab") as file:
        file.write(b"x")
    expect_end(site.salvor("backups", "verify", name), 3, "keys.txt")


def test_looking_works_where_nothing_can_be_written(site):
    site.play("init", site.data, str(KEYS))
    site.state = "/proc/nonexistent/salvor"
    result = site.salvor("--provider", "example", "discover", *site.options()[:2])
    expect_end(result, 0, "this is not recorded")
    refused = site.salvor(*site.restore_words("/nonexistent/backup"), "--yes")
    expect(refused.returncode != 0, "a restore needs its journal", refused)
    expect(site.changes()[1:] == [], "nothing was changed", refused)


sys.exit(tell(globals()))
