"""DELETE: answers, preconditions, finalizers, policies, collections."""

from client import Failed, check
from fixture import GROUP, Place, maps, wait, widgets


def test_answer_is_a_status(kube):
    for place, plural in ((maps(kube), "configmaps"), (widgets(kube), "widgets")):
        made = place.make("deleted")
        answer = kube.delete(place.at("deleted")).expect(200).json
        details = {"name": "deleted", "kind": plural, "uid": made["metadata"]["uid"]}
        if plural == "widgets":
            details["group"] = GROUP
        check("status", (answer["kind"], answer["status"], answer["details"]), ("Status", "Success", details))
        kube.get(place.at("deleted")).expect(404, "NotFound")
        kube.delete(place.at("deleted")).expect(404, "NotFound")


def test_some_types_answer_with_the_object(kube):
    place = Place(kube, "", "serviceaccounts", kind="ServiceAccount")
    place.make("deleted")
    check("kind", kube.delete(place.at("deleted")).expect(200).json["kind"], "ServiceAccount")


def options(**more):
    return {"kind": "DeleteOptions", "apiVersion": "v1", **more}


def test_preconditions(kube):
    for place in (maps(kube), widgets(kube)):
        made = place.make("precondition")["metadata"]
        other = "00000000-0000-4000-8000-000000000000"
        answer = kube.delete(place.at("precondition"), options(preconditions={"uid": other})).expect(409, "Conflict")
        if f"the UID in the precondition ({other}) does not match the UID in record ({made['uid']})" not in answer.json["message"]:
            raise Failed(f"odd message {answer.json['message']}")
        answer = kube.delete(place.at("precondition"), options(preconditions={"resourceVersion": "1"})).expect(409, "Conflict")
        if "the ResourceVersion in the precondition (1) does not match" not in answer.json["message"]:
            raise Failed(f"odd message {answer.json['message']}")
        kube.delete(place.at("precondition"), options(
            preconditions={"uid": made["uid"], "resourceVersion": made["resourceVersion"]})).expect(200)


def test_finalizers_hold_the_object(kube):
    for place in (maps(kube), widgets(kube)):
        made = place.make("held", metadata={"finalizers": ["salvor.test/hold"]})
        answer = kube.delete(place.at("held")).expect(200).json
        check("answer", (answer["kind"], "deletionTimestamp" in answer["metadata"],
                         answer["metadata"]["deletionGracePeriodSeconds"]), (place.kind, True, 0))
        again = kube.delete(place.at("held")).expect(200).json["metadata"]
        check("deleting again changes nothing", again["deletionTimestamp"], answer["metadata"]["deletionTimestamp"])
        kube.post(place.path, place.body("held")).expect(409, "AlreadyExists")
        held = kube.get(place.at("held")).expect(200).json
        changed = {**held, "metadata": {**held["metadata"], "finalizers": ["salvor.test/hold", "salvor.test/new"]}}
        answer = kube.put(place.at("held"), changed).expect(422, "Invalid")
        check("cause", answer.json["details"]["causes"][0]["field"], "metadata.finalizers")
        without = {**held, "metadata": {key: value for key, value in held["metadata"].items()
                                        if key not in ("deletionTimestamp", "deletionGracePeriodSeconds")}}
        still = kube.put(place.at("held"), without).expect(200).json["metadata"]
        check("deletion cannot be undone", "deletionTimestamp" in still, True)
        held = kube.get(place.at("held")).json
        held["metadata"]["finalizers"] = []
        check("last finalizer", kube.put(place.at("held"), held).expect(200).json["metadata"]["uid"], made["metadata"]["uid"])
        kube.get(place.at("held")).expect(404)


def test_deletion_counts_as_a_generation(kube):
    made = widgets(kube).make("generation", metadata={"finalizers": ["salvor.test/hold"]})
    check("first", made["metadata"]["generation"], 1)
    check("deleted", kube.delete(widgets(kube).at("generation")).json["metadata"]["generation"], 2)
    kube.merge(widgets(kube).at("generation"), {"metadata": {"finalizers": None}}).expect(200)


def test_policies(kube):
    maps(kube).make("background")
    kube.delete(maps(kube).at("background"), options(propagationPolicy="Background")).expect(200)
    kube.get(maps(kube).at("background")).expect(404)
    maps(kube).make("by-query")
    kube.delete(maps(kube).at("by-query"), propagationPolicy="Background").expect(200)
    for policy, finalizer in (("Foreground", "foregroundDeletion"), ("Orphan", "orphan")):
        name = policy.lower()
        maps(kube).make(name)
        left = kube.delete(maps(kube).at(name), options(propagationPolicy=policy)).expect(200).json
        check(policy, left["metadata"]["finalizers"], [finalizer])
        if kube.kubeconfig_server == "real":
            wait(f"{policy} to end", lambda at=maps(kube).at(name): kube.get(at).status == 404)
        else:
            kube.merge(maps(kube).at(name), {"metadata": {"finalizers": None}})
    maps(kube).make("odd-policy")
    kube.delete(maps(kube).at("odd-policy"), options(propagationPolicy="Odd")).expect(422, "Invalid")


def test_malformed_options(kube):
    maps(kube).make("malformed-options")
    kube.delete(maps(kube).at("malformed-options"), "{").expect(400, "BadRequest")


def test_collections(kube):
    for name, label in (("many-0", "1"), ("many-1", "1"), ("many-2", "2")):
        for place in (maps(kube), widgets(kube)):
            place.make(name, metadata={"labels": {"many": label}})
    for place in (maps(kube), widgets(kube)):
        answer = kube.delete(place.path, labelSelector="many=1").expect(200).json
        check("kind", answer["kind"], f"{place.kind}List")
        check("items", [item["metadata"]["name"] for item in answer["items"]], ["many-0", "many-1"])
        left = kube.get(place.path, labelSelector="many").json["items"]
        check("left", [item["metadata"]["name"] for item in left], ["many-2"])
