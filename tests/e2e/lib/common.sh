# shellcheck shell=bash
# What every command of the test bed shares: where things live, and how it speaks.

E2E=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034
E2E_CACHE=${SALVOR_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/salvor/e2e}

# Nothing is written into the source tree.
export PYTHONDONTWRITEBYTECODE=1

note() {
    printf '%s\n' "$*" >&2
}

# die MESSAGE [HINT]
die() {
    note "${0##*/}: error: $1"
    [[ -z ${2:-} ]] || note "hint: $2"
    exit 1
}

# need PROGRAM...: stops with the package to install when one is missing.
need() {
    local program
    for program; do
        command -v "$program" >/dev/null ||
            die "program '$program' is not installed" "'$E2E/bin/install-packages' installs what the test bed needs from Debian"
    done
}

# await SECONDS COMMAND...: runs COMMAND until it succeeds. The pause between two tries bounds the
# load of polling; nothing depends on its length.
await() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.1
    done
}

# free_ports N: N distinct TCP ports of 127.0.0.1 that the kernel considers free at this moment. Taken
# by someone else in between, they make the server's start fail: callers start again with new ones.
free_ports() {
    python3 - "$1" <<'PYTHON'
import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for one in held:
    one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in held))
PYTHON
}
