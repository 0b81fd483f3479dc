"""The objects of the load generator: what a grown Rancher site holds, repeatable by seed.

Each object comes from a random generator of its own, seeded with (seed, kind, index), so that a larger
load with the same seed begins with the objects of a smaller one as far as they do not refer to others.
"""

import base64
import random

# Shares of the Rancher-like objects, in per mille. The first 100 or so of a kind hold the odd cases,
# so that a small load has them too.
SHARES = {
    "Setting": 40,
    "User": 80,
    "Token": 150,
    "GlobalRole": 20,
    "GlobalRoleBinding": 80,
    "RoleTemplate": 20,
    "Cluster": 20,
    "Project": 50,
    "ProjectRoleTemplateBinding": 120,
    "ClusterRoleTemplateBinding": 40,
    "GitRepo": 30,
    "Bundle": 40,
    "BundleDeployment": 40,
    "FleetCluster": 20,
    "ProvisioningCluster": 20,
    "Machine": 30,
    "Secret": 100,
    "ConfigMap": 50,
    "ClusterRole": 30,
    "ClusterRoleBinding": 20,
}
WORDS = "anchor buoy capstan davit ensign fathom gangway hawser isobar jib keel lanyard mast neap oar".split()
ABOVE_DOUBLE = (2**53 + 1, -(2**53) - 1, 2**63 - 1, 9007199254740995, 1234567890123456789)
FIXED_NAMESPACES = ("cattle-system", "cattle-global-data", "fleet-default", "fleet-local", "cattle-fleet-system")


class Load:
    def __init__(self, seed, objects, namespaces):
        self.seed, self.namespaces = seed, namespaces
        self.counts = {kind: max(1, objects * share // 1000) for kind, share in SHARES.items()}
        # Rounding must not change the number asked for.
        self.counts["Token"] += max(0, objects - sum(self.counts.values()))

    def random(self, *parts):
        return random.Random("/".join(map(str, (self.seed, *parts))))

    # Names -----------------------------------------------------------------------------------------

    def name(self, kind, i, prefix="", rbac=False):
        """Unique by its index; some as odd as the API server allows."""
        odd = i % 50
        base = f"{prefix}{self.random('name', kind, i).choice(WORDS)}-{i}"
        if odd == 7:
            return f"{base}-filters"
        if odd == 11:
            return f"filters.json.{base}"
        if odd == 13:
            return (base + "." + "long-name-" * 30)[: 249 + i // 50 % 4].rstrip("-.") + "z"
        if odd == 17 and rbac:
            return f"{base}:p-demo:namespaces-edit"
        if odd == 19 and rbac:
            return f"{base} Größe~(人)"
        if odd == 23:
            return f"{base}.with.dots.example"
        return base

    def user(self, i):
        return self.name("User", i, "u-")

    def cluster(self, i):
        return "local" if i == 0 else f"c-m-{self.random('cluster', i).randrange(36**6):06x}{i}"

    def project_namespace(self, i):
        return f"p-{i:05d}"

    # Building blocks -------------------------------------------------------------------------------

    def text(self, rng, size):
        return rng.randbytes((size * 3 + 3) // 4).hex()[:size]

    def size(self, rng, i):
        """Most are tiny; one in 40 fills pages, one in 500 comes near the server's limit."""
        if i % 500 == 3:
            return rng.randrange(300_000, 700_000)
        if i % 40 == 3:
            return rng.randrange(8_000, 30_000)
        return rng.randrange(0, 600)

    def base(self, api_version, kind, name, namespace=None, **meta):
        metadata = {"name": name, **meta}
        if namespace:
            metadata["namespace"] = namespace
        return {"apiVersion": api_version, "kind": kind, "metadata": metadata}

    def owned_by(self, api_version, kind, name, block=False):
        """The uid is filled in when the owner has been made."""
        owner = {"apiVersion": api_version, "kind": kind, "name": name}
        if block:
            owner |= {"blockOwnerDeletion": True, "controller": True}
        return [owner]

    # Stages: what a later one refers to has been made before -------------------------------------

    def stages(self):
        yield "namespaces", list(self.namespace_objects())
        yield "owners", list(self.owners())
        yield "objects", list(self.dependents())
        yield "workloads", list(self.workloads())

    def namespace_objects(self):
        names = [*FIXED_NAMESPACES]
        names += [self.cluster(i) for i in range(self.counts["Cluster"])]
        names += [self.project_namespace(i) for i in range(self.counts["Project"])]
        for name in names:
            yield self.base("v1", "Namespace", name, annotations={"management.cattle.io/system-namespace": "true"})
        for i in range(self.namespaces):
            yield self.base("v1", "Namespace", self.workload_namespace(i), labels={"e2e/team": WORDS[i % len(WORDS)]})

    def owners(self):
        management = "management.cattle.io/v3"
        for i in range(self.counts["User"]):
            user = self.base(management, "User", self.user(i), labels={"e2e/index": str(i)})
            if i % 3 == 0:
                user["metadata"]["finalizers"] = ["controller.cattle.io/mgmt-auth-users-controller"]
            yield user | {
                "username": f"user{i}",
                "displayName": f"{WORDS[i % len(WORDS)].title()} Ünal <{i}> & Söhne",
                "principalIds": [f"local://{self.user(i)}"],
            }
        for i in range(self.counts["Cluster"]):
            rng = self.random("Cluster", i)
            yield self.base(
                management, "Cluster", self.cluster(i), finalizers=["controller.cattle.io/cluster-agent-controller-cleanup"]
            ) | {"spec": {"displayName": f"cluster-{i}", "desiredAgentImage": "", "internal": i == 0, "n": rng.choice(ABOVE_DOUBLE)}}
        for i in range(self.counts["ProvisioningCluster"]):
            yield self.base("provisioning.cattle.io/v1", "Cluster", self.name("ProvisioningCluster", i), "fleet-default") | {
                "spec": {"kubernetesVersion": "v1.35.4+rke2r1", "rkeConfig": {"machinePools": [{"name": "pool", "quantity": i % 5}]}}
            }
        for i in range(self.counts["GitRepo"]):
            rng = self.random("GitRepo", i)
            yield self.base(
                "fleet.cattle.io/v1alpha1", "GitRepo", self.name("GitRepo", i), "fleet-default", finalizers=["fleet.cattle.io/gitrepo-finalizer"]
            ) | {"spec": {"repo": f"https://git.example.com/{rng.choice(WORDS)}/{i}", "branch": "main", "forceSyncGeneration": rng.choice(ABOVE_DOUBLE)}}

    def dependents(self):
        for kind in SHARES:
            make = getattr(self, f"make_{kind}", None)
            for i in range(self.counts[kind] if make else 0):
                yield make(i, self.random(kind, i))

    def make_Setting(self, i, rng):
        names = ("server-version", "server-url", "install-uuid", "cacerts")
        return self.base("management.cattle.io/v3", "Setting", names[i] if i < len(names) else self.name("Setting", i)) | {
            "default": self.text(rng, rng.randrange(40)),
            "value": f"https://host-{i}.example.com/?a=<b>&c=\u2028",
            "customized": i % 2 == 0,
            "number": rng.choice(ABOVE_DOUBLE) if i % 4 == 0 else rng.randrange(-(10**6), 10**6),
            # The server writes 55.0 as 55.
            "ratio": (rng.randrange(1000) * 2 + 1) / 8,
        }

    def make_Token(self, i, rng):
        user = self.user(rng.randrange(self.counts["User"]))
        return self.base(
            "management.cattle.io/v3",
            "Token",
            f"token-{i:06d}{self.text(rng, 5)}",
            labels={"authn.management.cattle.io/kind": rng.choice(("session", "kubeconfig", "provisioning"))},
            ownerReferences=self.owned_by("management.cattle.io/v3", "User", user),
        ) | {"userId": user, "token": self.text(rng, 64), "ttl": rng.choice((0, 57600000, 2**53 + 1)), "isDerived": False}

    def make_GlobalRole(self, i, rng):
        return self.base("management.cattle.io/v3", "GlobalRole", self.name("GlobalRole", i, "gr-")) | {
            "builtin": i % 5 == 0,
            "displayName": f"role {i}",
            "rules": [{"apiGroups": ["*"], "resources": [rng.choice(WORDS)], "verbs": ["get", "list"]}],
        }

    def make_GlobalRoleBinding(self, i, rng):
        user = self.user(rng.randrange(self.counts["User"]))
        return self.base(
            "management.cattle.io/v3",
            "GlobalRoleBinding",
            self.name("GlobalRoleBinding", i, "grb-"),
            ownerReferences=self.owned_by("management.cattle.io/v3", "User", user),
        ) | {"globalRoleName": self.name("GlobalRole", rng.randrange(self.counts["GlobalRole"]), "gr-"), "userName": user}

    def make_RoleTemplate(self, i, rng):
        return self.base("management.cattle.io/v3", "RoleTemplate", self.name("RoleTemplate", i, "rt-")) | {
            "builtin": i % 4 == 0,
            "context": rng.choice(("project", "cluster")),
            "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]}] * rng.randrange(1, 20),
        }

    def make_Project(self, i, rng):
        cluster = self.cluster(rng.randrange(self.counts["Cluster"]))
        return self.base(
            "management.cattle.io/v3",
            "Project",
            self.project_namespace(i),
            cluster,
            finalizers=["controller.cattle.io/namespace-auth"] if i % 2 else [],
            ownerReferences=self.owned_by("management.cattle.io/v3", "Cluster", cluster),
        ) | {"spec": {"clusterName": cluster, "displayName": f"project {i}", "resourceQuota": {"limit": {"pods": str(rng.randrange(500))}}}}

    def make_ProjectRoleTemplateBinding(self, i, rng):
        user = self.user(rng.randrange(self.counts["User"]))
        return self.base(
            "management.cattle.io/v3",
            "ProjectRoleTemplateBinding",
            self.name("ProjectRoleTemplateBinding", i, "prtb-"),
            self.project_namespace(rng.randrange(self.counts["Project"])),
            ownerReferences=self.owned_by("management.cattle.io/v3", "User", user),
        ) | {"projectName": f"local:p-{i % 7}", "roleTemplateName": "project-member", "userName": user}

    def make_ClusterRoleTemplateBinding(self, i, rng):
        cluster = self.cluster(rng.randrange(self.counts["Cluster"]))
        return self.base(
            "management.cattle.io/v3",
            "ClusterRoleTemplateBinding",
            self.name("ClusterRoleTemplateBinding", i, "crtb-"),
            cluster,
            finalizers=["controller.cattle.io/mgmt-auth-crtb-controller"],
            ownerReferences=self.owned_by("management.cattle.io/v3", "Cluster", cluster),
        ) | {"clusterName": cluster, "roleTemplateName": "cluster-owner", "userName": self.user(rng.randrange(self.counts["User"]))}

    def make_Bundle(self, i, rng):
        repo = self.name("GitRepo", rng.randrange(self.counts["GitRepo"]))
        return self.base(
            "fleet.cattle.io/v1alpha1",
            "Bundle",
            self.name("Bundle", i),
            "fleet-default",
            ownerReferences=self.owned_by("fleet.cattle.io/v1alpha1", "GitRepo", repo, block=True),
        ) | {"spec": {"resources": [{"name": "chart.yaml", "content": self.text(rng, self.size(rng, i))}]}}

    def make_BundleDeployment(self, i, rng):
        return self.base("fleet.cattle.io/v1alpha1", "BundleDeployment", self.name("BundleDeployment", i), "fleet-default") | {
            "spec": {"deploymentID": self.text(rng, 64), "generation": rng.choice(ABOVE_DOUBLE)}
        }

    def make_FleetCluster(self, i, rng):
        return self.base("fleet.cattle.io/v1alpha1", "Cluster", self.name("FleetCluster", i), "fleet-default") | {
            "spec": {"clientID": self.text(rng, 16), "redeployAgentGeneration": rng.randrange(9)}
        }

    def make_Machine(self, i, rng):
        owner = self.name("ProvisioningCluster", rng.randrange(self.counts["ProvisioningCluster"]))
        return self.base(
            "cluster.x-k8s.io/v1beta2",
            "Machine",
            self.name("Machine", i),
            "fleet-default",
            finalizers=["machine.cluster.x-k8s.io"],
            ownerReferences=self.owned_by("provisioning.cattle.io/v1", "Cluster", owner),
        ) | {"spec": {"clusterName": owner, "providerID": f"rke2://{self.text(rng, 20)}"}}

    def make_Secret(self, i, rng):
        secret = self.base("v1", "Secret", self.name("Secret", i), rng.choice(FIXED_NAMESPACES))
        if i % 5 == 0:
            secret["metadata"]["labels"] = {"resources.cattle.io/backup": "true"}
        kind = rng.choice(("Opaque", "rke.cattle.io/machine-plan", "rke.cattle.io/machine-state"))
        content = base64.b64encode(rng.randbytes(self.size(rng, i))).decode()
        return secret | {"type": kind, "data": {"plan": content} if content else {}}

    def make_ConfigMap(self, i, rng):
        content = {"text": f"line\nline\t\x01<&>\u2029 {WORDS[i % len(WORDS)]} é中🛟 " + self.text(rng, self.size(rng, i))}
        return self.base("v1", "ConfigMap", self.name("ConfigMap", i), rng.choice(FIXED_NAMESPACES)) | {"data": content}

    def make_ClusterRole(self, i, rng):
        return self.base("rbac.authorization.k8s.io/v1", "ClusterRole", self.name("ClusterRole", i, "p-", rbac=True)) | {
            "rules": [{"apiGroups": [""], "resources": [rng.choice(("pods", "secrets"))], "verbs": ["get"]}] * (1 + i % 30)
        }

    def make_ClusterRoleBinding(self, i, rng):
        role = self.name("ClusterRole", rng.randrange(self.counts["ClusterRole"]), "p-", rbac=True)
        return self.base("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", self.name("ClusterRoleBinding", i, "crb-", rbac=True)) | {
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": self.user(i % self.counts["User"])}],
        }

    # Workloads ---------------------------------------------------------------------------------------

    def workload_namespace(self, i):
        return f"team-{WORDS[i % len(WORDS)]}-{i}" + ("-filters" if i % 10 == 7 else "")

    def workloads(self):
        for i in range(self.namespaces):
            space, rng = self.workload_namespace(i), self.random("workload", i)
            labels = {"app": f"app-{i}"}
            yield self.base("v1", "ServiceAccount", "runner", space)
            yield self.base("v1", "ConfigMap", "settings", space) | {"data": {"x": self.text(rng, rng.randrange(2000))}}
            yield self.base("v1", "Secret", "credentials", space) | {"type": "Opaque", "stringData": {"token": self.text(rng, 40)}}
            yield self.base("v1", "Service", "web", space) | {"spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]}}
            yield self.base("v1", "PersistentVolumeClaim", "data", space) | {
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "storageClassName": "none",
                    "resources": {"requests": {"storage": f"{1 + i % 9}Gi"}},
                }
            }
            yield self.base("rbac.authorization.k8s.io/v1", "Role", "runner:read", space) | {
                "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]
            }
            yield self.base("rbac.authorization.k8s.io/v1", "RoleBinding", "runner:read", space) | {
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "runner:read"},
                "subjects": [{"kind": "ServiceAccount", "name": "runner", "namespace": space}],
            }
            yield self.base("apps/v1", "Deployment", "web", space, labels=labels) | {
                "spec": {
                    "replicas": rng.randrange(2),
                    "selector": {"matchLabels": labels},
                    "template": {
                        "metadata": {"labels": labels},
                        "spec": {"serviceAccountName": "runner", "containers": [{"name": "web", "image": "registry.example/web:1"}]},
                    },
                }
            }
