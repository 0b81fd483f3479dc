#!/usr/bin/env python3
"""Kills the example restore wherever it can be killed, resumes it, and compares the end.

An undisturbed run tells every kill point: (invocation, role, row, event, ordinal). For each point and
victim (parent, worker, both) the same restore is run on a fresh site, killed there with SIGKILL, and
resumed until it is done. Then
  - the site is in the state that the undisturbed run left,
  - its audit log shows the same changes, each as often as there,
  - the journal verifies, and no process and no temporary file is left.
With --kube PROGRAM the runs hold Leases in a simulated cluster: a resume has to take its own over at once
(nobody here waits for the two minutes of another's), and gives it back at its end.

usage: kill-example.py --salvor PROGRAM --plugins FOLDER --simulator PROGRAM [--kube PROGRAM]
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
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../sim/etcd"))
from simulated_site import Programs, Site  # pylint: disable=wrong-import-position

KEYS = 40
VICTIMS = ("parent", "worker", "both")


class Broken(Exception):
    """What must hold after a kill and a resume does not."""


class Place:
    """Where the points are tried, and the one backup that they all restore."""

    def __init__(self, arguments, folder):
        self.programs = Programs(arguments)
        self.folder = folder
        self.backup = Site(self.programs, f"{folder}/backup-site").take_backup(KEYS)
        self.cluster = None
        self.url = None
        if arguments.kube:
            self.cluster = subprocess.Popen([arguments.kube, "--kubeconfig", f"{folder}/hub"],
                                            stdout=subprocess.PIPE, text=True)
            self.url = self.cluster.stdout.readline().strip()

    def close(self):
        if self.cluster:
            self.cluster.terminate()
            self.cluster.wait()
            self.cluster.stdout.close()

    def site(self, name):
        """A wrecked site; with a cluster it has a Lease of its own there."""
        site = Site(self.programs, f"{self.folder}/{name}")
        if self.cluster:
            site.lock = [f"--set=lock-kubeconfig={self.folder}/hub", f"--set=lock-name={name}"]
        site.wreck()
        return site

    def check_lease(self, name):
        if not self.cluster:
            return
        path = f"{self.url}/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/{name}"
        with urllib.request.urlopen(path) as answer:
            holder = json.load(answer)["spec"]["holderIdentity"]
        if holder:
            raise Broken(f"the lease is still held by '{holder}'")


def restore(site, backup, kill_invocation=None, kill_at=None, logs=None):
    """Runs the restore to its end; process number `kill_invocation` of it is to be killed."""
    begin = site.restore_words(backup) + ["--yes"]
    resume = ["resume", "last", "--yes"]
    words = begin
    for invocation in range(12):
        at = kill_at if invocation == kill_invocation else None
        environment = {"SALVOR_KILL_AT": at} if at else {}
        if logs:
            environment["SALVOR_KILL_LOG"] = f"{logs}/{invocation}"
        result = site.salvor(*words, **environment)
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


def once_where_it_must_be(audit):
    """Without the repeats that a row marked idempotent may have: its command died with its worker."""
    idempotent = ("start ", "stop ", "compact ")
    return [line for number, line in enumerate(audit)
            if not (number > 0 and audit[number - 1] == line and line.startswith(idempotent))]


def check(site, expected):
    found = site.end_state()
    found["audit"] = once_where_it_must_be(found["audit"])
    for name, value in expected.items():
        if found[name] != value:
            raise Broken(f"{name} differs:\n  undisturbed {value}\n  killed      {found[name]}")
    verified = site.salvor("report", "last", "--verify", "-o", "json")
    if verified.returncode != 0:
        raise Broken(f"the journal does not verify:\n{verified.stderr}")
    left = site.left_behind()
    if left:
        raise Broken("left behind: " + ", ".join(left))


def try_point(place, number, invocation, key, victim, expected):
    name = f"point-{number}"
    site = place.site(name)
    try:
        restore(site, place.backup, invocation, f"{victim}:{key}")
        check(site, expected)
        place.check_lease(name)
    except (Broken, subprocess.TimeoutExpired, OSError, ValueError) as why:
        return f"invocation {invocation}, {victim}:{key}: {why}"
    shutil.rmtree(site.folder)
    return None


def all_points(place):
    """Runs undisturbed; returns the points and the end state."""
    site = place.site("undisturbed")
    logs = f"{place.folder}/logs"
    os.makedirs(logs)
    restore(site, place.backup, logs=logs)
    points = []
    for invocation in sorted(os.listdir(logs), key=int):
        with open(f"{logs}/{invocation}", encoding="utf-8") as file:
            keys = file.read().split()
        points += [(int(invocation), key, victim) for key in keys for victim in VICTIMS]
    expected = site.end_state()
    check(site, expected)
    place.check_lease("undisturbed")
    return points, expected


def try_all(place, arguments):
    points, expected = all_points(place)
    total = len(points)
    if arguments.only:
        points = [p for p in points if arguments.only in f"{p[2]}:{p[1]}"]
    elif arguments.sample and arguments.sample < len(points):
        points = random.Random(arguments.seed).sample(points, arguments.sample)
        if os.environ.get("SALVOR_WORKER"):  # the other mode of workers tries the rest as well
            points = points[:len(points) // 2]
    print(f"{total} kill points, trying {len(points)} (seed {arguments.seed})", flush=True)
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        tries = [pool.submit(try_point, place, number, *point, expected)
                 for number, point in enumerate(points)]
        failures = [why for why in (one.result() for one in tries) if why]
    for why in failures:
        print(f"FAILED {why}")
    print(f"{len(points) - len(failures)} passed, {len(failures)} failed, "
          f"{time.monotonic() - began:.0f} s")
    return 1 if failures or not points else 0


def main():
    parser = argparse.ArgumentParser()
    Programs.add_to(parser)
    parser.add_argument("--kube", help="program of the simulated cluster")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=20261120)
    parser.add_argument("--only", help="points whose 'victim:role:row:event:ordinal' holds this")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="salvor-kill-") as folder:
        place = Place(arguments, folder)
        try:
            return try_all(place, arguments)
        finally:
            place.close()


sys.exit(main())
