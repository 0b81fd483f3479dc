#!/bin/sh
# Prints the file $path; on standard error its digest as it was read. Ends with 3 when it changed
# meanwhile.
# shellcheck disable=SC2154
[ -e "$path" ] || refuse missing
[ -f "$path" ] || refuse nofile
[ -r "$path" ] || refuse unreadable
before=$(stat -L -c '%d %i %s %Y' -- "$path") || refuse stat
t=$(mktemp -d) || refuse temporary
# Nobody may listen any longer when it comes to removing it.
trap '' PIPE
trap 'rm -rf "$t"' EXIT
mkfifo "$t/f" || refuse temporary
start
sha256 <"$t/f" >"$t/s" &
h=$!
tee "$t/f" <"$path"
s=$?
wait "$h" || s=1
cat "$t/s" >&2
after=$(stat -L -c '%d %i %s %Y' -- "$path")
[ "$before" = "$after" ] || s=3
finish "$s"
