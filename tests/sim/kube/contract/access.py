"""Who may do what, and how that is asked."""

from client import Client, Failed, check
from fixture import GROUP, Place, maps

REVIEWS = "/apis/authorization.k8s.io/v1"
RBAC = "rbac.authorization.k8s.io"


def asked(verb, resource, group="", **more):
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {"verb": verb, "resource": resource, "group": group, **more}}}


def test_administrator(kube):
    answer = kube.post(f"{REVIEWS}/selfsubjectaccessreviews", asked("delete", "secrets", namespace="default")).expect(201).json
    check("allowed", (answer["kind"], answer["status"]["allowed"]), ("SelfSubjectAccessReview", True))
    rules = kube.post(f"{REVIEWS}/selfsubjectrulesreviews", {
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": "default"}}).expect(201).json["status"]
    if not any("*" in rule["verbs"] and "*" in rule["resources"] for rule in rules["resourceRules"]):
        raise Failed("the administrator's rules are missing")
    check("complete", "incomplete" in rules, True)


def test_who_am_i(kube):
    answer = kube.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {
        "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}).expect(201).json
    groups = answer["status"]["userInfo"]["groups"]
    check("groups", {"system:masters", "system:authenticated"} <= set(groups), True)


def test_wrong_token(kube):
    stranger = Client(kube.kubeconfig, token="wrong")
    answer = stranger.get("/api/v1/namespaces")
    answer.client = kube
    answer.expect(401, "Unauthorized", "Unauthorized")


def as_user(name, *groups):
    return {"Impersonate-User": name, **({"Impersonate-Group": groups[0]} if groups else {})}


def test_refusals(kube):
    headers = as_user("contract-nobody")
    where = f'in the namespace "{kube.namespace}"'
    kube.get(maps(kube).path, headers=headers).expect(
        403, "Forbidden", f'configmaps is forbidden: User "contract-nobody" cannot list resource "configmaps" in API group "" {where}',
        {"kind": "configmaps"})
    kube.get(f"/apis/{GROUP}/v1/gadgets/x", headers=headers).expect(
        403, "Forbidden", f'gadgets.{GROUP} "x" is forbidden: User "contract-nobody" cannot get resource "gadgets" in API group '
        f'"{GROUP}" at the cluster scope', {"name": "x", "group": GROUP, "kind": "gadgets"})
    secrets = f"/api/v1/namespaces/{kube.namespace}/secrets"
    kube.get(secrets, headers=headers, limit="500").expect(403, "Forbidden")
    kube.get("/metrics", headers=headers).expect(
        403, "Forbidden", 'forbidden: User "contract-nobody" cannot get path "/metrics"')


def test_roles(kube):
    """What a role allows, and nothing else."""
    user = f"contract-{kube.run}"
    roles = Place(kube, RBAC, "roles", kind="Role")
    bindings = Place(kube, RBAC, "rolebindings", kind="RoleBinding")
    roles.make("contract", rules=[
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]},
        {"apiGroups": [GROUP], "resources": ["widgets/status"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["this"], "verbs": ["get"]},
    ])
    bindings.make("contract", roleRef={"apiGroup": RBAC, "kind": "Role", "name": "contract"},
                  subjects=[{"kind": "Group", "name": user}])
    headers = as_user("contract-member", user)
    maps(kube).make("readable")
    from fixture import wait
    wait("the binding to be seen", lambda: kube.get(maps(kube).path, headers=headers).status == 200)
    kube.get(maps(kube).at("readable"), headers=headers).expect(200)
    kube.delete(maps(kube).at("readable"), headers=headers).expect(403, "Forbidden")
    kube.get(maps(kube).everywhere, headers=headers).expect(403, "Forbidden")
    for verb, resource, group, more, wanted in (
        ("get", "configmaps", "", {}, True), ("watch", "configmaps", "", {}, False),
        ("get", "widgets", GROUP, {"subresource": "status"}, True), ("get", "widgets", GROUP, {}, False),
        ("get", "secrets", "", {"name": "this"}, True), ("get", "secrets", "", {"name": "other"}, False),
    ):
        body = asked(verb, resource, group, namespace=kube.namespace, **more)
        answer = kube.post(f"{REVIEWS}/selfsubjectaccessreviews", body, headers=headers).expect(201).json
        check(f"{verb} {resource} {more}", answer["status"]["allowed"], wanted)
    rules = kube.post(f"{REVIEWS}/selfsubjectrulesreviews", {
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": kube.namespace}}, headers=headers).expect(201).json["status"]
    wanted = {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["this"]}
    if wanted not in rules["resourceRules"]:
        raise Failed(f"the rule is not among {rules['resourceRules']}")


def test_impersonation_needs_a_right(kube):
    headers = {**as_user("contract-nobody")}
    kube.get("/api/v1/namespaces", headers=headers).expect(403, "Forbidden")


def test_review_of_another(kube):
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": {"user": "contract-nobody", "resourceAttributes": {"verb": "get", "resource": "secrets"}}}
    answer = kube.post(f"{REVIEWS}/subjectaccessreviews", body).expect(201).json
    check("refused", answer["status"]["allowed"], False)
