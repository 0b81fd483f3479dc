"""Watches: where they begin, what they tell, how they end."""

from client import Failed, check
from fixture import CRDS, GROUP, definition, maps, version, widgets


def now(kube, place):
    return kube.get(place.path).json["metadata"]["resourceVersion"]


def test_changes_in_order(kube):
    for place in (maps(kube), widgets(kube)):
        with kube.watch(place.path, resourceVersion=now(kube, place)) as watch:
            made = place.make("watched")
            changed = kube.merge(place.at("watched"), {"data": {"a": "1"}}).json
            kube.delete(place.at("watched"))
            events = [watch.next() for _ in range(3)]
        check("types", [event["type"] for event in events], ["ADDED", "MODIFIED", "DELETED"])
        versions = [event["object"]["metadata"]["resourceVersion"] for event in events]
        check("versions", versions[:2], [made["metadata"]["resourceVersion"], changed["metadata"]["resourceVersion"]])
        if int(versions[2]) <= int(versions[1]):
            raise Failed("a deletion has a revision of its own")
        check("kind", (events[0]["object"]["kind"], events[0]["object"]["apiVersion"]), (place.kind, place.api_version))


def test_from_the_beginning(kube):
    maps(kube).make("existing")
    for query in ({}, {"resourceVersion": "0"}):
        with kube.watch(maps(kube).path, fieldSelector="metadata.name=existing", **query) as watch:
            event = watch.next()
            check("event", (event["type"], event["object"]["metadata"]["name"]), ("ADDED", "existing"))


def test_from_an_older_revision(kube):
    then = now(kube, maps(kube))
    maps(kube).make("since")
    kube.delete(maps(kube).at("since"))
    with kube.watch(maps(kube).path, resourceVersion=then) as watch:
        check("events", [watch.next()["type"] for _ in range(2)], ["ADDED", "DELETED"])


def test_selectors_turn_changes_into_coming_and_going(kube):
    with kube.watch(maps(kube).path, resourceVersion=now(kube, maps(kube)), labelSelector="w=1") as watch:
        maps(kube).make("comes")
        kube.merge(maps(kube).at("comes"), {"metadata": {"labels": {"w": "1"}}})
        kube.merge(maps(kube).at("comes"), {"data": {"a": "1"}})
        gone = kube.merge(maps(kube).at("comes"), {"metadata": {"labels": {"w": None}}}).json
        events = [watch.next() for _ in range(3)]
    check("types", [event["type"] for event in events], ["ADDED", "MODIFIED", "DELETED"])
    last = events[2]["object"]["metadata"]
    check("the last state that matched, at the new revision", (last.get("labels"), last["resourceVersion"]),
          ({"w": "1"}, gone["metadata"]["resourceVersion"]))


def test_too_old(kube):
    with kube.watch(widgets(kube).path, resourceVersion="1") as watch:
        check("http status", watch.response.status, 200)
        event = watch.next()
        check("event", (event["type"], event["object"]["kind"], event["object"]["code"], event["object"]["reason"]),
              ("ERROR", "Status", 410, "Expired"))
        check("end", watch.next(), None)


def test_timeout_ends_the_stream(kube):
    with kube.watch(maps(kube).path, resourceVersion=now(kube, maps(kube)), timeoutSeconds="1") as watch:
        check("end", watch.next(), None)


def test_initial_events(kube):
    maps(kube).make("initial", metadata={"labels": {"i": "1"}})
    with kube.watch(maps(kube).path, sendInitialEvents="true", resourceVersionMatch="NotOlderThan", labelSelector="i=1",
                    allowWatchBookmarks="true", resourceVersion="") as watch:
        check("first", watch.next()["type"], "ADDED")
        event = watch.next()
        check("then", (event["type"], event["object"]["metadata"]["annotations"]),
              ("BOOKMARK", {"k8s.io/initial-events-end": "true"}))
        check("kind", (event["object"]["kind"], event["object"]["apiVersion"]), ("ConfigMap", "v1"))
    query = {"sendInitialEvents": "true", "watch": "1"}
    kube.get(maps(kube).path, **query).expect(422, "Invalid")


def test_initial_events_of_kubectl_wait(kube):
    """How kubectl wait looks at a definition."""
    name = f"widgets.{GROUP}"
    with kube.watch(CRDS, fieldSelector=f"metadata.name={name}", sendInitialEvents="true", allowWatchBookmarks="true",
                    resourceVersionMatch="NotOlderThan") as watch:
        event = watch.next()
        check("event", (event["type"], event["object"]["metadata"]["name"]), ("ADDED", name))
    with kube.watch("/api/v1/namespaces", fieldSelector=f"metadata.name={kube.namespace}", sendInitialEvents="true",
                    allowWatchBookmarks="true", resourceVersionMatch="NotOlderThan") as watch:
        check("namespace", watch.next()["object"]["metadata"]["name"], kube.namespace)


def test_watch_of_informers(kube):
    """The query of client-go's reflectors."""
    with kube.watch(widgets(kube).path, allowWatchBookmarks="true", resourceVersion=now(kube, widgets(kube)),
                    timeout="20s") as watch:
        widgets(kube).make("informed")
        check("event", watch.until("ADDED", "informed")["type"], "ADDED")


def test_all_namespaces(kube):
    with kube.watch(maps(kube).everywhere, resourceVersion=now(kube, maps(kube))) as watch:
        maps(kube).make("everywhere")
        watch.until("ADDED", "everywhere")


def test_partial_watch(kube):
    query = {"watch": "1", "timeoutSeconds": "20", "fieldSelector": "metadata.name=partial-watch"}
    maps(kube).make("partial-watch", data={"a": "1"})
    connection = kube.connect()
    response = kube.start(connection, "GET", maps(kube).path, None, None, query,
                          {"Accept": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"})
    line = response.readline().decode()
    connection.close()
    if '"kind":"PartialObjectMetadata"' not in line or '"data"' in line:
        raise Failed(f"odd event {line}")


def test_a_new_type_is_watched_at_once(kube):
    name = f"fresh.{kube.run}.salvor.test"
    with kube.watch(CRDS, fieldSelector=f"metadata.name={name}") as watch:
        crd = definition("Fresh", "Cluster", [version("v1", storage=True)], f"{kube.run}.salvor.test")
        crd["spec"]["names"]["plural"], crd["metadata"]["name"] = "fresh", name
        kube.post(CRDS, crd).expect(201)
        event = watch.next()
        check("added", event["type"], "ADDED")
        while not any(one["type"] == "Established" and one["status"] == "True"
                      for one in event["object"].get("status", {}).get("conditions") or []):
            event = watch.next()
        kube.delete(f"{CRDS}/{name}").expect(200)
        watch.until("DELETED", name)
