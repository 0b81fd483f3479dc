#!/usr/bin/env python3
"""A job on a host under the whole program: whatever is killed, it runs on, once, and is found again.

usage: test-remote.py --salvor PROGRAM --plugins FOLDER --sshd PROGRAM [--all] [TEST...]
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from remote_site import (  # pylint: disable=wrong-import-position
    Host, Site, await_true, below, kill, words_of)

# Begins, says so, and ends when it is told to.
SCRIPT = ('echo x >>"$HOME/count"; while [ ! -e "$HOME/go" ]; do sleep 0.05; done; '
          'echo "result of the job"')
SAMPLE = 6  # kill points, without --all


def expect(condition, text, *results):
    if not condition:
        raise AssertionError(text + "".join(
            f"\n-- exit status {r.returncode}\n{r.stdout}{r.stderr}" for r in results))


def make_site(programs, folder, host, name):
    for leftover in ("count", "go"):
        if os.path.exists(host.path(leftover)):
            os.unlink(host.path(leftover))
    secrets = f"{folder}/secrets-{name}"
    os.makedirs(secrets)
    for option in ("token", "issued"):
        with open(f"{secrets}/{option}", "w", encoding="utf-8") as file:
            file.write(f"{option} of {name}")
        os.chmod(f"{secrets}/{option}", 0o600)
    os.makedirs(f"{folder}/{name}")
    return Site(programs, f"{folder}/{name}", host, {
        "ssh-key": f"file:{host['key']}", "token": f"file:{secrets}/token",
        "issued": f"{secrets}/issued"})


def let_it_end(host):
    with open(host.path("go"), "w", encoding="utf-8"):
        pass


def resume_until_done(site):
    for _ in range(6):
        result = site.salvor("resume", "last", "--yes")
        if result.returncode == 0:
            return
    raise AssertionError(f"not done:\n{result.stdout}{result.stderr}")


def expect_once(site, host):
    """It ran once, and the run has what it printed."""
    expect(host.runs() == 1, f"the job began {host.runs()} times")
    report = site.salvor("report", "last", "-o", "json")
    expect(report.returncode == 0, "the report can be written", report)
    notes = [note["text"] for note in json.loads(report.stdout)["notes"]]
    expect(any("result of the job" in note for note in notes), f"no result in {notes}")


def test_undisturbed(programs, folder, host):
    site = make_site(programs, folder, host, "undisturbed")
    let_it_end(host)
    result = site.salvor(*site.restore_words(SCRIPT))
    expect(result.returncode == 0, "the run is done", result)
    expect_once(site, host)


def kill_while_it_runs(programs, folder, host, name, victims):
    """victims(pids below salvor, salvor): the processes to kill."""
    site = make_site(programs, folder, host, name)
    with site.begin(*site.restore_words(SCRIPT)) as salvor:
        await_true("the job", lambda: host.runs() == 1)
        chosen = victims(below(salvor.pid), salvor.pid)
        expect(chosen, "there is something to kill")
        for pid in chosen:
            kill(pid)
        expect(host.runs() == 1, "it was not begun again at once")
        let_it_end(host)
        said = salvor.communicate(timeout=90)[0]
        expect(pid_of_salvor_lives(chosen, salvor) or salvor.returncode < 0,
               f"salvor was killed, and ended with {salvor.returncode}:\n{said}")
        finished = salvor.returncode == 0
    # What salvor survives it may get over by itself.
    if not finished:
        resume_until_done(site)
    expect_once(site, host)


def pid_of_salvor_lives(chosen, salvor):
    return salvor.pid not in chosen


def is_ssh(pid):
    return words_of(pid)[0].endswith(b"ssh")


def is_worker(pid):
    return b"--worker" in words_of(pid)


def test_local_ssh_killed(programs, folder, host):
    # A worker a call has a connection a call: there is none to kill between two of them.
    if os.environ.get("SALVOR_WORKER") == "per-call":
        return
    kill_while_it_runs(programs, folder, host, "ssh",
                       lambda pids, _: [pid for pid in pids if words_of(pid) and is_ssh(pid)])


def test_worker_killed(programs, folder, host):
    if os.environ.get("SALVOR_WORKER") == "per-call":
        return
    kill_while_it_runs(programs, folder, host, "worker",
                       lambda pids, _: [pid for pid in pids if is_worker(pid)])


def test_all_of_salvor_killed(programs, folder, host):
    kill_while_it_runs(programs, folder, host, "all", lambda pids, salvor: [salvor, *pids])


def kill_points(programs, folder, host):
    """Where the row of the job can be killed, by the log of an undisturbed run."""
    site = make_site(programs, folder, host, "points")
    log = f"{folder}/points.log"
    let_it_end(host)
    result = site.salvor(*site.restore_words(SCRIPT), SALVOR_KILL_LOG=log)
    expect(result.returncode == 0, "the run is done", result)
    with open(log, encoding="utf-8") as file:
        points = list(dict.fromkeys(line.strip() for line in file if ":job:" in line))
    expect(points, "there are points in the row of the job")
    return points


def test_killed_at_every_point(programs, folder, host):
    points = [(victim, point) for point in kill_points(programs, folder, host)
              for victim in ("both", "parent")]
    if not programs.all:
        points = points[::max(1, len(points) // SAMPLE)]
    kills = 0
    for number, (victim, point) in enumerate(points):
        site = make_site(programs, folder, host, f"point-{number}")
        let_it_end(host)
        killed = site.salvor(*site.restore_words(SCRIPT), SALVOR_KILL_AT=f"{victim}:{point}")
        try:
            # How often a job is polled is a matter of time: the last points are not always met.
            expect(killed.returncode <= 0, "it was killed, or is done", killed)
            kills += killed.returncode < 0
            if killed.returncode != 0:
                resume_until_done(site)
            expect_once(site, host)
        except AssertionError as error:
            raise AssertionError(f"killed {victim} at {point}: {error}") from error
    expect(2 * kills >= len(points), f"only {kills} of {len(points)} points were met")
    print(f"   {kills} of {len(points)} points met")


def main():
    parser = argparse.ArgumentParser()
    for name in ("salvor", "plugins", "sshd"):
        parser.add_argument(f"--{name}", required=True, type=os.path.realpath)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("tests", nargs="*")
    programs = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="salvor-remote-")
    host = Host(programs.sshd, folder)
    failed = 0
    try:
        if host.about is None:
            print("skipped: no sshd can run here")
            return 77
        for name, test in list(globals().items()):
            if not name.startswith("test_") or (programs.tests and name not in programs.tests):
                continue
            try:
                test(programs, folder, host)
                print(f"ok   {name}")
            except Exception:  # pylint: disable=broad-except
                failed += 1
                print(f"FAIL {name}")
                traceback.print_exc()
    finally:
        host.close()
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
