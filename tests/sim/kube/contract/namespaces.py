"""Namespaces: what they get, how they end, what they refuse meanwhile."""

from client import Failed, check
from fixture import maps, spaces, wait, widgets


def test_new_namespace(kube):
    name = f"contract-new-{kube.run}"
    made = spaces(kube).make(name, status={"phase": "Terminating"})
    check("spec", made["spec"], {"finalizers": ["kubernetes"]})
    check("status", made["status"], {"phase": "Active"})
    check("labels", made["metadata"]["labels"], {"kubernetes.io/metadata.name": name})
    kube.delete(spaces(kube).at(name)).expect(200)


def test_names_are_labels(kube):
    kube.post(spaces(kube).path, spaces(kube).body("with.dot")).expect(422, "Invalid")
    kube.post(spaces(kube).path, spaces(kube).body("a" * 64)).expect(422, "Invalid")


def test_system_namespaces(kube):
    for name in ("default", "kube-system", "kube-public", "kube-node-lease"):
        uid = kube.get(spaces(kube).at(name)).expect(200).json["metadata"]["uid"]
        if len(uid) != 36:
            raise Failed("odd uid")


def test_phase_selector(kube):
    answer = kube.get(spaces(kube).path, fieldSelector="status.phase=Active").expect(200).json
    if kube.namespace not in [item["metadata"]["name"] for item in answer["items"]]:
        raise Failed("the run's namespace is not found by its phase")


def test_termination(kube):
    """Deleting a namespace deletes its content; an object with a finalizer holds it."""
    name = f"contract-end-{kube.run}"
    spaces(kube).make(name)
    path = f"/api/v1/namespaces/{name}/configmaps"
    body = maps(kube).body("held", metadata={"finalizers": ["salvor.test/hold"]})
    kube.post(path, body).expect(201)
    kube.post(path, maps(kube).body("goes")).expect(201)
    widget = widgets(kube).path.replace(kube.namespace, name)
    kube.post(widget, widgets(kube).body("goes")).expect(201)
    answer = kube.delete(spaces(kube).at(name)).expect(200).json
    check("answer", (answer["kind"], answer["status"]["phase"], "deletionTimestamp" in answer["metadata"]),
          ("Namespace", "Terminating", True))
    wait("content to go", lambda: kube.get(f"{path}/goes").status == 404)
    wait("custom content to go", lambda: kube.get(f"{widget}/goes").status == 404)
    answer = kube.post(path, maps(kube).body("late")).expect(
        403, "Forbidden", f'configmaps "late" is forbidden: unable to create new content in namespace {name} because it is '
        "being terminated", {"name": "late", "kind": "configmaps"})
    check("cause", answer.json["details"]["causes"], [
        {"reason": "NamespaceTerminating", "message": f"namespace {name} is being terminated", "field": "metadata.namespace"}])
    check("still there", kube.get(spaces(kube).at(name)).expect(200).json["status"]["phase"], "Terminating")
    kube.merge(f"{path}/held", {"metadata": {"finalizers": None}}).expect(200)
    wait("the namespace to go", lambda: kube.get(spaces(kube).at(name)).status == 404, 60)
    kube.get(spaces(kube).at(name)).expect(404, "NotFound", f'namespaces "{name}" not found')


def test_finalize(kube):
    name = f"contract-finalize-{kube.run}"
    made = spaces(kube).make(name)
    made["spec"]["finalizers"] = ["kubernetes", "salvor.test/own"]
    new = kube.put(spaces(kube).at(name, "finalize"), made).expect(200).json
    check("finalizers", new["spec"]["finalizers"], ["kubernetes", "salvor.test/own"])
    new["spec"]["finalizers"] = ["kubernetes"]
    ignored = kube.put(spaces(kube).at(name), new).expect(200).json
    check("only through the subresource", ignored["spec"]["finalizers"], ["kubernetes", "salvor.test/own"])
    kube.delete(spaces(kube).at(name)).expect(200)
    wait("the first finalizer to go", lambda: kube.get(spaces(kube).at(name)).json["spec"]["finalizers"] == ["salvor.test/own"], 60)
    last = kube.get(spaces(kube).at(name)).json
    last["spec"]["finalizers"] = []
    kube.put(spaces(kube).at(name, "finalize"), last).expect(200)
    wait("the namespace to go", lambda: kube.get(spaces(kube).at(name)).status == 404)


def test_status(kube):
    name = f"contract-status-{kube.run}"
    made = spaces(kube).make(name)
    made["metadata"]["labels"]["x"] = "y"
    kube.put(spaces(kube).at(name), made).expect(200)
    got = kube.get(spaces(kube).at(name, "status")).expect(200).json
    check("phase", got["status"]["phase"], "Active")
    kube.delete(spaces(kube).at(name)).expect(200)
