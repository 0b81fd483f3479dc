"""Nodes, pods, jobs and deployments by hand, and watches of all kinds: what plays controllers sends."""

from client import check
from fixture import wait, widgets

BACKGROUND = {"propagationPolicy": "Background"}
CONTAINERS = [{"name": "main", "image": "example.invalid/app:1"}]


def spaced(kube, prefix, plural):
    return f"/{prefix}/namespaces/{kube.namespace}/{plural}"


def until_added(kube, path, name):
    """The object is told of by a watch that begins with what there is."""
    with kube.watch(path) as watch:
        check(path, watch.until("ADDED", name)["type"], "ADDED")


def test_a_pod_by_hand(kube):
    if kube.kubeconfig_server == "real":
        wait("the account of the namespace", lambda: kube.get(spaced(kube, "api/v1", "serviceaccounts/default")).status == 200)
    pods = spaced(kube, "api/v1", "pods")
    kube.post(pods, {"metadata": {"name": "by-hand"}, "spec": {"containers": CONTAINERS}}).expect(201)
    status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    shown = kube.merge(f"{pods}/by-hand/status", {"status": status}).expect(200).json
    check("phase", shown["status"]["phase"], "Running")
    until_added(kube, pods, "by-hand")
    kube.delete(f"{pods}/by-hand").expect(200)


def test_a_node_by_hand(kube):
    name = f"node-{kube.run}"
    kube.post("/api/v1/nodes", {"metadata": {"name": name}}).expect(201)
    until_added(kube, "/api/v1/nodes", name)
    kube.delete(f"/api/v1/nodes/{name}").expect(200)


def test_jobs_and_deployments(kube):
    jobs, deployments = spaced(kube, "apis/batch/v1", "jobs"), spaced(kube, "apis/apps/v1", "deployments")
    template = {"metadata": {"labels": {"job": "by-hand"}}, "spec": {"restartPolicy": "Never", "containers": CONTAINERS}}
    body = {"metadata": {"name": "by-hand"}, "spec": {"template": template}}
    kube.post(jobs, body, fieldManager="f", fieldValidation="Strict").expect(201)
    check("name", kube.get(f"{jobs}/by-hand").expect(200).json["metadata"]["name"], "by-hand")
    check("list", "by-hand" in [one["metadata"]["name"] for one in kube.get(jobs).expect(200).json["items"]], True)
    until_added(kube, jobs, "by-hand")
    kube.delete(f"{jobs}/by-hand", BACKGROUND).expect(200)
    wait("the job to go", lambda: kube.get(f"{jobs}/by-hand").status == 404)
    kube.get(f"{jobs}/by-hand").expect(404, "NotFound")
    labels = {"app": "by-hand"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": CONTAINERS}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    kube.post(deployments, {"metadata": {"name": "by-hand", "labels": labels}, "spec": spec}).expect(201)
    found = kube.get(deployments, labelSelector="app=by-hand").expect(200).json["items"]
    check("selected", [one["metadata"]["name"] for one in found], ["by-hand"])
    until_added(kube, deployments, "by-hand")
    kube.delete(f"{deployments}/by-hand", BACKGROUND).expect(200)
    kube.delete(f"{deployments}/none", BACKGROUND).expect(404, "NotFound")


def test_watches_of_all_kinds(kube):
    network = "apis/networking.k8s.io/v1"
    backend = {"service": {"name": "s", "port": {"number": 80}}}
    made = (("api/v1", "services", {"spec": {"ports": [{"port": 80}]}}), ("api/v1", "secrets", {}), ("api/v1", "configmaps", {}),
            (network, "networkpolicies", {"spec": {"podSelector": {}}}), (network, "ingresses", {"spec": {"defaultBackend": backend}}))
    for prefix, plural, body in made:
        path = spaced(kube, prefix, plural)
        kube.post(path, {"metadata": {"name": "watched-kind"}, **body}).expect(201)
        kube.get(path).expect(200)
        until_added(kube, path, "watched-kind")
        kube.delete(f"{path}/watched-kind")
    until_added(kube, "/api/v1/namespaces", kube.namespace)
    widgets(kube).make("watched-kind")
    until_added(kube, widgets(kube).path, "watched-kind")
