"""GET of collections: pages, revisions, selectors, shapes."""

import base64
import gzip
import json

from client import Failed, check
from fixture import GROUP, Place, gadgets, maps, secrets, widgets

PARTIAL = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"}


def names(answer):
    return [item["metadata"]["name"] for item in answer.json["items"]]


def fill(kube, prefix, count=5, label=None):
    labels = {"set": label or prefix}
    for number in range(count):
        maps(kube).make(f"{prefix}-{number}", data={"n": str(number)}, metadata={"labels": labels})
    return f"set={labels['set']}"


def test_built_in_list_shape(kube):
    fill(kube, "shape", 1)
    answer = kube.get(maps(kube).path).expect(200)
    check("kind", (answer.json["kind"], answer.json["apiVersion"]), ("ConfigMapList", "v1"))
    if not answer.json["metadata"]["resourceVersion"].isdigit():
        raise Failed("odd resourceVersion")
    check("items lack kind", {"kind" in item or "apiVersion" in item for item in answer.json["items"]}, {False})
    text = answer.content.decode()
    if text.index('"metadata"') > text.index('"items"'):
        raise Failed("the metadata of built-in lists comes first")


def test_custom_list_shape(kube):
    widgets(kube).make("shape")
    answer = kube.get(widgets(kube).path).expect(200)
    check("kind", (answer.json["kind"], answer.json["apiVersion"]), ("WidgetList", f"{GROUP}/v1"))
    check("items", {(item["kind"], item["apiVersion"]) for item in answer.json["items"]}, {("Widget", f"{GROUP}/v1")})
    text = answer.content.decode()
    if not text.startswith('{"apiVersion":') or text.rindex('"metadata"') < text.index('"items"'):
        raise Failed("keys of custom lists are sorted")
    check("continue", answer.json["metadata"].get("continue"), "")


def test_empty_list(kube):
    for path in ("/api/v1/namespaces/none/configmaps", f"/apis/{GROUP}/v1/namespaces/none/widgets"):
        check("items", kube.get(path).expect(200).json["items"], [])


def test_lists_are_sorted_and_complete(kube):
    fill(kube, "sorted")
    got = names(kube.get(maps(kube).path).expect(200))
    check("order", got, sorted(got))
    everywhere = kube.get(maps(kube).everywhere).expect(200).json["items"]
    keys = [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in everywhere]
    check("order of all namespaces", keys, sorted(keys, key=lambda key: f"{key[0]}/{key[1]}"))


def test_pages(kube):
    selector = fill(kube, "pages", 7)
    whole = names(kube.get(maps(kube).path, labelSelector=selector).expect(200))
    got, token, revisions = [], None, set()
    while True:
        query = {"limit": "3", "labelSelector": selector} | ({"continue": token} if token else {})
        answer = kube.get(maps(kube).path, **query).expect(200)
        got += names(answer)
        revisions.add(answer.json["metadata"]["resourceVersion"])
        token = answer.json["metadata"].get("continue")
        if not token:
            break
    check("names", got, whole)
    check("one revision", len(revisions), 1)


def test_remaining_count(kube):
    fill(kube, "remaining", 4)
    total = len(names(kube.get(maps(kube).path)))
    page = kube.get(maps(kube).path, limit="1").expect(200).json["metadata"]
    check("remaining", page["remainingItemCount"], total - 1)
    page = kube.get(maps(kube).path, limit="1", labelSelector="set=remaining").expect(200).json["metadata"]
    check("remaining with selector", page.get("remainingItemCount"), None)
    page = kube.get(maps(kube).path, limit="5000").expect(200).json["metadata"]
    check("last page", (page.get("continue"), page.get("remainingItemCount")), (None, None))


def test_pages_of_custom_types(kube):
    for number in range(3):
        widgets(kube).make(f"paged-{number}")
    first = kube.get(widgets(kube).path, limit="1").expect(200).json["metadata"]
    if first["remainingItemCount"] < 2:
        raise Failed("remainingItemCount is missing")
    second = kube.get(widgets(kube).path, limit="500", **{"continue": first["continue"]}).expect(200).json
    check("end", second["metadata"].get("continue"), "")


def test_pages_show_one_moment(kube):
    selector = fill(kube, "moment", 4)
    first = kube.get(maps(kube).path, limit="2", labelSelector=selector).expect(200)
    token = first.json["metadata"]["continue"]
    kube.delete(maps(kube).at("moment-3"))
    kube.merge(maps(kube).at("moment-2"), {"data": {"n": "changed"}})
    maps(kube).make("moment-4", metadata={"labels": {"set": "moment"}})
    second = kube.get(maps(kube).path, limit="9", labelSelector=selector, **{"continue": token}).expect(200)
    check("names", names(second), ["moment-2", "moment-3"])
    check("content", second.json["items"][0]["data"], {"n": "2"})


def test_token_of_another_form(kube):
    kube.get(maps(kube).path, limit="2", **{"continue": "nonsense"}).expect(400, "BadRequest")
    token = kube.get(maps(kube).path, limit="1").json["metadata"]["continue"]
    kube.get(maps(kube).path, limit="1", resourceVersion="1", **{"continue": token}).expect(400, "BadRequest")


def test_expired_token(kube):
    """The answer to a token that is too old carries one with which the list can be ended."""
    place, selector = widgets(kube), "set=expired"
    for number in range(4):
        place.make(f"expired-{number}", metadata={"labels": {"set": "expired"}})
    token = kube.get(place.path, limit="1", labelSelector=selector).json["metadata"]["continue"]
    tree = json.loads(base64.urlsafe_b64decode(token + "=="))
    kube.merge(place.at("expired-0"), {"data": {"n": "later"}})
    kube.compact(int(kube.get(place.path, limit="1").json["metadata"]["resourceVersion"]))
    # The real server holds recent revisions in memory, but none from before the type was made.
    tree["rv"] = 1
    token = base64.urlsafe_b64encode(json.dumps(tree).encode()).decode().rstrip("=")
    answer = kube.get(place.path, limit="1", labelSelector=selector, **{"continue": token}).expect(
        410, "Expired", "The provided continue parameter is too old to display a consistent list result. You can start a "
        "new list without the continue parameter, or use the continue token in this response to retrieve the remainder of "
        "the results. Continuing with the provided token results in an inconsistent list - objects that were created, "
        "modified, or deleted between the time the first chunk was returned and now may show up in the list.")
    rest = kube.get(place.path, limit="2", labelSelector=selector,
                    **{"continue": answer.json["metadata"]["continue"]}).expect(200)
    check("rest", names(rest), ["expired-1", "expired-2"])
    last = kube.get(place.path, limit="9", labelSelector=selector,
                    **{"continue": rest.json["metadata"]["continue"]}).expect(200)
    check("last", names(last), ["expired-3"])


def test_revision_rules(kube):
    place = maps(kube)
    place.make("revisions")
    now = place.kube.get(place.path).json["metadata"]["resourceVersion"]
    for query in ({"resourceVersion": "0"}, {"resourceVersion": "0", "limit": "500"}, {"resourceVersion": now},
                  {"resourceVersion": now, "limit": "500"},
                  {"resourceVersion": now, "resourceVersionMatch": "NotOlderThan"},
                  {"resourceVersion": "0", "resourceVersionMatch": "NotOlderThan"}):
        kube.get(place.path, **query).expect(200)
    exact = kube.get(place.path, resourceVersion=now, resourceVersionMatch="Exact").expect(200)
    check("exact", exact.json["metadata"]["resourceVersion"], now)
    kube.get(place.path, resourceVersionMatch="Exact").expect(422, "Invalid")
    kube.get(place.path, resourceVersion="0", resourceVersionMatch="Exact").expect(422, "Invalid")
    kube.get(place.path, resourceVersion=now, resourceVersionMatch="Odd").expect(422, "Invalid")


def test_list_at_an_old_revision(kube):
    place = maps(kube)
    selector = fill(kube, "old", 2)
    then = kube.get(place.path).json["metadata"]["resourceVersion"]
    kube.delete(place.at("old-0")).expect(200)
    old = kube.get(place.path, labelSelector=selector, resourceVersion=then, resourceVersionMatch="Exact").expect(200)
    check("names", names(old), ["old-0", "old-1"])


def test_future_revision(kube):
    answer = kube.get(maps(kube).path, resourceVersion="999999999999", resourceVersionMatch="NotOlderThan").expect(
        504, "Timeout")
    check("cause", answer.json["details"]["causes"][0]["reason"], "ResourceVersionTooLarge")


def test_bad_options(kube):
    kube.get(maps(kube).path, limit="many").expect(400, "BadRequest")
    kube.get(maps(kube).path, labelSelector="a in (").expect(400, "BadRequest")
    kube.get(maps(kube).path, fieldSelector="spec.foo=bar").expect(400, "BadRequest")
    kube.get(widgets(kube).path, fieldSelector="spec.foo=bar").expect(400, "BadRequest")


def test_label_selectors(kube):
    for name, labels in (("sel-a", {"x": "1", "s": "sel"}), ("sel-b", {"x": "2", "s": "sel"}), ("sel-c", {"s": "sel"})):
        maps(kube).make(name, metadata={"labels": labels})
    for selector, wanted in (
        ("s=sel,x=1", "a"), ("s=sel,x==1", "a"), ("s=sel,x!=1", "bc"), ("s=sel,x", "ab"), ("s=sel,!x", "c"),
        ("s=sel,x in (1,2)", "ab"), ("s=sel,x notin (1)", "bc"), ("s=sel, x in (2), x", "b"), ("s=none", ""),
    ):
        got = names(kube.get(maps(kube).path, labelSelector=selector).expect(200))
        check(selector, got, [f"sel-{one}" for one in wanted])


def test_field_selectors(kube):
    maps(kube).make("field-a")
    maps(kube).make("field-b")
    check("name", names(kube.get(maps(kube).path, fieldSelector="metadata.name=field-a").expect(200)), ["field-a"])
    others = names(kube.get(maps(kube).path, fieldSelector="metadata.name!=field-a").expect(200))
    if "field-b" not in others or "field-a" in others:
        raise Failed("!= on the name does not hold")
    in_space = kube.get(maps(kube).everywhere, fieldSelector=f"metadata.namespace={kube.namespace}").expect(200)
    check("namespace", {item["metadata"]["namespace"] for item in in_space.json["items"]}, {kube.namespace})
    secrets(kube).make("field-typed", type="salvor.test/x")
    got = names(kube.get(secrets(kube).path, fieldSelector="type=salvor.test/x", limit="200").expect(200))
    check("secret type", got, ["field-typed"])
    widgets(kube).make("field-red", spec={"color": "red"})
    check("custom name", names(kube.get(widgets(kube).path, fieldSelector="metadata.name=field-red").expect(200)), ["field-red"])
    check("custom field", names(kube.get(widgets(kube).path, fieldSelector="spec.color=red").expect(200)), ["field-red"])


def test_partial_metadata(kube):
    maps(kube).make("partial", data={"secret": "content"}, metadata={"labels": {"p": "1"}})
    answer = kube.get(maps(kube).path, headers=PARTIAL, labelSelector="p=1", limit="500").expect(200)
    check("kind", (answer.json["kind"], answer.json["apiVersion"]), ("PartialObjectMetadataList", "meta.k8s.io/v1"))
    (item,) = answer.json["items"]
    check("item", (item.get("kind"), item.get("apiVersion"), item["metadata"]["name"], "data" in item),
          ("PartialObjectMetadata", "meta.k8s.io/v1", "partial", False))
    one = kube.get(maps(kube).at("partial"), headers={
        "Accept": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"}).expect(200).json
    check("one", (one["kind"], one["metadata"]["labels"], "data" in one), ("PartialObjectMetadata", {"p": "1"}, False))
    gadgets(kube).make(f"partial-{kube.run}")
    check("custom", kube.get(gadgets(kube).path, headers=PARTIAL).expect(200).json["kind"], "PartialObjectMetadataList")


def test_table(kube):
    maps(kube).make("table")
    answer = kube.get(maps(kube).path, headers={"Accept": "application/json;as=Table;g=meta.k8s.io;v=v1"},
                      fieldSelector="metadata.name=table").expect(200)
    check("kind", (answer.json["kind"], answer.json["apiVersion"]), ("Table", "meta.k8s.io/v1"))
    check("first column", answer.json["columnDefinitions"][0]["name"], "Name")
    (row,) = answer.json["rows"]
    check("row", (row["cells"][0], row["object"]["kind"]), ("table", "PartialObjectMetadata"))


def test_accept_headers(kube):
    for accept in ("*/*", "application/json", "text/plain, application/json;q=0.5"):
        check(accept, kube.get(maps(kube).path, headers={"Accept": accept}).expect(200).headers["Content-Type"], "application/json")
    for accept in ("image/png", "application/*"):
        kube.get(maps(kube).path, headers={"Accept": accept}).expect(406, "NotAcceptable")


def test_large_answers_are_compressed(kube):
    for number in range(3):
        maps(kube).make(f"gzip-{number}", data={"d": "0123456789" * 9000}, metadata={"labels": {"g": "1"}})
    answer = kube.get(maps(kube).path, headers={"Accept-Encoding": "gzip"}, labelSelector="g=1").expect(200)
    check("encoding", answer.headers["Content-Encoding"], "gzip")
    check("items", len(json.loads(gzip.decompress(answer.content))["items"]), 3)
    small = kube.get(maps(kube).path, headers={"Accept-Encoding": "gzip"}, fieldSelector="metadata.name=none").expect(200)
    check("small", small.headers["Content-Encoding"], None)


def test_selected_lists_of_tools(kube):
    """The lists that kubectl and the vendors' operators ask for."""
    for path in ("/api/v1/pods", secrets(kube).path):
        for query in ({}, {"limit": "200"}):
            check("items", kube.get(path, labelSelector="none=none", **query).expect(200).json["items"], [])
    kube.get(widgets(kube).path, limit="500", resourceVersion="0").expect(200)


def test_lists_of_every_type(kube):
    rbac = "rbac.authorization.k8s.io"
    for group, plural in (("", "secrets"), ("", "serviceaccounts"), ("", "namespaces"), ("", "pods"), ("", "nodes"),
                          ("", "services"), ("", "persistentvolumes"), ("", "persistentvolumeclaims"), ("", "events"),
                          ("apps", "deployments"), ("apps", "daemonsets"), ("apps", "statefulsets"), ("apps", "replicasets"),
                          ("batch", "jobs"), ("batch", "cronjobs"), (rbac, "roles"), (rbac, "rolebindings"),
                          (rbac, "clusterroles"), (rbac, "clusterrolebindings"), ("coordination.k8s.io", "leases"),
                          ("apiextensions.k8s.io", "customresourcedefinitions"), ("apiregistration.k8s.io", "apiservices"),
                          ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
                          ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
                          ("scheduling.k8s.io", "priorityclasses"), ("storage.k8s.io", "storageclasses"),
                          ("networking.k8s.io", "ingresses"), ("policy", "poddisruptionbudgets")):
        place = Place(kube, group, plural)
        for query in ({}, {"limit": "500"}):
            kube.get(place.everywhere, **query).expect(200)
        first = kube.get(place.everywhere, limit="1").json["metadata"]
        if first.get("continue"):
            kube.get(place.everywhere, limit="500", **{"continue": first["continue"]}).expect(200)
