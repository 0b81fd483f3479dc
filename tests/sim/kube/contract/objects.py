"""GET, POST and PUT of single objects, and what the server sets, keeps and refuses."""

import re

from client import Failed, check
from fixture import GROUP, Place, gadgets, leases, maps, secrets, widgets

MODIFIED = (
    'Operation cannot be fulfilled on %s "%s": the object has been modified; '
    "please apply your changes to the latest version and try again"
)


def test_create_sets_identity(kube):
    made = maps(kube).make("identity", data={"a": "1"}, metadata={"uid": "x", "creationTimestamp": "2001-01-01T00:00:00Z"})
    check("kind", (made["kind"], made["apiVersion"]), ("ConfigMap", "v1"))
    metadata = made["metadata"]
    check("namespace", metadata["namespace"], kube.namespace)
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", metadata["uid"]):
        raise Failed(f"odd uid {metadata['uid']}")
    if not re.fullmatch(r"20[2-9]\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", metadata["creationTimestamp"]):
        raise Failed(f"odd time {metadata['creationTimestamp']}")
    if not metadata["resourceVersion"].isdigit():
        raise Failed("odd resourceVersion")
    again = kube.get(maps(kube).at("identity")).expect(200).json
    check("read back", {k: again["metadata"][k] for k in ("uid", "resourceVersion")},
          {k: metadata[k] for k in ("uid", "resourceVersion")})


def test_get_missing(kube):
    kube.get(maps(kube).at("missing")).expect(404, "NotFound", 'configmaps "missing" not found',
                                              {"name": "missing", "kind": "configmaps", "group": None})
    kube.get(widgets(kube).at("missing")).expect(404, "NotFound", f'widgets.{GROUP} "missing" not found',
                                                 {"name": "missing", "kind": "widgets", "group": GROUP})


def test_unknown_type(kube):
    for path in ("/api/v1/nothings", "/apis/apps/v1/nothings", "/api/v1/namespaces/default/configmaps/x/nothing"):
        answer = kube.get(path).expect(404, "NotFound", "the server could not find the requested resource")
        check("details", answer.json["details"], {})
    for path in (f"/apis/{GROUP}/v1/nothings", "/apis/none.salvor.test/v1/things", "/nowhere"):
        answer = kube.get(path).expect(404)
        check(path, answer.content, b"404 page not found\n")


def test_create_twice(kube):
    maps(kube).make("twice")
    kube.post(maps(kube).path, maps(kube).body("twice")).expect(
        409, "AlreadyExists", 'configmaps "twice" already exists', {"name": "twice", "kind": "configmaps"})
    widgets(kube).make("twice")
    kube.post(widgets(kube).path, widgets(kube).body("twice")).expect(
        409, "AlreadyExists", f'widgets.{GROUP} "twice" already exists',
        {"name": "twice", "kind": "widgets", "group": GROUP})


def test_generate_name(kube):
    body = {"metadata": {"generateName": "gen-"}}
    names = {kube.post(maps(kube).path, body).expect(201).json["metadata"]["name"] for _ in range(5)}
    check("different names", len(names), 5)
    for name in names:
        if not re.fullmatch(r"gen-[bcdfghjklmnpqrstvwxz2456789]{5}", name):
            raise Failed(f"odd generated name {name}")


def test_create_needs_a_name(kube):
    kube.post(maps(kube).path, {"metadata": {}}).expect(
        422, "Invalid", 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
        {"kind": "ConfigMap"})


def test_create_refuses_bad_names(kube):
    answer = kube.post(maps(kube).path, maps(kube).body("Bad_Name")).expect(422, "Invalid")
    cause = answer.json["details"]["causes"][0]
    check("cause", (cause["reason"], cause["field"]), ("FieldValueInvalid", "metadata.name"))
    kube.post(widgets(kube).path, widgets(kube).body("-x")).expect(422, "Invalid")


def test_long_and_odd_names(kube):
    long = "a" * 253
    maps(kube).make(long)
    kube.get(maps(kube).at(long)).expect(200)
    kube.post(maps(kube).path, maps(kube).body("a" * 254)).expect(422, "Invalid")
    for name in ("a.b-c.d", "0", "filters", "a--b", "a.b.c"):
        maps(kube).make(name)
    roles = Place(kube, "rbac.authorization.k8s.io", "roles", kind="Role")
    for name in ("system:odd:Name", "with space", "UPPER_case"):
        roles.make(name, rules=[])
        kube.get(roles.at(name)).expect(200)
    kube.post(roles.path, roles.body("a%b", rules=[])).expect(422, "Invalid")


def test_create_with_resource_version(kube):
    kube.post(maps(kube).path, maps(kube).body("with-version", metadata={"resourceVersion": "5"})).expect(
        500, message="resourceVersion should not be set on objects to be created")


def test_body_must_fit_the_path(kube):
    kube.post(maps(kube).path, maps(kube).body("x", metadata={"namespace": "other"})).expect(
        400, "BadRequest", "the namespace of the provided object does not match the namespace sent on the request")
    made = maps(kube).make("fits")
    made["metadata"]["name"] = "fits-not"
    kube.put(maps(kube).at("fits"), made).expect(
        400, "BadRequest", "the name of the object (fits-not) does not match the name on the URL (fits)")
    kube.post(maps(kube).path, {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "x"}}).expect(400, "BadRequest")
    kube.post(maps(kube).path, {"kind": "ConfigMap", "apiVersion": "v2", "metadata": {"name": "x"}}).expect(400, "BadRequest")
    kube.post(widgets(kube).path, {"metadata": {"name": "x"}}).expect(400, "BadRequest")


def test_built_in_kind_may_be_left_out(kube):
    kube.post(maps(kube).path, {"metadata": {"name": "no-kind"}}).expect(201)


def test_malformed_bodies(kube):
    kube.post(maps(kube).path, "{").expect(400, "BadRequest")
    kube.post(widgets(kube).path, "{").expect(400, "BadRequest")
    kube.post(maps(kube).path, {"metadata": {"name": "types", "labels": {"a": 1}}}).expect(400, "BadRequest")
    kube.post(maps(kube).path, "a: b", content_type="text/plain").expect(415, "UnsupportedMediaType")


def test_body_too_large(kube):
    kube.post(maps(kube).path, maps(kube).body("large", data={"a": "x" * (3 << 20)})).expect(413, "RequestEntityTooLarge")


def test_create_in_missing_namespace(kube):
    kube.post("/api/v1/namespaces/nowhere/configmaps", maps(kube).body("x")).expect(
        404, "NotFound", 'namespaces "nowhere" not found', {"name": "nowhere", "kind": "namespaces"})
    kube.get("/api/v1/namespaces/nowhere/configmaps").expect(200)


def test_update_replaces(kube):
    made = maps(kube).make("replaced", data={"a": "1"}, metadata={"labels": {"l": "1"}})
    made["data"] = {"b": "2"}
    del made["metadata"]["labels"]
    new = kube.put(maps(kube).at("replaced"), made).expect(200).json
    check("data", new["data"], {"b": "2"})
    check("labels", new["metadata"].get("labels"), None)
    if int(new["metadata"]["resourceVersion"]) <= int(made["metadata"]["resourceVersion"]):
        raise Failed("resourceVersion did not grow")


def test_update_without_change_keeps_the_version(kube):
    for place in (maps(kube), widgets(kube)):
        made = place.make("unchanged")
        new = kube.put(place.at("unchanged"), made).expect(200).json
        check("resourceVersion", new["metadata"]["resourceVersion"], made["metadata"]["resourceVersion"])


def test_update_conflict(kube):
    for place, what in ((maps(kube), "configmaps"), (widgets(kube), f"widgets.{GROUP}")):
        old = place.make("conflict", data={"a": "1"})
        kube.merge(place.at("conflict"), {"data": {"a": "2"}}).expect(200)
        kube.put(place.at("conflict"), old).expect(409, "Conflict", MODIFIED % (what, "conflict"),
                                                   {"name": "conflict", "kind": what.split(".")[0]})


def test_update_without_version(kube):
    maps(kube).make("unconditional", data={"a": "1"})
    new = kube.put(maps(kube).at("unconditional"), maps(kube).body("unconditional", data={"a": "2"})).expect(200).json
    check("data", new["data"], {"a": "2"})
    widgets(kube).make("unconditional")
    kube.put(widgets(kube).at("unconditional"), widgets(kube).body("unconditional")).expect(
        422, "Invalid", f'widgets.{GROUP} "unconditional" is invalid: metadata.resourceVersion: Invalid value: 0: '
        "must be specified for an update")
    leases(kube).make("unconditional", spec={})
    kube.put(leases(kube).at("unconditional"), leases(kube).body("unconditional", spec={"leaseDurationSeconds": 5})).expect(422, "Invalid")


def test_update_with_other_uid(kube):
    made = maps(kube).make("uid")
    other = "00000000-0000-4000-8000-000000000000"
    own = made["metadata"]["uid"]
    made["metadata"]["uid"] = other
    answer = kube.put(maps(kube).at("uid"), made).expect(409, "Conflict", details={"name": "uid"})
    if f"Precondition failed: UID in precondition: {other}, UID in object meta: {own}" not in answer.json["message"]:
        raise Failed(f"odd message: {answer.json['message']}")


def test_update_missing(kube):
    kube.put(maps(kube).at("nothing"), maps(kube).body("nothing")).expect(404, "NotFound")
    kube.put(widgets(kube).at("nothing"), widgets(kube).body("nothing", metadata={"resourceVersion": "1"})).expect(404, "NotFound")


def test_put_creates_some_types(kube):
    leases(kube).make("made")
    kube.put(leases(kube).at("put"), leases(kube).body("put", spec={})).expect(201)
    role = Place(kube, "rbac.authorization.k8s.io", "roles", kind="Role")
    kube.put(role.at("put"), role.body("put", rules=[])).expect(201)


def test_put_does_not_create_again_what_it_names_by_uid(kube):
    made = leases(kube).make("made-once", spec={"holderIdentity": "a"})
    kube.delete(leases(kube).at("made-once")).expect(200)
    uid = made["metadata"]["uid"]
    answer = kube.put(leases(kube).at("made-once"), made).expect(409, "Conflict", details={"name": "made-once", "kind": "leases"})
    if not answer.json["message"].endswith(f"Precondition failed: UID in precondition: {uid}, UID in object meta: "):
        raise Failed(f"odd message: {answer.json['message']}")
    del made["metadata"]["uid"]
    kube.put(leases(kube).at("made-once"), made).expect(201)


def test_server_owned_metadata_stays(kube):
    made = maps(kube).make("owned")
    made["metadata"]["creationTimestamp"] = "2001-01-01T00:00:00Z"
    made["data"] = {"x": "y"}
    made = kube.put(maps(kube).at("owned"), made).expect(200).json
    if made["metadata"]["creationTimestamp"].startswith("2001"):
        raise Failed("creationTimestamp was changed")
    for field, value in (("deletionTimestamp", "2001-01-01T00:00:00Z"), ("deletionGracePeriodSeconds", 5)):
        body = {**made, "metadata": {**made["metadata"], field: value}}
        answer = kube.put(maps(kube).at("owned"), body).expect(422, "Invalid")
        cause = answer.json["details"]["causes"][0]
        check("cause", (cause["reason"], cause["field"]), ("FieldValueInvalid", f"metadata.{field}"))
    body = maps(kube).body("owned-new", metadata={"deletionTimestamp": "2001-01-01T00:00:00Z"})
    check("a new object", kube.post(maps(kube).path, body).expect(201).json["metadata"].get("deletionTimestamp"), None)


def test_owner_references_must_be_whole(kube):
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o"}
    answer = kube.post(maps(kube).path, maps(kube).body("owner", metadata={"ownerReferences": [owner]})).expect(422, "Invalid")
    if "uid" not in answer.json["details"]["causes"][0]["field"]:
        raise Failed("the cause does not name uid")


def test_secrets(kube):
    made = secrets(kube).make("secret", stringData={"password": "pw"}, data={"raw": "AAE="})
    check("secret", (made["type"], made["data"], made.get("stringData")),
          ("Opaque", {"password": "cHc=", "raw": "AAE="}, None))
    made["type"] = "other"
    answer = kube.put(secrets(kube).at("secret"), made).expect(422, "Invalid")
    cause = answer.json["details"]["causes"][0]
    check("cause", (cause["reason"], cause["field"]), ("FieldValueInvalid", "type"))


def test_immutable_config_map(kube):
    made = maps(kube).make("immutable", data={"a": "1"}, immutable=True)
    made["data"] = {"a": "2"}
    kube.put(maps(kube).at("immutable"), made).expect(422, "Invalid")


def test_role_reference_is_immutable(kube):
    place = Place(kube, "rbac.authorization.k8s.io", "clusterrolebindings", kind="ClusterRoleBinding", namespaced=False)
    name = f"contract:{kube.run}"
    made = place.make(name, roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
                      subjects=[{"kind": "User", "name": "nobody"}])
    check("default group", made["subjects"][0]["apiGroup"], "rbac.authorization.k8s.io")
    made["roleRef"]["name"] = "edit"
    answer = kube.put(place.at(name), made).expect(422, "Invalid")
    check("field", answer.json["details"]["causes"][0]["field"], "roleRef")
    kube.delete(place.at(name)).expect(200)


def test_every_built_in_type_of_the_archives(kube):
    """The types that recoveries read and write, each through create, get, update, delete."""
    label = {"app": "contract"}
    pod = {"metadata": {"labels": label}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    rbac = "rbac.authorization.k8s.io"
    for place, content in (
        (maps(kube), {}), (secrets(kube), {}), (leases(kube), {"spec": {}}),
        (Place(kube, "", "serviceaccounts", kind="ServiceAccount"), {}),
        (Place(kube, rbac, "roles", kind="Role"), {"rules": []}),
        (Place(kube, rbac, "clusterroles", kind="ClusterRole", namespaced=False), {"rules": []}),
        (Place(kube, rbac, "rolebindings", kind="RoleBinding"), {"roleRef": {"apiGroup": rbac, "kind": "Role", "name": "r"}}),
        (Place(kube, rbac, "clusterrolebindings", kind="ClusterRoleBinding", namespaced=False),
         {"roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "view"}}),
        (Place(kube, "apps", "deployments", kind="Deployment"),
         {"spec": {"replicas": 0, "selector": {"matchLabels": label}, "template": pod}}),
        (Place(kube, "scheduling.k8s.io", "priorityclasses", kind="PriorityClass", namespaced=False), {"value": 5}),
        (Place(kube, "", "persistentvolumeclaims", kind="PersistentVolumeClaim"),
         {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}),
        (Place(kube, "", "services", kind="Service"), {"spec": {"ports": [{"port": 80}]}}),
        (Place(kube, "apiregistration.k8s.io", "apiservices", kind="APIService", namespaced=False), None),
    ):
        if content is None:
            kube.get(place.path).expect(200)
            continue
        name = f"every-{kube.run}"
        kube.get(place.at(name)).expect(404, "NotFound")
        made = place.make(name, **content)
        check("read", kube.get(place.at(name)).expect(200).json["metadata"]["uid"], made["metadata"]["uid"])
        for attempt in range(10):  # a controller may change the object between the two requests
            made = kube.get(place.at(name)).json
            made["metadata"].setdefault("annotations", {})["salvor.test/seen"] = "yes"
            answer = kube.put(place.at(name), made)
            if answer.status != 409:
                break
        answer.expect(200)
        kube.delete(place.at(name)).expect(200)
        by_kubectl = place.body(f"{name}-k", **content)
        kube.post(place.path, by_kubectl, fieldManager="kubectl-create", fieldValidation="Strict").expect(201)
        kube.delete(place.at(f"{name}-k")).expect(200)


def test_integers_are_exact(kube):
    body = '{"apiVersion":"%s","kind":"Widget","metadata":{"name":"%s"},"spec":{"big":9007199254740993,"max":9223372036854775807,"min":-9223372036854775808,"part":0.1,"tiny":1e-7}}'
    kube.post(widgets(kube).path, body % (f"{GROUP}/v1", "numbers")).expect(201)
    text = kube.get(widgets(kube).at("numbers")).expect(200).content.decode()
    for number in ('"big":9007199254740993', '"max":9223372036854775807', '"min":-9223372036854775808', '"part":0.1', '"tiny":1e-7'):
        if number not in text:
            raise Failed(f"{number} is not in {text}")


def test_texts_are_escaped_as_go_does(kube):
    text = "<a>&\u2028\u2029\u00e4\u20ac\t\"\\/"
    maps(kube).make("escapes", data={"t": text})
    answer = kube.get(maps(kube).at("escapes")).expect(200)
    check("text", answer.json["data"]["t"], text)
    for part in ("\\u003ca\\u003e\\u0026\\u2028\\u2029ä€\\t\\\"\\\\/",):
        if part not in answer.content.decode():
            raise Failed(f"{part} is not in {answer.content!r}")


def test_dry_run_changes_nothing(kube):
    place = maps(kube)
    made = kube.post(place.path, place.body("dry"), dryRun="All").expect(201).json
    if not made["metadata"].get("uid"):
        raise Failed("a dry run shows a uid")
    kube.get(place.at("dry")).expect(404)
    kube.post(place.path, place.body("dry"), dryRun="Some").expect(422, "Invalid")
    real = place.make("dry", data={"a": "1"})
    check("put", kube.put(place.at("dry"), place.body("dry", data={"a": "2"}), dryRun="All").expect(200).json["data"], {"a": "2"})
    check("patch", kube.merge(place.at("dry"), {"data": {"a": "3"}}, dryRun="All").expect(200).json["data"], {"a": "3"})
    kube.delete(place.at("dry"), dryRun="All").expect(200)
    kube.delete(place.at("dry"), {"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"]}).expect(200)
    now = kube.get(place.at("dry")).expect(200).json
    check("untouched", (now["data"], now["metadata"]["resourceVersion"]), ({"a": "1"}, real["metadata"]["resourceVersion"]))
    kube.post(place.path, place.body("dry"), dryRun="All").expect(409, "AlreadyExists")


def test_methods_that_do_not_fit(kube):
    kube.post(maps(kube).at("x"), {}).expect(405, "MethodNotAllowed")
    kube.put(maps(kube).path, {}).expect(405, "MethodNotAllowed")
    kube.delete("/api/v1/namespaces").expect(405, "MethodNotAllowed")


def test_answers_end_with_a_newline(kube):
    maps(kube).make("newline")
    gadgets(kube).make(f"newline-{kube.run}")
    for path in (maps(kube).at("newline"), maps(kube).path, gadgets(kube).at(f"newline-{kube.run}"), gadgets(kube).path):
        answer = kube.get(path).expect(200)
        check("type", answer.headers["Content-Type"], "application/json")
        check("end", answer.content[-2:], b"}\n")


def test_fields_of_kubectl_are_accepted(kube):
    query = {"fieldManager": "kubectl-create", "fieldValidation": "Strict"}
    kube.post(maps(kube).path, maps(kube).body("kubectl"), **query).expect(201)
    kube.post(widgets(kube).path, widgets(kube).body("kubectl"), **query).expect(201)
    kube.merge(widgets(kube).at("kubectl"), {"spec": {"a": 1}}, **query).expect(200)
    kube.patch(maps(kube).at("kubectl"), [{"op": "add", "path": "/data", "value": {"a": "1"}}], fieldManager="f").expect(200)
    name = f"contract-kubectl-{kube.run}"
    kube.post("/api/v1/namespaces", {"metadata": {"name": name}}, **query).expect(201)
    kube.delete(f"/api/v1/namespaces/{name}").expect(200)
