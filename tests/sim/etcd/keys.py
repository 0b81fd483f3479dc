"""Writes and reads many keys through etcd's own HTTP gateway, in few requests."""

import base64
import hashlib
import json
import sys
import urllib.request

OPERATIONS_A_TRANSACTION = 128  # etcd's default limit


def post(endpoint, path, body):
    request = urllib.request.Request(
        endpoint + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def encode(text):
    return base64.b64encode(text.encode()).decode()


def fill(endpoint, count):
    for start in range(0, count, OPERATIONS_A_TRANSACTION):
        numbers = range(start, min(count, start + OPERATIONS_A_TRANSACTION))
        puts = [
            {"requestPut": {"key": encode(f"/site/key-{n:06}"), "value": encode(f"value of {n}")}}
            for n in numbers
        ]
        post(endpoint, "/v3/kv/txn", {"success": puts})


def digest(endpoint):
    everything = encode("\0")
    answer = post(endpoint, "/v3/kv/range", {"key": everything, "range_end": everything})
    total = hashlib.sha256()
    for pair in answer.get("kvs", []):
        total.update(f"{pair['key']} {pair.get('value', '')}\n".encode())
    print(answer.get("count", 0), total.hexdigest())


if sys.argv[1] == "fill":
    fill(sys.argv[2], int(sys.argv[3]))
else:
    digest(sys.argv[2])
