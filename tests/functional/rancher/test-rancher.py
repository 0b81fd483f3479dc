#!/usr/bin/env python3
"""The whole program with the provider `rancher` on a simulated cluster: what an operator meets.

usage: test-rancher.py --salvor PROGRAM --plugins FOLDER --simulator PROGRAM [--covered FILE] [TEST...]
"""

import argparse
import base64
import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../sim/rancher"))
# pylint: disable=wrong-import-position
import rancher_objects as objects
from simulated_site import Cluster, Operator, Programs

SETTINGS = "/apis/management.cattle.io/v3/settings"
STRIPPED = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields",
            "selfLink", "deletionGracePeriodSeconds", "deletionTimestamp")
KEY = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY="


def covers(*statements):
    """Marks a test with the vendor's statements that it shows."""
    def mark(test):
        test.covers = statements
        return test
    return mark


def expect(condition, text, *results):
    if not condition:
        raise AssertionError(text + "".join(
            f"\n-- exit status {r.returncode}\n{r.stdout}{r.stderr}" for r in results))


def expect_end(result, status, *pieces):
    expect(result.returncode == status, f"expected exit status {status}", result)
    for piece in pieces:
        expect(piece in result.stderr + result.stdout, f"expected '{piece}'", result)


def plain(one):
    """An object without what another cluster, or another day, gives it anew."""
    one = json.loads(json.dumps(one))
    for field in STRIPPED:
        one["metadata"].pop(field, None)
    for owner in one["metadata"].get("ownerReferences", []):
        owner.pop("uid")
    return one


def customised(key, one):
    """What every restore changes on purpose: the rules are named in docs/providers/rancher.md."""
    kind = key[0].split("#")[0]
    if kind == "clusters.management.cattle.io":
        one["metadata"].setdefault("annotations", {})["io.cattle.agent.force.deploy"] = "true"
    elif kind == "clusters.fleet.cattle.io":
        spec = one.setdefault("spec", {})
        spec["redeployAgentGeneration"] = spec.get("redeployAgentGeneration", 0) + 1
    elif kind == "clusters.provisioning.cattle.io":
        spec = one.setdefault("spec", {})
        spec["redeploySystemAgentGeneration"] = spec.get("redeploySystemAgentGeneration", 0) + 1
    return one


def differences(before, after, restored=True):
    """Unexplained ones between two states of a cluster."""
    found = []
    for key in sorted(set(before) | set(after)):
        kind = key[0].split("#")[0]
        if kind in ("pods.", "deployments.apps", "replicasets.apps", "leases.coordination.k8s.io",
                    "events.", "serviceaccounts.") or key[2] == "kube-root-ca.crt":
            continue # what runs is not restored; the server itself makes the others
        if key not in after:
            found.append(f"missing {key}")
        elif key not in before:
            found.append(f"new {key}")
        else:
            wanted, there = plain(before[key]), plain(after[key])
            if restored:
                wanted = customised(key, wanted)
            if kind == "customresourcedefinitions.apiextensions.k8s.io":
                wanted.pop("status", None), there.pop("status", None) # the server's own
            if wanted != there:
                found.append(f"different {key}:\n  {wanted}\n  {there}")
    return found


def changes_of(cluster):
    """Without the lock of the run itself."""
    return [change for change in cluster.changes() if "leases" not in change]


class Stage:
    """What a test works with: clusters are stopped when it ends."""

    def __init__(self, programs, folder):
        self.programs = programs
        self.folder = folder
        self.clusters = []
        os.makedirs(f"{folder}/operator")
        self.operator = Operator(programs, f"{folder}/operator")
        self.identity = f"--identity=file:{self.operator.key}"

    def cluster(self, *arguments, **named):
        extra = {name: named.pop(name) for name in ("seed", "extra") if name in named}
        made = Cluster(self.programs.simulator, f"{self.folder}/cluster-{len(self.clusters)}",
                       named.pop("objects") if "objects" in named
                       else objects.site(*arguments, **named), **extra)
        self.clusters.append(made)
        return made

    def stop(self):
        for cluster in self.clusters:
            cluster.stop()

    def restore(self, cluster, source, *words):
        """Restores to its end, approving each stage; the last result and all that was said."""
        said = ""
        result = self.operator.rancher("restore", cluster, f"--from={source}", self.identity,
                                       "--no-post-resync", "--yes", "--delete-timeout=100ms", *words)
        for _ in range(12):
            said += result.stderr
            waits = re.search(r"--approve ([0-9a-f]{64})", result.stderr)
            if result.returncode != 4 or not waits:
                break
            result = self.operator.run("resume", "last", "--yes", "--approve", waits.group(1))
        result.said = said
        return result

    def archive(self, folder):
        """Members of the archive of a set, decoded by Python."""
        names = [name for name in os.listdir(folder) if ".tar.gz" in name]
        expect(len(names) == 1, f"a set has one archive: {os.listdir(folder)}")
        with open(f"{folder}/{names[0]}", "rb") as file:
            data = file.read()
        expect(data[:2] == b"\x1f\x8b", "the archive is not encrypted as a whole")
        members = {}
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data))) as tar:
            for entry in tar:
                if entry.isfile():
                    members[entry.name] = tar.extractfile(entry).read()
        return names[0], members

    def config(self, cipher, *resources):
        path = f"{self.folder}/{cipher}.yaml"
        with open(path, "w", encoding="utf-8") as file:
            os.chmod(path, 0o600)
            file.write("apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n"
                       f"resources:\n- resources: {json.dumps(resources)}\n  providers:\n"
                       f"  - {cipher}:\n      keys:\n      - {{name: key1, secret: {KEY}}}\n")
        return f"--encryption-config=file:{path}"


SECRETS = ("secrets", "tokens.management.cattle.io")


# ---- looking ---------------------------------------------------------------------------------


def test_discover_shows_the_site(stage):
    cluster = stage.cluster(with_operator=True)
    cluster.forget_audit()
    result = stage.operator.rancher("discover", cluster, "-o", "json")
    expect_end(result, 0)
    found = json.loads(result.stdout)
    kinds = {item["kind"]: item["details"] for item in found["items"]}
    expect(kinds["rancher"]["version"] == "v2.15.0" and kinds["rancher"]["replicas"] == 3,
           "Rancher is found", result)
    expect(kinds["operator"]["version"] == "v11.0.1", "the operator is found", result)
    expect(found["facts"]["kube-system-uid"]["class"] == "identity", "the cluster has an identity",
           result)
    expect(changes_of(cluster) == [], f"looking changed something: {changes_of(cluster)}")


def test_discover_without_a_cluster_looks_at_nothing(stage):
    result = stage.operator.rancher("discover", None)
    expect_end(result, 0, "nothing was found")


# ---- backup ----------------------------------------------------------------------------------


@covers("RANCHER-003", "RANCHER-004", "RANCHER-014", "RANCHER-015", "RANCHER-016",
        "RANCHER-025", "RANCHER-026", "RANCHER-027")
def test_a_native_backup_holds_what_the_set_selects(stage):
    cluster = stage.cluster()
    live = cluster.all_objects()
    cluster.forget_audit()
    config = stage.config("aescbc", *SECRETS)
    folder = stage.operator.backup(cluster, config)
    expect(changes_of(cluster) == [], f"a backup changed something: {changes_of(cluster)}")
    name, members = stage.archive(folder)
    uid = live[("namespaces.#v1", "", "kube-system")]["metadata"]["uid"]
    expect(re.fullmatch(rf"salvor-{uid}-\d{{4}}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.tar\.gz\.enc", name),
           f"the name is the operator's kind of name: {name}")
    resource_set = json.loads(members.pop("filters/filters.json"))
    expect(resource_set["kind"] == "ResourceSet" and resource_set["resourceSelectors"],
           "the resource set is in it")
    for must in ("settings.management.cattle.io#v3/server-version.json",
                 "namespaces.#v1/p-00001.json", "secrets.#v1/p-00001/creds-1.json",
                 "secrets.#v1/default/labelled.json",
                 "clusterroles.rbac.authorization.k8s.io#v1/cattle-odd <&> name.json",
                 f"configmaps.#v1/cattle-system/{'n' * 240}.json",
                 "customresourcedefinitions.apiextensions.k8s.io#v1/"
                 "settings.management.cattle.io.json"):
        expect(must in members, f"'{must}' is in the archive")
    for must_not in ("secrets.#v1/default/not-covered.json",
                     "secrets.#v1/cattle-system/helm-release.json",
                     "deployments.apps#v1/cattle-system/rancher.json",
                     "namespaces.#v1/kube-system.json"):
        expect(must_not not in members, f"'{must_not}' is not in the archive")
    for path, content in members.items():
        kind, *rest = path[:-len(".json")].split("/")
        key = (kind, rest[0] if len(rest) == 2 else "", rest[-1])
        if content[:1] == b'"':
            expect(kind == "secrets.#v1" or kind.startswith("tokens."), f"'{path}' is encrypted")
            continue
        stored = json.loads(content)
        wanted = json.loads(json.dumps(live[key]))
        for field in ("uid", "resourceVersion", "creationTimestamp", "deletionTimestamp",
                      "selfLink", "deletionGracePeriodSeconds"):
            wanted["metadata"].pop(field, None)
        # items of lists of built-in types have neither
        wanted |= {field: stored[field] for field in ("kind", "apiVersion")}
        expect(stored == wanted, f"'{path}' is the live object:\n{stored}\n{wanted}")
        expect(content == json.dumps(stored, sort_keys=True, separators=(",", ":"),
                                     ensure_ascii=False).replace("<", "\\u003c")
               .replace(">", "\\u003e").replace("&", "\\u0026").replace("\u2028", "\\u2028")
               .encode() or "numbers" in stored, f"'{path}' is written as Go writes it")
    expect(b'"numbers":[9007199254740993,' in
           members["settings.management.cattle.io#v3/big-numbers.json"], "numbers keep their digits")


@covers("RANCHER-006", "RANCHER-067", "RANCHER-068")
def test_encrypted_backups_open_with_their_configuration_only(stage):
    cluster = stage.cluster(users=1, projects=1)
    for cipher in ("aescbc", "aesgcm", "secretbox"):
        config = stage.config(cipher, *SECRETS)
        folder = stage.operator.backup(cluster, config)
        name, members = stage.archive(folder)
        blob = base64.b64decode(json.loads(members["secrets.#v1/p-00000/creds-0.json"]))
        expect(blob.startswith(f"k8s:enc:{cipher}:v1:key1:".encode()), f"encrypted by {cipher}")
        good = stage.operator.rancher("validate", None, f"{folder}/{name}", config)
        expect_end(good, 0)
        expect("RANCHER-NOT-OPENED" not in good.stdout, "it opens", good)
        other = stage.config("secretbox" if cipher != "secretbox" else "aesgcm", *SECRETS)
        expect_end(stage.operator.rancher("validate", None, f"{folder}/{name}", other), 3,
                   "RANCHER-NOT-OPENED")


@covers("RANCHER-007")
def test_a_plain_backup_is_sealed_to_the_recipient(stage):
    cluster = stage.cluster(users=1, projects=1)
    folder = stage.operator.backup(cluster)
    archive = [name for name in os.listdir(folder) if ".tar.gz" in name][0]
    with open(f"{folder}/{archive}", "rb") as file:
        expect(file.read(15) == b"salvor-sealed-1", "nothing secret lies in the set in clear")
    result = stage.operator.rancher("validate", None, folder, stage.identity)
    expect_end(result, 0, "RANCHER-SECRETS-IN-CLEAR")
    refused = stage.operator.rancher("backup", cluster)
    expect(refused.returncode != 0 and "recipient" in refused.stderr, "no recipient, no backup",
           refused)


def test_an_expired_list_is_told(stage):
    cluster = stage.cluster(users=600, projects=0)
    cluster.ask("POST", "/_sim/faults", {"method": "GET", "path": "*/users", "skip": 1, "count": 1,
                                         "status": 410})
    result = stage.operator.rancher("backup", cluster, "--recipient", stage.operator.recipient)
    expect(result.returncode in (0, 1), "it ends, one way or the other", result)
    if result.returncode == 0:
        expect("lost their moment" in result.stderr, "the lost moment is told", result)
    else:
        expect("list" in result.stderr, "the list is named", result)


@covers("RANCHER-009", "RANCHER-010", "RANCHER-020", "RANCHER-028", "RANCHER-034", "RANCHER-059",
        "RANCHER-060", "RANCHER-078")
def test_a_backup_is_judged_against_a_cluster(stage):
    cluster = stage.cluster(users=1, projects=1, with_operator=True)
    folder = stage.operator.backup(cluster, "--recipient", stage.operator.recipient)
    cluster.forget_audit()
    result = stage.operator.rancher("validate", cluster, folder, stage.identity)
    expect_end(result, 0, "RANCHER-TARGET")
    for finding in ("RANCHER-OTHER-CLUSTER", "RANCHER-URL-DIFFERS", "RANCHER-OPERATOR-DIFFERS"):
        expect(finding not in result.stdout, f"no {finding}", result)
    expect(changes_of(cluster) == [], "judging changed something", result)
    cluster.ask("PATCH", f"{SETTINGS}/server-url", {"value": "https://other.example.com"},
                "application/merge-patch+json")
    path = "/apis/apps/v1/namespaces/cattle-resources-system/deployments/rancher-backup"
    operator = cluster.get(path)
    operator["spec"]["template"]["spec"]["containers"][0]["image"] = \
        "rancher/backup-restore-operator:v5.0.1"
    cluster.ask("PUT", path, operator)
    expect_end(stage.operator.rancher("validate", cluster, folder, stage.identity), 0,
               "RANCHER-URL-DIFFERS", "RANCHER-OPERATOR-DIFFERS")
    other = stage.cluster(users=1, projects=1, seed=2)
    result = stage.operator.rancher("validate", other, folder, stage.identity)
    expect("RANCHER-OTHER-CLUSTER" in result.stdout, "the cluster is another", result)


# ---- restore ---------------------------------------------------------------------------------


def disturb(cluster):
    """Things lost, changed and added since the backup."""
    cluster.ask("DELETE", f"{SETTINGS}/server-url")
    cluster.ask("DELETE", "/apis/management.cattle.io/v3/globalrolebindings/grb-00001")
    cluster.ask("DELETE", "/api/v1/namespaces/p-00002")
    cluster.ask("PATCH", "/api/v1/namespaces/cattle-system/configmaps/plain",
                {"data": {"text": "other", "more": "x"}}, "application/merge-patch+json")
    cluster.ask("POST", SETTINGS, objects.one(objects.MANAGEMENT, "Setting", "later", value="x"))
    held = objects.one(objects.MANAGEMENT, "User", "u-later")
    held["metadata"]["finalizers"] = ["x.io/hold"]
    cluster.ask("POST", "/apis/management.cattle.io/v3/users", held)
    for _ in range(200):
        if cluster.get("/api/v1/namespaces/p-00002") is None and \
                cluster.get("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/"
                            "grb-u-00001") is None:
            return
        time.sleep(0.02)
    raise AssertionError("the namespace or what the binding owned does not go")


@covers("RANCHER-009", "RANCHER-011", "RANCHER-013", "RANCHER-028", "RANCHER-029", "RANCHER-071",
        "RANCHER-072")
def test_in_place_brings_back_the_state_of_the_backup(stage):
    cluster = stage.cluster()
    folder = stage.operator.backup(cluster)
    before = cluster.all_objects()
    disturb(cluster)
    cluster.forget_audit()
    result = stage.restore(cluster, folder)
    expect_end(result, 0)
    expect("procedure 'in-place'" in result.said, "the path is chosen from evidence", result)
    expect("not 'fresh': Rancher is on the cluster" in result.said, "others are ruled out", result)
    found = differences(before, cluster.all_objects())
    expect(not found, "unexplained differences:\n" + "\n".join(found), result)
    deployment = cluster.get("/apis/apps/v1/namespaces/cattle-system/deployments/rancher")
    expect(deployment["spec"]["replicas"] == 3, "Rancher runs again")
    expect("salvor/replicas-before-restore" not in deployment["metadata"].get("annotations", {}),
           "the note of the replicas is gone")
    binding = cluster.get("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/grb-u-00001")
    owner = cluster.get("/apis/management.cattle.io/v3/globalrolebindings/grb-00001")
    expect(binding["metadata"]["ownerReferences"][0]["uid"] == owner["metadata"]["uid"],
           "an owner has its new UID")
    order = [c for c in changes_of(cluster) if "deployments" not in c]
    kinds = [0 if " customresourcedefinitions" in c else 2 if re.search(r" [a-z0-9-]+/", c) else 1
             for c in order if not c.startswith("delete") and "u-later" not in c]
    expect(kinds == sorted(kinds), "definitions, then cluster-scoped, then namespaced", result)


@covers("RANCHER-030")
def test_fresh_restores_onto_an_emptied_cluster(stage):
    cluster = stage.cluster(projects=2)
    folder = stage.operator.backup(cluster)
    before = cluster.all_objects()
    cluster.ask("DELETE", "/apis/apps/v1/namespaces/cattle-system/deployments/rancher")
    for one in cluster.ask("GET", "/apis/management.cattle.io/v3/users")["items"]:
        cluster.ask("PATCH", cluster.path_of(one | {"kind": "User", "apiVersion": objects.MANAGEMENT}),
                    {"metadata": {"finalizers": None}}, "application/merge-patch+json")
    for one in cluster.ask("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")["items"]:
        if "istio" not in one["metadata"]["name"]: # not Rancher's
            cluster.ask("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
                                  f"{one['metadata']['name']}")
    result = stage.restore(cluster, folder)
    expect_end(result, 0)
    expect("procedure 'fresh'" in result.said, "the path is chosen from evidence", result)
    found = [f for f in differences(before, cluster.all_objects())
             if "'admin')" not in f and "registration" not in f]
    expect(not found, "unexplained differences:\n" + "\n".join(found), result)


@covers("RANCHER-034", "RANCHER-035", "RANCHER-037", "RANCHER-038", "RANCHER-073",
        "RANCHER-074", "RANCHER-075", "RANCHER-076", "RANCHER-077", "RANCHER-079", "RANCHER-080")
def test_a_migration_ends_with_rancher_installed_by_hand(stage):
    source = stage.cluster(users=2, projects=2)
    folder = stage.operator.backup(source)
    before = source.all_objects()
    target = stage.cluster(objects=[objects.one("v1", "Namespace", "cattle-system")], seed=2)
    expect_end(stage.restore(target, folder, "--prune", "yes"), 3, "RANCHER-PRUNE-REFUSED")
    result = stage.restore(target, folder)
    expect_end(result, 4, "a person has to do this", "version v2.15.0", "install cert-manager",
               "edit clusters.management.cattle.io 'local'", "point the domain at this cluster",
               "the hostname of https://rancher.example.com", "scale Rancher on the old one to 0",
               "the archive is of another cluster, and Rancher is not here")
    not_selected = ("'envoyfilters.", "'helm-release'", "'not-covered'", "'registration'",
                    "'admin')")
    found = [f for f in differences(before, target.all_objects())
             if not any(name in f for name in not_selected)]
    expect(not found, "unexplained differences:\n" + "\n".join(found), result)
    deployment = source.get("/apis/apps/v1/namespaces/cattle-system/deployments/rancher")
    for field in ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"):
        deployment["metadata"].pop(field, None)
    image = deployment["spec"]["template"]["spec"]["containers"][0]
    path = "/apis/apps/v1/namespaces/cattle-system/deployments"
    image["image"] = "rancher/rancher:v2.14.0"
    target.ask("POST", path, deployment)
    result = stage.operator.run("resume", "last", "--yes")
    expect(result.returncode != 0 and "Rancher v2.14.0 was installed" in result.stderr,
           "another version is refused", result)
    image["image"] = "rancher/rancher:v2.15.0"
    target.ask("DELETE", f"{path}/rancher")
    target.ask("POST", path, deployment)
    for _ in range(100):
        result = stage.operator.run("resume", "last", "--yes")
        if result.returncode == 0:
            break
        time.sleep(0.1)
    expect_end(result, 0)


@covers("RANCHER-002", "RANCHER-010", "RANCHER-011", "RANCHER-028", "RANCHER-029", "RANCHER-036",
        "RANCHER-072")
def test_what_is_refused(stage):
    cluster = stage.cluster(users=1, projects=1)
    folder = stage.operator.backup(cluster)
    other = stage.cluster(users=1, projects=1, seed=2)
    for words, where, finding in (
            ([], other, "RANCHER-NO-PATH"),
            (["--path", "in-place"], other, "RANCHER-PATH-REFUSED"),
            (["--prune", "no"], cluster, "RANCHER-PRUNE-NEEDED")):
        where.forget_audit()
        result = stage.restore(where, folder, *words)
        expect_end(result, 3, finding)
        expect(changes_of(where) == [], "nothing was changed", result)


def test_rancher_at_zero_comes_back_with_its_replicas(stage):
    cluster = stage.cluster(users=1, projects=1)
    folder = stage.operator.backup(cluster)
    deployment = "/apis/apps/v1/namespaces/cattle-system/deployments/rancher"
    for annotations, words, wanted in (({"salvor/replicas-before-restore": "5"}, [], 5),
                                       ({"salvor/replicas-before-restore": None}, [], 3),
                                       ({}, ["--replicas", "2"], 2)):
        cluster.ask("PATCH", deployment, {"metadata": {"annotations": annotations},
                                          "spec": {"replicas": 0}}, "application/merge-patch+json")
        result = stage.restore(cluster, folder, *words)
        expect_end(result, 0)
        expect("RANCHER-AT-ZERO" in result.said, "it is told", result)
        expect(cluster.get(deployment)["spec"]["replicas"] == wanted, f"{wanted} replicas", result)


def test_conflicts_are_overcome_and_refusals_named(stage):
    cluster = stage.cluster(users=1, projects=1)
    folder = stage.operator.backup(cluster)
    cluster.ask("POST", "/_sim/faults", [
        {"method": "PUT", "path": f"{SETTINGS}/server-url", "count": 2, "status": 409},
        {"method": "PUT", "path": "/api/v1/namespaces/p-00000", "count": 1, "status": 503}])
    result = stage.restore(cluster, folder)
    expect_end(result, 0)
    cluster.ask("POST", "/_sim/faults",
                {"method": "PUT", "path": f"{SETTINGS}/server-url", "count": 99, "status": 422})
    result = stage.restore(cluster, folder)
    expect_end(result, 1, "'settings.management.cattle.io#v3/server-url.json': status 422")
    expect(cluster.get("/apis/apps/v1/namespaces/cattle-system/deployments/rancher")
           ["spec"]["replicas"] == 0, "a run that stopped midway leaves Rancher at 0", result)
    expect("kubectl scale deployments rancher -n cattle-system --replicas=3" in result.said,
           "and says how to start it", result)
    cluster.ask("DELETE", "/_sim/faults")
    expect_end(stage.operator.run("resume", "last", "--yes"), 0)


def killed_restore(stage, cluster, folder, after):
    """A restore whose salvor is killed `after` so many seconds, and goes on as often as it takes."""
    operator = stage.operator
    words = ["--provider", "rancher", "restore", f"--kubeconfig={cluster.kubeconfig}",
             f"--from={folder}", stage.identity, "--no-post-resync", "--yes",
             "--delete-timeout=100ms"]
    approval, kills = [], 0
    for _ in range(40):
        with subprocess.Popen(operator.command(*words, *approval), env=operator.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True) as process:
            if kills < 1:
                threading.Timer(after, process.kill).start()
            said = process.communicate()[0]
        if process.returncode == -signal.SIGKILL:
            kills += 1
        elif process.returncode == 0:
            return kills
        waits = re.search(r"--approve ([0-9a-f]{64})", said)
        approval = ["--approve", waits.group(1)] if waits else []
        expect(process.returncode in (-signal.SIGKILL, 4), f"killed {kills} times:\n{said}")
        if "run '" in said:
            words = ["resume", "last", "--yes"]
    raise AssertionError("does not end")


def test_a_killed_restore_goes_on(stage):
    cluster = stage.cluster(users=20, projects=5)
    folder = stage.operator.backup(cluster)
    before = cluster.all_objects()
    kills = 0
    for after in (0.4, 0.8, 1.3):
        cluster.ask("DELETE", f"{SETTINGS}/server-url")
        cluster.ask("DELETE", "/apis/management.cattle.io/v3/globalrolebindings/grb-00001")
        cluster.ask("POST", SETTINGS,
                    objects.one(objects.MANAGEMENT, "Setting", "later", value="x"))
        kills += killed_restore(stage, cluster, folder, after)
        found = differences(before, cluster.all_objects())
        expect(not found, f"after {after} s, unexplained differences:\n" + "\n".join(found))
    expect(kills > 0, "it was killed at all")


# ---- running ---------------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser()
    Programs.add_to(parser)
    parser.add_argument("--covered", default=os.devnull)
    parser.add_argument("tests", nargs="*")
    arguments = parser.parse_args()
    programs = Programs(arguments)
    failed = 0
    covered = ""
    if os.path.exists(arguments.covered) and arguments.covered != os.devnull:
        os.unlink(arguments.covered)
    for name, test in list(globals().items()):
        if not name.startswith("test_") or (arguments.tests and
                                            not any(t in name for t in arguments.tests)):
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="salvor-rancher-") as folder:
            stage = Stage(programs, folder)
            try:
                test(stage)
                left = stage.operator.left_behind()
                expect(not left, f"left behind: {left}")
            except Exception:  # pylint: disable=broad-except
                failed += 1
                print(f"FAILED {name}\n{traceback.format_exc()}", flush=True)
                continue
            finally:
                stage.stop()
        print(f"ok     {name} ({time.monotonic() - began:.1f} s)", flush=True)
        for statement in getattr(test, "covers", ()):
            print(f"covers: {statement}")
            covered += f"covers: {statement}\n"
    if not failed:
        with open(arguments.covered, "w", encoding="utf-8") as file:
            file.write(covered)
    return 1 if failed else 0


sys.exit(main())
