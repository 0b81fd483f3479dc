#!/usr/bin/env python3
"""Secrets of every kind, and every way out: nothing that salvor prints, keeps or leaves holds one.

usage: test-canaries.py --salvor PROGRAM --plugins FOLDER --sshd PROGRAM
"""

import argparse
import base64
import json
import os
import pty
import resource
import secrets
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from remote_site import Host, Site, await_true, below, processes  # pylint: disable=wrong-import-position

SCRIPT = 'echo x >>"$HOME/count"; sleep 1; wc -c'
MISHAPS = ["crash", "result", "checkpoint", "error"]


def new_canary(kind):
    """Text that looks different in each way of writing it down."""
    return f'cnry-{kind} "{secrets.token_hex(8)}\\/%&<é'


def forms_of(value):
    """All that may not be found, as bytes: name of the form -> bytes."""
    raw = value.encode()
    forms = {"raw": raw, "url": urllib.parse.quote(value, safe="").encode(),
             "json": json.dumps(value)[1:-1].encode(),
             "json utf-8": json.dumps(value, ensure_ascii=False)[1:-1].encode()}
    for offset in range(3):
        # Without the characters that a neighbour has a part in.
        whole = base64.b64encode(b"\0" * offset + raw)
        first = (offset * 8 + 5) // 6
        last = (offset + len(raw)) * 8 // 6
        forms[f"base64 at {offset}"] = whole[first:last]
    return forms


class Canaries:
    def __init__(self):
        self.values = {}

    def add(self, kind, value=None):
        self.values[kind] = value if value is not None else new_canary(kind)
        return self.values[kind]

    def found_in(self, data):
        return [f"{kind} ({form})" for kind, value in self.values.items()
                for line in ([value] if kind != "key" else key_lines(value))
                for form, wanted in forms_of(line).items() if wanted in data]


def key_lines(text):
    return [line for line in text.splitlines() if line and not line.startswith("-----")]


def expect(condition, text):
    if not condition:
        raise AssertionError(text)


class Watch(threading.Thread):
    """Looks at the arguments of all processes until it is told to end."""

    def __init__(self, canaries):
        super().__init__()
        self.canaries = canaries
        self.found = set()
        self.looks = 0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.is_set():
            self.looks += 1
            for pid in processes():
                try:
                    with open(f"/proc/{pid}/cmdline", "rb") as file:
                        self.found.update(self.canaries.found_in(file.read()))
                except OSError:
                    pass

    def finish(self):
        self.ended.set()
        self.join()
        return self.found


def search(canaries, folder):
    """Files below the folder that hold one: path -> what."""
    found = {}
    for path, _, names in os.walk(folder):
        for name in names:
            full = os.path.join(path, name)
            if not os.path.isfile(full) or os.path.islink(full):
                continue
            with open(full, "rb") as file:
                what = canaries.found_in(name.encode() + b"\n" + file.read())
            if what:
                found[full] = what
    return found


def memory_folders():
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return [f"/dev/shm/salvor-{os.geteuid()}", *([f"{runtime}/salvor"] if runtime else [])]


class Trial:
    """One salvor with secrets of its own, of which a certain kind comes from a certain source."""

    def __init__(self, programs, base, host, name, source):
        self.canaries = Canaries()
        self.outputs = {}
        os.makedirs(f"{base}/{name}")
        self.outside = f"{base}/{name}-secrets"  # where the user keeps them
        os.makedirs(self.outside)
        self.canaries.add("issued")
        self.write("issued", self.canaries.values["issued"])
        with open(host["key"], encoding="utf-8") as file:
            self.canaries.add("key", file.read())
        token = self.canaries.add("token")
        self.write("token", token)
        self.environment = {"SALVOR_CANARY": token} if source == "env" else {}
        references = {"env": "env:SALVOR_CANARY", "file": f"file:{self.outside}/token",
                      "exec": f"exec:cat {self.outside}/token", "prompt": "prompt:"}
        self.site = Site(programs, f"{base}/{name}", host, {
            "ssh-key": f"file:{host['key']}", "token": references[source],
            "issued": f"{self.outside}/issued"})
        self.recorded = f"{base}/{name}/recorded"

    def write(self, name, text):
        with open(f"{self.outside}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(f"{self.outside}/{name}", 0o600)

    def salvor(self, *words):
        result = self.site.salvor(*words, **self.environment)
        self.outputs[" ".join(words[:4])] = (result.stdout + result.stderr).encode()
        return result

    def at_terminal(self, *words):
        """Types the token when it is asked for; returns the exit status."""
        master, slave = pty.openpty()
        with subprocess.Popen(
                self.site.command(*words), env=self.site.environment, cwd=self.site.folder,
                stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0)
        ) as process:
            os.close(slave)
            seen = b""
            typed = False
            while True:
                if select.select([master], [], [], 60)[0]:
                    try:
                        piece = os.read(master, 65536)
                    except OSError:
                        break
                    if not piece:
                        break
                    seen += piece
                    if not typed and b"secret 'token':" in seen:
                        typed = True
                        os.write(master, self.canaries.values["token"].encode() + b"\n")
            os.close(master)
            self.outputs["terminal"] = seen
            expect(typed, f"it asked at the terminal: {seen[-500:]!r}")
            return process.wait()

    def read_all(self):
        """Everything that can be asked of salvor afterwards."""
        for form in ("text", "json", "markdown", "html"):
            self.salvor("report", "last", "-o", form)
        self.salvor("runs")
        self.salvor("runs", "-o", "json")

    def expect_clean(self, host):
        found = {name: what for name, data in self.outputs.items()
                 if (what := self.canaries.found_in(data))}
        found |= search(self.canaries, self.site.folder)
        # The host is given its secret; what its jobs and commands keep on disk is salvor's doing.
        found |= search(self.canaries, host["home"])
        for folder in memory_folders():
            found |= search(self.canaries, folder)
        expect(not found, f"found: {json.dumps(found, indent=1)}")


# ---- trials --------------------------------------------------------------------------------------


def run_whole(programs, base, host, source):
    trial = Trial(programs, base, host, f"from-{source}", source)
    watch = Watch(trial.canaries)
    watch.start()
    words = trial.site.restore_words(SCRIPT, "-v", "-v", "--record", trial.recorded)
    if source == "prompt":
        status = trial.at_terminal(*words)
    else:
        status = trial.salvor(*words).returncode
    in_lists = watch.finish()
    expect(status == 0, f"it is done, not {status}: {list(trial.outputs.values())[-1][-800:]!r}")
    expect(watch.looks > 3, "the lists of processes were looked at")
    expect(not in_lists, f"in a list of processes: {in_lists}")
    expect(os.listdir(trial.recorded), "it was recorded")
    trial.read_all()
    said = b"".join(trial.outputs.values())
    expect(said.count(b"[redacted]") >= 4, "what the plugin said about them was hidden, not absent")
    trial.expect_clean(host)


def test_from_each_source(programs, base, host):
    for source in ("env", "file", "exec", "prompt"):
        try:
            run_whole(programs, base, host, source)
        except AssertionError as error:
            raise AssertionError(f"secret from {source}: {error}") from error


def test_each_mishap(programs, base, host):
    for mishap in MISHAPS:
        trial = Trial(programs, base, host, f"mishap-{mishap}", "file")
        result = trial.salvor(*trial.site.restore_words(SCRIPT, f"--mishap={mishap}"))
        expect(result.returncode != 0, f"{mishap} is no success")
        trial.read_all()
        try:
            trial.expect_clean(host)
        except AssertionError as error:
            raise AssertionError(f"{mishap}: {error}") from error


def makes_core_files(folder):
    """Whether a process that crashes here leaves a core file, so that looking for one means something."""
    os.makedirs(folder)
    subprocess.run(["sh", "-c", "ulimit -c unlimited; kill -SEGV $$"], cwd=folder, check=False,
                   stderr=subprocess.DEVNULL)
    made = os.listdir(folder)
    shutil.rmtree(folder)
    return bool(made)


def test_core_files(programs, base, host):
    if not makes_core_files(f"{base}/cores"):
        print("   core files go elsewhere here: not looked at")
        return
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    trial = Trial(programs, base, host, "core-worker", "file")
    trial.salvor(*trial.site.restore_words(SCRIPT, "--mishap=crash"))
    trial.expect_clean(host)
    # The parent and all below it, while the secrets are in memory.
    trial = Trial(programs, base, host, "core-all", "file")
    if os.path.exists(host.path("count")):
        os.unlink(host.path("count"))
    with trial.site.begin(*trial.site.restore_words(
            'echo x >>"$HOME/count"; sleep 3')) as process:
        await_true("the job", lambda: host.runs() == 1)
        for pid in [*below(process.pid), process.pid]:
            try:
                os.kill(pid, signal.SIGSEGV)
            except ProcessLookupError:
                pass
        trial.outputs["killed"] = process.communicate(timeout=60)[0].encode()
    time.sleep(0.5)
    trial.expect_clean(host)


def test_the_search_finds(programs, base, host):
    """A search that finds nothing proves something only if it would find it."""
    trial = Trial(programs, base, host, "control", "file")
    for number, wanted in enumerate(forms_of(trial.canaries.values["token"]).values()):
        path = f"{trial.site.folder}/left-{number}"
        with open(path, "wb") as file:
            file.write(b"before" + wanted + b"behind")
        expect(path in search(trial.canaries, trial.site.folder), f"form {number} is found")
        os.unlink(path)
    trial.expect_clean(host)


def main():
    parser = argparse.ArgumentParser()
    for name in ("salvor", "plugins", "sshd"):
        parser.add_argument(f"--{name}", required=True, type=os.path.realpath)
    parser.add_argument("tests", nargs="*")
    programs = parser.parse_args()
    base = tempfile.mkdtemp(prefix="salvor-canaries-")
    host = Host(programs.sshd, base)
    failed = 0
    try:
        if host.about is None:
            print("skipped: no sshd can run here")
            return 77
        for name, test in list(globals().items()):
            if not name.startswith("test_") or (programs.tests and name not in programs.tests):
                continue
            try:
                test(programs, base, host)
                print(f"ok   {name}")
            except Exception:  # pylint: disable=broad-except
                failed += 1
                print(f"FAIL {name}")
                traceback.print_exc(file=sys.stdout)
    finally:
        host.close()
        shutil.rmtree(base, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
