"""CustomResourceDefinitions and the objects they make possible."""

from client import Failed, check
from fixture import CRDS, GROUP, condition, definition, gadgets, install, version, wait, widgets


def own_group(kube):
    return f"{kube.run}.salvor.test"


def test_definition_is_completed(kube):
    crd = definition("Thing", "Namespaced", [version("v1", storage=True)], own_group(kube))
    kube.get(f"{CRDS}/{crd['metadata']['name']}").expect(404, "NotFound")
    made = kube.post(CRDS, crd, fieldManager="kubectl-create", fieldValidation="Strict").expect(201).json
    names = made["spec"]["names"]
    check("names", names, {"kind": "Thing", "plural": "things", "singular": "thing", "listKind": "ThingList"})
    check("conversion", made["spec"]["conversion"], {"strategy": "None"})
    check("generation", made["metadata"]["generation"], 1)
    check("not established yet", condition(made, "Established"), None)
    check("stored", made["status"]["storedVersions"], ["v1"])
    name = crd["metadata"]["name"]
    done = wait("Established", lambda: (lambda one: one if condition(one, "Established") == "True" else None)(
        kube.get(f"{CRDS}/{name}").json))
    check("accepted", done["status"]["acceptedNames"], names)
    check("condition", condition(done, "NamesAccepted"), "True")
    kube.delete(f"{CRDS}/{name}").expect(200)
    wait("the definition to go", lambda: kube.get(f"{CRDS}/{name}").status == 404)


def test_deleting_a_definition_deletes_its_objects(kube):
    group = own_group(kube)
    crd = definition("Goner", "Cluster", [version("v1", storage=True)], group)
    install(kube, crd)
    path, name = f"/apis/{group}/v1/goners", crd["metadata"]["name"]
    body = {"apiVersion": f"{group}/v1", "kind": "Goner", "metadata": {"name": "held", "finalizers": ["salvor.test/hold"]}}
    kube.post(path, body).expect(201)
    answer = kube.delete(f"{CRDS}/{name}").expect(200).json
    check("answer", (answer["kind"], "customresourcecleanup.apiextensions.k8s.io" in answer["metadata"]["finalizers"],
                     condition(answer, "Terminating")), ("CustomResourceDefinition", True, "True"))
    wait("the object to be deleted", lambda: "deletionTimestamp" in kube.get(f"{path}/held").json["metadata"])
    check("held", kube.get(f"{CRDS}/{name}").status, 200)
    kube.merge(f"{path}/held", {"metadata": {"finalizers": None}}).expect(200)
    wait("the definition to go", lambda: kube.get(f"{CRDS}/{name}").status == 404)
    wait("the type to go", lambda: kube.get(path).status == 404)


def test_definition_rules(kube):
    crd = definition("Odd", "Cluster", [version("v1", storage=True)], own_group(kube))
    crd["metadata"]["name"] = f"other.{own_group(kube)}"
    kube.post(CRDS, crd).expect(422, "Invalid")
    kube.post(CRDS, definition("Odd", "Cluster", [version("v1")], own_group(kube))).expect(422, "Invalid")
    kube.post(CRDS, definition("Odd", "Odd", [version("v1", storage=True)], own_group(kube))).expect(422, "Invalid")


def test_definition_needs_a_version_on_put(kube):
    name = f"widgets.{GROUP}"
    crd = kube.get(f"{CRDS}/{name}").expect(200).json
    del crd["metadata"]["resourceVersion"]
    kube.put(f"{CRDS}/{name}", crd).expect(422, "Invalid")


def test_stored_versions_must_stay(kube):
    name = f"gadgets.{GROUP}"
    crd = kube.get(f"{CRDS}/{name}").expect(200).json
    crd["spec"]["versions"] = [version("v2", storage=True, status=False)]
    answer = kube.put(f"{CRDS}/{name}", crd).expect(422, "Invalid")
    check("field", answer.json["details"]["causes"][0]["field"], "status.storedVersions[0]")


def test_versions_show_the_same_object(kube):
    made = widgets(kube).make("versions", spec={"a": 1})
    other = kube.get(widgets(kube, "v1beta1").at("versions")).expect(200)
    check("other version", (other.json["apiVersion"], other.json["spec"], other.json["metadata"]["uid"]),
          (f"{GROUP}/v1beta1", {"a": 1}, made["metadata"]["uid"]))
    body = other.json
    body["spec"]["a"] = 2
    kube.put(widgets(kube, "v1beta1").at("versions"), body).expect(200)
    check("first version", kube.get(widgets(kube).at("versions")).json["spec"], {"a": 2})
    kube.put(widgets(kube).at("versions"), body).expect(400, "BadRequest")


def test_deprecated_version_warns(kube):
    answer = kube.get(widgets(kube, "v1beta1").path).expect(200)
    check("warning", answer.headers["Warning"], 
          f'299 - "{GROUP}/v1beta1 Widget is deprecated; use {GROUP}/v1 Widget"')
    check("no warning", kube.get(widgets(kube).path).expect(200).headers["Warning"], None)


def test_status_subresource(kube):
    """With a status subresource the main resource never changes status, and the reverse."""
    place = widgets(kube)
    made = place.make("status", spec={"a": 1}, status={"s": 1})
    check("created without status", "status" in made, False)
    made["status"] = {"s": 2}
    check("put", "status" in kube.put(place.at("status"), made).expect(200).json, False)
    made = kube.get(place.at("status")).json
    changed = {**made, "spec": {"a": 9}, "status": {"s": 3}, "metadata": {**made["metadata"], "labels": {"x": "y"}}}
    new = kube.put(place.at("status", "status"), changed).expect(200).json
    check("status put", (new["spec"], new["status"], new["metadata"].get("labels")), ({"a": 1}, {"s": 3}, None))
    check("generation", new["metadata"]["generation"], 1)
    new = kube.merge(place.at("status", "status"), {"status": {"s": 4}, "spec": {"a": 5}}).expect(200).json
    check("status patch", (new["spec"], new["status"]), ({"a": 1}, {"s": 4}))
    kube.merge(place.at("status", "status"), {"status": {"s": 5}}, fieldManager="kubectl-patch").expect(200)
    check("read", kube.get(place.at("status", "status")).expect(200).json["status"], {"s": 5})
    kube.put(place.at("status", "status"), changed).expect(409, "Conflict")
    kube.put(place.at("none", "status"), {**changed, "metadata": {"name": "none", "resourceVersion": "1"}}).expect(404)


def test_without_status_subresource(kube):
    """Without one, status is a field like any other, and counts for the generation."""
    name = f"status-{kube.run}"
    made = gadgets(kube).make(name, status={"s": 1})
    check("status", made["status"], {"s": 1})
    new = kube.merge(gadgets(kube).at(name), {"status": {"s": 2}}).expect(200).json
    check("changed", (new["status"], new["metadata"]["generation"]), ({"s": 2}, 2))
    kube.put(gadgets(kube).at(name, "status"), new).expect(404, "NotFound", f'gadgets.{GROUP} "{name}" not found')


def test_generation(kube):
    made = widgets(kube).make("generations", spec={"a": 1})
    check("first", made["metadata"]["generation"], 1)
    made = kube.merge(widgets(kube).at("generations"), {"metadata": {"labels": {"x": "y"}}}).json
    check("labels", made["metadata"]["generation"], 1)
    made = kube.merge(widgets(kube).at("generations"), {"spec": {"a": 2}}).json
    check("spec", made["metadata"]["generation"], 2)
    made["metadata"]["generation"] = 77
    made["spec"]["a"] = 3
    check("not the client's", kube.put(widgets(kube).at("generations"), made).json["metadata"]["generation"], 3)


def test_scope(kube):
    kube.post(f"/apis/{GROUP}/v1/widgets", widgets(kube).body("x")).expect(404)
    kube.post("/api/v1/configmaps", {"metadata": {"name": "x"}}).expect(405, "MethodNotAllowed")
    kube.get(f"/apis/{GROUP}/v1/namespaces/{kube.namespace}/gadgets").expect(404)


def test_updated_definition_takes_effect(kube):
    group = own_group(kube)
    crd = definition("Grower", "Cluster", [version("v1", storage=True)], group)
    install(kube, crd)
    name = crd["metadata"]["name"]
    live = kube.get(f"{CRDS}/{name}").json
    live["spec"]["versions"].append(version("v2"))
    new = kube.put(f"{CRDS}/{name}", live).expect(200).json
    check("generation", new["metadata"]["generation"], 2)
    wait("the new version", lambda: kube.get(f"/apis/{group}/v2/growers").status == 200)
    kube.delete(f"{CRDS}/{name}").expect(200)
    wait("the definition to go", lambda: kube.get(f"{CRDS}/{name}").status == 404)
