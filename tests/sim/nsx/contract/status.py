"""Status, adapters, inventory, realization."""

from client import BASE, CCPS, FABRIC, GROUPS, POINT, POLICIES, REALIZED, Failed, check, facts

COMPONENTS = ("controller_status", "mp_adapter_status", "ccp_adapter_status")


def states(sim, name="sales"):
    status = sim.admin.get(f"{CCPS}/{name}/status").expect(200).json
    return [status[component]["status"] for component in COMPONENTS]


@facts("7.8", "1.6")
def test_from_unknown_to_healthy_and_back(start):
    with start() as sim:
        sim.cluster("sales", "create", register=True, nodes=4)
        check("before the first heartbeat", states(sim), ["UNKNOWN"] * 3)
        sim.advance(10)
        check("first heartbeat", states(sim), ["HEALTHY", "HEALTHY", "DEGRADED"])
        sim.advance(60)
        check("settled", states(sim), ["HEALTHY"] * 3)
        status = sim.admin.get(f"{CCPS}/sales/status").json
        check("agents", status["agent_info"], {"healthy_agent_num": 4, "degraded_agent_num": 0, "failed_agent_num": 0})
        types = {one["condition_type"]: one["status"] for component in COMPONENTS for one in status[component]["conditions"]}
        check("conditions", types, {name: "HEALTHY" for name in (
            "CONTROLLER_HEALTHY", "MP_ADAPTER_HEALTHY", "MP_CONNECTED", "CCP_ADAPTER_HEALTHY", "CCP_SESSION_STATE_UP")})
        beat = status["controller_status"]["conditions"][0]["last_heartbeat_time"]
        sim.steer("POST", "partition", {"sales": True})
        sim.advance(179)
        check("silent for less than three intervals", states(sim), ["HEALTHY"] * 3)
        sim.advance(20)
        check("silent", states(sim), ["UNKNOWN"] * 3)
        conditions = sim.admin.get(f"{CCPS}/sales/status").json["controller_status"]["conditions"]
        check("the last heartbeat", conditions[0]["last_heartbeat_time"], beat)
        sim.steer("POST", "partition", {"sales": False})
        sim.advance(80)
        check("healed", states(sim), ["HEALTHY"] * 3)


@facts("7.8", "1.6")
def test_injected_states(start):
    with start() as sim:
        sim.cluster("sales", "create", register=True)
        sim.advance(80)
        sim.steer("POST", "health", {"cluster": "sales", "status": {"ccp_adapter_status": "FAILED", "CCP_SESSION_STATE_UP": "UNHEALTHY"}})
        check("failed", states(sim), ["HEALTHY", "HEALTHY", "FAILED"])
        sim.steer("POST", "health", {"cluster": "sales", "status": None})
        check("well", states(sim), ["HEALTHY"] * 3)


@facts("7.8", "1.6")
def test_list_of_statuses(start):
    with start() as sim:
        sim.cluster("sales", "create", register=True)
        listed = lambda: sim.admin.all(BASE + "/cluster-control-planes-status")[0]  # noqa: E731
        check("by id", (listed()["id"], listed()["path"]), ("sales", f"{POINT}/sales"))
        sim.switch(status_list_key="parent-path")
        check("by parent_path", (listed()["id"] == "sales", listed()["parent_path"]), (False, f"{POINT}/sales"))
        sim.switch(status_list_key="path-prefix")
        check("by the beginning of the path", (listed()["id"], listed()["path"]), ("status", f"{POINT}/sales/status"))


@facts("1.7", "1.12")
def test_inventory_comes_in_batches(start):
    with start() as sim:
        sim.cluster("sales", "create", register=True, nodes=10, namespaces=20, services=0, pods=100)
        cluster = sim.admin.all(FABRIC + "/container-clusters")[0]
        node_id = sim.admin.get(f"{CCPS}/sales").json["node_id"]
        check("cluster", (cluster["external_id"], cluster["display_name"], cluster["cni_type"], cluster["network_status"]),
              (node_id, "sales", "Antrea", "HEALTHY"))
        pods = lambda: len(sim.admin.all(FABRIC + "/container-application-instances", container_cluster_id=node_id))  # noqa: E731
        check("first batch of 50", pods(), 20)
        sim.advance(5)
        check("second", pods(), 70)
        sim.advance(5)
        check("all", pods(), 100)
        check("nodes", len(sim.admin.all(FABRIC + "/container-cluster-nodes", container_cluster_id=node_id)), 10)
        check("of another cluster", sim.admin.all(FABRIC + "/container-projects", container_cluster_id="none"), [])
        one = sim.admin.all(FABRIC + "/container-projects")[0]
        check("by id", sim.admin.get(f"{FABRIC}/container-projects/{one['external_id']}").expect(200).json["external_id"], one["external_id"])
        sim.admin.get(FABRIC + "/container-nonsense").expect(404)


@facts("1.7")
def test_inventory_switches(start):
    with start(switches={"cni-type": "ANTREA", "inventory-join": "name", "inventory-sync-time": "on-change"}) as sim:
        sim.cluster("sales", "create", register=True)
        first = sim.admin.all(FABRIC + "/container-clusters")[0]
        node_id = sim.admin.get(f"{CCPS}/sales").json["node_id"]
        check("joined by name only", (first["cni_type"], first["external_id"] == node_id, first["display_name"]), ("ANTREA", False, "sales"))
        sim.advance(300)
        check("nothing changed", sim.admin.all(FABRIC + "/container-clusters")[0]["_last_sync_time"], first["_last_sync_time"])
        sim.switch(inventory_sync_time="every-report")
        if sim.admin.all(FABRIC + "/container-clusters")[0]["_last_sync_time"] <= first["_last_sync_time"]:
            raise Failed("_last_sync_time did not move")


@facts("1.8")
def test_members_of_groups(start):
    with start() as sim:
        sim.cluster("sales", "create", register=True, pods=6)
        sim.cluster("other", "create", register=True, pods=3)
        sim.advance(10)
        condition = {"resource_type": "Condition", "member_type": "Pod", "key": "Tag", "operator": "EQUALS", "value": "dis:k8s:app|app-0"}
        sim.admin.put(f"{GROUPS}/g", {"expression": [condition]}).expect(200)
        check("all", len(sim.admin.all(f"{GROUPS}/g/members/pods")), 3)
        node_id = sim.admin.get(f"{CCPS}/sales").json["node_id"]
        check("of one cluster", len(sim.admin.all(f"{GROUPS}/g/members/pods", cluster_id=node_id)), 2)
        check("of another kind", sim.admin.all(f"{GROUPS}/g/members/kubernetes-services"), [])
        clusters = sim.admin.get(f"{GROUPS}/g/associated-kubernetes-clusters").json["results"][0]["clusters"]
        check("clusters", sorted(one["display_name"] for one in clusters), ["other", "sales"])
        by_name = {**condition, "key": "Name", "operator": "STARTSWITH", "value": "pod-1"}
        cluster = {"resource_type": "Condition", "member_type": "KubernetesCluster", "key": "Name", "operator": "EQUALS", "value": "other"}
        both = [by_name, {"resource_type": "ConjunctionOperator", "conjunction_operator": "AND"}, cluster]
        sim.admin.put(f"{GROUPS}/h", {"expression": both}).expect(200)
        check("pod-1 of the other", [one["display_name"] for one in sim.admin.all(f"{GROUPS}/h/members/pods")], ["pod-1"])


def policy(sim, name, *clusters, category="Application"):
    rule = {"id": "r", "action": "DROP"}
    sim.admin.put(f"{POLICIES}/{name}", {"category": category, "rules": [rule]}).expect(200)
    for cluster in clusters:
        body = {"container_cluster_type": "ANTREA", "container_cluster_path": f"{POINT}/{cluster}"}
        sim.admin.put(f"{POLICIES}/{name}/container-cluster-span/{cluster}", body).expect(200)


def realized(sim, name):
    path = f"/infra/domains/default/security-policies/{name}"
    status = sim.admin.get(REALIZED + "/status", intent_path=path).expect(200).json
    entities = sim.admin.get(REALIZED + "/realized-entities", intent_path=path).json["results"]
    check("both say the same", entities[0]["state"], status["publish_status"])
    return status["publish_status"], status["consolidated_status"]["consolidated_status"]


@facts("7.9", "1.9")
def test_realization(start):
    with start() as sim:
        sim.cluster("sales", "create", register=True)
        policy(sim, "p", "sales")
        check("not yet", realized(sim, "p"), ("UNREALIZED", "IN_PROGRESS"))
        sim.advance(10)
        check("done", realized(sim, "p"), ("REALIZED", "SUCCESS"))
        path = {"container_cluster_path": f"{POINT}/sales"}
        check("the cluster reports on it", len(sim.admin.get(f"{POLICIES}/p/statistics", **path).json["results"][0]["statistics"]["results"]), 1)
        sim.steer("POST", "health", {"cluster": "sales", "policy": "p", "state": "ERROR", "message": "no such port"})
        check("injected", realized(sim, "p"), ("ERROR", "ERROR"))
        alarms = sim.admin.all(REALIZED + "/alarms")
        check("alarm", [(one["source_reference"], one["message"]) for one in alarms],
              [("/infra/domains/default/security-policies/p", "no such port")])
        sim.steer("POST", "health", {"cluster": "sales", "policy": "p"})
        check("well again", realized(sim, "p")[0], "REALIZED")
        sim.admin.get(REALIZED + "/status", intent_path="/infra/domains/default/security-policies/none").expect(404)


@facts("7.9", "1.9")
def test_realization_of_a_cluster_that_is_away(start):
    with start() as sim:
        sim.cluster("sales", "create", register=True)
        sim.cluster("gone", "create", register=True)
        policy(sim, "p", "sales", "gone")
        sim.cluster("gone", "destroy")
        sim.advance(60)
        check("one of two", realized(sim, "p"), ("UNREALIZED", "IN_PROGRESS"))
        sim.switch(orphan_realization="error", realization_antrea_details="present")
        check("error", realized(sim, "p")[0], "ERROR")
        details = sim.admin.get(REALIZED + "/status", intent_path="/infra/domains/default/security-policies/p").json
        named = {one["container_cluster"]: one["consolidated_status"] for one in details["consolidated_status_per_enforcement_point"]}
        check("by cluster", named, {"sales": "REALIZED", "gone": "ERROR"})


@facts("1.9")
def test_system_alarms(start):
    with start() as sim:
        sim.cluster("sales", "create", register=True)
        sim.cluster("sales", "adapters", up=False)
        sim.advance(600)
        check("none", sim.admin.all("/api/v1/alarms"), [])
        sim.switch(antrea_alarms="present")
        check("down", [one["alarm_source"] for one in sim.admin.all("/api/v1/alarms", status="OPEN")], [[f"{POINT}/sales"]])
        sim.steer("POST", "alarms", {"id": "x", "status": "RESOLVED", "feature_name": "certificates", "event_type": "certificate_expired"})
        check("filtered", [one["id"] for one in sim.admin.all("/api/v1/alarms", feature_name="certificates")], ["x"])
