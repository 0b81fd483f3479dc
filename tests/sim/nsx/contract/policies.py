"""Policies, rules, spans, groups: revisions, references, deletion."""

import json

from client import GROUPS, POINT, POLICIES, Failed, certificate, check, facts, identity, CCPS, PIS

GROUP = "/infra/domains/default/groups"
POLICY = "/infra/domains/default/security-policies"


def put(sim, name="p", *rules, **more):
    return sim.admin.put(f"{POLICIES}/{name}", {"category": "Application", "rules": list(rules), **more}).expect(200).json


def span(sim, policy, cluster, status=200, id=None):  # pylint: disable=redefined-builtin
    body = {"container_cluster_type": "ANTREA", "container_cluster_path": f"{POINT}/{cluster}"}
    return sim.admin.put(f"{POLICIES}/{policy}/container-cluster-span/{id or cluster}", body).expect(status)


@facts("7.3", "1.3", "1.8")
def test_revisions(start):
    with start() as sim:
        first = put(sim, "p", {"id": "r", "action": "ALLOW"})
        check("first", (first["_revision"], first["rules"][0]["_revision"]), (0, 0))
        at = f"{POLICIES}/p"
        body = {"category": "Application", "rules": [{"id": "r", "action": "DROP"}]}
        sim.admin.put(at, body).expect(400, 500127)
        sim.admin.put(at, {**body, "_revision": 0}).expect(400, 500127, "/rules/r")
        good = {**body, "_revision": 0, "rules": [{"id": "r", "action": "DROP", "_revision": 0}]}
        second = sim.admin.put(at, good).expect(200).json
        check("second", (second["_revision"], second["rules"][0]["_revision"], second["rules"][0]["action"]), (1, 1, "DROP"))
        for position, status, code in (("412", 412, 604), ("409", 409, 604), ("400", 400, 500087), ("404", 404, 500090)):
            sim.switch(stale_revision=position)
            sim.admin.put(at, good).expect(status, code)
        check("unchanged", sim.admin.get(at).json["_revision"], 1)
        sim.admin.patch(at, {"display_name": "without a revision"}).expect(200)
        check("patched", sim.admin.get(at).json["_revision"], 2)


@facts("7.3", "1.8")
def test_put_replaces_all(start):
    with start() as sim:
        put(sim, "p", {"id": "a"}, {"id": "b"}, {"id": "c"})
        check("order", [rule["id"] for rule in sim.admin.get(f"{POLICIES}/p").json["rules"]], ["a", "b", "c"])
        sim.admin.put(f"{POLICIES}/p", {"category": "Application", "_revision": 0, "rules": [{"id": "b", "_revision": 0}]}).expect(200)
        left = sim.admin.get(f"{POLICIES}/p").json
        check("left", ([rule["id"] for rule in left["rules"]], left["rule_count"]), (["b"], 1))
        check("list of rules", [rule["id"] for rule in sim.admin.all(f"{POLICIES}/p/rules")], ["b"])
        rule = sim.admin.get(f"{POLICIES}/p/rules/b").json
        sim.admin.put(f"{POLICIES}/p/rules/b", {**rule, "action": "REJECT"}).expect(200)
        check("rule_id stays", sim.admin.get(f"{POLICIES}/p/rules/b").json["rule_id"], rule["rule_id"])
        sim.admin.delete(f"{POLICIES}/p/rules/b").expect(200)
        check("no rules", sim.admin.all(f"{POLICIES}/p/rules"), [])
        sim.admin.put(f"{POLICIES}/q", {"category": "Nonsense"}).expect(400)
        sim.admin.put(f"{POLICIES}/q", {"category": "Application", "rules": [{"action": "ALLOW"}]}).expect(400)


@facts("1.8", "6")
def test_rule_order_is_sticky(start):
    for position, order in (("sticky", ["a", "b"]), ("moves", ["b", "a"])):
        with start(switches={"rule-order": position}) as sim:
            put(sim, "p", {"id": "a", "sequence_number": 10}, {"id": "b", "sequence_number": 20})
            rules = [{"id": "a", "sequence_number": 30, "_revision": 0}, {"id": "b", "sequence_number": 20, "_revision": 0}]
            sim.admin.put(f"{POLICIES}/p", {"category": "Application", "_revision": 0, "rules": rules}).expect(200)
            check(position, [rule["id"] for rule in sim.admin.get(f"{POLICIES}/p").json["rules"]], order)


@facts("1.8", "1.3")
def test_lists_of_policies(start):
    with start() as sim:
        put(sim, "p", {"id": "a"})
        listed = lambda **query: {one["id"]: one for one in sim.admin.all(POLICIES, **query)}  # noqa: E731
        check("with the default one", sorted(listed()), ["default-layer3-section", "p"])
        check("no rules in lists", "rules" in listed()["p"], False)
        check("count", listed(include_rule_count="true")["p"]["rule_count"], 1)
        sim.switch(policy_list_rules="embedded")
        check("embedded", [rule["id"] for rule in listed()["p"]["rules"]], ["a"])
        sim.admin.delete(f"{POLICIES}/default-layer3-section").expect(400)
        sim.admin.delete(f"{POLICIES}/p").expect(200)
        check("gone", "p" in listed(), False)
        check("marked", listed(include_mark_for_delete_objects="true")["p"]["marked_for_delete"], True)
        sim.admin.put(f"{POLICIES}/p", {"category": "Application"}).expect(400, 500045)
        sim.advance(31)
        put(sim, "p")
        drafts = sim.admin.all("/policy/api/v1/infra/drafts", auto_drafts="true")
        if not drafts or not drafts[0]["is_auto_draft"]:
            raise Failed(f"no automatic draft: {drafts}")


@facts("1.8")
def test_the_whole_tree(start):
    with start() as sim:
        put(sim, "p")
        sim.admin.get("/policy/api/v1/infra", type_filter="SecurityPolicy").expect(400)
        for position, query in (("type_filter", {"type_filter": "SecurityPolicy;Group"}), ("filter", {"filter": "Type-SecurityPolicy|Group"})):
            sim.switch(infra_filter=position)
            text = json.dumps(sim.admin.get("/policy/api/v1/infra", **query).expect(200).json)
            check(position, "ChildSecurityPolicy" in text, True)


@facts("7.9", "1.8")
def test_groups_in_use(start):
    with start() as sim:
        sim.admin.put(f"{GROUPS}/g", {"group_type": ["ANTREA"]}).expect(200)
        sim.admin.put(f"{GROUPS}/parent", {"expression": [{"resource_type": "PathExpression", "paths": [f"{GROUP}/g"]}]}).expect(200)
        put(sim, "p", {"id": "r", "source_groups": [f"{GROUP}/g"]}, scope=[f"{GROUP}/parent"])
        answer = sim.admin.delete(f"{GROUPS}/g").expect(400, 500030, f"path=[{GROUP}/g]")
        for user in (f"{POLICY}/p/rules/r", f"{GROUP}/parent"):
            if user not in answer.json["error_message"]:
                raise Failed(f"{user} is not named: {answer.json}")
        users = [one["path"] for one in sim.admin.all("/policy/api/v1/infra/group-service-associations", intent_path=f"{GROUP}/g")]
        check("services, of the parent too", sorted(users), [f"{POLICY}/p", f"{POLICY}/p/rules/r"])
        sim.admin.put(f"{GROUPS}/g", {"group_type": ["IPAddress"], "_revision": 0}).expect(400, 500013)
        sim.admin.put(f"{POLICIES}/q", {"category": "Application", "rules": [{"id": "r", "source_groups": [f"{GROUP}/none"]}]}).expect(400, 500157)
        related = sim.admin.put(f"{POLICIES}/q", {"category": "Application", "rules": [
            {"id": "r", "source_groups": [f"{GROUP}/none"]}]}).json["related_errors"]
        check("the cause is beside it", related[0]["error_code"], 500060)
        sim.admin.delete(f"{POLICIES}/p").expect(200)
        sim.admin.delete(f"{GROUPS}/parent").expect(200)
        sim.admin.delete(f"{GROUPS}/g").expect(200)


@facts("7.9", "1.8")
def test_spans(start):
    with start() as sim:
        for name in ("one", "two"):
            sim.cluster(name, "create", register=True)
        put(sim, "p")
        made = span(sim, "p", "one").json
        check("fields", (made["container_cluster_type"], made["container_cluster_path"], made["_revision"]), ("ANTREA", f"{POINT}/one", 0))
        span(sim, "p", "one", 400, id="again")
        span(sim, "p", "none", 400)
        moved = {"container_cluster_path": f"{POINT}/two", "_revision": 0}
        sim.admin.put(f"{POLICIES}/p/container-cluster-span/one", moved).expect(400, 500013)
        span(sim, "p", "two")
        check("list", [one["id"] for one in sim.admin.all(f"{POLICIES}/p/container-cluster-span")], ["one", "two"])
        sim.switch(span_path_form="antrea-nodes")
        check("the other form", sim.admin.get(f"{POLICIES}/p/container-cluster-span/one").json["container_cluster_path"],
              POINT.replace("cluster-control-planes", "antrea-nodes") + "/one")
        put(sim, "q")
        other = {"container_cluster_path": POINT.replace("cluster-control-planes", "antrea-nodes") + "/one"}
        sim.admin.put(f"{POLICIES}/q/container-cluster-span/one", other).expect(200)


@facts("7.9", "1.8")
def test_deleting_spans_and_policies(start):
    with start() as sim:
        for name in ("one", "two"):
            sim.cluster(name, "create", register=True)
        put(sim, "p", {"id": "r"}, target_type="ANTREA")
        for name in ("one", "two"):
            span(sim, "p", name)
        sim.admin.delete(f"{POLICIES}/p/container-cluster-span/one").expect(200)
        check("the policy stays", sim.admin.get(f"{POLICIES}/p").expect(200).json["target_type"], "ANTREA")
        sim.admin.delete(f"{POLICIES}/p/container-cluster-span/two").expect(200)
        check("without spans", sim.admin.get(f"{POLICIES}/p").expect(200).json["target_type"], "ANTREA")
        sim.switch(last_span="becomes-dfw")
        span(sim, "p", "one")
        sim.admin.delete(f"{POLICIES}/p/container-cluster-span/one").expect(200)
        check("a policy for all", sim.admin.get(f"{POLICIES}/p").expect(200).json["target_type"], "DFW")
        sim.switch(span_delete="deletes-policy", last_span="stays-antrea")
        span(sim, "p", "one")
        sim.admin.delete(f"{POLICIES}/p/container-cluster-span/one").expect(200)
        sim.admin.get(f"{POLICIES}/p").expect(404)


@facts("7.9", "1.8")
def test_a_deleted_policy_keeps_its_span(start):
    with start() as sim:
        sim.cluster("one", "create", register=True)
        put(sim, "p")
        span(sim, "p", "one")
        sim.admin.delete(f"{POLICIES}/p").expect(200)
        sim.admin.get(f"{POLICIES}/p/container-cluster-span").expect(404)
        sim.admin.get(f"{POLICIES}/p/container-cluster-span/one").expect(200)
        overwrite = {"X-Allow-Overwrite": "true"}
        sim.admin.delete(f"{CCPS}/one", headers=overwrite).expect(400, 500030, "/p/container-cluster-span/one")
        sim.admin.delete(f"{POLICIES}/p/container-cluster-span/one").expect(200)
        sim.advance(31)
        sim.switch(policy_delete_span="removed")
        put(sim, "p")
        span(sim, "p", "one")
        sim.admin.delete(f"{POLICIES}/p").expect(200)
        sim.admin.get(f"{POLICIES}/p/container-cluster-span/one").expect(404)
        sim.admin.delete(f"{CCPS}/one", headers=overwrite).expect(200)


@facts("7.3", "1.3", "1.2")
def test_objects_of_others_are_protected(start):
    with start() as sim:
        pair = certificate("owner")
        sim.admin.post(PIS + "/with-certificate", identity("owner", pair[0])).expect(201)
        owner = sim.connect(pair=pair)
        owner.put(f"{POLICIES}/p", {"category": "Application"}).expect(200)
        policy = sim.admin.get(f"{POLICIES}/p").json
        check("protection", policy["_protection"], "REQUIRE_OVERRIDE")
        sim.admin.delete(f"{POLICIES}/p").expect(400, 289)
        sim.admin.patch(f"{POLICIES}/p", {"display_name": "x"}).expect(400, 289)
        sim.admin.delete(f"{POLICIES}/p", headers={"X-Allow-Overwrite": "true"}).expect(200)
        sim.steer("POST", "users", {"name": "sec", "password": "p", "role": "security_admin"})
        owner.put(f"{POLICIES}/q", {"category": "Application"}).expect(200)
        other = sim.connect(user="sec", password="p")
        check("for others", other.get(f"{POLICIES}/q").json["_protection"], "PROTECTED")
        other.delete(f"{POLICIES}/q", headers={"X-Allow-Overwrite": "true"}).expect(400, 289)


@facts("1.2")
def test_licence(start):
    with start() as sim:
        sim.steer("POST", "settings", {"licensed": False})
        sim.admin.put(f"{POLICIES}/p", {"category": "Application"}).expect(403, 505)
        sim.admin.get(POLICIES).expect(200)


@facts("1.8")
def test_locked_policies(start):
    with start() as sim:
        sim.steer("POST", "users", {"name": "sec", "password": "p", "role": "security_admin"})
        put(sim, "p", locked=True, lock_modified_by="admin")
        sim.connect(user="sec", password="p").delete(f"{POLICIES}/p").expect(400, 500165)
        sim.admin.delete(f"{POLICIES}/p").expect(200)
