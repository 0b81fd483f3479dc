#!/usr/bin/env python3
"""The program with the provider 'nsx-antrea' on simulated managers and clusters.

usage: test-nsx-antrea.py --salvor PROGRAM --plugins FOLDER --build FOLDER [TEST...]
"""

import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../sim/nsx/site"))
from nsx_site import Programs, Site, client, wait  # pylint: disable=wrong-import-position

PASSWORD = "Sim-Nsx-Passw0rd"
GROUPS, POLICIES, POINT = client.GROUPS, client.POLICIES, client.POINT


def expect(holds, what, shown=""):
    if not holds:
        raise AssertionError(f"{what}\n{shown}")


class Stage:
    """A site, and salvor on it with a state folder of its own."""

    def __init__(self, options, folder, *words, **settings):
        self.options, self.folder = options, folder
        self.site = Site(Programs(options.build), folder, *words, **settings)
        self.audit = self.site.nsx.audit
        self.authorities = os.path.join(folder, "authorities.pem")
        with open(self.authorities, "w", encoding="utf-8") as file:
            file.writelines(manager["certificate"] for manager in self.site.nsx.addresses["managers"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.site.__exit__()

    def registered(self, name, seed):
        cluster = self.site.cluster(name, seed)
        cluster.register()
        return cluster

    def salvor(self, *words, clusters=(), password=PASSWORD, **environment):
        command = [self.options.salvor, "--provider", "nsx-antrea", *words, "--state-dir", os.path.join(self.folder, "state"),
                   "--plugin-dir", self.options.plugins, "--set", f"ca-file={self.authorities}", "--set", "password=env:NSX_PASSWORD"]
        for manager in self.site.nsx.addresses["managers"]:
            command += ["--manager", manager["url"]]
        for cluster in clusters:
            command += ["--cluster", cluster.kubeconfig]
        known = {**os.environ, "NSX_PASSWORD": password, **environment}
        return subprocess.run(command, env=known, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)

    def classes(self, *words, clusters=()):
        """name -> (class, evidence in one text) of a discover."""
        found = self.salvor("discover", "-o", "json", *words, clusters=clusters)
        expect(found.returncode == 0, "discover ends well", found.stderr)
        items = json.loads(found.stdout)["items"]
        return {item["name"]: (item["details"]["class"], " ".join(item["details"]["evidence"])) for item in items if item["kind"] == "cluster"}

    def effects(self):
        """Requests to NSX by salvor that changed something, but for sessions."""
        with open(self.audit, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        return [line for line in lines if line.get("callSite") and line.get("effects") and "/api/session/" not in line["path"]]


def kube_writes(cluster):
    with open(cluster.audit, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return [line for line in lines if line.get("callSite") and line["verb"] not in ("get", "list", "watch")]


def policy(site, name, *clusters):
    rule = {"id": "r", "action": "DROP", "source_groups": ["/infra/domains/default/groups/g"]}
    site.nsx.admin.put(f"{GROUPS}/g", {"display_name": "group g"})
    site.nsx.admin.put(f"{POLICIES}/{name}", {"category": "Environment", "display_name": f"policy {name}", "rules": [rule]}).expect(200)
    for cluster in clusters:
        body = {"container_cluster_type": "ANTREA", "container_cluster_path": f"{POINT}/{cluster}"}
        site.nsx.admin.put(f"{POLICIES}/{name}/container-cluster-span/{cluster}", body).expect(200)


def test_what_a_restore_makes_of_each_cluster(start):
    """In the backup and alive: A. Deleted after it: F until somebody proves it, then B. Registered after it: C."""
    with start() as stage:
        alpha, beta = stage.registered("alpha", 1), stage.registered("beta", 2)
        stage.site.nsx.advance(80)
        classes = stage.classes(clusters=(alpha, beta))
        expect({name: classes[name][0] for name in ("alpha", "beta")} == {"alpha": "A", "beta": "A"}, "both are in sync", classes)
        stage.site.nsx.steer("POST", "backup", {})
        beta.destroy()
        delta = stage.registered("delta", 3)
        stage.site.nsx.advance(3600)
        stage.site.nsx.steer("POST", "restore", {})
        wait("alpha to connect again", alpha.is_connected)
        stage.site.nsx.advance(300)
        classes = stage.classes(clusters=(alpha, delta))
        expect(classes["alpha"][0] == "A", "the living one is in sync", classes)
        expect(classes["delta"][0] == "C", "the new one is not registered any more", classes)
        expect(classes["beta"][0] == "F" and "nothing proves" in classes["beta"][1], "silence proves nothing", classes)
        classes = stage.classes("--gone", "beta", clusters=(alpha, delta))
        expect(classes["beta"][0] == "B" and "--gone" in classes["beta"][1], "the operator's word makes it an orphan", classes)
        classes = stage.classes("--gone", "alpha", clusters=(delta,))
        expect(classes["alpha"][0] == "F" and "something lives" in classes["alpha"][1], "no word outweighs a sign of life", classes)
        expect(not stage.effects(), "looking changes nothing in NSX", stage.effects())
        expect(not kube_writes(alpha) and not kube_writes(delta), "nor in the clusters")


def test_a_cluster_that_does_not_answer_is_told(start):
    with start() as stage:
        alpha = stage.registered("alpha", 1)
        kubeconfig = alpha.kubeconfig
        alpha.destroy()
        alpha.kubeconfig = kubeconfig
        found = stage.salvor("discover", clusters=(alpha,))
        expect(found.returncode == 0, "discover ends well", found.stderr)
        expect("unreachable" in found.stdout and kubeconfig in found.stdout, "and says which does not answer", found.stdout)


def test_the_capture_holds_what_a_restore_rolls_back(start):
    with start() as stage:
        alpha = stage.registered("alpha", 1)
        policy(stage.site, "p", "alpha")
        found = stage.salvor("backup", clusters=(alpha,))
        expect(found.returncode == 0, "the backup ends well", found.stderr)
        path = glob.glob(os.path.join(stage.folder, "state/sets/nsx-antrea/*/capture.json"))[0]
        with open(path, encoding="utf-8") as file:
            text = file.read()
        capture = json.loads(text)
        kept = capture["rule_set"]["policies"]["/infra/domains/default/security-policies/p"]
        expect(len(kept["rules"]) == 1 and kept["rules"][0]["action"] == "DROP", "with its rules", kept)
        expect([span.rsplit("/", 1)[1] for span in kept["spans"]] == ["alpha"], "and its spans", kept)
        expect("/infra/domains/default/groups/g" in capture["rule_set"]["groups"], "and groups")
        expect([one["name"] for one in capture["clusters"]] == ["alpha"], "and the clusters", capture["clusters"])
        key = "".join(alpha.pair[1].split("\n")[1:-2])
        expect("tls.key" not in text and key[:40] not in text.replace("\\n", ""), "but no private key")
        expect(not stage.effects() and not kube_writes(alpha), "and taking it changes nothing")


def test_a_wrong_password_is_tried_once(start):
    """Accounts are locked by repeated failures: neither a second try nor a second manager."""
    with start("--managers", "3") as stage:
        found = stage.salvor("discover", password="wrong")
        expect(found.returncode == 1, "it fails", found)
        with open(stage.audit, encoding="utf-8") as file:
            logins = [line for line in file if "/api/session/create" in line]
        expect(len(logins) == 1, "after one login", logins)
        expect("wrong" not in found.stdout + found.stderr.replace("wrong password", ""), "the password is shown nowhere", found.stderr)


def test_storms_and_ended_sessions_pass(start):
    with start() as stage:
        alpha = stage.registered("alpha", 1)
        stage.site.nsx.advance(80)
        stage.site.nsx.steer("POST", "faults", [{"fault": "status", "status": 429, "code": 102, "site": "control-planes.list", "count": 2},
                                                {"fault": "expire-sessions", "site": "principals.list", "count": 1}])
        expect(stage.classes(clusters=(alpha,))["alpha"][0] == "A", "discover goes on")


def test_damaged_answers_end_clearly(start):
    with start() as stage:
        for fault in ({"fault": "html"}, {"fault": "truncated"}, {"fault": "text"}):
            stage.site.nsx.steer("POST", "faults", {**fault, "site": "control-planes.list", "count": 50})
            found = stage.salvor("discover")
            expect(found.returncode == 1 and "error: " in found.stderr and "cluster-control-planes" in found.stderr, f"{fault} is told", found.stderr)
            stage.site.nsx.steer("DELETE", "faults")


def test_a_changed_certificate_is_refused(start):
    with start() as stage:
        stage.site.nsx.steer("POST", "managers", {"index": 0, "certificate": "new"})
        found = stage.salvor("discover")
        expect(found.returncode == 1 and "certificate" in found.stderr, "nobody is trusted unseen", found.stderr)


def test_another_manager_takes_over(start):
    with start("--managers", "3") as stage:
        stage.site.nsx.steer("POST", "managers", {"index": 0, "up": False})
        stage.site.nsx.steer("POST", "managers", {"index": 1, "healthy": False})
        found = stage.salvor("discover")
        expect(found.returncode == 0, "the third answers", found.stderr)
        expect(stage.site.nsx.addresses["managers"][2]["url"] in found.stdout, "and is shown", found.stdout)


def main():
    parser = argparse.ArgumentParser()
    for name in ("salvor", "plugins", "build"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("tests", nargs="*")
    options = parser.parse_args()
    failed = 0
    tests = {name: one for name, one in globals().items() if name.startswith("test_") and (not options.tests or name in options.tests)}
    for name, one in tests.items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                one(lambda *words, **settings: Stage(options, folder, *words, **settings))  # pylint: disable=cell-var-from-loop
                print(f"ok      {name}")
            except Exception:  # pylint: disable=broad-exception-caught
                failed += 1
                print(f"FAILED  {name}")
                traceback.print_exc(file=sys.stdout)
    return 1 if failed or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
