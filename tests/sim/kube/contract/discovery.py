"""Discovery documents: what clients learn about a server before they ask for anything."""

from client import Failed, check
from fixture import GROUP

AGGREGATED = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"}


def test_version(kube):
    answer = kube.get("/version").expect(200).json
    if not answer["gitVersion"].startswith("v1.") or not answer["minor"].isdigit():
        raise Failed(f"odd version {answer}")


def test_health(kube):
    for path in ("/readyz", "/livez", "/healthz"):
        answer = kube.get(path).expect(200)
        check(path, answer.content, b"ok")


def test_core(kube):
    answer = kube.get("/api").expect(200).json
    check("versions", (answer["kind"], answer["versions"]), ("APIVersions", ["v1"]))
    kube.get("/api", timeout="32s").expect(200)
    kube.get("/api/v1", timeout="32s").expect(200)


def test_groups(kube):
    kube.get("/apis", timeout="32s").expect(200)
    answer = kube.get("/apis").expect(200).json
    check("kind", answer["kind"], "APIGroupList")
    groups = {group["name"]: group for group in answer["groups"]}
    for name in ("apps", "batch", "rbac.authorization.k8s.io", "apiextensions.k8s.io", "coordination.k8s.io", GROUP):
        if name not in groups:
            raise Failed(f"group {name} is missing")
    own = groups[GROUP]
    check("versions", [one["version"] for one in own["versions"]], ["v1", "v1beta1"])
    check("preferred", own["preferredVersion"], {"groupVersion": f"{GROUP}/v1", "version": "v1"})
    one = kube.get(f"/apis/{GROUP}").expect(200).json
    check("one group", (one["kind"], one["name"], one["versions"]), ("APIGroup", GROUP, own["versions"]))
    kube.get("/apis/none.salvor.test").expect(404)


def resources(kube, path, **query):
    answer = kube.get(path, **query).expect(200).json
    check("kind", answer["kind"], "APIResourceList")
    return {one["name"]: one for one in answer["resources"]}


def test_resources(kube):
    core = resources(kube, "/api/v1")
    check("configmaps", {key: core["configmaps"][key] for key in ("kind", "namespaced", "singularName", "shortNames")},
          {"kind": "ConfigMap", "namespaced": True, "singularName": "configmap", "shortNames": ["cm"]})
    check("verbs", sorted(core["configmaps"]["verbs"]),
          ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"])
    check("namespaces", (core["namespaces"]["namespaced"], "deletecollection" in core["namespaces"]["verbs"]), (False, False))
    check("subresources", {"namespaces/finalize", "namespaces/status", "pods/status"} <= set(core), True)
    own = resources(kube, f"/apis/{GROUP}/v1", timeout="32s")
    check("widgets", (own["widgets"]["kind"], own["widgets"]["namespaced"], "widgets/status" in own), ("Widget", True, True))
    check("gadgets", (own["gadgets"]["namespaced"], "gadgets/status" in own), (False, False))
    apps = resources(kube, "/apis/apps/v1")
    check("scale", (apps["deployments/scale"]["kind"], apps["deployments/scale"]["group"]), ("Scale", "autoscaling"))
    kube.get("/apis/none.salvor.test/v1", timeout="32s").expect(404)


def test_aggregated(kube):
    for path in ("/api", "/apis"):
        answer = kube.get(path, headers=AGGREGATED).expect(200)
        check("type", answer.headers["Content-Type"].replace(" ", ""),
              "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
        check("kind", (answer.json["kind"], answer.json["apiVersion"]), ("APIGroupDiscoveryList", "apidiscovery.k8s.io/v2"))
        for group in answer.json["items"]:
            for one in group["versions"]:
                for resource in one["resources"]:
                    if resource["scope"] not in ("Cluster", "Namespaced") or not resource["responseKind"]["kind"]:
                        raise Failed(f"odd resource {resource}")
        if path == "/apis":
            (own,) = [group for group in answer.json["items"] if group["metadata"]["name"] == GROUP]
            check("versions", [one["version"] for one in own["versions"]], ["v1", "v1beta1"])
            (widget,) = [one for one in own["versions"][0]["resources"] if one["resource"] == "widgets"]
            check("widget", (widget["scope"], widget["responseKind"], widget["singularResource"],
                             [sub["subresource"] for sub in widget["subresources"]]),
                  ("Namespaced", {"group": GROUP, "version": "v1", "kind": "Widget"}, "widget", ["status"]))


def test_same_types_in_every_way(kube):
    """Whoever lists types one group at a time and whoever asks once learn the same of our own group."""
    single = resources(kube, f"/apis/{GROUP}/v1")
    names = {name for name in single if "/" not in name}
    (own,) = [g for g in kube.get("/apis", headers=AGGREGATED).json["items"] if g["metadata"]["name"] == GROUP]
    check("names", {one["resource"] for one in own["versions"][0]["resources"]}, names)
