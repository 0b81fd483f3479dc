"""Cluster control planes: joining, protection, references, deletion."""

from client import BASE, CCPS, FABRIC, GROUPS, PIS, POINT, POLICIES, Failed, certificate, check, facts, identity

WITH = PIS + "/with-certificate"
OVERWRITE = {"X-Allow-Overwrite": "true"}


def join(sim, name):
    """A cluster's own way: identity by the administrator, control plane by the identity."""
    pair = certificate(name)
    sim.admin.post(WITH, identity(name, pair[0])).expect(201)
    user = sim.connect(pair=pair)
    made = user.put(f"{CCPS}/{name}", {"_revision": 1, "resource_type": "AntreaClusterControlPlane",
                                       "certificate": pair[0], "vhc_path": ""}).expect(200).json
    return pair, user, made


def span(sim, policy, *names):
    sim.admin.put(f"{POLICIES}/{policy}", {"category": "Application", "target_type": "ANTREA"}).expect(200)
    for name in names:
        body = {"container_cluster_type": "ANTREA", "container_cluster_path": f"{POINT}/{name}"}
        sim.admin.put(f"{POLICIES}/{policy}/container-cluster-span/{name}", body).expect(200)


@facts("7.6", "1.6")
def test_joining(start):
    with start() as sim:
        pair, _, made = join(sim, "sales")
        check("fields", (made["id"], made["path"], made["resource_type"], made["node_type"], made["_revision"]),
              ("sales", f"{POINT}/sales", "AntreaClusterControlPlane", "ANTREA_NODE", 0))
        check("a node_id was given", len(made["node_id"]), 36)
        check("certificate", made["certificate"], pair[0])
        check("no vhc_path outside of VPCs", "vhc_path" in made, False)
        sim.admin.get(f"{CCPS}/none").expect(404)
        sim.admin.get(CCPS.replace("default", "other", 1)).expect(404)
        names = {one["id"]: one["node_type"] for one in sim.admin.all(CCPS)}
        check("with an entry that is no Antrea cluster", names, {"sales": "ANTREA_NODE", "supervisor-domain-c8": "SUPERVISOR_NODE"})
        sim.switch(ccp_foreign_entries="absent", ccp_vhc_path="empty")
        check("without", [one["id"] for one in sim.admin.all(CCPS)], ["sales"])
        pem = certificate("vpc")[0]
        sim.admin.post(WITH, identity("vpc", pem)).expect(201)
        check("empty", sim.admin.put(f"{CCPS}/vpc", {"certificate": pem}).expect(200).json["vhc_path"], "")


@facts("7.6", "1.6")
def test_an_old_node_id_can_be_given(start):
    with start() as sim:
        pem = certificate("sales")[0]
        sim.admin.post(WITH, identity("sales", pem)).expect(201)
        wanted = "11111111-2222-4333-8444-555555555555"
        made = sim.admin.put(f"{CCPS}/sales", {"certificate": pem, "node_id": wanted}).expect(200).json
        check("node_id", made["node_id"], wanted)
        other = certificate("other")[0]
        sim.admin.post(WITH, identity("other", other)).expect(201)
        sim.admin.put(f"{CCPS}/other", {"certificate": other, "node_id": wanted}).expect(400, 500220)
        sim.admin.put(f"{CCPS}/sales", {"_revision": 0, "node_id": other[:36]}).expect(400, 500220)


@facts("7.6", "1.6")
def test_what_does_not_fit(start):
    with start() as sim:
        pair, _, _ = join(sim, "sales")
        lonely = certificate("lonely")[0]
        answer = sim.admin.put(f"{CCPS}/lonely", {"certificate": lonely}).expect(400, 500220, "principal identity")
        check("module", answer.json["module_name"], "POLICY")
        sim.admin.post(WITH, identity("lonely", lonely)).expect(201)
        sim.admin.put(f"{CCPS}/lonely", {"certificate": certificate("else")[0]}).expect(400, 500220, "common name")
        sim.admin.put(f"{CCPS}/lonely", {"certificate": pair[0]}).expect(400, 500220)
        sim.admin.put(f"{CCPS}/lonely", {}).expect(400, 500220)
        sim.switch(ccp_invalid="500-empty")
        check("no body", sim.admin.put(f"{CCPS}/lonely", {}).expect(500).content, b"")
        sim.admin.put(f"{CCPS}/lonely", {"certificate": lonely}).expect(200)


@facts("7.6", "1.6")
def test_one_certificate_for_two(start):
    with start() as sim:
        # Two control planes of the same name cannot be: the certificate's common name decides.
        pair = certificate("twin")
        sim.admin.post(WITH, identity("twin", pair[0])).expect(201)
        sim.admin.put(f"{CCPS}/twin", {"certificate": pair[0]}).expect(200)
        sim.admin.post(WITH, identity("other", certificate("other")[0])).expect(201)
        sim.admin.put(f"{CCPS}/other", {"certificate": pair[0]}).expect(400, 500220)


@facts("7.6", "1.6", "5")
def test_certificate_rotation_by_release(start):
    for version, possible in (("4.1.2.1.0.22667789", False), ("4.1.3.0.0.1", True)):
        with start("--nsx-version", version) as sim:
            _, user, made = join(sim, "sales")
            check("no node_type before 9", "node_type" in made, False)
            new = certificate("sales")[0]
            answer = user.put(f"{CCPS}/sales", {"_revision": 0, "certificate": new})
            answer.expect(200 if possible else 400)


@facts("7.7", "1.6", "1.2")
def test_protection(start):
    with start() as sim:
        _, user, made = join(sim, "sales")
        check("created by", made["_create_user"], "sales")
        check("for its owner", made["_protection"], "NOT_PROTECTED")
        check("for others", sim.admin.get(f"{CCPS}/sales").json["_protection"], "REQUIRE_OVERRIDE")
        answer = sim.admin.delete(f"{CCPS}/sales", cascade="true").expect(400, 289, "createUser=sales, allowOverwrite=null")
        check("module", answer.json["module_name"], "common-services")
        sim.admin.get(f"{CCPS}/sales").expect(200)
        sim.admin.delete(f"{CCPS}/sales", cascade="true", headers={"X-Allow-Overwrite": "True"}).expect(200)
        sim.admin.get(f"{CCPS}/sales").expect(404)
        sim.switch(ccp_create_user="admin")
        _, user, made = join(sim, "other")
        check("created by", made["_create_user"], "admin")
        sim.admin.delete(f"{CCPS}/other").expect(200)
        user.get(f"{CCPS}/other").expect(404)


@facts("7.7", "1.6", "3.2")
def test_references(start):
    with start() as sim:
        _, user, _ = join(sim, "sales")
        join(sim, "other")
        span(sim, "both", "sales", "other")
        span(sim, "one", "sales")
        answer = user.delete(f"{CCPS}/sales").expect(400, 500030, f"path=[{POINT}/sales]")
        for policy in ("both", "one"):
            if f"/infra/domains/default/security-policies/{policy}/container-cluster-span/sales" not in answer.json["error_message"]:
                raise Failed(f"{policy} is not named: {answer.json}")
        sim.switch(ccp_referenced="container-code")
        code = user.delete(f"{CCPS}/sales").expect(400).json["error_code"]
        check("another code", code == 500030, False)
        user.delete(f"{CCPS}/sales", cascade="true").expect(200)
        check("spans of others stay", [one["id"] for one in sim.admin.all(f"{POLICIES}/both/container-cluster-span")], ["other"])
        check("the policy stays without spans", sim.admin.all(f"{POLICIES}/one/container-cluster-span"), [])
        sim.admin.get(f"{POLICIES}/one").expect(200)


@facts("7.7", "1.6")
def test_scopes_count_as_references(start):
    for switch, left in (("kept", [f"{POINT}/sales"]), ("removed", ["ANY"])):
        with start(switches={"cascade-scope": switch}) as sim:
            _, user, _ = join(sim, "sales")
            sim.admin.put(f"{POLICIES}/p", {"category": "Application", "scope": [f"{POINT}/sales"]}).expect(200)
            user.delete(f"{CCPS}/sales").expect(400, 500030)
            user.delete(f"{CCPS}/sales", cascade="true").expect(200)
            check("scope", sim.admin.get(f"{POLICIES}/p").json["scope"], left)


@facts("7.7", "1.6", "1.2")
def test_marked_for_deletion(start):
    with start() as sim:
        pair, user, _ = join(sim, "sales")
        sim.switch(ccp_foreign_entries="absent")
        user.delete(f"{CCPS}/sales").expect(200)
        sim.admin.get(f"{CCPS}/sales").expect(404)
        check("not listed", sim.admin.all(CCPS), [])
        left = sim.admin.all(CCPS, include_mark_for_delete_objects="true")
        check("only with the parameter", [(one["id"], one["marked_for_delete"]) for one in left], [("sales", True)])
        user.put(f"{CCPS}/sales", {"certificate": pair[0]}).expect(400, 500045, "marked for deletion")
        sim.advance(31)
        check("purged", sim.admin.all(CCPS, include_mark_for_delete_objects="true"), [])
        again = user.put(f"{CCPS}/sales", {"certificate": pair[0]}).expect(200).json
        check("a new id", len(again["node_id"]), 36)


@facts("7.7", "1.3")
def test_missing(start):
    with start() as sim:
        sim.admin.delete(f"{CCPS}/none", cascade="true").expect(200)
        sim.switch(delete_missing="404")
        sim.admin.delete(f"{CCPS}/none", cascade="true").expect(404)


@facts("2.5")
def test_inventory_and_groups_after_a_forced_clean_up(start):
    for inventory, groups in (("at-once", "kept"), ("later", "criteria-removed")):
        with start(switches={"cascade-inventory": inventory, "cascade-groups": groups}) as sim:
            sim.cluster("sales", "create", register=True)
            expression = [{"resource_type": "Condition", "member_type": "Pod", "key": "Tag", "operator": "EQUALS", "value": "a|b"},
                          {"resource_type": "ConjunctionOperator", "conjunction_operator": "AND"},
                          {"resource_type": "Condition", "member_type": "KubernetesCluster", "key": "Name",
                           "operator": "EQUALS", "value": "sales"}]
            sim.admin.put(f"{GROUPS}/g", {"group_type": ["ANTREA"], "expression": expression}).expect(200)
            check("associated", sim.admin.get(f"{GROUPS}/g/associated-kubernetes-clusters").json["results"][0]["clusters"][0]["display_name"], "sales")
            sim.cluster("sales", "destroy")
            sim.admin.delete(f"{CCPS}/sales", cascade="true", headers=OVERWRITE).expect(200)
            check("inventory", len(sim.admin.all(FABRIC + "/container-clusters")), 0 if inventory == "at-once" else 1)
            sim.advance(61)
            check("inventory later", sim.admin.all(FABRIC + "/container-clusters"), [])
            left = sim.admin.get(f"{GROUPS}/g").json["expression"]
            check("criteria", left, expression if groups == "kept" else expression[:1])


@facts("1.6")
def test_heartbeat_configuration(start):
    with start() as sim:
        join(sim, "sales")
        at = f"{CCPS}/sales/heartbeat-config"
        check("default", sim.admin.get(at).json["report_interval"], 60)
        sim.admin.put(at, {"report_interval": 120}).expect(400, 500127)
        sim.admin.put(at, {"report_interval": 30, "_revision": 0}).expect(400)
        check("set", sim.admin.put(at, {"report_interval": 120, "_revision": 0}).expect(200).json["report_interval"], 120)
        sim.admin.put(at, {"report_interval": 60, "_revision": 0}).expect(412)
        sim.admin.patch(at, {"report_interval": 90}).expect(200)
        check("list", [one["report_interval"] for one in sim.admin.all(BASE + "/cluster-control-planes-heartbeat-config")], [90])
