"""The oracle: what a recovery may have deleted, and what must be at its end. It knows the history's truth, the state
of NSX and the audit logs; it knows neither the recovery nor how that classifies."""

import json

from world import SPACE, client

OWNED = ("principals", "certificates", "controlPlanes", "spans")


class Standing:
    """How a registration stands right after the restore."""

    def __init__(self, world, registration, intent):
        self.registration = registration
        name, cluster = registration.name, world.clusters.get(registration.cluster)
        self.is_hidden = registration.cluster in world.hidden
        self.is_apart = registration.cluster in world.apart
        plane = intent["controlPlanes"].get(name)
        identity = [one for one in intent["principals"].values() if one["name"] == name]
        self.same_id = self.same_pair = False
        if registration.lives and plane and identity and cluster.cluster_id() == plane["node_id"]:
            pem = cluster.certificate()
            fingerprint = world.fingerprint(pem) if pem else None
            self.same_id = True
            self.same_pair = fingerprint == plane["_sim_sha256"] == identity[0]["_sim_sha256"]

    @property
    def is_protected(self):
        """Nothing of it may be deleted: it works, or nobody can know that it does not."""
        return self.registration.lives and (self.is_hidden or self.is_apart or self.same_id)

    @property
    def is_intact(self):
        return self.registration.lives and self.same_id and self.same_pair


class Checker:
    """Begun after a restore and before the recovery; asked after it."""

    def __init__(self, world):
        self.world = world
        self.before = world.learn()
        self.first_line = len(world.nsx.lines())
        self.kube_lines = {number: self.count_lines(cluster.audit) for number, cluster in world.clusters.items()}
        self.standing = {id(one): Standing(world, one, self.before) for one in world.registrations}
        self.of_policy = self.spans_by_policy(self.before)

    @staticmethod
    def count_lines(path):
        with open(path, encoding="utf-8") as file:
            return sum(1 for _ in file)

    def spans_by_policy(self, intent):
        spans = {name: [] for name in intent["policies"]}
        for key, one in intent["spans"].items():
            owner = self.world.owners.get(("spans", one["unique_id"]))
            spans.setdefault(key.split("/")[0], []).append(owner)
        return spans

    def protected(self, owner):
        return owner is not None and self.standing_of(owner).is_protected

    def standing_of(self, owner):
        if id(owner) not in self.standing:
            self.standing[id(owner)] = Standing(self.world, owner, self.before)
        return self.standing[id(owner)]

    def goes(self, policy):
        """Only clusters that are gone had it."""
        owners = self.of_policy.get(policy, [])
        return bool(owners) and all(owner is not None and not self.still_named(owner) for owner in owners)

    def still_named(self, owner):
        """A living cluster has that name, under this registration or a later one."""
        return any(one.lives and one.name == owner.name for one in self.world.registrations)

    def is_beyond_reach(self, owner):
        """A living cluster of that name cannot be looked at, so that nobody can know whose the objects are."""
        standings = [self.standing_of(one) for one in self.world.registrations if one.lives and one.name == owner.name]
        return any(one.is_hidden or one.is_apart for one in standings)

    # --- what was deleted

    def wrongs(self):
        found = []
        for line in self.world.nsx.lines()[self.first_line:]:
            for effect in line.get("effects", []):
                if effect["op"] == "delete":
                    why = self.wrong(effect)
                    if why:
                        found.append(f"{line['method']} {line['path']} by {line.get('user')} deleted {effect['table']} "
                                     f"{effect['key']}: {why}")
        return found

    def wrong(self, effect):
        table, key, unique = effect["table"], effect["key"], effect.get("unique")
        if table == "tokenPrincipals":
            return "token identities are never to be touched"
        if table in OWNED:
            if table == "spans" and key.split("/")[0] not in self.before["policies"]:
                return None
            return self.wrong_owned(table, unique, key)
        if table == "policies" and key in self.before["policies"]:
            return None if self.goes(key) else "a living cluster has it, or no cluster had it"
        if table == "rules" and key.split("/")[0] in self.before["policies"]:
            return None if self.goes(key.split("/")[0]) else "the policy stays"
        if table == "groups" and key in self.before["groups"]:
            users = [name.split("/")[0] for name, rule in self.before["rules"].items()
                     if f"/groups/{key}" in json.dumps(rule)]
            return None if users and all(self.goes(one) for one in users) else "it has users that stay"
        return None

    def wrong_owned(self, table, unique, key):
        owner = self.world.owners.get((table, unique))
        if owner is None:
            is_old = any(unique in (one.get("unique_id"), one.get("node_id"), one["id"]) for one in self.before[table].values())
            return "nobody knows whose it was" if is_old else None
        if not self.protected(owner):
            return None
        if table == "certificates" and not self.standing_of(owner).is_hidden:
            cluster = self.world.clusters[owner.cluster]
            old = self.before[table].get(key)
            if old is not None and old["_sim_sha256"] != self.world.fingerprint(cluster.certificate()):
                return None  # the cluster has another one by now
        return f"cluster {owner.cluster} lives as {owner.name}"

    def kube_wrongs(self):
        """Nobody writes into a cluster that is in order or out of sight."""
        found = []
        for registration in self.world.registrations:
            standing = self.standing_of(registration)
            if not registration.lives or not (standing.is_intact or standing.is_hidden):
                continue
            cluster = self.world.clusters[registration.cluster]
            with open(cluster.audit, encoding="utf-8") as file:
                lines = [json.loads(line) for line in file][self.kube_lines.get(registration.cluster, 0):]
            for line in lines:
                agent = line.get("userAgent", "")
                if line["method"] not in ("GET", "HEAD") and agent not in ("site",) and "sim-antrea-cluster" not in agent \
                        and not line.get("dryRun") and "selfsubject" not in line["path"] and line.get("resource") != "leases":
                    found.append(f"{line['method']} {line['path']} in cluster {registration.cluster}, which needs nothing")
        return found

    # --- what is at the end

    def left(self):
        """What should not be there any more, and what should."""
        world, found = self.world, []
        intent = world.learn()
        for table in OWNED:
            for key, one in intent[table].items():
                unique = one["node_id"] if table == "controlPlanes" else one["unique_id"] if table == "spans" else key
                owner = world.owners.get((table, unique))
                if owner is not None and not owner.lives and not self.is_beyond_reach(owner) \
                        and not (table == "spans" and self.still_named(owner)):
                    found.append(f"{table} {key} of cluster {owner.cluster}, gone, is left")
        for policy in self.before["policies"]:
            if self.goes(policy) and policy in intent["policies"]:
                found.append(f"policy {policy} is left, which only gone clusters had")
            elif not self.goes(policy):
                found += self.missing_of_policy(policy, intent)
        adapters = world.nsx.steer("GET", "adapters")
        for registration in world.registrations:
            found += self.missing_of(registration, intent, adapters)
        return found + [f"NSX: {one}" for one in world.nsx.steer("GET", "state")["violations"]]

    def missing_of_policy(self, policy, intent):
        found = []
        if policy not in intent["policies"]:
            return [f"policy {policy} is lost"]
        if intent["policies"][policy].get("_sim_widened"):
            found.append(f"policy {policy} applies to everything now")
        rule = f"{policy}/r1"
        if rule in self.before["rules"] and intent["rules"].get(rule, {}).get("action") != self.before["rules"][rule]["action"]:
            found.append(f"rule {rule} is another one")
        have = {one["container_cluster_path"].rsplit("/", 1)[1] for key, one in intent["spans"].items() if key.startswith(policy + "/")}
        for owner in self.of_policy[policy]:
            if owner is not None and self.still_named(owner) and owner.name not in have:
                found.append(f"policy {policy} lost its span for {owner.name}")
        return found

    def missing_of(self, registration, intent, adapters):
        standing, name = self.standing_of(registration), registration.name
        if not registration.lives or standing.is_hidden or standing.is_apart:
            return []
        cluster = self.world.clusters[registration.cluster]
        plane, adapter = intent["controlPlanes"].get(name), adapters.get(name)
        identity = [one for one in intent["principals"].values() if one["name"] == name]
        if not plane or not identity:
            return [f"{name} is not registered"]
        pem = cluster.certificate()
        wanted = self.world.fingerprint(pem) if pem else None
        if cluster.cluster_id() != plane["node_id"]:
            return [f"{name} has another id than its cluster believes"]
        if not wanted == plane["_sim_sha256"] == identity[0]["_sim_sha256"]:
            return [f"{name} has another certificate than its cluster"]
        if not (adapter and adapter["connected"] and adapter["clusterId"] == plane["node_id"]):
            return [f"{name} is not connected"]
        return []

    # --- a second recovery has nothing to do

    def unsettled(self):
        """Living clusters that no recovery can bring into order now; a second one may try again."""
        return [one for one in self.world.registrations
                if one.lives and not self.standing_of(one).is_intact and self.standing_of(one).is_apart]

    def effects_since(self, line):
        """Changes of intent by others than the clusters themselves."""
        found = []
        for one in self.world.nsx.lines()[line:]:
            if one.get("effects") and one["userKind"] != "principal" and not one["path"].startswith("/sim-adapter/"):
                found.append(f"{one['method']} {one['path']}")
        return found


__all__ = ["Checker", "Standing", "SPACE", "client"]
