"""Principal identities and certificates."""

from client import CERTIFICATES, PIS, TRUST, Failed, certificate, check, facts, identity

WITH = PIS + "/with-certificate"


@facts("7.4", "1.4")
def test_creation(start):
    with start() as sim:
        pem, _ = certificate("sales")
        made = sim.admin.post(WITH, identity("sales", pem)).expect(201).json
        check("no certificate in the answer", "certificate_pem" in made, False)
        check("fields", (made["name"], made["node_id"], made["_revision"], made["_protection"]),
              ("sales", "sales", 0, "NOT_PROTECTED"))
        check("display name", made["display_name"], "sales@sales")
        stored = sim.admin.get(f"{CERTIFICATES}/{made['certificate_id']}", details="true").expect(200).json
        check("a certificate object came with it", stored["details"][0]["subject_cn"], "sales")
        check("no details unless asked", "details" in sim.admin.get(f"{CERTIFICATES}/{made['certificate_id']}").json, False)
        check("used by", stored["used_by"][0]["node_id"], "sales")
        sim.switch(certificate_used_by="empty", pi_display_name="name")
        check("unused", sim.admin.get(f"{CERTIFICATES}/{made['certificate_id']}").json["used_by"], [])
        other = sim.admin.post(WITH, identity("other", certificate("other")[0])).expect(201).json
        check("plain display name", other["display_name"], "other")
        check("list", [one["name"] for one in sim.admin.get(PIS).json["results"]].sort(), ["sales", "other"].sort())
        sim.admin.get(f"{PIS}/{made['id']}").expect(200)
        sim.admin.get(f"{PIS}/none").expect(404, 600, "could not be found")
        sim.switch(not_found_code="202")
        sim.admin.get(f"{PIS}/none").expect(404, 202)


@facts("7.4", "1.4")
def test_refusals(start):
    with start() as sim:
        pem, _ = certificate("sales")
        sim.admin.post(WITH, identity("sales", pem)).expect(201)
        sim.admin.post(WITH, identity("sales", certificate("sales")[0])).expect(400, 2027, "already exists")
        sim.switch(pi_duplicate="409")
        sim.admin.post(WITH, identity("sales", certificate("sales")[0])).expect(409, 2027, "unique")
        sim.admin.post(WITH, identity("again", pem)).expect(400, 2004)
        sim.admin.post(WITH, identity("bad", "no certificate")).expect(400)
        sim.admin.post(WITH, identity("-bad-", certificate("bad")[0])).expect(400)
        sim.admin.post(WITH, {"name": "x"}).expect(400)
        sim.admin.post(WITH, "{").expect(400, 222)
        sim.switch(pi_name_rule="none")
        sim.admin.post(WITH, identity("-bad-", certificate("bad")[0])).expect(201)


@facts("7.4", "1.4")
def test_roles_in_both_forms(start):
    with start() as sim:
        old = {"name": "a", "node_id": "a", "role": "enterprise_admin", "certificate_pem": certificate("a")[0]}
        sim.admin.post(WITH, old).expect(201)
        sim.switch(pi_role_form="paths-only")
        sim.admin.post(WITH, {**old, "name": "b", "certificate_pem": certificate("b")[0]}).expect(400)
        sim.admin.post(WITH, identity("b", certificate("b")[0])).expect(201)
        sim.switch(pi_role_form="role-only")
        sim.admin.post(WITH, identity("c", certificate("c")[0])).expect(400)
        sim.admin.post(WITH, {**old, "name": "c", "certificate_pem": certificate("c")[0]}).expect(201)


@facts("7.4", "1.4")
def test_deletion_leaves_the_certificate(start):
    with start() as sim:
        pem, _ = certificate("sales")
        made = sim.admin.post(WITH, identity("sales", pem)).expect(201).json
        sim.admin.delete(f"{PIS}/{made['id']}").expect(200)
        sim.admin.get(f"{CERTIFICATES}/{made['certificate_id']}").expect(200)
        sim.admin.delete(f"{PIS}/{made['id']}").expect(200)
        sim.switch(delete_missing="404")
        sim.admin.delete(f"{PIS}/{made['id']}").expect(404)
        # The certificate object that was left stands in the way of the same certificate.
        sim.admin.post(WITH, identity("sales", pem)).expect(400, 2004)
        by_id = {**identity("sales", pem), "certificate_id": made["certificate_id"]}
        sim.admin.post(PIS, by_id).expect(201)
        again = sim.admin.get(PIS).json["results"][0]
        sim.switch(pem_reuse="in-use", delete_status="204")
        sim.admin.post(WITH, identity("two", pem)).expect(400, 2004)
        sim.admin.delete(f"{PIS}/{again['id']}").expect(204)
        sim.admin.post(WITH, identity("sales", pem)).expect(201)


@facts("7.4", "1.4")
def test_update_certificate(start):
    with start() as sim:
        old, new = certificate("sales"), certificate("sales")
        made = sim.admin.post(WITH, identity("sales", old[0])).expect(201).json
        imported = sim.admin.post(CERTIFICATES, {"display_name": "n", "pem_encoded": new[0]}, action="import").expect(200).json
        check("a list", imported["result_count"], 1)
        body = {"principal_identity_id": made["id"], "certificate_id": imported["results"][0]["id"]}
        sim.admin.post(PIS, body, action="update_certificate").expect(200)
        sim.connect(pair=new).get(PIS).expect(200)
        sim.connect(pair=old).get(PIS).expect(403, 403)
        sim.admin.post(PIS, {**body, "principal_identity_id": "none"}, action="update_certificate").expect(404)


@facts("7.5", "1.5")
def test_certificates(start):
    with start() as sim:
        pem, _ = certificate("sales")
        made = sim.admin.post(WITH, identity("sales", pem)).expect(201).json
        at = f"{CERTIFICATES}/{made['certificate_id']}"
        sim.admin.delete(at).expect(400, 2009, "in use")
        for status in (409, 412):
            sim.switch(certificate_in_use=str(status))
            sim.admin.delete(at).expect(status, 2009, "used by")
        sim.admin.delete(f"{PIS}/{made['id']}").expect(200)
        sim.steer("POST", "stale-certificates", {"id": made["certificate_id"]})
        sim.admin.delete(at).expect(400, 36518, "stale")
        free = sim.admin.post(CERTIFICATES, {"pem_encoded": certificate("free")[0]}, action="import").json["results"][0]["id"]
        sim.admin.delete(f"{CERTIFICATES}/{free}").expect(200)
        sim.admin.delete(f"{CERTIFICATES}/{free}").expect(404)
        sim.switch(certificate_missing="200")
        sim.admin.delete(f"{CERTIFICATES}/{free}").expect(200)


@facts("7.5", "1.5")
def test_import_and_validation(start):
    with start() as sim:
        chain = certificate("one")[0] + certificate("two")[0]
        imported = sim.admin.post(CERTIFICATES, {"pem_encoded": chain}, action="import").expect(200).json
        check("chain elements apart", [one["details"] if "details" in one else one["display_name"] for one in imported["results"]],
              ["one", "two"])
        first = imported["results"][0]["id"]
        check("valid", sim.admin.get(f"{CERTIFICATES}/{first}", action="validate", usage="CLIENT").json["status"], "OK")
        sim.advance(3651 * 24 * 3600)
        check("expired", sim.admin.get(f"{CERTIFICATES}/{first}", action="validate", usage="CLIENT").json["status"], "REJECTED")
        sim.admin.post(CERTIFICATES, {"pem_encoded": "none"}, action="import").expect(400)
        sim.admin.post(CERTIFICATES, {"pem_encoded": chain}).expect(400)
        details = sim.admin.get(CERTIFICATES, details="true").json["results"][0]["details"][0]
        for field in ("subject_cn", "issuer_cn", "subject", "not_before", "not_after", "serial_number", "is_ca", "public_key_algo"):
            if field not in details:
                raise Failed(f"no {field} in {details}")


@facts("1.4")
def test_token_identities(start):
    with start() as sim:
        there = sim.admin.get(f"{TRUST}/token-principal-identities").json["results"]
        check("one of NSX's own", [(one["name"], one["_system_owned"]) for one in there], [("nsx_policy", True)])
        body = {"name": "wcp-1", "node_id": "wcp-1", "role": "enterprise_admin"}
        sim.admin.post(f"{TRUST}/token-principal-identities", body).expect(201)
        sim.admin.post(WITH, identity("wcp-1", certificate("wcp-1")[0])).expect(400, 2027)
