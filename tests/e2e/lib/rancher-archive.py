"""What an archive of the Rancher Backups operator holds, compared with the cluster it came from.

usage: rancher-archive.py record MEMBERS            live objects of the listed members, as JSON
       rancher-archive.py verify ARCHIVE RECORD [PREFIX REGEXP]
                           the archive holds exactly these objects, byte for byte; members matching
                           REGEXP are encrypted and their blobs begin with PREFIX
       rancher-archive.py restored RECORD EXCEPT [plainly]
                           the cluster holds these objects again, as the operator restores them
                           (plainly: without the changes of later releases); members matching
                           EXCEPT are absent
       rancher-archive.py exactly RECORD
                           the cluster holds all of these objects again, every number as it was
       rancher-archive.py compare ARCHIVE OTHER     both hold the same objects
       rancher-archive.py remove RECORD             deletes these objects, finalizers included
       rancher-archive.py write RECORD ARCHIVE RESOURCE-SET
                           an archive of our own with all that the operator's reader should tolerate
       rancher-archive.py decrypt-cbc ARCHIVE MEMBER KEYFILE
The cluster is the one of $KUBECONFIG.
"""

import base64
import copy
import io
import json
import re
import subprocess
import sys
import tarfile
import time
import zlib

import kube

STRIPPED = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "selfLink",
    "resourceVersion",
    "deletionGracePeriodSeconds",
)
# What differs between an object and its restored twin by the nature of things.
RENEWED = ("uid", "creationTimestamp", "resourceVersion", "generation", "managedFields")
DOUBLE_EXACT = 2**53


def path_of(member):
    kind, *rest = member.split("/")
    resource, version = kind.split("#")
    plural, group = resource.split(".", 1)
    api = f"{group}/{version}" if group else version
    namespace, name = rest if len(rest) == 2 else (None, rest[0])
    return f"{kube.collection(api, plural, namespace)}/{kube.quote(name)}"


def members_in(file):
    with open(file, encoding="utf-8") as lines:
        return lines.read().split()


def record(members_file):
    client = kube.Client(kube.default_kubeconfig())
    found = {member: client.request("GET", path_of(member)) for member in members_in(members_file)}
    json.dump(found, sys.stdout)


def go_json(value):
    """As Go's encoder writes it: sorted keys, no blanks, <, >, & and the two line separators escaped."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    for plain in "<>&\u2028\u2029":
        text = text.replace(plain, f"\\u{ord(plain):04x}")
    return text.encode()


def stored(live):
    one = copy.deepcopy(live)
    for field in STRIPPED:
        one["metadata"].pop(field, None)
    return go_json(one)


def inflate(archive):
    """The tar inside, with everything about its wrapping that the facts claim."""
    data = open(archive, "rb").read()
    check("gzip header", data[:10].hex(), "1f8b08000000000000ff")
    stream = zlib.decompressobj(31)
    tar = stream.decompress(data) + stream.flush()
    check("gzip is complete", stream.eof and not stream.unused_data, True)
    return tar


failures = []


def check(what, got, wanted):
    if got != wanted:
        failures.append(f"{what}: is {got!r}, not {wanted!r}")


def read_tar(archive):
    tar = inflate(archive)
    entries, end = {}, 0
    order = []
    with tarfile.open(archive) as opened:
        for entry in opened:
            order.append(entry.name)
            if entry.isdir():
                check(f"type flag of '{entry.name}'", entry.type, b"5")
                check(f"mode of '{entry.name}'", oct(entry.mode), "0o755")
                end = entry.offset_data
            else:
                check(f"type flag of '{entry.name}'", entry.type, b"0")
                filters = entry.name.startswith("filters/")
                check(f"mode of '{entry.name}'", oct(entry.mode), "0o755" if filters else "0o644")
                content = opened.extractfile(entry).read()
                entries[entry.name] = content
                end = entry.offset_data + (len(content) + 511) // 512 * 512
            check(f"mtime of '{entry.name}' has fractions", entry.mtime % 1, 0)
    check("bytes after the last member", tar[end:], b"\0" * 1024)
    check("order", order, sorted(order, key=lambda name: name.split("/")))
    directories = {name.rsplit("/", depth)[0] for name in entries for depth in range(1, name.count("/") + 1)}
    check("directories", set(order) - set(entries), directories)
    return entries


def verify(archive, record_file, prefix=None, pattern=None):
    with open(record_file, encoding="utf-8") as file:
        live = json.load(file)
    entries = read_tar(archive)
    resource_set = json.loads(entries.pop("filters/filters.json"))
    check("kind of filters.json", resource_set["kind"], "ResourceSet")
    check("filters.json has a uid", "uid" in resource_set["metadata"], True)
    # Releases before 2 wrote a list of types beside it.
    entries.pop("filters/statussubresource.json", None)
    check("members", sorted(entries), sorted(f"{member}.json" for member in live))
    for member, one in live.items():
        content = entries.get(f"{member}.json", b"")
        if pattern and re.search(pattern, member):
            check(f"'{member}' is one JSON string", (content[:1], content[-1:]), (b'"', b'"'))
            blob = base64.b64decode(content[1:-1], validate=True)
            check(f"prefix of '{member}'", blob[: len(prefix)].decode(errors="replace"), prefix)
        else:
            check(f"'{member}'", content.decode(), stored(one).decode())


def customised(member, one):
    """What the operator changes on purpose."""
    kind = member.split("#")[0]
    if kind == "clusters.management.cattle.io":
        one["metadata"].setdefault("annotations", {})["io.cattle.agent.force.deploy"] = "true"
    elif kind == "clusters.fleet.cattle.io":
        one["spec"]["redeployAgentGeneration"] = one["spec"].get("redeployAgentGeneration", 0) + 1
    elif kind == "clusters.provisioning.cattle.io":
        one["spec"]["redeploySystemAgentGeneration"] = one["spec"].get("redeploySystemAgentGeneration", 0) + 1
    return one


def twin(one):
    for field in RENEWED:
        one["metadata"].pop(field, None)
    for owner in one["metadata"].get("ownerReferences", []):
        owner.pop("uid")
    return one


def damaged(value, seen):
    """Integers that went through a double; how many of them lost digits is counted in seen."""
    if isinstance(value, dict):
        return {key: damaged(inner, seen) for key, inner in value.items()}
    if isinstance(value, list):
        return [damaged(inner, seen) for inner in value]
    if isinstance(value, int) and abs(value) > DOUBLE_EXACT:
        seen.append(value)
        return float(value)
    return value


def remove(record_file):
    with open(record_file, encoding="utf-8") as file:
        members = list(json.load(file))
    client = kube.Client(kube.default_kubeconfig())

    def there(member):
        try:
            return client.request("GET", path_of(member))
        except kube.Refused as refused:
            if refused.status == 404:
                return None
            raise

    for member in members:
        try:
            client.request("DELETE", path_of(member))
        except kube.Refused as refused:
            if refused.status != 404:
                raise
    deadline = time.monotonic() + 60
    while members:
        for member in list(members):
            one = there(member)
            if one is None:
                members.remove(member)
            elif one["metadata"].pop("finalizers", None):
                client.request("PUT", path_of(member), one)
        if time.monotonic() > deadline:
            raise SystemExit(f"still there: {members}")
        time.sleep(0.1)


def write(record_file, archive, resource_set):
    """Pretty JSON, no directories, members in no order, and a file of ours beside the resource set."""
    with open(record_file, encoding="utf-8") as file:
        live = json.load(file)
    with open(resource_set, encoding="utf-8") as file:
        members = {"filters/filters.json": json.load(file), "filters/salvor-manifest": {"made": "by us"}}
    for member, one in live.items():
        members[f"{member}.json"] = json.loads(stored(one))
    with tarfile.open(archive, "w:gz", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(members, key=lambda one: one[::-1]):
            content = json.dumps(members[name], indent=2).encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def without_status(one):
    """Statuses of custom resources come back only if their definitions are in the archive."""
    if one["apiVersion"].split("/")[0].endswith(".cattle.io"):
        one.pop("status", None)
    return one


def restored(record_file, missing, plainly=None):
    with open(record_file, encoding="utf-8") as file:
        before = json.load(file)
    client = kube.Client(kube.default_kubeconfig())
    big_before, big_after = [], []
    for member, one in before.items():
        try:
            live = client.request("GET", path_of(member))
        except kube.Refused as refused:
            if refused.status != 404 or not re.search(missing, member):
                failures.append(f"'{member}': {refused}")
            continue
        if re.search(missing, member):
            failures.append(f"'{member}' is there, and should not be")
            continue
        check(f"uid of '{member}' is new", one["metadata"]["uid"] != live["metadata"]["uid"], True)
        for owner in live["metadata"].get("ownerReferences", []):
            path = kube.collection(owner["apiVersion"], owner["kind"].lower() + "s")
            uid = client.request("GET", f"{path}/{owner['name']}")["metadata"]["uid"]
            check(f"owner's uid in '{member}'", owner["uid"], uid)
        if not plainly:
            one = customised(member, one)
        wanted = damaged(twin(without_status(one)), big_before)
        check(f"'{member}'", damaged(twin(live), big_after), wanted)
    # The operator's reader parses every number as a double. Should a release stop doing so, this says it.
    lost = [number for number in big_before if number not in big_after]
    print(f"integers above 2^53 that came back changed: {len(lost)} of {len(big_before)}")
    check("integers above 2^53 are damaged", len(lost) > 0, len(big_before) > 0)


def exactly(record_file):
    with open(record_file, encoding="utf-8") as file:
        before = json.load(file)
    client = kube.Client(kube.default_kubeconfig())
    for member, one in before.items():
        try:
            live = client.request("GET", path_of(member))
        except kube.Refused as refused:
            failures.append(f"'{member}': {refused}")
            continue
        for owner in live["metadata"].get("ownerReferences", []):
            path = kube.collection(owner["apiVersion"], owner["kind"].lower() + "s")
            uid = client.request("GET", f"{path}/{owner['name']}")["metadata"]["uid"]
            check(f"owner's uid in '{member}'", owner["uid"], uid)
        wanted = twin(without_status(customised(member, one)))
        check(f"'{member}'", twin(without_status(live)), wanted)


def objects_in(archive):
    members = {}
    with tarfile.open(archive) as tar:
        for entry in tar:
            if entry.isfile() and not entry.name.startswith("filters/"):
                members[entry.name] = json.loads(tar.extractfile(entry).read())
    return members


def compare(archive, other):
    one, two = objects_in(archive), objects_in(other)
    check("members", sorted(two), sorted(one))
    for member, content in one.items():
        check(f"'{member}'", two.get(member), content)


def decrypt_cbc(archive, member, key_file):
    entries = read_tar(archive)
    blob = base64.b64decode(entries[f"{member}.json"][1:-1])
    _, _, _, _, _, rest = blob.split(b":", 5)
    key = base64.b64decode(open(key_file, encoding="ascii").read()).hex()
    plain = subprocess.run(
        ["openssl", "enc", "-d", f"-aes-{len(key) * 4}-cbc", "-K", key, "-iv", rest[:16].hex()],
        input=rest[16:],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    sys.stdout.buffer.write(plain)


if __name__ == "__main__":
    commands = {
        "record": record,
        "verify": verify,
        "restored": restored,
        "exactly": exactly,
        "compare": compare,
        "remove": remove,
        "write": write,
        "decrypt-cbc": decrypt_cbc,
    }
    commands[sys.argv[1]](*sys.argv[2:])
    if failures:
        sys.exit("\n".join(failures))
