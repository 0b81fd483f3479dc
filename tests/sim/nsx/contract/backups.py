"""Backups: configuration, running, history."""

from client import BACKUPS, RESTORE, check, facts

SERVER = {"server": "sftp.local", "port": 22, "directory_path": "/nsx", "protocol": {
    "protocol_name": "sftp", "ssh_fingerprint": "SHA256:x",
    "authentication_scheme": {"scheme_name": "PASSWORD", "username": "nsx", "password": "secret-1"}}}
CONFIG = {"backup_enabled": True, "passphrase": "Secret-Passphrase-1", "remote_file_server": SERVER}


def configure(sim, **more):
    return sim.admin.put(BACKUPS + "/config", {**CONFIG, **more}).expect(200)


@facts("7.12", "1.10")
def test_secrets_are_never_returned(start):
    with start() as sim:
        check("nothing at first", sim.admin.get(BACKUPS + "/config").json["backup_enabled"], False)
        sim.admin.put(BACKUPS + "/config", {**CONFIG, "passphrase": "weak"}).expect(400)
        for answer in (configure(sim), sim.admin.get(BACKUPS + "/config"), sim.admin.get(BACKUPS + "/overview")):
            text = answer.expect(200).content.decode().lower()
            check("no secret", [word for word in ("secret-p", "secret-1", "passphrase", "_sim_") if word in text], [])
        check("server", sim.admin.get(BACKUPS + "/config").json["remote_file_server"]["server"], "sftp.local")
        fingerprint = sim.admin.post(BACKUPS, {"server": "sftp.local"}, action="retrieve_ssh_fingerprint").expect(200).json
        check("fingerprint", fingerprint["ssh_fingerprint"].startswith("SHA256:"), True)


@facts("7.12", "1.10")
def test_a_backup_runs(start):
    with start() as sim:
        trigger = lambda: sim.admin.post("/api/v1/cluster", None, action="backup_to_remote")  # noqa: E731
        trigger().expect(400)
        configure(sim)
        check("none", sim.admin.get(BACKUPS + "/status").json["operation_type"], "NONE")
        check("no id in the answer", trigger().expect(200).content, b"")
        status = sim.admin.get(BACKUPS + "/status").json
        check("running", (status["operation_type"], status["current_step"]), ("BACKUP", "BACKUP_CREATING_CLUSTER_BACKUP"))
        trigger().expect(409)
        check("not restorable yet", sim.admin.all(RESTORE + "/backuptimestamps"), [])
        sim.advance(20)
        check("second step", sim.admin.get(BACKUPS + "/status").json["current_step"], "BACKUP_CREATING_NODE_BACKUP")
        sim.advance(20)
        history = sim.admin.get(BACKUPS + "/history").json
        check("history", [one["success"] for one in history["cluster_backup_statuses"] + history["node_backup_statuses"]], [True, True])
        check("inventory apart", history["inventory_backup_statuses"], [])
        sim.admin.post("/api/v1/cluster", None, action="summarize_inventory_to_remote").expect(200)
        check("inventory", len(sim.admin.get(BACKUPS + "/history").json["inventory_backup_statuses"]), 1)
        entry = sim.admin.all(RESTORE + "/backuptimestamps")[0]
        check("entry", (entry["ip_address"], entry["timestamp"] > 0), ("127.0.0.1", True))


@facts("7.12", "1.10")
def test_failures(start):
    with start() as sim:
        configure(sim)
        for code in ("BACKUP_SERVER_UNREACHABLE", "BACKUP_AUTHENTICATION_FAILURE", "BACKUP_BAD_FINGERPRINT"):
            sim.steer("POST", "backup", {"fail": code})
            sim.admin.post("/api/v1/cluster", None, action="backup_to_remote").expect(200)
            sim.advance(40)
            last = sim.admin.get(BACKUPS + "/history").json["cluster_backup_statuses"][0]
            check(code, (last["success"], last["error_code"]), (False, code))
        check("nothing to restore", sim.admin.all(RESTORE + "/backuptimestamps"), [])
        # What is left out keeps its value: the passphrase still counts.
        rest = {key: value for key, value in CONFIG.items() if key != "passphrase"}
        sim.admin.put(BACKUPS + "/config", rest).expect(200)
        sim.admin.post("/api/v1/cluster", None, action="backup_to_remote").expect(200)
        sim.advance(40)
        check("one", len(sim.admin.all(RESTORE + "/backuptimestamps")), 1)


@facts("1.10", "1.11")
def test_published_names(start):
    with start() as sim:
        configure(sim)
        sim.admin.put("/api/v1/configs/management", {"publish_fqdns": True, "_revision": 0}).expect(200)
        sim.admin.post("/api/v1/cluster", None, action="backup_to_remote").expect(200)
        sim.advance(40)
        check("by name", sim.admin.all(RESTORE + "/backuptimestamps")[0]["ip_address"], "nsx-1.sim.local")
