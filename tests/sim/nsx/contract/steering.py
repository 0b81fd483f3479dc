"""The simulator's own: audit log, counters, snapshots, clock, partitions of all kinds."""

import email.utils
import http.client
import json

from client import CCPS, GROUPS, PIS, POLICIES, Connection, Failed, check, facts


@facts("DESIGN 9")
def test_audit_log(start):
    with start() as sim:
        site = {"X-Salvor-Call-Site": "post-resync/orphans/delete"}
        sim.cluster("sales", "create", register=True)
        sim.admin.put(f"{GROUPS}/g", {"display_name": "secret-body"}, headers=site).expect(200)
        sim.admin.get(PIS, page_size=5).expect(200)
        sim.connect(password="secret-password").get(PIS).expect(403)
        sim.admin.delete(f"{CCPS}/sales", headers={"X-Allow-Overwrite": "true"}).expect(200)
        lines = sim.lines()
        wanted = [("PUT", "/policy/api/v1/infra/domains/{domain}/groups/{group}", 200, "admin"),
                  ("GET", "/api/v1/trust-management/principal-identities", 200, "admin"),
                  ("GET", "/api/v1/trust-management/principal-identities", 403, None),
                  ("DELETE", "/policy/api/v1/infra/sites/{site}/enforcement-points/{point}/cluster-control-planes/{id}", 200, "admin")]
        check("lines", [(one["method"], one["template"], one["status"], one.get("user")) for one in lines], wanted)
        check("call site", lines[0]["callSite"], site["X-Salvor-Call-Site"])
        check("effects", lines[0]["effects"], [{"op": "create", "table": "groups", "key": "g"}])
        check("reading has none", "effects" in lines[1], False)
        check("owner of what was deleted", [(one["op"], one["table"], one["owner"]) for one in lines[3]["effects"]],
              [("delete", "controlPlanes", "sales")])
        check("overwrite", lines[3]["overwrite"], "true")
        check("error code", lines[2]["errorCode"], 403)
        with open(sim.audit, encoding="utf-8") as file:
            text = file.read()
        check("nothing secret", [word for word in ("secret-body", "secret-password", "Passw0rd") if word in text], [])


@facts("DESIGN 9")
def test_counters(start):
    with start() as sim:
        for _ in range(3):
            sim.admin.get(PIS).expect(200)
        sim.admin.get(f"{PIS}/none").expect(404)
        counters = sim.steer("GET", "counters")["admin"]
        check("by template", (counters["GET /api/v1/trust-management/principal-identities"],
                              counters["GET /api/v1/trust-management/principal-identities/{id}"]), (3, 1))
        sim.steer("DELETE", "counters")
        check("reset", sim.steer("GET", "counters"), {})


@facts("DESIGN 9")
def test_snapshots(start):
    with start() as sim:
        sim.cluster("sales", "create", register=True)
        sim.steer("POST", "settings", {"restoreStepMs": 1000})
        copy = sim.steer("POST", "snapshot")
        second = Connection(copy["managers"][0])
        check("the same certificate", copy["managers"][0]["sha256"], sim.managers[0]["sha256"])
        sim.admin.put(f"{GROUPS}/parent", {}).expect(200)
        second.get(f"{GROUPS}/parent").expect(404)
        # The generator goes on too: both make the same of the same request.
        one = second.put(f"{GROUPS}/parent", {}).expect(200).json
        check("unique_id", one["unique_id"], sim.admin.get(f"{GROUPS}/parent").json["unique_id"])
        second.delete(f"{CCPS}/sales", headers={"X-Allow-Overwrite": "true"}).expect(200)
        sim.admin.get(f"{CCPS}/sales").expect(200)
        check("an audit log of its own", copy["audit"], sim.audit + ".1")
        connection = http.client.HTTPConnection("127.0.0.1", copy["controlPort"], timeout=30)
        connection.request("POST", "/_sim/snapshot")
        third = json.loads(connection.getresponse().read())
        check("a snapshot of a snapshot", third["audit"].startswith(sim.audit + ".1."), True)
        Connection(third["managers"][0]).get(f"{CCPS}/sales").expect(404)


@facts("1.1")
def test_clock(start):
    with start("--start", "1700000000000") as sim:
        check("start", sim.steer("GET", "clock")["nowMs"], 1700000000000)
        sim.advance(3600)
        check("advanced", sim.steer("GET", "clock")["nowMs"], 1700003600000)
        date = email.utils.parsedate_to_datetime(sim.admin.get(PIS).headers["Date"])
        check("Date follows", int(date.timestamp()), 1700003600)
        sim.steer("POST", "clock", {"perRequest": 500})
        for _ in range(4):
            sim.admin.get(PIS).expect(200)
        check("each request moves it", sim.steer("GET", "clock")["nowMs"], 1700003602000)
        sim.steer("POST", "clock", {"perRequest": 0, "rate": 1000})
        while sim.steer("GET", "clock")["nowMs"] < 1700003603000:
            pass
        made = sim.admin.put(f"{GROUPS}/g", {}).json["_create_time"]
        if made < 1700003603000:
            raise Failed(f"created at {made}")


@facts("7.8", "3")
def test_clusters_inside(start):
    with start() as sim:
        sim.cluster("sales", "create", register=True)
        pair = sim.pair("sales")
        sim.connect(pair=pair).get(PIS).expect(200)
        connected = lambda: sim.steer("GET", "dump")["adapters"]["sales"]["connected"]  # noqa: E731
        check("connected", connected(), True)
        found = sim.admin.get(PIS).json["results"][0]
        copy = sim.steer("POST", "snapshot")
        Connection(copy["managers"][0]).delete(f"{PIS}/{found['id']}").expect(200)
        sim.advance(10)
        port = http.client.HTTPConnection("127.0.0.1", copy["controlPort"], timeout=30)
        port.request("GET", "/_sim/adapters")
        check("without its identity it is dropped", json.loads(port.getresponse().read())["sales"]["connected"], False)
        sim.cluster("sales", "rotate")
        check("NSX does not know the new certificate", connected(), False)
        sim.connect(pair=sim.pair("sales")).get(PIS).expect(403, 403)
        sim.cluster("sales", "destroy")
        sim.admin.get(f"{CCPS}/sales").expect(200)
        sim.cluster("other", "create")
        sim.admin.get(f"{CCPS}/other").expect(404)
        sim.cluster("other", "register")
        sim.admin.get(f"{CCPS}/other").expect(200)
        sim.cluster("other", "deregister")
        sim.admin.get(f"{CCPS}/other").expect(404)
        check("the identity stays", [one["name"] for one in sim.admin.get(PIS).json["results"]].count("other"), 1)


@facts("8")
def test_switches_are_described(start):
    with start() as sim:
        switches = sim.steer("GET", "switches")
        for switch in switches:
            if len(switch["positions"]) < 2 or not switch["statement"] or not switch["facts"]:
                raise Failed(f"incomplete: {switch}")
            check("default", switch["position"], switch["positions"][0])
            for position in switch["positions"]:
                sim.steer("POST", "switches", {switch["name"]: position})
        for wrong in ({"nonsense": "x"}, {"pi-duplicate": "x"}):
            try:
                sim.steer("POST", "switches", wrong)
            except Failed:
                continue
            raise Failed(f"{wrong} was taken")
        sim.admin.get(POLICIES).expect(200)
