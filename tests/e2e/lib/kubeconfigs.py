"""Kubeconfig files of every kind, and the comparison of what kubectl and salvor make of them.

usage: kubeconfigs.py KUBECTL VIEW FOLDER FIRST_SEED LAST_SEED
"""
import base64
import json
import os
import random
import subprocess
import sys

NAMES = ["a", "b", "prod", "admin@prod", "x/y", "Ä", "with blank", ""]


def quoted(chance, text):
    """A text in one of the ways of YAML to write it."""
    if chance.random() < 0.3:
        return json.dumps(text, ensure_ascii=chance.random() < 0.5)
    return "'" + text.replace("'", "''") + "'"


def scalar(chance):
    return chance.choice(["https://h:6443", "https://h/k8s/clusters/c-1", "word", "1.5", "yes", "0x10", "~", ""])


def content(chance):
    text = base64.b64encode(bytes(chance.randrange(256) for _ in range(chance.randrange(1, 90)))).decode()
    if chance.random() < 0.3:
        text = "\\n".join(text[i:i + 20] for i in range(0, len(text), 20))
        return '"' + text + '"'
    return text if chance.random() < 0.9 else "'" + text + "'"


def path(chance, folder, made):
    """A relative or absolute path of a file that exists."""
    name = f"file-{len(made)}"
    made[os.path.join(folder, name)] = f"content {chance.random()}\n"
    return chance.choice([name, "./" + name, f"sub/../{name}", os.path.join(folder, name)])


def cluster(chance, folder, made):
    members = {"server": quoted(chance, scalar(chance))}
    if chance.random() < 0.4:
        members["tls-server-name"] = quoted(chance, "name")
    if chance.random() < 0.3:
        members["insecure-skip-tls-verify"] = chance.choice(["true", "false", "yes", "off"])
    if chance.random() < 0.3:
        members["certificate-authority"] = path(chance, folder, made)
    elif chance.random() < 0.4:
        members["certificate-authority-data"] = content(chance)
    if chance.random() < 0.2:
        members["proxy-url"] = quoted(chance, "http://proxy:3128")
    if chance.random() < 0.2:
        members["unknown"] = "{deep: [1, 2]}"
    if chance.random() < 0.2:
        members["extensions"] = ("[{name: client.authentication.k8s.io/exec, "
                                 "extension: {audience: x, n: 0x1f, list: [1.5, yes, ~]}}]")
    return members


def user(chance, folder, made):
    members = {}
    kind = chance.randrange(6)
    if kind == 0:
        members["token"] = quoted(chance, chance.choice(["abc", "123", "yes"]))
    elif kind == 1:
        members["client-certificate"] = path(chance, folder, made)
        members["client-key-data"] = content(chance)
    elif kind == 2:
        members["exec"] = ("{command: " + chance.choice(["login", "./bin/login", "../login", "/usr/bin/login"]) +
                           ", apiVersion: client.authentication.k8s.io/" + chance.choice(["v1", "v1beta1"]) +
                           ", args: " + chance.choice(["null", "[]", "[a, 'b c']"]) +
                           ", env: " + chance.choice(["null", "[{name: A, value: b}]"]) +
                           chance.choice(["", ", interactiveMode: Never", ", provideClusterInfo: true"]) + "}")
    elif kind == 3:
        members["username"] = quoted(chance, "name")
        members["password"] = quoted(chance, "pass word")
    elif kind == 4:
        members["tokenFile"] = chance.choice(["token", "/etc/token"])
    if chance.random() < 0.3:
        members["as"] = quoted(chance, "somebody")
        members["as-groups"] = "[g, 'h i']"
        members["as-user-extra"] = "{k: [v, w]}"
        members["as-uid"] = quoted(chance, "7")
    return members


def context(chance, names):
    members = {"cluster": quoted(chance, chance.choice(names)), "user": quoted(chance, chance.choice(names))}
    if chance.random() < 0.4:
        members["namespace"] = quoted(chance, "space")
    return members


def write_block(lines, members, indent, chance):
    if not members:
        lines[-1] += chance.choice([" {}", " null", ""])
    for key, value in members.items():
        lines.append(" " * indent + f"{key}: {value}")


def one_file(chance, folder, made):
    lines = chance.choice([["apiVersion: v1", "kind: Config"], ["# by hand"], ["---", "kind: Config"]])
    lines = list(lines)
    parts = ["clusters", "users", "contexts"]
    chance.shuffle(parts)
    for part in parts:
        names = chance.sample(NAMES, chance.randrange(0, 4))
        if not names:
            if chance.random() < 0.5:
                lines.append(f"{part}: " + chance.choice(["[]", "null", ""]))
            continue
        lines.append(f"{part}:")
        for name in names:
            lines.append(f"- name: {quoted(chance, name)}")
            lines.append(f"  {part[:-1]}:")
            members = {"clusters": lambda: cluster(chance, folder, made), "users": lambda: user(chance, folder, made),
                       "contexts": lambda: context(chance, NAMES)}[part]()
            write_block(lines, members, 4, chance)
    if chance.random() < 0.6:
        lines.append("current-context: " + quoted(chance, chance.choice(NAMES)))
    return "\n".join(lines) + "\n"


DAMAGE = [
    "users: [{name: u, user: {token: 123}}]",
    "users: [{name: u, user: {token: yes}}]",
    "clusters: [{name: u, cluster: {insecure-skip-tls-verify: 'true'}}]",
    "users: [{name: u, user: {client-key-data: YWJ}}]",
    "users: [{name: u}, {name: u}]",
    "clusters: {a: b}",
    "kind: Secret",
    "a: [",
    "- a",
    "users: [{name: u, user: {as-groups: [1]}}]",
    "users: [{name: u, user: *nobody}]",
    "contexts: [{name: p, context: {namespace: n}}]",
]


def without_nothing(value):
    """Without what says nothing: null, "", false, [] and {}."""
    if isinstance(value, dict):
        kept = {key: without_nothing(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each not in (None, "", False, [], {})}
    if isinstance(value, list):
        return [without_nothing(each) for each in value]
    return value


def of_kubectl(text):
    config = json.loads(text)
    result = {"current-context": config["current-context"]}
    for part in ("clusters", "users", "contexts"):
        entries = {}
        for entry in config[part] or []:
            value = entry[part[:-1]]
            if part == "clusters" and value.get("extensions"):
                value["extensions"] = {each["name"]: each["extension"] for each in value["extensions"]}
            entries[entry["name"]] = without_nothing(value)
        result[part] = entries
    return result


def of_salvor(text):
    config = json.loads(text)
    return {part: config[part] if part == "current-context" else
            {name: without_nothing(value) for name, value in config[part].items()}
            for part in ("current-context", "clusters", "users", "contexts")}


def resolve(theirs, ours, paths):
    """kubectl shows tokenFile and a plugin's path as they stand, and resolves them later."""
    for name, user in theirs["users"].items():
        mine = ours["users"].get(name, {})
        for holder, key in ((user, "tokenFile"), (user.get("exec", {}), "command")):
            value = holder.get(key, "")
            if os.path.isabs(value) or (key == "command" and "/" not in value):
                continue
            there = (mine if key == "tokenFile" else mine.get("exec", {})).get(key)
            if there in [os.path.normpath(os.path.join(os.path.dirname(path), value)) for path in paths]:
                holder[key] = there


def run(command, environment):
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def compare(kubectl, view, folder, seed):
    chance = random.Random(seed)
    made = {}
    paths = []
    for number in range(chance.randrange(1, 5)):
        place = os.path.join(folder, f"{seed}-{number}")
        os.makedirs(os.path.join(place, "sub"))
        paths.append(os.path.join(place, "config"))
        text = chance.choice(DAMAGE) if chance.random() < 0.08 else one_file(chance, place, made)
        with open(paths[-1], "w", encoding="utf-8") as file:
            file.write(text)
    for name, text in made.items():
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)
    if chance.random() < 0.3:
        paths.insert(chance.randrange(len(paths) + 1), os.path.join(folder, "absent"))
    if chance.random() < 0.2:
        paths.append(paths[0])
    environment = dict(os.environ, KUBECONFIG=":".join(paths), HOME=folder)
    theirs = run([kubectl, "config", "view", "--raw", "--flatten", "-o", "json"], environment)
    ours = run([view], environment)
    where = f"seed {seed}, KUBECONFIG={environment['KUBECONFIG']}"
    if (theirs.returncode == 0) != (ours.returncode == 0):
        sys.exit(f"{where}: kubectl ends with {theirs.returncode} ({theirs.stderr}), salvor with "
                 f"{ours.returncode} ({ours.stderr})")
    if theirs.returncode != 0:
        return False
    expected, got = of_kubectl(theirs.stdout), of_salvor(ours.stdout)
    resolve(expected, got, paths)
    if expected != got:
        sys.exit(f"{where}:\nkubectl {json.dumps(expected, sort_keys=True)}\n"
                 f"salvor  {json.dumps(got, sort_keys=True)}")
    return True


def main():
    kubectl, view, folder, first, last = sys.argv[1:]
    good = sum(compare(kubectl, view, folder, seed) for seed in range(int(first), int(last) + 1))
    print(f"{good} read, {int(last) - int(first) + 1 - good} refused, by both")


main()
