#!/bin/sh
# Writes standard input to a new file beside $path; nothing has that name yet when it ends. What cut
# transfers left is removed, never written to again: who wrote it may still be about.
# shellcheck disable=SC2154
umask 077
d=${path%/*}
d=${d:-/}
mkdir -p -- "$d" || refuse folder
[ ! -d "$path" ] || refuse isfolder
rm -f -- "$d/.$tag"-*
f=$d/.$tag-${m#salvor-}
trap '' PIPE
start
cat >"$f"
s=$?
# Where nobody hears it, the connection was cut, and half of a file is of no use.
printf '%s\n' "$f" >&2 || rm -f -- "$f"
[ "$s" -eq 0 ] || rm -f -- "$f"
finish "$s"
