"""A small Kubernetes client on Python's standard library, for what kubectl and jq cannot do: keep
64-bit integers, and send many requests at once."""

import base64
import http.client
import json
import os
import re
import ssl
import tempfile
import urllib.parse


class Refused(Exception):
    """The server answered with an error status."""

    def __init__(self, status, message):
        super().__init__(f"status {status}: {message}")
        self.status = status


def _field(text, name):
    found = re.search(rf"^\s*{name}: (\S+)$", text, re.MULTILINE)
    if not found:
        raise SystemExit(f"error: the kubeconfig has no '{name}'")
    return found.group(1)


class Client:
    """One connection, kept open; not for use by several threads."""

    def __init__(self, kubeconfig):
        with open(kubeconfig, encoding="utf-8") as file:
            text = file.read()
        server = urllib.parse.urlsplit(_field(text, "server"))
        authority = base64.b64decode(_field(text, "certificate-authority-data")).decode()
        context = ssl.create_default_context(cadata=authority)
        # The standard library reads client certificates from files only.
        with tempfile.NamedTemporaryFile() as pair:
            for name in ("client-certificate-data", "client-key-data"):
                pair.write(base64.b64decode(_field(text, name)))
            pair.flush()
            context.load_cert_chain(pair.name)
        self._connection = http.client.HTTPSConnection(
            server.hostname, server.port, context=context, timeout=60
        )

    def request(self, method, path, body=None):
        headers = {"Accept": "application/json", "User-Agent": "salvor-e2e"}
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body).encode()
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            try:
                message = json.loads(content)["message"]
            except (ValueError, KeyError, TypeError):
                message = content.decode(errors="replace")
            raise Refused(answer.status, message)
        return json.loads(content)


def collection(api_version, plural, namespace=None):
    """The path of a list, '/api/v1/namespaces/default/secrets'."""
    root = "/api/" if "/" not in api_version else "/apis/"
    inside = f"/namespaces/{quote(namespace)}" if namespace else ""
    return f"{root}{api_version}{inside}/{plural}"


def quote(name):
    return urllib.parse.quote(name, safe="")


def default_kubeconfig():
    return os.environ.get("KUBECONFIG") or os.path.expanduser("~/.kube/config")
