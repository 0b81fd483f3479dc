"""A simulated cluster with Rancher on it, and a salvor with the provider `rancher` that works on it."""

import http.client
import json
import os
import subprocess
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rancher_objects as rancher  # pylint: disable=wrong-import-position

LIMIT_S = 120
CONTROLLERS = "namespace,service-account,workload,pod,gc"


class Programs:
    """What a test was given to try, by absolute path."""

    def __init__(self, arguments):
        self.salvor = os.path.realpath(arguments.salvor)
        self.plugins = os.path.realpath(arguments.plugins)
        self.simulator = os.path.realpath(arguments.simulator)

    @staticmethod
    def add_to(parser):
        for name in ("salvor", "plugins", "simulator"):
            parser.add_argument(f"--{name}", required=True)


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(f"status {status}: {body}")
        self.status = status


class Cluster:
    """The simulated API server."""

    def __init__(self, simulator, folder, objects=(), controllers=CONTROLLERS, seed=1, extra=()):
        self.folder = folder
        self.kubeconfig = f"{folder}/kubeconfig"
        self.audit = f"{folder}/audit"
        os.makedirs(folder)
        load = f"{folder}/objects"
        owned = [one for one in objects if "ownerReferences" in one["metadata"]]
        with open(load, "w", encoding="utf-8") as file:
            for one in objects:
                if one not in owned:
                    file.write(json.dumps(one) + "\n")
        self.process = subprocess.Popen(
            [simulator, "--kubeconfig", self.kubeconfig, "--audit", self.audit, "--controllers",
             controllers, "--controller-delay", "1", "--seed", str(seed), "--load", load, *extra],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            raise AssertionError(f"the simulator does not start: {self.process.stderr.read()}")
        self.connection = None
        self.plurals = {(d["spec"]["group"], d["spec"]["names"]["kind"]): d for d in objects
                        if d["kind"] == "CustomResourceDefinition"}
        for one in owned: # an owner comes before what it owns
            for owner in one["metadata"]["ownerReferences"]:
                owner["uid"] = self.ask("GET", self.path_of(
                    owner | {"metadata": {"name": owner["name"]}}))["metadata"]["uid"]
            self.ask("POST", os.path.dirname(self.path_of(one)), one)
        for one in objects:
            definition = self.plurals.get((one["apiVersion"].split("/")[0], one["kind"]))
            if "status" in one and definition and \
                    "subresources" in definition["spec"]["versions"][-1]:
                self.ask("PATCH", f"{self.path_of(one)}/status", {"status": one["status"]},
                         "application/merge-patch+json")

    def path_of(self, one):
        """Path of an object in the API."""
        where, api = one["metadata"], one["apiVersion"]
        definition = self.plurals.get((api.split("/")[0], one["kind"]))
        plural = definition["spec"]["names"]["plural"] if definition else one["kind"].lower() + "s"
        inside = f"/namespaces/{where['namespace']}" if where.get("namespace") else ""
        return (f"{'/apis' if '/' in api else '/api'}/{api}{inside}/{plural}/"
                f"{urllib.parse.quote(where['name'], safe='')}")

    def stop(self):
        if self.connection:
            self.connection.close()
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def ask(self, method, path, body=None, content_type="application/json"):
        if self.connection is None:
            self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.url).netloc,
                                                         timeout=30)
        self.connection.request(method, path, None if body is None else json.dumps(body),
                                {"Content-Type": content_type})
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise Refused(answer.status, content.decode(errors="replace"))
        return json.loads(content)

    def get(self, path):
        """None when it does not exist."""
        try:
            return self.ask("GET", path)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def all_objects(self):
        """Every object of every type, by "group/resource namespace/name"."""
        found = {}
        for group in [""] + [entry["name"] for entry in self.ask("GET", "/apis")["groups"]]:
            versions = (["v1"] if group == "" else
                        [entry["version"] for entry in self.ask("GET", f"/apis/{group}")["versions"]])
            for version in versions:
                root = "/api/v1" if group == "" else f"/apis/{group}/{version}"
                for kind in self.ask("GET", root)["resources"]:
                    if "/" in kind["name"] or "list" not in kind["verbs"]:
                        continue
                    for item in self.ask("GET", f"{root}/{kind['name']}").get("items", []):
                        where = item["metadata"]
                        key = (f"{kind['name']}.{group}#{version}",
                               where.get("namespace", ""), where["name"])
                        found[key] = item
        return found

    def changes(self):
        """Requests that changed something, as "verb type namespace/name"."""
        lines = []
        with open(self.audit, encoding="utf-8") as file:
            for line in file:
                entry = json.loads(line)
                if entry.get("verb") in ("create", "update", "patch", "delete") and \
                        entry["status"] < 300 and "dryRun" not in entry["query"]:
                    lines.append(f"{entry['verb']} {entry['resource']}.{entry.get('group', '')} "
                                 f"{entry.get('namespace') or ''}/{entry.get('name') or ''}")
        return lines

    def forget_audit(self):
        with open(self.audit, "r+", encoding="utf-8") as file:
            file.truncate(0)


class Operator:
    """salvor at work; its state is in a folder of its own."""

    def __init__(self, programs, folder):
        self.programs = programs
        self.folder = folder
        self.state = f"{folder}/state"
        os.makedirs(f"{folder}/tmp")
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "TMPDIR": f"{folder}/tmp",
            "LANG": "C.UTF-8",
            "SALVOR_PLUGIN_PATH": programs.plugins,
            "SALVOR_WORKER": os.environ.get("SALVOR_WORKER", ""),
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]
        self.key = f"{folder}/salvor.key"
        self.recipient = self.run("backups", "keygen", self.key).stdout.split()[-2]

    def command(self, *words):
        return [self.programs.salvor, *words, "--state-dir", self.state]

    def run(self, *words, **environment):
        """Runs salvor to its end; never with a terminal, so that nobody can be asked."""
        return subprocess.run(
            self.command(*words), env=self.environment | environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=LIMIT_S, check=False)

    def rancher(self, command, cluster, *words, **environment):
        where = [f"--kubeconfig={cluster.kubeconfig}"] if cluster else []
        return self.run("--provider", "rancher", command, *where, *words, **environment)

    def backup(self, cluster, *words):
        """Takes a native backup; the folder of the set."""
        result = self.rancher("backup", cluster, "--recipient", self.recipient, "-o", "name", *words)
        if result.returncode != 0:
            raise AssertionError(f"the backup ended with {result.returncode}:\n{result.stderr}")
        return f"{self.state}/sets/rancher/{result.stdout.strip()}"

    def left_behind(self):
        """Processes of this salvor and its temporary files, after a moment for what is just ending."""
        for _ in range(100):
            mine = [pid for pid in filter(str.isdigit, os.listdir("/proc")) if self.owns(pid)]
            if not mine:
                break
            time.sleep(0.05)
        return mine + os.listdir(f"{self.folder}/tmp")

    def owns(self, pid):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                return f"{self.state}".encode() in file.read() and int(pid) != os.getpid()
        except OSError:
            return False


def site(*arguments, **named):
    return rancher.site(*arguments, **named)
