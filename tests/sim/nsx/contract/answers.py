"""Limits, search, odd answers."""

import http.client
import json
import threading
import time

from client import CCPS, GROUPS, PIS, POLICIES, Failed, check, facts


@facts("7.10", "1.3")
def test_rate_per_user(start):
    with start() as sim:
        sim.steer("POST", "settings", {"rateLimit": 5})
        sim.steer("POST", "users", {"name": "tool", "password": "p", "role": "enterprise_admin"})
        refused = None
        for _ in range(200):
            answer = sim.admin.get(PIS)
            if answer.status == 429:
                refused = answer
                break
        if refused is None:
            raise Failed("200 requests were never too many")
        refused.expect(429, 102, "Client 'admin' exceeded request rate of 5 per second")
        check("no Retry-After", refused.headers["Retry-After"], None)
        sim.connect(user="tool", password="p").get(PIS).expect(200)
        sim.switch(retry_after="present")
        for _ in range(200):
            answer = sim.admin.get(PIS)
            if answer.status == 429:
                break
        check("Retry-After", answer.headers["Retry-After"], "1")
        sim.steer("POST", "settings", {"rateLimit": 0})
        sim.admin.get(PIS).expect(200)


def at_once(sim, count):
    """Statuses of as many requests side by side."""
    got = []
    clients = [sim.connect() for _ in range(count)]
    threads = [threading.Thread(target=lambda one=one: got.append(one.get(PIS).status)) for one in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


@facts("7.10", "1.3")
def test_requests_in_flight(start):
    with start() as sim:
        sim.steer("POST", "settings", {"userConcurrency": 2, "latencyMs": 300})
        for status in (503, 429):
            sim.switch(concurrency_status=str(status))
            got = at_once(sim, 6)
            check(f"with {status}", (got.count(200) >= 2, set(got) - {200}), (True, {status}))
        sim.steer("POST", "settings", {"userConcurrency": 0, "concurrency": 1})
        check("over all", set(at_once(sim, 4)) - {200}, {503})


@facts("7.10", "7.14", "1.3")
def test_a_storm_of_429(start):
    with start() as sim:
        sim.steer("POST", "faults", {"fault": "status", "status": 429, "forMs": 60000, "retryAfter": 7})
        for _ in range(3):
            answer = sim.admin.get(PIS).expect(429, 102, "exceeded request rate of 100 per second")
            check("Retry-After", answer.headers["Retry-After"], "7")
        sim.steer("DELETE", "faults")
        sim.admin.get(PIS).expect(200)


@facts("7.13", "1.9", "1.2")
def test_search(start):
    with start() as sim:
        search = lambda query: sim.admin.get("/policy/api/v1/search/query", query=query)  # noqa: E731
        sim.cluster("sales", "create", register=True)
        check("the index lags", search("resource_type:clustercontrolplane").expect(200).json["results"], [])
        sim.advance(5)
        found = search("resource_type:clustercontrolplane AND id:sales").json["results"]
        check("found", [one["id"] for one in found], ["sales"])
        check("by path", len(search(r"path:\/infra\/sites\/default\/enforcement-points\/default\/cluster-control-planes\/sales").json["results"]), 1)
        check("a prefix", len(search("resource_type:PrincipalIdentity AND name:sal*").json["results"]), 1)
        tagged = {"tags": [{"scope": "nsx-op/cluster", "tag": "c1"}]}
        sim.admin.put(f"{GROUPS}/g", tagged).expect(200)
        sim.advance(5)
        check("by tag", [one["id"] for one in search("tags.scope:nsx-op\\/cluster AND tags.tag:c1").json["results"]], ["g"])
        # What is deleted is still found for a while.
        sim.admin.delete(f"{GROUPS}/g").expect(200)
        check("a ghost", [one["id"] for one in search("resource_type:Group").json["results"]], ["g"])
        sim.steer("POST", "backup", {})
        sim.steer("POST", "restore", {})
        search("resource_type:Group").expect(400, 60515)
        sim.admin.post("/policy/api/v1/search/reconcile", None, action="NONSENSE").expect(400)
        sim.admin.post("/policy/api/v1/search/reconcile", None, action="PRODUCT_RESTORE").expect(200)
        check("reconciled", search("resource_type:Group").expect(200).json["results"], [])
        sim.steer("POST", "restore", {})
        search("resource_type:Group").expect(400, 60515)
        sim.advance(601)
        search("resource_type:Group").expect(200)


@facts("7.14", "1.2")
def test_odd_bodies(start):
    with start() as sim:
        fault = lambda **rule: sim.steer("POST", "faults", rule)  # noqa: E731
        fault(fault="text", status=503)
        answer = sim.admin.get(PIS).expect(503)
        check("plain text", answer.headers["Content-Type"], "text/plain; charset=utf-8")
        fault(fault="html")
        check("a page", sim.admin.get(PIS).expect(502).content[:6], b"<html>")
        fault(fault="truncated")
        half = sim.admin.get(PIS).expect(200).content
        try:
            json.loads(half)
            raise Failed("half of the JSON can be read")
        except ValueError:
            pass
        fault(fault="strings", path=f"{PIS}/none")
        check("numbers as strings", sim.admin.get(f"{PIS}/none").expect(404).json["error_code"], "600")
        fault(fault="extra", path=PIS)
        sim.cluster("sales", "create", register=True)
        check("unknown fields", "x_added_in_a_later_release" in sim.admin.get(PIS).json["results"][0], True)
        fault(fault="empty", status=500)
        check("no body", sim.admin.get(PIS).expect(500).content, b"")
        check("details are not always there", "details" in sim.admin.get(f"{PIS}/none").json, False)
        fault(fault="redirect", to=0)
        check("elsewhere", sim.admin.get(PIS).expect(307).headers["Location"], sim.managers[0]["url"] + PIS)
        fault(fault="status", status=503, code=98, method="POST", path="/api/v1/*", skip=1, count=1)
        sim.admin.post("/api/v1/cluster", None, action="x").expect(400)
        sim.admin.get(PIS).expect(200)
        sim.admin.post("/api/v1/cluster", None, action="x").expect(503, 98)


@facts("7.14")
def test_broken_connections(start):
    with start() as sim:
        fault = lambda **rule: sim.steer("POST", "faults", rule)  # noqa: E731
        fault(fault="cut", bytes=10, count=2)
        try:
            sim.connect().get(PIS)
            raise Failed("the answer was complete")
        except (http.client.IncompleteRead, ConnectionResetError):
            pass
        sim.steer("DELETE", "faults")
        fault(fault="close", count=2)
        try:
            sim.connect().get(PIS)
            raise Failed("there was an answer")
        except (http.client.RemoteDisconnected, ConnectionResetError):
            pass
        sim.steer("DELETE", "faults")
        fault(fault="stall", ms=150)
        begin = time.monotonic()
        sim.admin.get(PIS).expect(200)
        check("late", time.monotonic() - begin >= 0.15, True)
        # The server acts although the answer is lost.
        fault(fault="close", method="PUT", count=2, acts=True)
        try:
            sim.connect().put(f"{GROUPS}/g", {"display_name": "g"})
            raise Failed("there was an answer")
        except (http.client.RemoteDisconnected, ConnectionResetError):
            pass
        sim.admin.get(f"{GROUPS}/g").expect(200)
        fault(fault="expire-sessions", skip=1)
        user = sim.connect()
        user.log_in().expect(200)
        user.get(PIS).expect(403, 98)


@facts("7.15", "1.3")
def test_success_without_a_body(start):
    with start() as sim:
        for name in ("one", "two"):
            sim.admin.put(f"{GROUPS}/{name}", {}).expect(200)
            sim.admin.put(f"{POLICIES}/{name}", {"category": "Application"}).expect(200)
        for path in (f"{GROUPS}/one", f"{POLICIES}/one", f"{CCPS}/none", f"{PIS}/none"):
            answer = sim.admin.delete(path).expect(200)
            check(path, (answer.content, answer.headers["Content-Type"]), (b"", None))
        sim.switch(delete_status="204")
        for path in (f"{GROUPS}/two", f"{POLICIES}/two"):
            check(path, sim.admin.delete(path).expect(204).content, b"")


@facts("1.1")
def test_node(start):
    with start("--nsx-version", "4.2.1.0.0.24304122") as sim:
        version = sim.admin.get("/api/v1/node/version").json
        check("version", (version["product_version"], version["node_version"]), ("4.2.1.0.0.24304122",) * 2)
        check("date", sim.admin.get("/api/v1/node/version").headers["Date"].endswith("GMT"), True)
        sim.admin.get("/api/v1/nonsense").expect(404)
        sim.admin.post("/api/v1/node/version").expect(405)


ODD = (None, [], {}, 0, "", True, {"x": None}, [[]], [None], ["x"], {"id": 7, "rules": [7, None, {"id": 3}], "scope": [None, 7]},
       {"category": 7, "expression": {"a": 1}, "name": 7, "node_id": [], "certificate": {}, "certificate_pem": 5},
       {"category": "Application", "rules": "x", "scope": "x", "tags": 5, "display_name": {}},
       {"category": "Application", "rules": [{"id": "r", "source_groups": 5, "scope": [5]}]},
       {"expression": [None, 5, "x", [], {"expressions": [None]}, {"member_type": 5, "external_ids": [5]}], "group_type": 5},
       {"remote_file_server": 5, "passphrase": {}}, {"remote_file_server": {"protocol": []}},
       {"data": [{"id": 5}]}, {"data": {}}, {"node_id": "x", "timestamp": "x"}, {"container_cluster_path": 5},
       {"report_interval": "x", "_revision": "x"}, {"principal_identity_id": 5, "certificate_id": None})
WRITTEN = (("POST", PIS), ("POST", PIS + "/with-certificate"), ("POST", "/api/v1/trust-management/certificates"),
           ("POST", "/api/v1/trust-management/token-principal-identities"), ("PUT", f"{CCPS}/sales"), ("PUT", f"{CCPS}/odd"),
           ("PUT", f"{CCPS}/sales/heartbeat-config"), ("PUT", f"{POLICIES}/odd"), ("PATCH", f"{POLICIES}/odd"),
           ("PUT", f"{POLICIES}/odd/rules/r"), ("PATCH", f"{POLICIES}/odd/rules/r"), ("PUT", f"{POLICIES}/odd/container-cluster-span/s"),
           ("PUT", f"{GROUPS}/odd"), ("PATCH", f"{GROUPS}/odd"), ("PUT", "/policy/api/v1/infra/services/odd"),
           ("PUT", "/api/v1/cluster/backups/config"), ("POST", "/api/v1/cluster/restore"), ("PUT", "/api/v1/configs/management"),
           ("POST", "/api/v1/cluster"), ("POST", "/policy/api/v1/search/reconcile"))
READ = (PIS, CCPS, POLICIES, GROUPS, "/api/v1/trust-management/certificates", f"{GROUPS}/odd/members/pods",
        f"{GROUPS}/odd/associated-kubernetes-clusters", f"{POLICIES}/odd", "/api/v1/cluster/backups/overview")


@facts("7.14")
def test_nothing_that_is_sent_ends_it(start):
    with start() as sim:
        sim.cluster("sales", "create", register=True)
        for method, path in WRITTEN:
            for body in ODD:
                for query in ({}, {"action": "import"}, {"action": "update_certificate"}, {"action": "start"}, {"action": "advance"}):
                    if query and method == "PUT":
                        continue
                    status = sim.admin.send(method, path, json.dumps(body), **query).status
                    if status >= 500 and status != 500:
                        raise Failed(f"{method} {path} {body} gave {status}")
            for text in (b"", b"{", b"\xff\xfe", b"null", b"[" * 3000):
                sim.admin.send(method, path, text)
        for path in READ:
            sim.admin.get(path)
            sim.admin.get(path, cursor="-1", page_size="x", included_fields=",", sort_by="x", intent_path="/", query=":::")
        sim.steer("GET", "dump")
        sim.advance(100)
