#!/usr/bin/env python3
"""Reads and writes encrypted artifacts with nothing of salvor: written from docs/encryption.md alone.

usage: unseal.py open KEY-FILE <sealed >plain
       unseal.py seal RECIPIENT... <plain >sealed
"""

import base64
import hashlib
import sys

from nacl import bindings

MAGIC = b"salvor-sealed-1\n"
CHUNK = 65536
EXTRA = bindings.crypto_secretstream_xchacha20poly1305_ABYTES
MESSAGE = bindings.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
FINAL = bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL
END = 8 + 32 + EXTRA


def key_of(text, prefix):
    assert text[:10] == prefix, f"'{text[:10]}' is not '{prefix}'"
    data = base64.urlsafe_b64decode(text[10:])
    key, checksum = data[:32], data[32:]
    assert hashlib.sha256(prefix.encode() + key).digest()[:4] == checksum, "checksum"
    return key


def open_sealed(sealed, private):
    public = bindings.crypto_scalarmult_base(private)
    assert sealed[:16] == MAGIC, "magic"
    end = 17 + sealed[16] * 112
    entries = [sealed[at:at + 112] for at in range(17, end, 112)]
    box = next(entry[32:] for entry in entries if entry[:32] == public)
    key = bindings.crypto_box_seal_open(box, public, private)
    head, body = sealed[:end + 24], sealed[end + 24:]
    bound = hashlib.sha256(head).digest()
    state = bindings.crypto_secretstream_xchacha20poly1305_state()
    bindings.crypto_secretstream_xchacha20poly1305_init_pull(state, head[end:], key)

    def pull(message, wanted):
        text, tag = bindings.crypto_secretstream_xchacha20poly1305_pull(state, message, bound)
        assert tag == wanted, f"tag {tag}"
        return text

    chunks, last = body[:-END], body[-END:]
    step = CHUNK + EXTRA
    plain = b"".join(pull(chunks[at:at + step], MESSAGE) for at in range(0, len(chunks), step))
    trailer = pull(last, FINAL)
    assert int.from_bytes(trailer[:8], "little") == len(plain), "size"
    assert trailer[8:] == hashlib.sha256(plain).digest(), "digest"
    return plain


def seal(plain, recipients):
    key = bindings.crypto_secretstream_xchacha20poly1305_keygen()
    state = bindings.crypto_secretstream_xchacha20poly1305_state()
    head = MAGIC + bytes([len(recipients)])
    for public in recipients:
        head += public + bindings.crypto_box_seal(key, public)
    head += bindings.crypto_secretstream_xchacha20poly1305_init_push(state, key)
    bound = hashlib.sha256(head).digest()

    def push(text, tag):
        return bindings.crypto_secretstream_xchacha20poly1305_push(state, text, bound, tag)

    chunks = [push(plain[at:at + CHUNK], MESSAGE) for at in range(0, len(plain), CHUNK)]
    trailer = len(plain).to_bytes(8, "little") + hashlib.sha256(plain).digest()
    return head + b"".join(chunks) + push(trailer, FINAL)


def main():
    given = sys.stdin.buffer.read()
    if sys.argv[1] == "open":
        lines = (line.strip() for line in open(sys.argv[2]))
        texts = [line for line in lines if line and not line.startswith("#")]
        sys.stdout.buffer.write(open_sealed(given, key_of(texts[0], "salvor-sk1")))
    else:
        recipients = [key_of(text, "salvor-pk1") for text in sys.argv[2:]]
        sys.stdout.buffer.write(seal(given, recipients))


main()
