"""The requests of salvor.kube in the forms that it sends them, by which its tests on the simulator hold."""

from client import check
from fixture import CRDS, GROUP, Place, maps, wait

MANAGER = {"fieldManager": "salvor"}


def names(answer):
    return [item["metadata"]["name"] for item in answer.json["items"]]


def test_what_it_writes(kube):
    place = maps(kube)
    made = kube.post(place.path, place.body("written", data={"a": "1"}), **MANAGER).expect(201).json
    check("data", made["data"], {"a": "1"})
    kube.post(place.path, place.body("tried"), **MANAGER, dryRun="All").expect(201)
    kube.get(place.at("tried")).expect(404, "NotFound")
    changed = kube.merge(place.at("written"), {"data": {"b": "2"}}, **MANAGER).expect(200).json
    check("data", changed["data"], {"a": "1", "b": "2"})


def test_a_dry_run_of_a_delete_stands_in_its_body(kube):
    place = maps(kube)
    place.make("kept")
    body = {"propagationPolicy": "Background", "dryRun": ["All"]}
    kube.delete(place.at("kept"), body, dryRun="All").expect(200)
    kube.get(place.at("kept")).expect(200)


def test_pages_of_a_selection(kube):
    place, selector = maps(kube), "metadata.name!=kube-root-ca.crt"
    for number in range(3):
        place.make(f"selected-{number}")
    found, query = [], {"limit": "2", "fieldSelector": selector}
    while query:
        answer = kube.get(place.path, **query).expect(200)
        found += names(answer)
        token = answer.json["metadata"].get("continue")
        query = {"limit": "2", "fieldSelector": selector, "continue": token} if token else None
    check("found", [name for name in found if name.startswith("selected-")], [f"selected-{n}" for n in range(3)])


def test_one_object_as_a_list(kube):
    for place, name in ((maps(kube), "single"), (Place(kube, "apps", "deployments"), "nobody")):
        if name == "single":
            place.make(name)
        answer = kube.get(place.path, limit="2", fieldSelector=f"metadata.name={name}").expect(200)
        check("found", names(answer), [name] if name == "single" else [])
    answer = kube.get(CRDS, limit="2", fieldSelector=f"metadata.name=widgets.{GROUP}").expect(200)
    check("found", names(answer), [f"widgets.{GROUP}"])


def test_a_watch_of_one_object(kube):
    place = maps(kube)
    now = kube.get(place.path).json["metadata"]["resourceVersion"]
    with kube.watch(place.path, allowWatchBookmarks="true", fieldSelector="metadata.name=waited-for",
                    resourceVersion=now) as watch:
        place.make("somebody-else")
        place.make("waited-for")
        kube.delete(place.at("waited-for"))
        check("events", [watch.next()["type"] for _ in range(2)], ["ADDED", "DELETED"])


def test_a_status_of_a_built_in_type(kube):
    place = Place(kube, "apps", "deployments", kind="Deployment")
    place.make("stated", spec={"replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": {
        "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "registry.example/none"}]}}})
    state = {"status": {"conditions": [{"type": "Rehearsed", "status": "True"}]}}
    # on the real server a controller writes statuses, too
    wait("a status that is not overtaken", lambda: kube.merge(place.at("stated", "status"), state, **MANAGER).status == 200)
    kube.merge(place.at("stated", "status"), state, **MANAGER).expect(200)
    kube.delete(place.at("stated"))


def test_what_a_stranger_gets(kube):
    headers = {"Impersonate-User": "contract-stranger"}
    kube.get(maps(kube).at("x"), headers=headers).expect(403, "Forbidden")
    kube.get(f"/api/v1/namespaces/{kube.namespace}/secrets/x", headers=headers).expect(403, "Forbidden")
    kube.get(maps(kube).path, headers=headers, limit="500").expect(403, "Forbidden")
