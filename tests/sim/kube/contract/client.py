"""What the contract tests speak through: one kubeconfig, exact requests, and a note of every form of
request whose answer a test has looked at."""

import base64
import http.client
import json
import re
import ssl
import tempfile
import urllib.parse

BUILT_IN = re.compile(r"^(|apps|autoscaling|batch|policy|.*\.k8s\.io)$")
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


class Failed(Exception):
    """The server did not answer as the contract says."""


def _field(text, name):
    found = re.search(rf"^[\s-]*{name}: (\S+)$", text, re.MULTILINE)
    return found.group(1) if found else None


def form_of(method, path, query, content_type, status):
    """The columns that tests/e2e/reduce-audit prints for the same request."""
    keys = ",".join(sorted(query)) or "-"
    patch = content_type if method == "PATCH" else "-"
    parts = [part for part in path.split("/") if part]
    if len(parts) > 2 and parts[0] == "api":
        group, rest = "", parts[2:]
    elif len(parts) > 3 and parts[0] == "apis":
        group, rest = parts[1], parts[3:]
    else:
        kind = re.sub(r"^(/apis)/[^/]+(/[^/]+)?$", lambda m: m[1] + "/*" + ("/*" if m[2] else ""), path)
        return "get", kind, "-", keys, "-", str(status)
    if len(rest) > 2 and rest[0] == "namespaces" and rest[2] not in ("status", "finalize"):
        rest = rest[2:]
    kind = (f"{group}/{rest[0]}" if group else rest[0]) if BUILT_IN.match(group) else "custom"
    named = len(rest) > 1
    sub = rest[2] if len(rest) > 2 else "-"
    if method == "GET":
        verb = "get" if named else "watch" if "watch" in query else "list"
    else:
        verb = {"POST": "create", "PUT": "update", "PATCH": "patch"}.get(
            method, "delete" if named else "deletecollection"
        )
    return verb, kind, sub, keys, patch, str(status)


class Answer:
    def __init__(self, client, request, response, content):
        self.client, self.request = client, request
        self.status, self.headers, self.content = response.status, response.headers, content

    @property
    def json(self):
        try:
            return json.loads(self.content)
        except ValueError as error:
            raise Failed(f"{self}: no JSON: {self.content[:200]!r}") from error

    def __str__(self):
        return f"{self.request[0]} {self.request[1]} gave {self.status}"

    def expect(self, status, reason=None, message=None, details=None):
        """Checks the status, and of a Status body the reason, the exact message, parts of details."""
        if self.status != status:
            raise Failed(f"{self}, not {status}: {self.content[:400]!r}")
        body = self.json if reason or message or details else None
        if reason:
            wanted = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": status}
            check(self, {key: body.get(key) for key in wanted}, wanted)
        if message:
            check(self, body.get("message"), message)
        for key, value in (details or {}).items():
            check(f"{self}: details.{key}", body.get("details", {}).get(key), value)
        self.client.forms.add(form_of(*self.request, status))
        return self


def check(what, got, wanted):
    if got != wanted:
        raise Failed(f"{what}: got {got!r}, wanted {wanted!r}")


class Client:
    def __init__(self, kubeconfig, token=None):
        with open(kubeconfig, encoding="utf-8") as file:
            text = file.read()
        self.server = urllib.parse.urlsplit(_field(text, "server"))
        self.token = token or _field(text, "token")
        self.context = None
        self.forms = set()
        self.namespace = None
        if self.server.scheme == "https":
            authority = base64.b64decode(_field(text, "certificate-authority-data")).decode()
            self.context = ssl.create_default_context(cadata=authority)
            if _field(text, "client-key-data") and not token:
                with tempfile.NamedTemporaryFile() as pair:
                    for name in ("client-certificate-data", "client-key-data"):
                        pair.write(base64.b64decode(_field(text, name)))
                    pair.flush()
                    self.context.load_cert_chain(pair.name)
        self._connection = None

    def connect(self):
        if self.context:
            return http.client.HTTPSConnection(self.server.hostname, self.server.port, context=self.context, timeout=30)
        return http.client.HTTPConnection(self.server.hostname, self.server.port, timeout=30)

    def start(self, connection, method, path, body, content_type, query, headers):
        sent = {"Accept": "application/json", "User-Agent": "salvor-contract"}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            sent["Content-Type"] = content_type
            if not isinstance(body, (str, bytes)):
                body = json.dumps(body)
        sent.update(headers or {})
        url = urllib.parse.quote(path) + ("?" + urllib.parse.urlencode(query) if query else "")
        connection.request(method, url, body, sent)
        return connection.getresponse()

    def send(self, method, path, body=None, content_type="application/json", headers=None, **query):
        request = (method, path, query, content_type)
        for attempt in (1, 2):
            if self._connection is None:
                self._connection = self.connect()
            try:
                response = self.start(self._connection, method, path, body, content_type, query, headers)
                return Answer(self, request, response, response.read())
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                # A kept connection may be closed by the server between two requests.
                self._connection = None
                if attempt == 2:
                    raise
        raise AssertionError

    def get(self, path, **more):
        return self.send("GET", path, **more)

    def post(self, path, body, **more):
        return self.send("POST", path, body, **more)

    def put(self, path, body, **more):
        return self.send("PUT", path, body, **more)

    def merge(self, path, body, **more):
        return self.send("PATCH", path, body, MERGE, **more)

    def patch(self, path, body, content_type=JSON_PATCH, **more):
        return self.send("PATCH", path, body, content_type, **more)

    def delete(self, path, body=None, **more):
        return self.send("DELETE", path, body, **more)

    def watch(self, path, **query):
        return Watch(self, path, query)


class Watch:
    """Events of a watch on a connection of its own, one by one."""

    def __init__(self, client, path, query):
        self.query = {"watch": "1", "timeoutSeconds": "20", **query}
        self.connection = client.connect()
        self.response = client.start(self.connection, "GET", path, None, None, self.query, None)
        if self.response.status == 200:
            client.forms.add(form_of("GET", path, self.query, None, 200))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def next(self):
        """The next event, None at the end of the stream."""
        line = self.response.readline()
        return json.loads(line) if line else None

    def until(self, kind, name):
        """The next event of this kind about the object; those before it are skipped."""
        while True:
            event = self.next()
            if event is None:
                raise Failed(f"the watch ended before '{kind}' of '{name}'")
            if event["type"] == kind and event["object"]["metadata"].get("name") == name:
                return event
