"""A simulated etcd member, and a salvor with the example provider that works on it."""

import json
import os
import shutil
import subprocess
import time

LIMIT_S = 60


class Programs:
    """What a test was given to try, by absolute path."""

    def __init__(self, arguments):
        self.salvor = os.path.realpath(arguments.salvor)
        self.plugins = os.path.realpath(arguments.plugins)
        self.simulator = os.path.realpath(arguments.simulator)

    @staticmethod
    def add_to(parser):
        for name in ("salvor", "plugins", "simulator"):
            parser.add_argument(f"--{name}", required=True)


class Site:
    """A simulated member that lost its data, and a salvor that works on it."""

    def __init__(self, programs, folder):
        self.programs = programs
        self.folder = folder
        self.etcdctl = f"{folder}/etcdctl"
        self.data = f"{folder}/data"
        self.state = f"{folder}/state"
        self.lock = []  # words that name the Lease of the site
        os.makedirs(folder)
        os.symlink(programs.simulator, self.etcdctl)
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

    def play(self, *words):
        subprocess.run([self.etcdctl, *words], check=True, stdout=subprocess.DEVNULL)

    def options(self):
        return [
            "--endpoint=http://127.0.0.1:2379",
            f"--etcdctl={self.etcdctl}",
            f"--data-dir={self.data}",
            f"--stop={self.etcdctl}", "--stop=stop",
            f"--start={self.etcdctl}", "--start=start", "--start={data-dir}", *self.lock,
        ]

    def command(self, *words):
        return [self.programs.salvor, *words, "--state-dir", self.state]

    def salvor(self, *words, **environment):
        """Runs salvor to its end; never with a terminal, so that nobody can be asked."""
        return subprocess.run(
            self.command(*words), env=self.environment | environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=LIMIT_S, check=False,
        )

    def restore_words(self, source):
        return ["--provider", "example", "restore", f"--from={source}", *self.options()]

    def take_backup(self, keys):
        """Fills the member, backs it up, and returns the set's folder."""
        self.play("init", self.data, str(keys))
        result = self.salvor("--provider", "example", "backup", *self.options()[:2], "-o", "name")
        if result.returncode != 0:
            raise AssertionError(f"the backup ended with {result.returncode}:\n{result.stderr}")
        return f"{self.state}/sets/example/{result.stdout.strip()}"

    def fault(self, name, value):
        with open(f"{self.folder}/{name}", "w", encoding="utf-8") as file:
            file.write(str(value))

    def changes(self):
        """The audit log of the simulator: every change, in order."""
        try:
            with open(f"{self.folder}/audit", encoding="utf-8") as file:
                return file.read().replace(self.folder, "SITE").splitlines()
        except FileNotFoundError:
            return []

    def wreck(self):
        """The member runs on data that nobody wants back."""
        shutil.rmtree(self.data, ignore_errors=True)
        self.play("stop")
        self.play("init", self.data, "3")
        os.unlink(f"{self.folder}/audit")

    def end_state(self):
        with open(f"{self.data}/member/snap/db", encoding="utf-8") as file:
            database = json.load(file)
        with open(f"{self.folder}/running", encoding="utf-8") as file:
            running = file.read() == self.data
        beside = sorted(name for name in os.listdir(self.folder) if name.startswith("data"))
        return {"database": database, "running": running, "beside": beside,
                "audit": self.changes()}


    def left_behind(self):
        """Processes of the site and its temporary files, after a moment for what is just ending."""
        for _ in range(100):
            mine = [pid for pid in filter(str.isdigit, os.listdir("/proc")) if self.owns(pid)]
            if not mine:
                break
            time.sleep(0.05)
        return mine + os.listdir(f"{self.folder}/tmp")

    def owns(self, pid):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                return f"{self.folder}/".encode() in file.read() and int(pid) != os.getpid()
        except OSError:
            return False
