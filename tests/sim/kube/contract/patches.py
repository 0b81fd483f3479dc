"""PATCH: merge patches, JSON patches, and what both may not do."""

from client import JSON_PATCH, MERGE, Failed, check
from fixture import GROUP, Place, gadgets, maps, widgets


def test_merge_patch(kube):
    maps(kube).make("merge", data={"a": "1", "b": "2", "c": "3"})
    new = kube.merge(maps(kube).at("merge"), {"data": {"a": "9", "b": None, "d": "4"}}).expect(200).json
    check("data", new["data"], {"a": "9", "c": "3", "d": "4"})


def test_merge_patch_replaces_lists(kube):
    widgets(kube).make("merge-list", spec={"l": [1, 2, {"a": None}], "o": {"x": {"y": 1}}})
    new = kube.merge(widgets(kube).at("merge-list"), {"spec": {"l": [3], "o": {"x": 5}}}).expect(200).json
    check("spec", new["spec"], {"l": [3], "o": {"x": 5}})


def test_patch_without_change_keeps_the_version(kube):
    made = maps(kube).make("merge-same", data={"a": "1"})
    new = kube.merge(maps(kube).at("merge-same"), {"data": {"a": "1"}}).expect(200).json
    check("version", new["metadata"]["resourceVersion"], made["metadata"]["resourceVersion"])


def test_patch_with_a_version(kube):
    for place in (maps(kube), widgets(kube)):
        made = place.make("merge-version")
        old = made["metadata"]["resourceVersion"]
        kube.merge(place.at("merge-version"), {"metadata": {"resourceVersion": old}, "data": {"a": "1"}}).expect(200)
        kube.merge(place.at("merge-version"), {"metadata": {"resourceVersion": old}, "data": {"a": "2"}}).expect(409, "Conflict")


def test_json_patch(kube):
    widgets(kube).make("json", spec={"list": ["a", "b"], "map": {"x/y": 1, "m~n": 2}})
    new = kube.patch(widgets(kube).at("json"), [
        {"op": "test", "path": "/spec/list/0", "value": "a"},
        {"op": "add", "path": "/spec/list/-", "value": "c"},
        {"op": "add", "path": "/spec/list/0", "value": "z"},
        {"op": "remove", "path": "/spec/list/1"},
        {"op": "replace", "path": "/spec/map/x~1y", "value": 5},
        {"op": "move", "from": "/spec/map/m~0n", "path": "/spec/map/moved"},
        {"op": "copy", "from": "/spec/map/moved", "path": "/spec/copied"},
    ]).expect(200).json
    check("spec", new["spec"], {"list": ["z", "b", "c"], "map": {"x/y": 5, "moved": 2}, "copied": 2})


def test_json_patch_that_does_not_fit(kube):
    maps(kube).make("json-fails", data={"a": "1"})
    at = maps(kube).at("json-fails")
    for operation in ({"op": "test", "path": "/data/a", "value": "2"}, {"op": "remove", "path": "/data/none"},
                      {"op": "add", "path": "/none/x", "value": "2"}):
        kube.patch(at, [operation]).expect(422, "Invalid", "the server rejected our request due to an error in our request")
    check("untouched", kube.get(at).json["data"], {"a": "1"})
    # Unlike RFC 6902, to replace an absent member is to add it.
    check("added", kube.patch(at, [{"op": "replace", "path": "/data/none", "value": "2"}]).expect(200).json["data"],
          {"a": "1", "none": "2"})


def test_malformed_patches(kube):
    maps(kube).make("malformed")
    at = maps(kube).at("malformed")
    for content_type, body in ((MERGE, "{"), (JSON_PATCH, "{"), (JSON_PATCH, "{}"), (MERGE, "[]")):
        kube.patch(at, body, content_type).expect(400, "BadRequest")
    kube.patch(at, {}, "application/json").expect(415, "UnsupportedMediaType")


def test_strategic_patch_of_custom_types(kube):
    widgets(kube).make("strategic")
    kube.patch(widgets(kube).at("strategic"), {}, "application/strategic-merge-patch+json").expect(415, "UnsupportedMediaType")


def test_patch_missing(kube):
    kube.merge(maps(kube).at("nothing"), {}).expect(404, "NotFound", 'configmaps "nothing" not found')
    kube.patch(widgets(kube).at("nothing"), []).expect(404, "NotFound")


def test_patch_may_not_rename(kube):
    maps(kube).make("renamed")
    kube.merge(maps(kube).at("renamed"), {"metadata": {"name": "other"}}).expect(400, "BadRequest")
    widgets(kube).make("renamed")
    kube.merge(widgets(kube).at("renamed"), {"metadata": {"name": "other"}}).expect(400, "BadRequest")


def test_scale(kube):
    label = {"app": "scale"}
    place = Place(kube, "apps", "deployments", kind="Deployment")
    place.make("scale", spec={"replicas": 0, "selector": {"matchLabels": label}, "template": {
        "metadata": {"labels": label}, "spec": {"containers": [{"name": "c", "image": "i"}]}}})
    scale = kube.get(place.at("scale", "scale")).expect(200).json
    check("scale", (scale["kind"], scale["apiVersion"], scale["spec"].get("replicas")), ("Scale", "autoscaling/v1", None))
    new = kube.merge(place.at("scale", "scale"), {"spec": {"replicas": 2}}).expect(200).json
    check("patched", new["spec"]["replicas"], 2)
    for _ in range(10):  # a controller may change the object between the two requests
        new["spec"]["replicas"] = 3
        answer = kube.put(place.at("scale", "scale"), new)
        if answer.status != 409:
            break
        new = kube.get(place.at("scale", "scale")).json
    answer.expect(200)
    check("deployment", kube.get(place.at("scale")).expect(200).json["spec"]["replicas"], 3)
    kube.delete(place.at("scale")).expect(200)


def test_finalizers_by_patch(kube):
    gadgets(kube).make(f"final-{kube.run}", metadata={"finalizers": ["salvor.test/a", "salvor.test/b"]})
    at = gadgets(kube).at(f"final-{kube.run}")
    kube.delete(at).expect(200)
    kube.patch(at, [{"op": "remove", "path": "/metadata/finalizers/0"}]).expect(200)
    check("left", kube.get(at).expect(200).json["metadata"]["finalizers"], ["salvor.test/b"])
    kube.merge(at, {"metadata": {"finalizers": None}}).expect(200)
    kube.get(at).expect(404)
