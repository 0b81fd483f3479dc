"""Objects of a Rancher management cluster, made from a seed: the same number gives the same ones."""

import base64
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
E2E = os.path.join(HERE, "../../e2e")
sys.path.insert(0, os.path.join(E2E, "lib"))
import definitions as tables  # pylint: disable=wrong-import-position,import-error

MANAGEMENT = "management.cattle.io/v3"
FLEET = "fleet.cattle.io/v1alpha1"
RBAC = "rbac.authorization.k8s.io/v1"
INSTALL_UUID = "0b3f5f0e-6f3e-4c0d-9a51-6c2d7a0e1c11"


def definitions():
    return tables.definitions(f"{E2E}/crds/rancher.tsv", f"{E2E}/crds/rancher-backup.tsv")


def one(api_version, kind, name, namespace=None, labels=None, owner=None, **members):
    metadata = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    if labels:
        metadata["labels"] = labels
    if owner:
        metadata["ownerReferences"] = [
            {"apiVersion": owner["apiVersion"], "kind": owner["kind"],
             "name": owner["metadata"]["name"], "uid": "00000000-0000-0000-0000-000000000000"}
        ]
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata} | members


def rancher(version="v2.15.0", replicas=3):
    """Rancher's own Deployment, which no archive brings back."""
    return one("apps/v1", "Deployment", "rancher", "cattle-system", {"app": "rancher"},
               spec={"replicas": replicas, "selector": {"matchLabels": {"app": "rancher"}},
                     "template": {"metadata": {"labels": {"app": "rancher"}},
                                  "spec": {"containers": [{"name": "rancher",
                                                           "image": f"rancher/rancher:{version}"}]}}})


def operator(version="v11.0.1"):
    return [
        one("v1", "Namespace", "cattle-resources-system"),
        one("apps/v1", "Deployment", "rancher-backup", "cattle-resources-system",
            {"app": "rancher-backup", "helm.sh/chart": "rancher-backup-109.0.0_up11.0.1"},
            spec={"replicas": 1, "selector": {"matchLabels": {"app": "rancher-backup"}},
                  "template": {"metadata": {"labels": {"app": "rancher-backup"}},
                               "spec": {"containers": [
                                   {"name": "rancher-backup",
                                    "image": f"rancher/backup-restore-operator:{version}"}]}}}),
    ]


def settings(version="v2.15.0", url="https://rancher.example.com"):
    return [
        one(MANAGEMENT, "Setting", "server-version", source="env", value=version, default=""),
        one(MANAGEMENT, "Setting", "server-url", value=url),
        one(MANAGEMENT, "Setting", "install-uuid", value=INSTALL_UUID),
    ]


def local_cluster(kubernetes="v1.36.3+k3s1", provider="k3s"):
    cluster = one(MANAGEMENT, "Cluster", "local", labels={"provider.cattle.io": provider},
                  spec={"displayName": "local", "internal": True,
                        f"{provider}Config": {"kubernetesVersion": kubernetes}},
                  status={"driver": provider, "provider": provider,
                          "version": {"gitVersion": kubernetes}})
    cluster["metadata"]["annotations"] = {
        "management.cattle.io/current-cluster-controllers-version": kubernetes}
    return cluster


def namespaces():
    return [one("v1", "Namespace", name) for name in
            ("cattle-system", "cattle-fleet-system", "fleet-default", "fleet-local", "local")]


def secret(name, namespace, rng, labels=None, size=60):
    value = base64.b64encode(rng.randbytes(size)).decode()
    return one("v1", "Secret", name, namespace, labels, type="Opaque", data={"value": value})


def user_with_rights(number, rng):
    """A user, its binding, and what Rancher derives from it: owners three deep."""
    user = one(MANAGEMENT, "User", f"u-{number:05d}", username=f"user{number}",
               displayName=f"Zo\u00eb {number}", principalIds=[f"local://u-{number:05d}"])
    user["metadata"]["finalizers"] = ["controller.cattle.io/mgmt-auth-users-controller"]
    binding = one(MANAGEMENT, "GlobalRoleBinding", f"grb-{number:05d}", owner=user,
                  userName=f"u-{number:05d}", globalRoleName="user")
    derived = one(RBAC, "ClusterRoleBinding", f"grb-u-{number:05d}", owner=binding,
                  labels={"cattle.io/creator": "norman"},
                  roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                           "name": f"cattle-role-{rng.randrange(20)}"},
                  subjects=[{"apiGroup": "rbac.authorization.k8s.io", "kind": "User",
                             "name": f"u-{number:05d}"}])
    return [user, binding, derived]


def project(number, rng):
    name = f"p-{number:05d}"
    return [
        one("v1", "Namespace", name,
            labels={"field.cattle.io/projectId": name}),
        one(MANAGEMENT, "Project", name, "local", spec={"displayName": f"project <{number}> & co",
                                                        "clusterName": "local"}),
        secret(f"creds-{number}", name, rng, size=rng.choice((30, 60, 900, 3000))),
        one("v1", "ServiceAccount", f"sa-{number}", name),
        one(RBAC, "RoleBinding", f"rb-{number}", name,
            roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                     "name": f"cattle-role-{rng.randrange(20)}"},
            subjects=[{"apiGroup": "rbac.authorization.k8s.io", "kind": "User",
                       "name": f"u-{rng.randrange(100):05d}"}]),
    ]


def roles():
    return [one(RBAC, "ClusterRole", f"cattle-role-{number}",
                rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}])
            for number in range(20)]


def difficult(rng):
    """One of each kind of trouble."""
    machine = one("cluster.x-k8s.io/v1beta2", "Machine", "m-1", "fleet-default",
                  spec={"clusterName": "demo"}, status={"phase": "Running"})
    return [
        one("v1", "ConfigMap", "my-filters", "cattle-system", data={"a": "operator's own word"}),
        one("v1", "ConfigMap", "plain", "cattle-system",
            data={"text": "line one\nline two\t<&>\u2028", "big": "x" * 5000}),
        one("v1", "ConfigMap", "n" * 240, "cattle-system", data={"size": "long"}),
        one(MANAGEMENT, "Setting", "big-numbers", value="x", numbers=[9007199254740993, 55.0]),
        secret("labelled", "default", rng, {"resources.cattle.io/backup": "true"}),
        secret("not-covered", "default", rng),
        one("v1", "Secret", "helm-release", "cattle-system", {"owner": "helm"},
            type="helm.sh/release.v1", data={"release": "eA=="}),
        one("v1", "Secret", "registration", "fleet-default",
            {"fleet.cattle.io/managed": "true"},
            type="fleet.cattle.io/cluster-registration-values", data={"values": "eA=="}),
        one(MANAGEMENT, "GlobalRole", "admin", builtin=True, displayName="Admin"),
        one(MANAGEMENT, "GlobalRole", "auditor", builtin=False, displayName="auditor"),
        one(MANAGEMENT, "Cluster", "c-m-abc", spec={"displayName": "demo"},
            status={"conditions": [{"type": "Ready", "status": "True"}]}),
        one(FLEET, "GitRepo", "shop", "fleet-default",
            spec={"repo": "https://git.example.com/shop", "clientSecretName": "git-credentials"}),
        one(FLEET, "Cluster", "c-demo", "fleet-default",
            spec={"clientID": "abc", "redeployAgentGeneration": 3}),
        one("provisioning.cattle.io/v1", "Cluster", "demo", "fleet-default",
            spec={"kubernetesVersion": "v1.35.4+rke2r1"}, status={"ready": True}),
        machine,
        secret("m-1-plan", "fleet-default", rng, {"fleet.cattle.io/managed": "true"}),
        one(RBAC, "ClusterRole", "cattle-odd <&> name",
            rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]),
    ]


def site(seed=1, users=4, projects=4, version="v2.15.0", replicas=3, with_operator=False):
    """All objects, definitions first, each after what it needs."""
    rng = random.Random(seed)
    objects = definitions() + namespaces() + settings(version) + [local_cluster()] + roles()
    for number in range(users):
        objects += user_with_rights(number, rng)
    for number in range(projects):
        objects += project(number, rng)
    objects += difficult(rng)
    objects.append(rancher(version, replicas))
    if with_operator:
        objects += operator()
    return objects
