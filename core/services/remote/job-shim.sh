#!/bin/sh
# Takes care of one job: claims it, runs its command, keeps the newest $kept bytes of its outputs, ends
# it when somebody asks or after $limit seconds (0: never), and writes its status. Nobody waits for it.
# shellcheck disable=SC2034,SC2046,SC2086,SC2154,SC2218,SC2288
exec </dev/null
d=$(jobs_folder)/$id
up() {
    read -r u rest </proc/uptime
    echo "${u%.*}"
}
failed() {
    echo "$1" >"$d/.failed"
    exit 1
}
# ended STATUS WHY: on room that was taken before, so that a full disk does not keep it from being known.
ended() {
    t=0
    while [ "$t" -lt 360 ] && [ -d "$d" ]; do
        if printf '%s %s %s %s\n' "$1" "$began" "$(now)" "$2" | dd of="$d/.status" conv=notrunc,fsync 2>/dev/null &&
            mv -f "$d/.status" "$d/status"; then
            durable "$d"
            exit 0
        fi
        t=$((t + 1))
        sleep 10
    done
    exit 1
}
signal() {
    kill "-$1" "-$p" 2>/dev/null || kill "-$1" "$p" 2>/dev/null
}
group_lives() {
    kill -0 "-$p" 2>/dev/null || kill -0 "$p" 2>/dev/null
}
# Gives old blocks of an output back: a job that talks for a week fills no disk.
trim() {
    set -- "$1" $(stat -c '%s %b' "$1" 2>/dev/null)
    e=$((${2:-0} - kept))
    [ "$e" -gt 65536 ] && [ $((${3:-0} * 512)) -gt $((kept + 65536)) ] || return 0
    fallocate -p -o 0 -l "$e" "$1" 2>/dev/null && return 0
    tail -c "$kept" "$1" >"$1.old" && : >"$1"
}
watch() {
    asked=0
    while sleep 1; do
        kill -0 "$p" 2>/dev/null || exit 0
        if [ "$asked" -eq 0 ]; then
            if [ -e "$d/kill" ]; then
                asked=$(($(up) + 10))
            elif [ "$limit" -gt 0 ] && [ "$(up)" -ge "$until" ]; then
                : >"$d/.late"
                asked=$(($(up) + 10))
            fi
            [ "$asked" -eq 0 ] || signal TERM
        elif [ "$(up)" -ge "$asked" ]; then
            signal KILL
        fi
        trim "$d/stdout"
        trim "$d/stderr"
    done
}
# The room of the status first, then the claim: durable before anything is done.
printf '%1024s\n' '' >"$d/.status-$$" || failed "no room in $d"
began=$(now)
echo "$(boot) $$ $(ticks $$) $began" >"$d/.claim-$$" || failed "no room in $d"
durable "$d/.status-$$" "$d/.claim-$$" || failed "no room in $d"
ln "$d/.claim-$$" "$d/claim" 2>/dev/null
mine=$?
rm -f "$d/.claim-$$"
if [ "$mine" -ne 0 ]; then
    rm -f "$d/.status-$$"
    [ -e "$d/claim" ] || failed "cannot make links in $d"
    exit 0
fi
mv -f "$d/.status-$$" "$d/.status"
durable "$d"
[ ! -e "$d/kill" ] || ended 143 'it was killed before it started'
cd -- "${folder:-${HOME:-/}}" 2>>"$d/stderr" || [ -z "$folder" ] || ended 127 'its folder cannot be entered'
g=
command -v setsid >/dev/null 2>&1 && g=setsid
until=$(($(up) + limit))
@COMMAND@ >>"$d/stdout" 2>>"$d/stderr" &
p=$!
watch &
w=$!
wait "$p"
s=$?
kill "$w" 2>/dev/null
why=
if [ -e "$d/kill" ] || [ -e "$d/.late" ]; then
    # Who was asked to end takes its group along, within the same grace.
    i=0
    while group_lives && [ "$i" -lt 10 ]; do
        sleep 1
        i=$((i + 1))
    done
    signal KILL
    [ ! -e "$d/.late" ] || why='it was killed because it passed its time limit'
fi
ended "$s" "$why"
