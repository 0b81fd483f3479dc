"""usage: s3-request.py HOST:PORT ACCESS-KEY-FILE SECRET-KEY-FILE METHOD PATH[?QUERY] AUTHORITY

One S3 request with an AWS signature (version 4); the answer's body goes to stdout. The keys come from
files so that they never stand on a command line. HTTPS is spoken where the file AUTHORITY exists.
"""

import datetime
import hashlib
import hmac
import http.client
import os
import ssl
import sys
import urllib.parse

REGION = "us-east-1"


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def main():
    endpoint, access_file, secret_file, method, target, authority = sys.argv[1:]
    access = open(access_file).read().strip()
    secret = open(secret_file).read().strip()
    path, _, query = target.partition("?")
    path = urllib.parse.quote(path)
    query = "&".join(
        f"{urllib.parse.quote(k, safe='')}={urllib.parse.quote(v, safe='')}"
        for k, v in sorted(urllib.parse.parse_qsl(query, keep_blank_values=True))
    )
    body = sys.stdin.buffer.read() if method == "PUT" else b""
    digest = hashlib.sha256(body).hexdigest()
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    headers = {"host": endpoint, "x-amz-content-sha256": digest, "x-amz-date": stamp}
    names = ";".join(headers)
    canonical = "\n".join(
        [method, path, query, *(f"{k}:{v}" for k, v in headers.items()), "", names, digest]
    )
    scope = f"{day}/{REGION}/s3/aws4_request"
    key = ("AWS4" + secret).encode()
    for part in (day, REGION, "s3", "aws4_request"):
        key = sign(key, part)
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    signature = sign(key, f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashed}").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={access}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    if os.path.exists(authority):
        context = ssl.create_default_context(cafile=authority)
        connection = http.client.HTTPSConnection(endpoint, context=context, timeout=60)
    else:
        connection = http.client.HTTPConnection(endpoint, timeout=60)
    connection.request(method, path + ("?" + query if query else ""), body, headers)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status >= 300:
        sys.exit(f"s3-request: {method} '{target}': status {answer.status}: {content.decode(errors='replace')}")
    sys.stdout.buffer.write(content)


main()
