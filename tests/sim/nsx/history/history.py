"""Random histories of a site: what happened to clusters, NSX and backups, from a seed.

A history is a list of events and nothing else; `world` makes it happen. Which registration an object belongs to,
and whether that lives, is known because the history made it so. Nothing here knows how a recovery decides.
"""

import dataclasses
import random

EVENTS = (
    ("register", 14), ("delete", 10), ("remove", 4), ("recreate", 8), ("rename", 5), ("rotate", 8), ("reregister", 4),
    ("half-identity", 4), ("half-plane", 4), ("partition", 5), ("heal", 4), ("hide", 4), ("show", 2),
    ("policy-add", 12), ("policy-change", 8), ("policy-delete", 5), ("backup", 9),
)


@dataclasses.dataclass
class Event:
    """`cluster` is a number of the history's own; `name` what NSX calls it from then on."""

    kind: str
    cluster: int = -1
    name: str = ""
    policy: str = ""
    clusters: tuple = ()
    action: str = ""

    def __str__(self):
        parts = [self.kind]
        if self.cluster >= 0:
            parts.append(f"cluster {self.cluster}")
        if self.name:
            parts.append(f"as {self.name}")
        if self.policy:
            parts.append(f"policy {self.policy} {self.action}")
        if self.clusters:
            parts.append("for clusters " + ", ".join(str(one) for one in self.clusters))
        return " ".join(parts)


class Generator:
    """Follows what exists, so that every event is possible when it comes."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.events = []
        self.names = {}  # living cluster → name, while it is or may be registered
        self.whole = set()  # fully registered
        self.apart, self.hidden = set(), set()
        self.policies = []
        self.made = 0
        self.backups = 0

    def new_cluster(self, name=None):
        number, self.made = self.made, self.made + 1
        self.names[number] = name or f"cluster-{number}"
        return number

    def forget(self, number):
        for places in (self.whole, self.apart, self.hidden):
            places.discard(number)
        return self.names.pop(number)

    def pick(self, candidates):
        candidates = sorted(candidates)
        return self.random.choice(candidates) if candidates else None

    def usable(self):
        return self.whole - self.apart - self.hidden

    def step(self, most):
        kind = self.random.choices([kind for kind, _ in EVENTS], [weight for _, weight in EVENTS])[0]
        event = self.make(kind, most)
        if event is not None:
            self.events.append(event)
        return event is not None

    def make(self, kind, most):
        if kind == "register" or kind == "half-identity":
            if len(self.names) >= most:
                return None
            number = self.new_cluster()
            if kind == "register":
                self.whole.add(number)
            return Event(kind, number, self.names[number])
        if kind == "backup":
            self.backups += 1
            return Event(kind)
        if kind.startswith("policy"):
            return self.make_policy(kind)
        return self.make_change(kind)

    def make_policy(self, kind):
        if kind == "policy-add":
            usable = sorted(self.usable())
            clusters = tuple(sorted(self.random.sample(usable, min(len(usable), self.random.randint(0, 2)))))
            self.policies.append(f"policy-{len(self.events)}")
            return Event(kind, policy=self.policies[-1], clusters=clusters, action=self.random.choice(("ALLOW", "DROP", "REJECT")))
        name = self.pick(self.policies)
        if name is None:
            return None
        if kind == "policy-delete":
            self.policies.remove(name)
        return Event(kind, policy=name, action=self.random.choice(("ALLOW", "DROP", "REJECT")))

    def make_change(self, kind):
        among = {"delete": set(self.names) - self.hidden, "partition": self.usable(), "heal": self.apart, "hide": self.usable(),
                 "show": self.hidden}.get(kind, self.usable())
        number = self.pick(among)
        if number is None or (kind in ("delete", "remove") and len(self.names) < 3):
            return None
        event = Event(kind, number, self.names[number])
        if kind in ("delete", "remove"):
            self.forget(number)
        elif kind == "recreate":
            name = self.forget(number)
            event.clusters = (self.new_cluster(name),)
            self.whole.add(event.clusters[0])
        elif kind == "rename":
            self.names[number] = event.name = f"{self.names[number]}-{len(self.events)}"
        elif kind == "half-plane":
            self.whole.discard(number)
        elif kind == "partition":
            self.apart.add(number)
        elif kind == "heal":
            self.apart.discard(number)
        elif kind == "hide":
            self.hidden.add(number)
        elif kind == "show":
            self.hidden.discard(number)
        return event


def generate(seed, least=3, most=12, events=(5, 40), rounds=None):
    """Events of a history: some clusters, a backup somewhere, changes, a restore; now and then all that twice."""
    made = Generator(seed)
    count = made.random.randint(*events)
    rounds = rounds or made.random.choice((1, 1, 1, 2))
    for _ in range(made.random.randint(least, max(least, min(most - 2, least + 3)))):
        made.events.append(made.make("register", most))
    for number in range(rounds):
        end = len(made.events) + max(2, count // rounds)
        backup_at = len(made.events) + made.random.randint(0, max(1, count // rounds // 2))
        while len(made.events) < end:
            if len(made.events) == backup_at or (made.backups == number and len(made.events) > backup_at):
                made.events.append(made.make("backup", most))
            else:
                made.step(most)
        made.events.append(Event("restore"))
        # What can be brought into order is in order, half registrations too; of the others nobody knows.
        made.whole = {one for one in made.names if one not in made.hidden and one not in made.apart}
        made.policies = []
    return made.events
