#!/usr/bin/env python3
"""Kills the example restore wherever it can be killed, resumes it, and compares the end.

An undisturbed run tells every kill point: (invocation, role, row, event, ordinal). For each point and
victim (parent, worker, both) the same restore is run on a fresh site, killed there with SIGKILL, and
resumed until it is done. Then
  - the site is in the state that the undisturbed run left,
  - its audit log shows the same changes, each as often as there,
  - the journal verifies, and no process and no temporary file is left.

usage: kill-example.py --salvor PROGRAM --plugins FOLDER --simulator PROGRAM
                       [--sample N [--seed S]] [--only KEY] [--jobs N]
"""

import argparse
import concurrent.futures
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

KEYS = 40
LIMIT_S = 60
VICTIMS = ("parent", "worker", "both")


class Broken(Exception):
    """What must hold after a kill and a resume does not."""


class Site:
    """A simulated member that lost its data, and a salvor that works on it."""

    def __init__(self, setup, folder):
        self.setup = setup
        self.folder = folder
        self.etcdctl = f"{folder}/etcdctl"
        self.data = f"{folder}/data"
        self.state = f"{folder}/state"
        os.makedirs(folder)
        os.symlink(setup.simulator, self.etcdctl)
        os.makedirs(f"{folder}/tmp")
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "TMPDIR": f"{folder}/tmp",
            "LANG": "C.UTF-8",
            "SALVOR_PLUGIN_PATH": setup.plugins,
            "SALVOR_WORKER": os.environ.get("SALVOR_WORKER", ""),
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]

    def play(self, *words):
        subprocess.run([self.etcdctl, *words], check=True, stdout=subprocess.DEVNULL)

    def options(self):
        return [
            "--endpoint=http://127.0.0.1:2379",
            f"--etcdctl={self.etcdctl}",
            f"--data-dir={self.data}",
            f"--stop={self.etcdctl}", "--stop=stop",
            f"--start={self.etcdctl}", "--start=start", "--start={data-dir}",
        ]

    def salvor(self, *words, kill_at=None, log=None):
        environment = dict(self.environment)
        if kill_at is not None:
            environment["SALVOR_KILL_AT"] = kill_at
        if log is not None:
            environment["SALVOR_KILL_LOG"] = log
        return subprocess.run(
            [self.setup.salvor, *words, "--state-dir", self.state],
            env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=LIMIT_S, check=False,
        )

    def wreck(self):
        """The member runs on data that nobody wants back."""
        self.play("init", self.data, "3")
        os.unlink(f"{self.folder}/audit")

    def end_state(self):
        with open(f"{self.data}/member/snap/db", encoding="utf-8") as file:
            database = json.load(file)
        with open(f"{self.folder}/running", encoding="utf-8") as file:
            running = file.read() == self.data
        beside = sorted(name for name in os.listdir(self.folder) if name.startswith("data"))
        with open(f"{self.folder}/audit", encoding="utf-8") as file:
            audit = file.read().replace(self.folder, "SITE").splitlines()
        return {"database": database, "running": running, "beside": beside, "audit": audit}


class Setup:
    def __init__(self, arguments, folder):
        self.salvor = os.path.realpath(arguments.salvor)
        self.plugins = os.path.realpath(arguments.plugins)
        self.simulator = os.path.realpath(arguments.simulator)
        self.folder = folder
        self.backup = self.take_backup()

    def take_backup(self):
        site = Site(self, f"{self.folder}/backup-site")
        site.play("init", site.data, str(KEYS))
        result = site.salvor(
            "--provider", "example", "backup", "--endpoint=http://127.0.0.1:2379",
            f"--etcdctl={site.etcdctl}", "-o", "name",
        )
        if result.returncode != 0:
            sys.exit(f"the backup failed ({result.returncode}):\n{result.stderr}")
        return f"{site.state}/sets/example/{result.stdout.strip()}"


def restore(site, kill_invocation=None, kill_at=None, logs=None):
    """Runs the restore to its end; process number `kill_invocation` of it is to be killed."""
    begin = ["--provider", "example", "restore", f"--from={site.setup.backup}", "--yes",
             *site.options()]
    resume = ["resume", "last", "--yes"]
    words = begin
    for invocation in range(12):
        at = kill_at if invocation == kill_invocation else None
        result = site.salvor(*words, kill_at=at, log=f"{logs}/{invocation}" if logs else None)
        if result.returncode == 0:
            return
        nothing_began = "start again" in result.stderr or "there is no run" in result.stderr
        approved = re.search(r"--approve ([0-9a-f]{64})", result.stderr)
        if result.returncode == -9:
            words = resume
        elif result.returncode == 4 and approved:
            words = resume + ["--approve", approved.group(1)]
        elif nothing_began and words[0] == "resume":
            words = begin  # killed before the first record of the run was durable
        elif at is not None and "salvor resume" in result.stderr:
            words = resume  # the worker died; the parent says so, and how to go on
        elif at is not None and words is begin:
            words = begin  # the worker died before there was a run to resume
        else:
            raise Broken(f"{' '.join(words)} ended with {result.returncode}:\n{result.stderr}")
    raise Broken("not done after twelve resumes")


def left_behind(site):
    """Processes of the site, after a moment for those that are just ending."""
    for _ in range(100):
        mine = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read()
            except OSError:
                continue
            if site.folder.encode() + b"/" in words and int(pid) != os.getpid():
                mine.append(f"{pid} {words!r}")
        if not mine:
            break
        time.sleep(0.05)
    return mine + [f"{site.folder}/tmp/{name}" for name in os.listdir(f"{site.folder}/tmp")]


def check(site, expected):
    found = site.end_state()
    for name, value in expected.items():
        if found[name] != value:
            raise Broken(f"{name} differs:\n  undisturbed {value}\n  killed      {found[name]}")
    verified = site.salvor("report", "last", "--verify", "-o", "json")
    if verified.returncode != 0:
        raise Broken(f"the journal does not verify:\n{verified.stderr}")
    left = left_behind(site)
    if left:
        raise Broken("left behind: " + ", ".join(left))


def try_point(setup, number, invocation, key, victim, expected):
    folder = f"{setup.folder}/point-{number}"
    site = Site(setup, folder)
    site.wreck()
    try:
        restore(site, invocation, f"{victim}:{key}")
        check(site, expected)
    except (Broken, subprocess.TimeoutExpired, OSError, ValueError) as why:
        return f"invocation {invocation}, {victim}:{key}: {why}"
    shutil.rmtree(folder)
    return None


def all_points(setup):
    """Runs undisturbed; returns the points and the end state."""
    site = Site(setup, f"{setup.folder}/undisturbed")
    site.wreck()
    logs = f"{setup.folder}/logs"
    os.makedirs(logs)
    restore(site, logs=logs)
    points = []
    for invocation in sorted(os.listdir(logs), key=int):
        with open(f"{logs}/{invocation}", encoding="utf-8") as file:
            keys = file.read().split()
        points += [(int(invocation), key, victim) for key in keys for victim in VICTIMS]
    expected = site.end_state()
    check(site, expected)
    return points, expected


def main():
    parser = argparse.ArgumentParser()
    for name in ("salvor", "plugins", "simulator"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=20261120)
    parser.add_argument("--only", help="points whose 'victim:role:row:event:ordinal' holds this")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="salvor-kill-") as folder:
        setup = Setup(arguments, folder)
        points, expected = all_points(setup)
        total = len(points)
        if arguments.only:
            points = [p for p in points if arguments.only in f"{p[2]}:{p[1]}"]
        elif arguments.sample and arguments.sample < len(points):
            points = random.Random(arguments.seed).sample(points, arguments.sample)
        print(f"{total} kill points, trying {len(points)} (seed {arguments.seed})", flush=True)
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            tries = [pool.submit(try_point, setup, number, *point, expected)
                     for number, point in enumerate(points)]
            failures = [why for why in (one.result() for one in tries) if why]
        for why in failures:
            print(f"FAILED {why}")
        print(f"{len(points) - len(failures)} passed, {len(failures)} failed, "
              f"{time.monotonic() - began:.0f} s")
        return 1 if failures or not points else 0


sys.exit(main())
