#!/bin/sh
# Runs one command. Standard input is the connection: at its end nobody waits for the command.
# shellcheck disable=SC2034,SC2086,SC2154,SC2218,SC2288
cd -- "${folder:-${HOME:-/}}" || [ -z "$folder" ] || refuse folder
t=
if [ -n "$script" ]; then
    t=$(mktemp -d) || refuse temporary
    @SCRIPT@ >"$t/$script" || refuse temporary
fi
exec 3<&0 </dev/null
# A session of its own, so that all of it can be ended at once.
g=
command -v setsid >/dev/null 2>&1 && g=setsid
start
@COMMAND@ 3<&- &
p=$!
{
    IFS= read -r nothing <&3
    # From here on until nothing is left of it, although the command itself has ended: it may have been
    # starting another one when it was told to end.
    trap '' TERM
    for i in 1 2 3 4 5; do
        kill -TERM "-$p" || kill -TERM "$p" || exit 0
        sleep 1
    done
    kill -KILL "-$p" || kill -KILL "$p"
} >/dev/null 2>&1 &
w=$!
wait "$p" 2>/dev/null
s=$?
kill "$w" 2>/dev/null
[ -z "$t" ] || rm -rf "$t"
finish "$s"
