"""What the contract tests speak through: a simulator of their own, plain HTTP to it, exact checks."""

import base64
import http.client
import json
import os
import re
import ssl
import subprocess
import tempfile
import urllib.parse

USER, PASSWORD = "admin", "Sim-Nsx-Passw0rd"
BASE = "/policy/api/v1/infra/sites/default/enforcement-points/default"
CCPS = BASE + "/cluster-control-planes"
POINT = "/infra/sites/default/enforcement-points/default/cluster-control-planes"
TRUST = "/api/v1/trust-management"
PIS = TRUST + "/principal-identities"
CERTIFICATES = TRUST + "/certificates"
DOMAIN = "/policy/api/v1/infra/domains/default"
POLICIES = DOMAIN + "/security-policies"
GROUPS = DOMAIN + "/groups"
FABRIC = "/api/v1/fabric"
RESTORE = "/api/v1/cluster/restore"
BACKUPS = "/api/v1/cluster/backups"
REALIZED = "/policy/api/v1/infra/realized-state"


class Failed(Exception):
    """The simulator did not answer as the facts say."""


def check(what, got, wanted):
    if got != wanted:
        raise Failed(f"{what}: got {got!r}, wanted {wanted!r}")


class Answer:
    def __init__(self, request, response, content):
        self.request, self.status, self.headers, self.content = request, response.status, response.headers, content

    @property
    def json(self):
        try:
            return json.loads(self.content)
        except ValueError as error:
            raise Failed(f"{self}: no JSON: {self.content[:200]!r}") from error

    def __str__(self):
        return f"{self.request[0]} {self.request[1]} gave {self.status}"

    def expect(self, status, code=None, message=None):
        """Checks the status, and of an error body the code, the word of the status, a part of the message."""
        if self.status != status:
            raise Failed(f"{self}, not {status}: {self.content[:400]!r}")
        if code is not None:
            check(f"{self}: error_code", self.json.get("error_code"), code)
            for field in ("httpStatus", "module_name", "error_message"):
                if not isinstance(self.json.get(field), str):
                    raise Failed(f"{self}: no {field}: {self.content[:400]!r}")
        if message is not None and message not in self.json.get("error_message", ""):
            raise Failed(f"{self}: no {message!r} in {self.json.get('error_message')!r}")
        return self


class Connection:
    """One client of one manager: basic, session or client certificate."""

    def __init__(self, manager, user=USER, password=PASSWORD, pair=None, scheme="Basic"):
        self.address = urllib.parse.urlsplit(manager["url"])
        self.context = ssl.create_default_context(cadata=manager["certificate"])
        self.headers = {}
        if pair is not None:
            with tempfile.NamedTemporaryFile("w") as file:
                file.write(pair[0] + pair[1])
                file.flush()
                self.context.load_cert_chain(file.name)
        elif user is not None:
            word = base64.b64encode(f"{user}:{password}".encode()).decode()
            self.headers["Authorization"] = f"{scheme} {word}"
        self.connection = None

    def log_in(self, user=USER, password=PASSWORD):
        """From now on by session; the answer of the log-in."""
        self.headers.pop("Authorization", None)
        form = urllib.parse.urlencode({"j_username": user, "j_password": password})
        answer = self.send("POST", "/api/session/create", form, {"Content-Type": "application/x-www-form-urlencoded"})
        if answer.status == 200:
            self.headers["Cookie"] = answer.headers["Set-Cookie"].split(";")[0]
            self.headers["X-XSRF-TOKEN"] = answer.headers["X-XSRF-TOKEN"]
        return answer

    def send(self, method, path, body=None, headers=None, **query):
        sent = {"User-Agent": "contract", **self.headers, **(headers or {})}
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        url = urllib.parse.quote(path) + ("?" + urllib.parse.urlencode(query) if query else "")
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = http.client.HTTPSConnection(
                    self.address.hostname, self.address.port, context=self.context, timeout=30
                )
            try:
                self.connection.request(method, url, body, sent)
                response = self.connection.getresponse()
                return Answer((method, url), response, response.read())
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                # A kept connection may be closed by the server between two requests.
                self.connection = None
                if attempt == 2:
                    raise
            except Exception:
                self.connection = None
                raise
        raise AssertionError

    def get(self, path, **more):
        return self.send("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.send("POST", path, body, **more)

    def put(self, path, body, **more):
        return self.send("PUT", path, body, **more)

    def patch(self, path, body, **more):
        return self.send("PATCH", path, body, **more)

    def delete(self, path, **more):
        return self.send("DELETE", path, **more)

    def all(self, path, **query):
        """Every element of a list, over its pages."""
        elements, cursor = [], None
        while True:
            page = self.get(path, **query, **({"cursor": cursor} if cursor else {})).expect(200).json
            elements += page["results"]
            cursor = page.get("cursor")
            if not cursor:
                return elements


class Simulator:
    """A process of its own with a clock that stands still, and what steers it."""

    last = None

    def __init__(self, program, *options, switches=None, rate="0"):
        words = [program, "--rate", rate, "--rate-limit", "0", *options]
        for name, value in (switches or {}).items():
            words += ["--switch", f"{name}={value}"]
        self.folder = tempfile.TemporaryDirectory()
        self.audit = os.path.join(self.folder.name, "audit")
        words += ["--addresses", os.path.join(self.folder.name, "addresses"), "--audit", self.audit]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()
        with open(os.path.join(self.folder.name, "addresses"), encoding="utf-8") as file:
            self.addresses = json.load(file)
        self.control = None
        self.control_port = self.addresses["controlPort"]
        self.admin = self.connect()
        Simulator.last = self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.stdout.close()
        status = self.process.wait()
        self.folder.cleanup()
        if status != 0:
            raise Failed(f"the simulator ended with {status}")

    @property
    def managers(self):
        return self.steer("GET", "addresses")["managers"]

    def connect(self, manager=0, **more):
        return Connection(self.managers[manager], **more)

    def steer(self, method, what, body=None):
        if self.control is None:
            self.control = http.client.HTTPConnection("127.0.0.1", self.control_port, timeout=60)
        self.control.request(method, "/_sim/" + what, None if body is None else json.dumps(body))
        response = self.control.getresponse()
        content = json.loads(response.read() or b"null")
        if response.status != 200:
            raise Failed(f"/_sim/{what}: {response.status} {content}")
        return content

    def switch(self, **positions):
        self.steer("POST", "switches", {name.replace("_", "-"): value for name, value in positions.items()})

    def advance(self, seconds):
        return self.steer("POST", "clock", {"advance": int(seconds * 1000)})

    def cluster(self, name, op, **more):
        self.steer("POST", "clusters", {"name": name, "op": op, **more})

    def pair(self, name):
        """Certificate and key of a cluster inside the simulator."""
        for cluster in self.steer("GET", "clusters"):
            if cluster["name"] == name:
                return cluster["certificate"], cluster["key"]
        raise Failed(f"there is no cluster {name}")

    def lines(self):
        with open(self.audit, encoding="utf-8") as file:
            return [json.loads(line) for line in file]


def certificate(name, days=3650):
    """A key pair made on the spot, by the simulator that was started last: PEM texts of certificate and key."""
    made = Simulator.last.steer("POST", "certificate", {"name": name, "days": days})
    return made["certificate"], made["key"]


def identity(name, pem, **more):
    roles = [{"path": "/", "roles": [{"role": "enterprise_admin"}]}]
    return {"name": name, "node_id": name, "is_protected": True, "roles_for_paths": roles, "certificate_pem": pem, **more}


def facts(*sections):
    """Which sections of the facts a test holds the simulator to."""

    def mark(function):
        function.facts = ", ".join(sections)
        return function

    return mark


def snake(name):
    return re.sub("[^a-z0-9]", "_", name)
