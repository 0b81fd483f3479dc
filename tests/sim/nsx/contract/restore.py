"""The state machine of a restore, what it rolls back, and the resynchronisation that follows."""

import http.client

from backups import CONFIG, configure
from client import BACKUPS, CCPS, FABRIC, PIS, POLICIES, RESTORE, Failed, check, facts
from status import states

UNREACHABLE = (ConnectionRefusedError, ConnectionResetError, http.client.RemoteDisconnected)


def status(sim):
    return sim.admin.get(RESTORE + "/status").expect(200).json


def value(sim):
    return status(sim)["status"]["value"]


def act(sim, action, body=None):
    return sim.admin.post(RESTORE, body, action=action)


def begin(sim, **more):
    entry = sim.admin.all(RESTORE + "/backuptimestamps")[0]
    return act(sim, "start", {"node_id": entry["node_id"], "timestamp": entry["timestamp"], **more})


def backed_up(sim):
    configure(sim)
    sim.steer("POST", "backup", {})


def answer_instruction(sim):
    found = status(sim)
    instruction = found["instructions"][0]
    sim.admin.get(RESTORE + "/instruction-resources", instruction_id=instruction["id"]).expect(200)
    return act(sim, "advance", {"data": [{"id": instruction["id"], "resources": []}]})


@facts("7.11", "1.11")
def test_from_initial_to_success(start):
    with start("--managers", "3") as sim:
        first = status(sim)
        check("never restored", (first["status"]["value"], "restore_end_time" in first), ("INITIAL", False))
        sim.switch(restore_initial="NOT_STARTED")
        check("as texts call it", value(sim), "NOT_STARTED")
        sim.switch(restore_initial="INITIAL")
        backed_up(sim)
        for index in (1, 2):
            sim.steer("POST", "managers", {"index": index, "up": False})
        started = begin(sim).expect(200).json
        check("running", (started["status"]["value"], started["step"]["step_number"], started["total_steps"]), ("RUNNING", 1, 11))
        check("no end yet", started["restore_end_time"], None)
        check("meanwhile", started["not_allowed_actions"], ["VC_UPDATES"])
        begin(sim).expect(409, 29150)
        sim.advance(60)
        try:
            sim.admin.get(RESTORE + "/status")
            raise Failed("services did not restart")
        except UNREACHABLE:
            pass
        sim.advance(20)
        page = sim.admin.get(RESTORE + "/status").expect(502)
        check("a gateway's page", page.headers["Content-Type"], "text/html")
        sim.advance(10)
        sim.admin.get(POLICIES).expect(503, 98)
        check("the status is there again", status(sim)["step"]["step_number"], 5)
        sim.advance(10)
        waiting = status(sim)
        check("waits", waiting["status"]["value"], "SUSPENDED_FOR_USER_ACTION")
        check("allowed", sorted(one["href"].split("=")[1] for one in waiting["endpoints"]), ["advance", "cancel"])
        act(sim, "advance", {"data": [{"id": "wrong", "resources": []}]}).expect(400)
        act(sim, "suspend").expect(409)
        answer_instruction(sim).expect(200)
        check("goes on", value(sim), "RUNNING")
        sim.advance(100)
        done = status(sim)
        check("done", done["status"]["value"], "SUCCESS")
        if not done["restore_end_time"] or done["restore_end_time"] < done["restore_start_time"]:
            raise Failed(f"no end: {done}")
        check("backup", done["backup_timestamp"], sim.admin.all(RESTORE + "/backuptimestamps")[0]["timestamp"])
        cluster = sim.admin.get("/api/v1/cluster/status").json
        check("one node of three", cluster["mgmt_cluster_status"]["status"], "DEGRADED")
        check("control plane settles", cluster["control_cluster_status"]["status"], "INITIALIZING")
        sim.advance(60)
        check("settled", sim.admin.get("/api/v1/cluster/status").json["control_cluster_status"]["status"], "STABLE")
        check("no violation", sim.steer("GET", "state")["violations"], [])
        for index in (1, 2):
            sim.steer("POST", "managers", {"index": index, "up": True})
        check("added again", sim.admin.get("/api/v1/cluster/status").json["mgmt_cluster_status"]["status"], "STABLE")


@facts("7.11", "1.11")
def test_suspend_resume_cancel(start):
    with start() as sim:
        backed_up(sim)
        for action in ("suspend", "resume", "cancel", "retry", "advance"):
            act(sim, action, {"data": []}).expect(409)
        act(sim, "nonsense").expect(400)
        begin(sim).expect(200)
        act(sim, "cancel").expect(409)
        act(sim, "suspend").expect(200)
        check("an unknown value while the step ends", value(sim), "SUSPENDING")
        sim.switch(restore_suspending="hidden")
        check("hidden", value(sim), "RUNNING")
        sim.advance(20)
        check("suspended", value(sim), "SUSPENDED_BY_USER")
        sim.switch(restore_resume="missing")
        act(sim, "resume").expect(400)
        sim.switch(restore_resume="supported", restore_conflict_body="status")
        check("the status as body of a conflict", act(sim, "advance", {"data": []}).expect(409).json["status"]["value"], "SUSPENDED_BY_USER")
        act(sim, "resume").expect(200)
        check("running", value(sim), "RUNNING")
        act(sim, "suspend").expect(200)
        sim.advance(20)
        act(sim, "cancel").expect(200)
        check("aborted", value(sim), "ABORTED")
        begin(sim).expect(200)


@facts("7.11", "1.11")
def test_failure_and_retry(start):
    with start() as sim:
        backed_up(sim)
        sim.steer("POST", "restore", {"failAt": 3})
        begin(sim).expect(200)
        sim.advance(60)
        failed = status(sim)
        check("failed", (failed["status"]["value"], failed["step"]["step_number"], failed["restore_end_time"]), ("FAILED", 3, None))
        act(sim, "retry").expect(200)
        sim.advance(200)
        check("goes on", value(sim), "SUSPENDED_FOR_USER_ACTION")


@facts("7.11", "1.11", "6")
def test_wrong_passphrase(start):
    with start() as sim:
        backed_up(sim)
        configure(sim, passphrase="Another-Passphrase-2")
        begin(sim).expect(200)
        sim.advance(40)
        failed = status(sim)["status"]
        check("failed", failed["value"], "FAILED")
        if "passphrase" not in failed["description"]:
            raise Failed(f"the cause is not named: {failed}")
        act(sim, "retry").expect(200)
        sim.advance(20)
        check("again", value(sim), "FAILED")
        configure(sim)
        act(sim, "retry").expect(200)
        sim.advance(20)
        check("a plain retry goes on with the old one", value(sim), "FAILED")
        sim.admin.post(RESTORE + "/action/retry_with_updated_config").expect(200)
        sim.advance(120)
        check("goes on", value(sim), "SUSPENDED_FOR_USER_ACTION")


@facts("7.11", "1.11", "6")
def test_what_does_not_fit(start):
    with start("--managers", "2") as sim:
        sim.admin.get(RESTORE + "/backuptimestamps").expect(400)
        backed_up(sim)
        entry = sim.admin.all(RESTORE + "/backuptimestamps")[0]
        act(sim, "start", {"node_id": "x", "timestamp": 1}).expect(400)
        sim.steer("POST", "redeploy", {"address": "10.0.0.9", "fqdn": "other.local"})
        configure(sim)
        act(sim, "start", {"node_id": entry["node_id"], "timestamp": entry["timestamp"]}).expect(400)
        sim.steer("POST", "redeploy", {"address": "127.0.0.1", "version": "9.0.2.0.1"})
        configure(sim)
        sim.steer("POST", "managers", {"index": 1, "up": True})
        act(sim, "start", {"node_id": entry["node_id"], "timestamp": entry["timestamp"]}).expect(200)
        sim.advance(40)
        failed = status(sim)["status"]
        check("another build", (failed["value"], "version" in failed["description"]), ("FAILED", True))
        check("what must not be", sim.steer("GET", "state")["violations"], ["restore started while manager 1 was running"])


@facts("7.11", "1.1")
def test_certificate_of_the_appliance(start):
    with start(switches={"restore-certificate": "new-until-success"}) as sim:
        backed_up(sim)
        own = sim.managers[0]["sha256"]
        sim.steer("POST", "redeploy", {})
        other = sim.managers[0]["sha256"]
        check("another one", other == own, False)
        sim.admin = sim.connect()
        configure(sim)
        begin(sim).expect(200)
        sim.advance(120)
        answer_instruction(sim).expect(200)
        sim.advance(120)
        check("the old one again", sim.managers[0]["sha256"], own)
        sim.admin = sim.connect()
        check("done", value(sim), "SUCCESS")


@facts("7.11", "1.11", "7")
def test_everything_is_rolled_back(start):
    with start() as sim:
        configure(sim)
        for name in ("alive", "dies"):
            sim.cluster(name, "create", register=True, pods=5)
        sim.admin.put(f"{POLICIES}/kept", {"category": "Application", "rules": [{"id": "r", "action": "DROP"}]}).expect(200)
        sim.advance(80)
        before = sim.steer("GET", "dump")["intent"]
        sim.steer("POST", "backup", {})
        sim.cluster("dies", "deregister")
        sim.cluster("dies", "destroy")
        identity = next(one["id"] for one in sim.admin.get(PIS).json["results"] if one["name"] == "dies")
        sim.admin.delete(f"{PIS}/{identity}").expect(200)
        sim.cluster("late", "create", register=True)
        sim.admin.patch(f"{POLICIES}/kept", {"rules": [{"id": "r", "action": "ALLOW"}]}).expect(200)
        sim.admin.put(f"{POLICIES}/lost", {"category": "Application"}).expect(200)
        sim.advance(80)
        sim.steer("POST", "restore", {})
        dump = sim.steer("GET", "dump")
        for table in ("principals", "certificates", "controlPlanes", "policies", "rules", "spans", "groups"):
            check(table, dump["intent"][table], before[table])
        check("an orphan is back", sim.admin.get(f"{CCPS}/dies").expect(200).json["id"], "dies")
        check("nobody has reported", states(sim, "alive"), ["UNKNOWN"] * 3)
        check("no inventory", sim.admin.all(FABRIC + "/container-clusters"), [])
        sim.advance(70)
        check("the live one came back", states(sim, "alive"), ["HEALTHY"] * 3)
        check("its inventory too", [one["display_name"] for one in sim.admin.all(FABRIC + "/container-clusters")], ["alive"])
        check("the orphan is silent", states(sim, "dies"), ["UNKNOWN"] * 3)
        sim.admin.get(f"{CCPS}/late").expect(404)
        check("the late one cannot connect", dump["adapters"]["late"]["connected"], False)
        heard = sim.admin.get(f"{CCPS}/alive/status").json["mp_adapter_status"]["conditions"][0]["last_heartbeat_time"]
        if heard <= status(sim)["restore_end_time"]:
            raise Failed("the heartbeat is older than the restore")


@facts("7.11", "1.12")
def test_switches_of_what_is_seen_afterwards(start):
    with start(switches={"restore-inventory": "from-backup", "resync-flag": "present"}) as sim:
        configure(sim)
        sim.cluster("alive", "create", register=True, pods=5)
        sim.cluster("dies", "create", register=True, pods=5)
        sim.advance(80)
        sim.steer("POST", "backup", {})
        synced = {one["display_name"]: one["_last_sync_time"] for one in sim.admin.all(FABRIC + "/container-clusters")}
        sim.cluster("dies", "destroy")
        sim.advance(80)
        sim.steer("POST", "restore", {})
        found = {one["display_name"]: one["_last_sync_time"] for one in sim.admin.all(FABRIC + "/container-clusters")}
        check("stale entries", sorted(found), ["alive", "dies"])
        sim.advance(70)
        found = {one["display_name"]: one["_last_sync_time"] for one in sim.admin.all(FABRIC + "/container-clusters")}
        end = status(sim)["restore_end_time"]
        check("who reported", (found["alive"] > end, found["dies"] <= synced["dies"] + 60000), (True, True))
        check("a field that nobody knows", status(sim)["antrea_resync_status"], "COMPLETED")


@facts("7.11", "1.11")
def test_a_new_appliance_knows_nothing(start):
    with start() as sim:
        backed_up(sim)
        sim.cluster("one", "create", register=True)
        node = sim.admin.get("/api/v1/node").json["node_uuid"]
        sim.steer("POST", "redeploy", {})
        check("another node", sim.admin.get("/api/v1/node").json["node_uuid"] == node, False)
        check("empty", sim.admin.get(PIS).json["results"], [])
        check("never restored", value(sim), "INITIAL")
        sim.admin.get(RESTORE + "/backuptimestamps").expect(400)
        sim.admin.put(BACKUPS + "/config", CONFIG).expect(200)
        entry = sim.admin.all(RESTORE + "/backuptimestamps")[0]
        check("the backups are on the server", entry["node_id"], node)
