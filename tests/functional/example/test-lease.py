#!/usr/bin/env python3
"""Runs that hold a Lease: the whole program, a simulated member, and a simulated cluster for the Lease.

usage: test-lease.py --salvor PROGRAM --plugins FOLDER --simulator PROGRAM --kube PROGRAM --proxy PROGRAM [TEST...]

A Lease of these tests lasts 2 s instead of 120 (SALVOR_LEASE_MS), and all that follows from it is as much shorter.
"""

import contextlib
import glob
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request

from stories import expect, expect_end, hash_in, tell

KEYS = 20
LEASE_MS = 2000
PATH = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/salvor"
TOOLS = {}


class Cluster:
    """The cluster that keeps the Lease; with `rules` a fault proxy stands before it."""

    def __init__(self, site, *rules):
        self.folder = f"{site.folder}/tmp"
        self.kubeconfig = f"{site.folder}/hub"
        self.processes = []
        self.url = self.start(TOOLS["kube"], "--kubeconfig", self.kubeconfig)
        if rules:
            words = [word for rule in rules for word in ("--rule", rule)]
            self.start(TOOLS["proxy"], *words, "--kubeconfig", self.kubeconfig, f"{site.folder}/proxied")
            self.kubeconfig = f"{site.folder}/proxied"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()
            process.stdout.close()

    def start(self, *words):
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process.stdout.readline().strip()

    def ask(self, method="GET", body=None):
        request = urllib.request.Request(
            self.url + PATH, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def lease(self):
        return self.ask()["spec"]

    def holder(self):
        return self.lease().get("holderIdentity", "")

    def heads(self):
        return json.loads(self.ask()["metadata"]["annotations"]["salvor/journal-heads"])

    def give_to(self, identity):
        lease = self.ask()
        lease["spec"]["holderIdentity"] = identity
        self.ask("PUT", lease)

    def options(self):
        return ["--set", f"lock-kubeconfig={self.kubeconfig}"]


class Machine:
    """A salvor with a state folder of its own, on the same site."""

    def __init__(self, site, name, cluster):
        self.site = site
        self.state = f"{site.folder}/state-{name}"
        self.options = cluster.options()
        self.environment = site.environment | {"SALVOR_LEASE_MS": str(LEASE_MS)}

    def command(self, *words):
        return [self.site.programs.salvor, *words, "--state-dir", self.state]

    def salvor(self, *words, **environment):
        return subprocess.run(self.command(*words), env=self.environment | environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60, check=False)

    def restore(self, backup):
        return self.salvor(*self.site.restore_words(backup), "--yes", *self.options)

    def begin_restore(self, backup):
        """Starts one, which goes on while the test does something else."""
        return subprocess.Popen(self.command(*self.site.restore_words(backup), "--yes", *self.options),
                                env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)


class Result:
    """What a process that was started earlier ended with."""

    def __init__(self, process):
        self.stdout, self.stderr = process.communicate(timeout=60)
        self.returncode = process.returncode


def wrecked(site):
    backup = site.take_backup(KEYS)
    site.wreck()
    return backup


def await_true(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen within {seconds} s")


def held(cluster):
    try:
        return cluster.holder() != ""
    except OSError:
        return False


def is_stopping(site):
    """The first step of the restore is under way: its command runs."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if file.read() == f"{site.etcdctl}\0stop\0".encode():
                    return True
        except OSError:
            pass
    return False


def steps_done(site):
    """How many of the restore's commands changed something."""
    return len(site.changes())


def approve_the_rest(machine, result):
    """What cannot be undone is approved by its hash."""
    expect_end(result, 4)
    return machine.salvor("resume", "last", "--yes", "--approve", hash_in(result))


# ---- what is shown ---------------------------------------------------------------------------


def test_plan_names_the_lease_or_says_why_there_is_none(site):
    backup = wrecked(site)
    with Cluster(site) as cluster:
        machine = Machine(site, "a", cluster)
        words = ["--provider", "example", "plan", f"--from={backup}", *site.options()]
        without = machine.salvor(*words)
        expect_end(without, 0)
        expect("no lock across machines: neither the site ('lock-kubeconfig') nor plugin 'example'"
               in without.stdout, "the plan says that there is no lock", without)
        locked = machine.salvor(*words, *cluster.options())
        expect_end(locked, 0)
        expect(f"held against other machines: lease 'kube-system/salvor' in '{cluster.kubeconfig}'" in locked.stdout,
               "the plan names the lease", locked)
        hashes = [re.search("plan hash (.*)", result.stdout)[1] for result in (without, locked)]
        expect(hashes[0] != hashes[1], "who approves a plan approves how it is locked, too")
        expect(not held(cluster), "planning takes no lease")


def test_settings_of_the_site_are_read_and_checked(site):
    backup = wrecked(site)
    with Cluster(site) as cluster:
        machine = Machine(site, "a", cluster)
        config = f"{site.folder}/salvor.yaml"
        options = "".join(f"    {key}: {value}\n" for key, value in
                          (("endpoint", "http://127.0.0.1:2379"), ("etcdctl", site.etcdctl), ("data-dir", site.data),
                           ("stop", "[etcdctl]"), ("start", "[etcdctl]")))
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"sites:\n  lab:\n    provider: example\n{options}    lock-kubeconfig: hub\n"
                       "    lock-namespace: default\n    lock-name: lab.example\n")
        result = machine.salvor("--config", config, "plan", "--site", "lab", f"--from={backup}")
        expect_end(result, 0)
        expect(f"lease 'default/lab.example' in '{cluster.kubeconfig}'" in result.stdout, "the site says which", result)
        expect_end(machine.salvor("--config", config, "config", "check"), 0)
        with open(config, "a", encoding="utf-8") as file:
            file.write("    lock-context: ''\n")
        expect_end(machine.salvor("--config", config, "config", "check"), 2, "'lock-context' has no value")
        expect_end(machine.salvor(*site.restore_words(backup), "--set", "lock-namespace=No"), 2,
                   "'No' is no name for 'lock-namespace'")


# ---- one run ---------------------------------------------------------------------------------


def test_run_holds_it_and_leaves_its_heads(site):
    backup = wrecked(site)
    with Cluster(site) as cluster:
        machine = Machine(site, "a", cluster)
        waits = machine.restore(backup)
        expect_end(waits, 4, "this run holds the lease 'kube-system/salvor'")
        expect(not held(cluster), "a run that waits for a person holds nothing")
        done = approve_the_rest(machine, waits)
        expect_end(done, 0)
        expect(not held(cluster), "a run that is done holds nothing")
        heads = cluster.heads()
        run = re.search("run '([^']*)'", waits.stderr)[1]
        head = re.search(f"journal head of run '{run}': (.*)", done.stderr)[1]
        expect([entry["run"] for entry in heads] == [run], f"one head a run: {heads}")
        expect(heads[0]["head"] == head, f"the last head is in the lease: {heads}", done)
        report = json.loads(machine.salvor("report", run, "-o", "json").stdout)
        expect([event["event"] for event in report["lock"]["events"]] == ["taken", "kept", "taken", "kept"],
               f"the report tells of the lease: {report['lock']}")


def test_cut_journal_is_found_by_the_head_in_the_lease(site):
    backup = wrecked(site)
    with Cluster(site) as cluster:
        machine = Machine(site, "a", cluster)
        expect_end(approve_the_rest(machine, machine.restore(backup)), 0)
        whole = machine.salvor("report", "last", "--verify")
        expect_end(whole, 0)
        expect(f"(lease 'kube-system/salvor' in '{cluster.kubeconfig}')" in whole.stdout, "it was compared", whole)
        journal = glob.glob(f"{machine.state}/runs/*/journal.db")[0]
        with contextlib.closing(sqlite3.connect(journal)) as database:
            guards = database.execute("select name, sql from sqlite_master where type = 'trigger'").fetchall()
            for name, _ in guards:
                database.execute(f"drop trigger {name}")
            database.execute("delete from records where sequence > (select max(sequence) - 3 from records)")
            for _, text in guards:
                database.execute(text)
            database.commit()
        expect_end(machine.salvor("report", "last", "--verify"), 1, cluster.heads()[0]["head"])
    gone = machine.salvor("report", "last", "--verify")
    expect_end(gone, 0, "the heads in the lease of this run are not compared")


def test_plugin_that_hangs_keeps_nobody_from_renewing(site):
    backup = wrecked(site)
    site.fault("slow-stop", 3 * LEASE_MS)
    with Cluster(site) as cluster:
        first, second = Machine(site, "a", cluster), Machine(site, "b", cluster)
        running = first.begin_restore(backup)
        await_true("the lease is taken", lambda: held(cluster))
        time.sleep(1.5 * LEASE_MS / 1000)
        refused = second.restore(backup)
        expect_end(refused, 5, "is held by run '", f"on '{socket.gethostname()}'", "renewed while this run watched")
        result = Result(running)
        expect_end(approve_the_rest(first, result), 0)


def test_backup_that_changes_nothing_takes_none(site):
    site.play("init", site.data, str(KEYS))
    with Cluster(site) as cluster:
        machine = Machine(site, "a", cluster)
        result = machine.salvor("--provider", "example", "backup", *site.options()[:2], *cluster.options())
        expect_end(result, 0)
        expect(not held(cluster) and "lease" not in result.stderr, "nothing is locked that is only read", result)


# ---- two runs --------------------------------------------------------------------------------


def test_second_machine_is_refused(site):
    backup = wrecked(site)
    site.fault("slow-stop", 2000)
    with Cluster(site) as cluster:
        first, second = Machine(site, "a", cluster), Machine(site, "b", cluster)
        running = first.begin_restore(backup)
        await_true("the lease is taken", lambda: held(cluster))
        refused = second.restore(backup)
        expect_end(refused, 5, "the lease 'kube-system/salvor' is held by run '",
                   "two runs at once would undo each other's work")
        expect("provider 'example', site 'default'" in refused.stderr, "it says for what", refused)
        result = Result(running)
        expect_end(approve_the_rest(first, result), 0)
        changed = site.changes()
        # and once it is free the other one can look for itself
        expect_end(second.salvor("resume", "last", "--yes"), 4)
        expect(len([line for line in changed if line.startswith("restore")]) == 1, f"restored once: {changed}")


def test_killed_run_takes_its_lease_over_at_once(site):
    backup = wrecked(site)
    site.fault("slow-stop", 1000)
    with Cluster(site) as cluster:
        machine = Machine(site, "a", cluster)
        running = machine.begin_restore(backup)
        await_true("the lease is taken", lambda: held(cluster))
        identity = cluster.holder()
        running.send_signal(signal.SIGKILL)
        running.communicate()
        began = time.monotonic()
        result = machine.salvor("resume", "last", "--yes")
        expect_end(result, 4, "was taken over from run '", "which is gone")
        expect("watching whether" not in result.stderr, "its own lease needs no watching", result)
        expect(time.monotonic() - began < 10, "it is taken at once", result)
        expect(cluster.lease()["leaseTransitions"] == 1 and cluster.holder() != identity, "another process has it")
        expect_end(approve_the_rest(machine, result), 0)


def test_other_machine_waits_until_the_dead_one_has_run_out(site):
    backup = wrecked(site)
    site.fault("slow-stop", 1000)
    with Cluster(site) as cluster:
        first, second = Machine(site, "a", cluster), Machine(site, "b", cluster)
        running = first.begin_restore(backup)
        await_true("the lease is taken", lambda: held(cluster))
        running.send_signal(signal.SIGKILL)
        running.communicate()
        began = time.monotonic()
        result = second.restore(backup)
        expect(time.monotonic() - began >= LEASE_MS / 1000, "the whole time passes first", result)
        expect_end(result, 4, "watching whether it is still renewed", "was taken over from run '")


def test_two_at_the_same_moment(site):
    backup = wrecked(site)
    site.fault("slow-stop", 2000)
    with Cluster(site) as cluster:
        machines = [Machine(site, name, cluster) for name in "abc"]
        results = [Result(process) for process in [machine.begin_restore(backup) for machine in machines]]
        codes = sorted(result.returncode for result in results)
        expect(codes == [4, 5, 5], f"one of three works: {codes}", *results)


# ---- trouble ---------------------------------------------------------------------------------


def test_stolen_lease_stops_before_the_next_step(site):
    backup = wrecked(site)
    site.fault("slow-stop", 2000)
    with Cluster(site) as cluster:
        machine = Machine(site, "a", cluster)
        running = machine.begin_restore(backup)
        await_true("the first step is under way", lambda: is_stopping(site))
        cluster.give_to("somebody-else")
        result = Result(running)
        expect_end(result, 5, "is lost: it is held by 'somebody-else'", "before step 'snapshot-restore/restore/2'")
        changes = site.changes()
        expect([line.split()[0] for line in changes] == ["stop"], f"the step under way was finished: {changes}")
        expect(cluster.holder() == "somebody-else", "what is not ours is not released")
        cluster.give_to("")
        expect_end(approve_the_rest(machine, machine.salvor("resume", "last", "--yes")), 0)


def test_short_outage_is_endured(site):
    backup = wrecked(site)
    site.fault("slow-stop", 1000)
    with Cluster(site, f"method=PUT path={PATH} nth=2 fault=refuse ms=600") as cluster:
        machine = Machine(site, "a", cluster)
        result = machine.restore(backup)
        expect_end(result, 4, "cannot be renewed", "is renewed again")
        expect_end(approve_the_rest(machine, result), 0)


def test_long_outage_stops_before_the_next_step(site):
    backup = wrecked(site)
    site.fault("slow-stop", LEASE_MS + 500)
    with Cluster(site, f"path={PATH}* nth=4 fault=refuse ms=60000") as cluster:
        machine = Machine(site, "a", cluster)
        result = machine.restore(backup)
        expect_end(result, 5, "has run out, before step 'snapshot-restore/restore/2'", "it could not be renewed",
                   "was not given back", "salvor resume")
        expect(steps_done(site) == 1, f"nothing else was begun: {site.changes()}", result)


def test_cluster_that_is_not_there_is_told(site):
    backup = wrecked(site)
    with Cluster(site) as cluster:
        machine = Machine(site, "a", cluster)
    result = machine.restore(backup)
    expect_end(result, 5, "the lease 'kube-system/salvor' cannot be taken", "lock-kubeconfig")
    expect(steps_done(site) == 0, "nothing was changed", result)
    machine.options = ["--set", f"lock-kubeconfig={site.folder}/nothing"]
    expect_end(machine.restore(backup), 5, f"{site.folder}/nothing")


def main():
    for name in ("kube", "proxy"):
        at = sys.argv.index(f"--{name}")
        TOOLS[name] = os.path.realpath(sys.argv[at + 1])
        del sys.argv[at:at + 2]
    return tell(globals())


if __name__ == "__main__":
    sys.exit(main())
