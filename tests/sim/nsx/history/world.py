"""Makes a history happen on a simulated site and keeps the truth: which object of NSX belongs to which registration,
and whether that registration lives."""

import dataclasses
import json
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../site"))
from nsx_site import INTERWORKING, SPACE, Failed, Site, client, wait  # pylint: disable=wrong-import-position

PURGE_S = 65
POLICY = "/infra/domains/default/security-policies"


@dataclasses.dataclass
class Registration:
    """One cluster under one name, from its registration to its end."""

    cluster: int
    name: str
    lives: bool = True
    expected: bool = True  # it is to be registered at the end
    fingerprints: set = dataclasses.field(default_factory=set)


class World:
    """The site, and the truth about it."""

    def __init__(self, programs, folder, seed, switches=None):
        self.site = Site(programs, folder, "--seed", str(seed + 1), switches=switches)
        self.nsx = self.site.nsx
        self.seed = seed
        self.clusters = {}  # number → Cluster, living ones
        self.registrations = []
        self.owners = {}  # (table, unique) → Registration
        self.apart, self.hidden = set(), set()
        self.has_backup = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.site.__exit__()

    # --- the truth

    def current(self, name):
        """The living registration of that name, or the last one."""
        found = [one for one in self.registrations if one.name == name]
        living = [one for one in found if one.lives]
        return (living or found or [None])[-1]

    def of(self, number):
        return [one for one in self.registrations if one.cluster == number and one.lives][-1]

    def learn(self):
        """Objects that were not there before belong to the registration that their name has now."""
        intent = self.nsx.steer("GET", "dump")["intent"]
        for key, one in intent["principals"].items():
            self.owners.setdefault(("principals", key), self.current(one["name"]))
        for key, one in intent["certificates"].items():
            owner = [who for who in self.registrations if one["_sim_sha256"] in who.fingerprints]
            name = one["details"][0]["subject_cn"]
            self.owners.setdefault(("certificates", key), owner[-1] if owner else self.current(name))
        for key, one in intent["controlPlanes"].items():
            self.owners.setdefault(("controlPlanes", one["node_id"]), self.current(key))
        for one in intent["spans"].values():
            self.owners.setdefault(("spans", one["unique_id"]), self.current(one["container_cluster_path"].rsplit("/", 1)[1]))
        return intent

    # --- events

    def happen(self, event):
        getattr(self, "do_" + event.kind.replace("-", "_"))(event)
        self.nsx.advance(PURGE_S)
        self.learn()

    def make(self, number):
        cluster = self.site.cluster("", self.seed * 1000 + number + 1, f"{number}")
        self.clusters[number] = cluster
        return cluster

    def begin(self, number, name):
        cluster = self.clusters[number]
        cluster.name = name
        pair = client.certificate(name)
        cluster.pair = pair
        made = Registration(number, name)
        made.fingerprints.add(self.fingerprint(pair[0]))
        self.registrations.append(made)
        return cluster

    @staticmethod
    def fingerprint(pem):
        import hashlib
        import ssl

        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()

    def do_register(self, event):
        self.make(event.cluster)
        self.begin(event.cluster, event.name).register()

    def do_half_identity(self, event):
        """The identity is in NSX and the configuration in the cluster, and nobody went on."""
        self.make(event.cluster)
        cluster = self.begin(event.cluster, event.name)
        self.site.add_identity(event.name, cluster.pair)
        from nsx_site import bootstrap

        cluster.kube.apply(bootstrap(event.name, self.site.manager_names, cluster.pair))

    def do_half_plane(self, event):
        """Somebody deleted the identity of a registered cluster."""
        self.site.remove_identity(event.name)
        wait("the adapters to be refused", lambda: not self.clusters[event.cluster].is_connected())

    def end(self, number):
        self.of(number).lives = False
        self.apart.discard(number)
        self.hidden.discard(number)

    def do_delete(self, event):
        self.nsx.steer("POST", "partition", {event.name: False})
        self.end(event.cluster)
        self.clusters.pop(event.cluster).destroy()

    def leave(self, event_name, cluster):
        cluster.deregister()
        self.site.remove_identity(event_name)

    def do_remove(self, event):
        self.leave(event.name, self.clusters[event.cluster])
        self.do_delete(event)

    def do_recreate(self, event):
        """A new cluster under the name of one that was cleanly removed."""
        self.do_remove(event)
        self.nsx.advance(PURGE_S)
        self.make(event.clusters[0])
        self.begin(event.clusters[0], event.name).register()

    def do_rename(self, event):
        cluster = self.clusters[event.cluster]
        self.leave(cluster.name, cluster)
        self.end(event.cluster)
        self.nsx.advance(PURGE_S)
        self.begin(event.cluster, event.name).register()

    def do_reregister(self, event):
        """Deregistered and registered again with the same pair: the cluster id is another one."""
        cluster = self.clusters[event.cluster]
        cluster.deregister()
        self.nsx.advance(PURGE_S)
        cluster.register()

    def do_rotate(self, event):
        """A new certificate, in NSX and in the cluster."""
        cluster, registration = self.clusters[event.cluster], self.of(event.cluster)
        pair = client.certificate(event.name)
        registration.fingerprints.add(self.fingerprint(pair[0]))
        rotate(self.site, event.name, pair[0])
        cluster.replace_certificate(pair)
        cluster.await_connection()

    def do_partition(self, event):
        self.apart.add(event.cluster)
        self.nsx.steer("POST", "partition", {event.name: True})

    def do_heal(self, event):
        self.apart.discard(event.cluster)
        self.nsx.steer("POST", "partition", {event.name: False})

    def do_hide(self, event):
        self.hidden.add(event.cluster)

    def do_show(self, event):
        self.hidden.discard(event.cluster)

    def do_policy_add(self, event):
        body = {"category": "Application", "target_type": "ANTREA", "rules": [{"id": "r1", "action": event.action}]}
        self.nsx.admin.put(f"{client.POLICIES}/{event.policy}", body).expect(200)
        for number in event.clusters:
            name = self.of(number).name
            span = {"container_cluster_type": "ANTREA", "container_cluster_path": f"{client.POINT}/{name}"}
            self.nsx.admin.put(f"{client.POLICIES}/{event.policy}/container-cluster-span/{name}", span).expect(200)

    def do_policy_change(self, event):
        self.nsx.admin.patch(f"{client.POLICIES}/{event.policy}", {"rules": [{"id": "r1", "action": event.action}]})

    def do_policy_delete(self, event):
        for one in self.nsx.admin.get(f"{client.POLICIES}/{event.policy}/container-cluster-span").json.get("results", []):
            self.nsx.admin.delete(f"{client.POLICIES}/{event.policy}/container-cluster-span/{one['id']}").expect(200)
        self.nsx.admin.delete(f"{client.POLICIES}/{event.policy}").expect(200)

    def do_backup(self, _):
        self.nsx.steer("POST", "backup", {})

    def do_restore(self, _):
        self.nsx.steer("POST", "restore", {})

    # --- what an operator is told

    def statement(self):
        """What a person knows: where NSX and the clusters are, and which ones are gone for good."""
        addresses = self.nsx.steer("GET", "addresses")
        living = {one.name for one in self.registrations if one.lives}
        clusters = []
        for number, cluster in sorted(self.clusters.items()):
            hidden = number in self.hidden
            path = cluster.kubeconfig
            if hidden:
                path = cluster.kubeconfig + ".hidden"
                with socket.socket() as closed:
                    closed.bind(("127.0.0.1", 0))
                    with open(cluster.kubeconfig, encoding="utf-8") as file:
                        text = file.read().replace(cluster.url, f"http://127.0.0.1:{closed.getsockname()[1]}")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
            clusters.append({"kubeconfig": path})
        gone = sorted({one.name for one in self.registrations if not one.lives} - living)
        return {"nsx": {"url": addresses["managers"][0]["url"], "sha256": addresses["managers"][0]["sha256"],
                        "certificate": addresses["managers"][0]["certificate"], "user": client.USER, "password": client.PASSWORD},
                "control": addresses["control"], "managerNames": self.site.manager_names, "clusters": clusters, "deleted": gone,
                "interworking": os.path.realpath(INTERWORKING), "audit": self.nsx.audit}

    def write_statement(self):
        path = os.path.join(self.site.folder, "statement.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.statement(), file, indent=1)
        return path


def rotate(site, name, pem):
    """The certificate of a control plane and its identity, and the old one away: the order of NSX's own operator."""
    admin = site.nsx.admin
    old = site.identities(name)[0]
    imported = admin.post(client.CERTIFICATES, {"display_name": name, "pem_encoded": pem}, action="import").expect(200)
    plane = admin.get(f"{client.CCPS}/{name}").expect(200).json
    body = {"_revision": plane["_revision"], "certificate": pem}
    admin.put(f"{client.CCPS}/{name}", body, headers={"X-Allow-Overwrite": "true"}).expect(200)
    body = {"principal_identity_id": old["id"], "certificate_id": imported.json["results"][0]["id"]}
    admin.post(client.PIS, body, action="update_certificate").expect(200)
    admin.delete(f"{client.CERTIFICATES}/{old['certificate_id']}").expect(200)


__all__ = ["Failed", "Registration", "SPACE", "World", "rotate", "wait", "client"]
