"""An NSX Manager with registered Kubernetes clusters, each with its own API server and its own players."""

import base64
import functools
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.parse

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../contract"))
import client  # pylint: disable=wrong-import-position

SPACE = "vmware-system-antrea"
INTERWORKING = os.path.join(HERE, "../interworking/1.3.0")
IMAGE, OWN_IMAGE = "vmware.io/antrea/interworking:1.3.0", "registry.sim.local/antrea/interworking:1.3.0"
MANAGED = "ccp-adapter.antrea.tanzu.vmware.com/managedBy"
PATIENCE_S = 30
KINDS = {
    "Namespace": ("api/v1", "namespaces", False), "ConfigMap": ("api/v1", "configmaps", True),
    "Secret": ("api/v1", "secrets", True), "ServiceAccount": ("api/v1", "serviceaccounts", True),
    "Job": ("apis/batch/v1", "jobs", True), "Deployment": ("apis/apps/v1", "deployments", True),
    "Role": ("apis/rbac.authorization.k8s.io/v1", "roles", True),
    "RoleBinding": ("apis/rbac.authorization.k8s.io/v1", "rolebindings", True),
    "ClusterRole": ("apis/rbac.authorization.k8s.io/v1", "clusterroles", False),
    "ClusterRoleBinding": ("apis/rbac.authorization.k8s.io/v1", "clusterrolebindings", False),
    "CustomResourceDefinition": ("apis/apiextensions.k8s.io/v1", "customresourcedefinitions", False),
}


class Failed(Exception):
    """The site did not come to the state that it must come to."""


def wait(what, condition, patience=PATIENCE_S):
    """Until the condition gives something true, which is returned."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failed(f"waited {patience} s in vain: {what}")
        time.sleep(0.004)


@functools.lru_cache(maxsize=None)
def manifest_text(name):
    with open(os.path.join(INTERWORKING, name), encoding="utf-8") as file:
        return json.dumps([document for document in yaml.safe_load_all(file) if document])


def manifest(name):
    """Objects of a file of the interworking package, with a registry that can be reached."""
    return json.loads(manifest_text(name).replace(IMAGE, OWN_IMAGE))


def bootstrap(name, managers, pair):
    """bootstrap-config.yaml filled in."""
    objects = manifest("bootstrap-config.yaml")
    text = yaml.safe_dump({"bootstrapFrom": "Inline", "clusterName": name, "NSXManagers": managers})
    for thing in objects:
        if thing["kind"] == "ConfigMap":
            thing["data"]["bootstrap.conf"] = text
        elif thing["kind"] == "Secret":
            thing["data"] = {key: base64.b64encode(value.encode()).decode() for key, value in zip(("tls.crt", "tls.key"), pair)}
    return objects


class Programs:
    """The programs of a build folder."""

    def __init__(self, build):
        self.nsx = os.path.join(build, "tests/sim/nsx/sim-nsx")
        self.player = os.path.join(build, "tests/sim/nsx/sim-antrea-cluster")
        self.kube = os.path.join(build, "tests/sim/kube/sim-kube")


class Kube:
    """A Kubernetes API by its URL, without log-in."""

    def __init__(self, url):
        self.address = urllib.parse.urlsplit(url)
        self.connection = None
        self.agent = "site"

    def send(self, method, path, body=None, content_type="application/json"):
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=30)
            try:
                headers = {"Content-Type": content_type, "User-Agent": self.agent}
                self.connection.request(method, path, None if body is None else json.dumps(body), headers)
                response = self.connection.getresponse()
                content = response.read()
                return response.status, json.loads(content) if content[:1] in (b"{", b"[") else content
            except (http.client.HTTPException, ConnectionResetError, BrokenPipeError):
                self.connection = None
                if attempt == 2:
                    raise
            except OSError:
                self.connection = None
                raise
        raise AssertionError

    def get(self, path):
        status, body = self.send("GET", path)
        return body if status == 200 else None

    def items(self, path):
        found = self.get(path)
        return found["items"] if found else []

    @staticmethod
    def path_of(thing, named=True):
        prefix, plural, is_in_space = KINDS[thing["kind"]]
        space = f"/namespaces/{thing['metadata']['namespace']}" if is_in_space else ""
        return f"/{prefix}{space}/{plural}" + (f"/{thing['metadata']['name']}" if named else "")

    def apply(self, objects):
        for thing in objects:
            status, answer = self.send("POST", self.path_of(thing, named=False), thing)
            if status == 409:
                status, answer = self.send("PATCH", self.path_of(thing), thing, "application/merge-patch+json")
            if status not in (200, 201):
                raise Failed(f"cannot apply {thing['kind']} {thing['metadata']['name']}: {status} {answer}")

    def delete(self, objects):
        for thing in reversed(objects):
            status, answer = self.send("DELETE", self.path_of(thing), {"propagationPolicy": "Background"})
            if status not in (200, 202, 404):
                raise Failed(f"cannot delete {thing['kind']} {thing['metadata']['name']}: {status} {answer}")


class Cluster:
    """One Kubernetes cluster: an API server, the players of its adapters, and what it knows of itself."""

    def __init__(self, site, name, seed, key):
        self.site, self.name, self.key = site, name, key
        self.pair = None
        self.folder = os.path.join(site.folder, f"cluster-{key}")
        os.makedirs(self.folder)
        self.kubeconfig = os.path.join(self.folder, "kubeconfig")
        self.audit = os.path.join(self.folder, "audit")
        objects = os.path.join(self.folder, "objects")
        with open(objects, "w", encoding="utf-8") as file:
            subprocess.run([site.programs.player, "prepare", "--print", "--seed", str(seed), "--nodes", "1", "--namespaces", "1",
                            "--pods", "2"], stdout=file, check=True)
        # Pipes, so that the end of a process is seen, and its first line says that it serves.
        self.server = subprocess.Popen(
            [site.programs.kube, "--kubeconfig", self.kubeconfig, "--audit", self.audit, "--load", objects, "--seed", str(seed),
             "--controllers", "namespace,service-account,gc"], stdout=subprocess.PIPE, text=True)
        self.url = self.server.stdout.readline().strip()
        self.kube = Kube(self.url)
        self.player = None
        self.start_players()

    def start_players(self):
        words = [self.site.programs.player, "run", "--kubeconfig", self.kubeconfig, "--nsx-control", self.site.nsx.addresses["control"]]
        for index, manager in enumerate(self.site.nsx.addresses["managers"]):
            words += ["--manager", f"nsx-{index + 1}={manager['url']}"]
        self.player = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self.player.stdout.readline()

    @staticmethod
    def end(process):
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait()
        if process is not None:
            process.stdout.close()
            # Sanitizers speak by it.
            if process.returncode != 0:
                raise Failed(f"{process.args[0]} ended with {process.returncode}")

    def stop_players(self):
        self.end(self.player)
        self.player = None

    def destroy(self):
        """Gone without a word to NSX."""
        self.stop_players()
        self.end(self.server)
        self.server = None

    # --- what it knows of itself

    def identity(self):
        """kube-system's UID and Antrea's UUID: what tells this cluster from another one of its name."""
        space = self.kube.get("/api/v1/namespaces/kube-system")
        antrea = self.kube.get("/api/v1/namespaces/kube-system/configmaps/antrea-cluster-identity")
        return {"kubeSystemUid": space["metadata"]["uid"], "antreaUuid": antrea["data"]["uuid"]}

    def cluster_id(self):
        found = self.kube.get(f"/api/v1/namespaces/{SPACE}/configmaps/cluster-id")
        return yaml.safe_load(found["data"]["cluster-id.conf"])["clusterID"] if found else None

    def certificate(self):
        found = self.kube.get(f"/api/v1/namespaces/{SPACE}/secrets/nsx-cert")
        return base64.b64decode(found["data"]["tls.crt"]).decode() if found else None

    def policies(self):
        return self.kube.items("/apis/crd.antrea.io/v1beta1/clusternetworkpolicies")

    def job(self, name):
        """"Complete", "Failed", or None while it runs or is not there."""
        found = self.kube.get(f"/apis/batch/v1/namespaces/{SPACE}/jobs/{name}")
        for condition in ((found or {}).get("status") or {}).get("conditions", []):
            if condition["type"] in ("Complete", "Failed") and condition["status"] == "True":
                return condition["type"]
        return None

    # --- the documented procedures, by hand

    def submit(self):
        """bootstrap-config first, then interworking."""
        self.kube.apply(bootstrap(self.name, self.site.manager_names, self.pair))
        self.kube.apply(manifest("interworking.yaml"))

    def register(self, pair=None):
        """Identity, files, and the wait until NSX has it."""
        self.pair = pair or self.pair or client.certificate(self.name)
        self.site.add_identity(self.name, self.pair)
        self.submit()
        wait(f"{self.key} to register", lambda: self.job("register"))
        if self.job("register") != "Complete":
            raise Failed(f"{self.key} did not register")
        self.await_connection()

    def await_connection(self):
        wait(f"{self.key} to connect", self.is_connected)

    def is_connected(self):
        adapter = self.site.nsx.steer("GET", "adapters").get(self.name)
        return bool(adapter and adapter["connected"] and adapter["clusterId"] == self.cluster_id())

    def deregister(self):
        """The job, and the files taken away after it; how the job ended."""
        self.kube.apply(manifest("deregisterjob.yaml"))
        end = wait(f"{self.key} to deregister", lambda: self.job("deregister"))
        self.remove_files()
        return end

    def remove_files(self):
        self.kube.delete(manifest("interworking.yaml") + manifest("deregisterjob.yaml"))
        left = [self.kube.path_of(thing) for thing in manifest("interworking.yaml") if thing["kind"] in ("Namespace", "CustomResourceDefinition")]
        wait("the namespace to end", lambda: all(self.kube.get(path) is None for path in left))

    def replace_certificate(self, pair):
        """In the cluster only."""
        self.pair = pair
        self.kube.apply([thing for thing in bootstrap(self.name, self.site.manager_names, pair) if thing["kind"] == "Secret"])


class Site:
    """NSX and clusters, with a clock that stands still."""

    def __init__(self, programs, folder, *options, switches=None, rate="0"):
        self.programs, self.folder = programs, folder
        self.nsx = client.Simulator(programs.nsx, *options, switches=switches, rate=rate)
        self.manager_names = [f"nsx-{index + 1}" for index in range(len(self.nsx.addresses["managers"]))]
        self.clusters = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for cluster in self.clusters:
            cluster.destroy()
        self.nsx.__exit__()

    def cluster(self, name, seed, key=None):
        made = Cluster(self, name, seed, key or name)
        self.clusters.append(made)
        return made

    def identities(self, name):
        return [one for one in self.nsx.admin.get(client.PIS).expect(200).json["results"] if one["name"] == name]

    def add_identity(self, name, pair):
        """The principal identity of a cluster, with a certificate that may be in the trust store already."""
        if self.identities(name):
            return
        answer = self.nsx.admin.post(client.PIS + "/with-certificate", client.identity(name, pair[0]))
        if answer.status == 400 and answer.json["error_code"] == 2004:
            known = answer.json["error_message"].split("with id ")[1].rstrip(".")
            body = {**client.identity(name, pair[0]), "certificate_id": known}
            answer = self.nsx.admin.post(client.PIS, body)
        answer.expect(201)

    def remove_identity(self, name, with_certificate=True):
        for one in self.identities(name):
            self.nsx.admin.delete(f"{client.PIS}/{one['id']}").expect(200)
            if with_certificate:
                self.nsx.admin.delete(f"{client.CERTIFICATES}/{one['certificate_id']}").expect(200)

    def dump(self):
        return self.nsx.steer("GET", "dump")

    def await_realized(self):
        """Until every connected cluster has acknowledged its policies."""
        wait("policies to be realized", lambda: not any(one["waiting"] for one in self.nsx.steer("GET", "adapters").values()))
