#!/bin/sh
# What every script for the far side begins with (services/ssh-script.h). $m is the mark of the session.
# shellcheck disable=SC2034,SC2154,SC2317
unset LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
start() {
    printf '%s:start;' "$m" >&2
}
# refuse WORD: it is not started.
refuse() {
    printf '%s:%s;' "$m" "$1" >&2
    exit 1
}
# finish STATUS: on both outputs, so that it is known to have all of them.
finish() {
    printf '%s:%d;' "$m" "$1"
    printf '%s:%d;' "$m" "$1" >&2
    exit "$1"
}
# Digest of standard input.
sha256() {
    if command -v sha256sum >/dev/null 2>&1; then
        sha256sum
    elif command -v openssl >/dev/null 2>&1; then
        openssl dgst -sha256 -r
    else
        shasum -a 256
    fi | cut -c 1-64
}
# durable FILE...: each, or all that there is where sync knows no files.
durable() {
    sync -- "$@" 2>/dev/null || sync
}
