"""What every test finds: a namespace of this run, and two custom types."""

import time

from client import Failed

GROUP = "contract.salvor.test"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def permissive():
    return {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}


def version(name, storage=False, status=True, **more):
    subresources = {"status": {}} if status else {}
    return {"name": name, "served": True, "storage": storage, "schema": permissive(),
            "subresources": subresources, **more}


def definition(kind, scope, versions, group=GROUP):
    plural = kind.lower() + "s"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "scope": scope, "names": {"kind": kind, "plural": plural}, "versions": versions},
    }


def wait(what, condition, seconds=20):
    """Waits until the condition gives something true, and returns that."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        got = condition()
        if got:
            return got
        time.sleep(0.02)
    raise Failed(f"waited {seconds} s for {what}")


def condition(crd, kind):
    for one in crd.get("status", {}).get("conditions") or []:
        if one["type"] == kind:
            return one["status"]
    return None


def install(kube, crd):
    """Creates a definition and waits until its type is served."""
    name = crd["metadata"]["name"]
    answer = kube.post(CRDS, crd)
    if answer.status == 409:
        kube.delete(f"{CRDS}/{name}")
        wait("an old definition to go", lambda: kube.get(f"{CRDS}/{name}").status == 404)
        answer = kube.post(CRDS, crd)
    answer.expect(201)
    wait("Established", lambda: condition(kube.get(f"{CRDS}/{name}").json, "Established") == "True")
    path = f"/apis/{crd['spec']['group']}/{crd['spec']['versions'][0]['name']}/{crd['spec']['names']['plural']}"
    wait("the type to be served", lambda: kube.get(path).status == 200)


def set_up(kube):
    kube.namespace = f"contract-{kube.run}"
    kube.post("/api/v1/namespaces", {"metadata": {"name": kube.namespace}}).expect(201)
    install(kube, definition("Widget", "Namespaced", [
        version("v1", storage=True, selectableFields=[{"jsonPath": ".spec.color"}],
                schema={"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True,
                                            "properties": {"spec": {
                                                "type": "object", "x-kubernetes-preserve-unknown-fields": True,
                                                "properties": {"color": {"type": "string"}}}}}}),
        version("v1beta1", deprecated=True),
    ]))
    install(kube, definition("Gadget", "Cluster", [version("v1", storage=True, status=False)]))
    # A pod needs the account that a controller makes in every namespace; nothing here makes pods.


def tear_down(kube):
    for plural in ("widgets", "gadgets"):
        kube.delete(f"{CRDS}/{plural}.{GROUP}")
    kube.delete(f"/api/v1/namespaces/{kube.namespace}")


class Place:
    """A collection of the run's namespace, or of the cluster."""

    def __init__(self, kube, group, plural, version_name="v1", kind=None, namespaced=True):
        self.kube, self.kind = kube, kind
        self.api_version = f"{group}/{version_name}" if group else version_name
        self.root = f"/apis/{group}/{version_name}" if group else f"/api/{version_name}"
        self.everywhere = f"{self.root}/{plural}"
        self.path = f"{self.root}/namespaces/{kube.namespace}/{plural}" if namespaced else self.everywhere

    def at(self, name, subresource=None):
        return f"{self.path}/{name}" + (f"/{subresource}" if subresource else "")

    def body(self, name, **content):
        metadata = {"name": name, **content.pop("metadata", {})}
        return {"apiVersion": self.api_version, "kind": self.kind, "metadata": metadata, **content}

    def make(self, name, **content):
        """Creates the object and returns what the server made of it."""
        return self.kube.post(self.path, self.body(name, **content)).expect(201).json


def maps(kube):
    return Place(kube, "", "configmaps", kind="ConfigMap")


def secrets(kube):
    return Place(kube, "", "secrets", kind="Secret")


def widgets(kube, version_name="v1"):
    return Place(kube, GROUP, "widgets", version_name, kind="Widget")


def gadgets(kube):
    return Place(kube, GROUP, "gadgets", kind="Gadget", namespaced=False)


def leases(kube):
    return Place(kube, "coordination.k8s.io", "leases", kind="Lease")


def spaces(kube):
    return Place(kube, "", "namespaces", kind="Namespace", namespaced=False)
