"""Who asks: passwords, sessions, client certificates, roles."""

import http.client
import ssl

from client import PIS, Failed, certificate, check, facts, identity

HEALTH = "/api/v1/reverse-proxy/node/health"
ABORTED = (ssl.SSLError, ConnectionResetError, http.client.RemoteDisconnected, BrokenPipeError)


@facts("7.1", "1.1")
def test_basic_and_remote(start):
    with start() as sim:
        sim.admin.get("/api/v1/node/version").expect(200)
        check("health needs no log-in", sim.connect(user=None).get(HEALTH).expect(200).json, {"healthy": True})
        sim.connect(user=None).get(PIS).expect(403, 403, "credentials were incorrect")
        sim.connect(password="wrong").get(PIS).expect(403, 403)
        sim.connect(user="nobody").get(PIS).expect(403, 403)
        sim.steer("POST", "users", {"name": "op@corp.local", "password": "p", "role": "enterprise_admin"})
        sim.connect(user="op@corp.local", password="p", scheme="Remote").get(PIS).expect(200)
        # A remote user needs the scheme word and the suffix.
        sim.connect(user="op@corp.local", password="p").get(PIS).expect(403, 403)
        sim.connect(user="op", password="p", scheme="Remote").get(PIS).expect(403, 403)


@facts("7.1", "1.1")
def test_lockout(start):
    with start() as sim:
        for _ in range(5):
            sim.connect(password="wrong").get(PIS).expect(403, 403)
        sim.admin.get(PIS).expect(403, 403, "locked")
        sim.connect().log_in().expect(403, 403)
        sim.advance(901)
        sim.admin.get(PIS).expect(200)
        sim.steer("POST", "settings", {"lockoutFailures": 2})
        for _ in range(2):
            sim.connect(password="wrong").get(PIS).expect(403, 403)
        sim.admin.get(PIS).expect(403, 403)


@facts("7.1", "1.1")
def test_sessions(start):
    with start("--managers", "2") as sim:
        user = sim.connect()
        user.log_in(password="wrong").expect(403, 403)
        answer = user.log_in().expect(200)
        check("cookie", answer.headers["Set-Cookie"].startswith("JSESSIONID="), True)
        user.get(PIS).expect(200)
        token = user.headers.pop("X-XSRF-TOKEN")
        user.get(PIS).expect(403, 98)
        user.headers["X-XSRF-TOKEN"] = "wrong"
        user.get(PIS).expect(403, 98)
        user.headers["X-XSRF-TOKEN"] = token
        user.get(PIS).expect(200)
        # One cookie jar per manager.
        other = sim.connect(1)
        other.headers = dict(user.headers)
        other.get(PIS).expect(403, 98)
        sim.steer("POST", "expire-sessions", {})
        user.get(PIS).expect(403, 98)
        user.log_in().expect(200)
        sim.advance(1801)
        user.get(PIS).expect(403, 98)
        user.log_in().expect(200)
        user.post("/api/session/destroy").expect(200)
        user.get(PIS).expect(403, 98)
        sim.switch(session_destroy="missing")
        user.log_in().expect(200)
        user.post("/api/session/destroy").expect(404)
        user.get(PIS).expect(200)


@facts("7.1", "1.1", "1.4")
def test_client_certificates(start):
    with start() as sim:
        pair, strange = certificate("sales"), certificate("strange")
        sim.admin.post(PIS + "/with-certificate", identity("sales", pair[0])).expect(201)
        sales = sim.connect(pair=pair)
        sales.get(PIS).expect(200)
        check("who", sales.get("/api/v1/aaa/user-info").json["user_name"], "sales")
        sim.connect(pair=strange).get(PIS).expect(403, 403)
        sim.switch(unknown_certificate="tls-abort")
        try:
            sim.connect(pair=strange).get(PIS)
            raise Failed("the handshake did not end")
        except ABORTED:
            pass
        sim.connect(pair=pair).get(PIS).expect(200)
        found = sales.get(PIS).json["results"][0]["id"]
        sim.admin.delete(f"{PIS}/{found}").expect(200)
        sales.get(PIS).expect(403, 403)


@facts("7.1", "1.1")
def test_expired_certificate_is_not_trusted(start):
    with start() as sim:
        pair = certificate("short", days=1)
        sim.admin.post(PIS + "/with-certificate", identity("short", pair[0])).expect(201)
        user = sim.connect(pair=pair)
        user.get(PIS).expect(200)
        sim.advance(2 * 24 * 3600)
        user.get(PIS).expect(500, 99)


@facts("7.1", "1.1", "1.4")
def test_roles(start):
    with start() as sim:
        limited = certificate("limited")
        roles = [{"path": "/", "roles": [{"role": "cluster_info_reader"}]}]
        body = identity("limited", limited[0], roles_for_paths=roles)
        sim.admin.post(PIS + "/with-certificate", body).expect(201)
        user = sim.connect(pair=limited)
        user.get(PIS).expect(200)
        user.post(PIS + "/with-certificate", identity("x", certificate("x")[0])).expect(403, 401)
        sim.switch(limited_pi_read="refused")
        answer = user.get(PIS).expect(403)
        if answer.json["error_code"] in (98, 99, 403):
            raise Failed(f"a limited identity counts as authenticated: {answer.json}")
        sim.steer("POST", "users", {"name": "audit", "password": "p", "role": "auditor"})
        auditor = sim.connect(user="audit", password="p")
        auditor.get(PIS).expect(200)
        auditor.post(PIS + "/with-certificate", identity("y", certificate("y")[0])).expect(403, 401)


@facts("7.1", "1.1")
def test_managers(start):
    with start("--managers", "3") as sim:
        sim.connect(2).get(PIS).expect(200)
        sim.steer("POST", "managers", {"index": 2, "up": False})
        try:
            sim.connect(2).get(PIS)
            raise Failed("a manager that is off answered")
        except ConnectionRefusedError:
            pass
        status = sim.admin.get("/api/v1/cluster/status").json
        check("degraded", status["mgmt_cluster_status"]["status"], "DEGRADED")
        check("offline", len(status["mgmt_cluster_status"]["offline_nodes"]), 1)
        sim.steer("POST", "managers", {"index": 2, "up": True})
        check("stable", sim.admin.get("/api/v1/cluster/status").json["mgmt_cluster_status"]["status"], "STABLE")
        sim.steer("POST", "managers", {"index": 1, "healthy": False})
        check("health", sim.connect(1).get(HEALTH).json, {"healthy": False})


@facts("7.1", "1.1")
def test_changed_manager_certificate(start):
    with start() as sim:
        before = sim.managers[0]
        old = sim.connect()
        old.get(PIS).expect(200)
        sim.steer("POST", "managers", {"index": 0, "certificate": "new"})
        after = sim.managers[0]
        check("same port", before["port"], after["port"])
        if before["sha256"] == after["sha256"]:
            raise Failed("the thumbprint is the same")
        try:
            old.get(PIS)
            raise Failed("the old certificate still counts")
        except ssl.SSLCertVerificationError:
            pass
        sim.connect().get(PIS).expect(200)
