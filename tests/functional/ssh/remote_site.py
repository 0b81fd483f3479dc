"""A host, and a salvor with the test's plugin that works on it."""

import json
import os
import signal
import subprocess
import time

LIMIT_S = 90


class Host:
    """A real sshd (tests/harness/sshd) until it is closed."""

    def __init__(self, program, folder):
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"TMPDIR": folder})
        line = self.process.stdout.readline()
        self.about = json.loads(line) if line else None

    def __getitem__(self, key):
        return self.about[key]

    def path(self, name):
        return f"{self['home']}/{name}"

    def runs(self, name="count"):
        """How often the job's script has begun."""
        try:
            with open(self.path(name), encoding="utf-8") as file:
                return len(file.readlines())
        except FileNotFoundError:
            return 0

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


class Site:
    """State, secrets and environment of one salvor."""

    def __init__(self, programs, folder, host, secrets):
        self.programs = programs
        self.folder = folder
        self.host = host
        self.secrets = secrets  # reference of each secret option
        self.state = f"{folder}/state"
        os.makedirs(f"{folder}/tmp")
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "TMPDIR": f"{folder}/tmp",
            "LANG": "C.UTF-8",
            "SALVOR_PLUGIN_PATH": programs.plugins,
            "SALVOR_WORKER": os.environ.get("SALVOR_WORKER", ""),
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]

    def restore_words(self, script, *more):
        host = self.host
        return ["--provider", "remote", "restore", "--host", host["host"],
                "--port", str(host["port"]), "--user", host["user"],
                "--known-hosts", host["known_hosts"],
                *(f"--{name}={reference}" for name, reference in self.secrets.items()),
                f"--script={script}", "--yes", *more]

    def command(self, *words):
        return [self.programs.salvor, *words, "--state-dir", self.state]

    def salvor(self, *words, **environment):
        return subprocess.run(
            self.command(*words), env=self.environment | environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=LIMIT_S, check=False, cwd=self.folder)

    def begin(self, *words, **environment):
        """The same without waiting; a process group of its own."""
        return subprocess.Popen(
            self.command(*words), env=self.environment | environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=self.folder,
            start_new_session=True)


def stat_of(pid):
    """Parent and state, or None."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return int(fields[1]), fields[0]
    except (OSError, IndexError):
        return None


def words_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().split(b"\0")
    except OSError:
        return []


def processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def below(pid):
    """All that the process has started and is still there."""
    found = {pid}
    for _ in range(8):
        for each in processes():
            about = stat_of(each)
            if about and about[0] in found and about[1] != "Z":
                found.add(each)
    return found - {pid}


def await_true(what, condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen within {seconds} s")


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
