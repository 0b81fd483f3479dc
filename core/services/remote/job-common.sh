#!/bin/sh
# Jobs on this host (services/ssh-job.c). Each has a folder $d, which tells everybody who looks, now or
# after a crash, how far it came; what is once there never changes:
#
#   request   its digest and its words: prepared
#   claim     "BOOT PID TICKS BEGAN": begun by that process of that boot; never again, whatever happens
#   status    "EXIT BEGAN ENDED WHY": ended
#   kill      somebody asked to end it
#   stdout, stderr   their newest bytes
#
# request, claim and status get their names complete, at once, and only if nobody has them: by link.
# shellcheck disable=SC2034,SC2154
umask 077
# A container that is made anew has the machine's boot id, but another first process.
boot() {
    b=
    read -r b </proc/sys/kernel/random/boot_id
    echo "$b.$(ticks 1)"
}
# When the process began, in ticks since the boot; nothing when it is gone.
ticks() {
    l=
    { read -r l <"/proc/$1/stat"; } 2>/dev/null || return 0
    l=${l##*) }
    # shellcheck disable=SC2086
    set -- $l
    [ "$1" = Z ] || echo "${20}"
}
now() {
    n=$(date +%s%3N)
    case $n in
    *[!0-9]*) n=$(date +%s)000 ;;
    esac
    echo "$n"
}
# Home folders may be shared between machines.
machine() {
    i=
    { read -r i </etc/machine-id; } 2>/dev/null
    echo "${i:-$(uname -n)}"
}
jobs_folder() {
    echo "${folder_of_jobs:-${HOME:-/}/.local/state/salvor/jobs}/$(machine)"
}
# look: state (absent, prepared, running, ended, lost), exit, began, ended, why.
look() {
    state=absent
    exit=-1
    began=0
    ended=0
    why=
    [ -e "$d/request" ] || return 0
    state=prepared
    [ -e "$d/claim" ] || return 0
    read -r in_boot pid since began <"$d/claim"
    state=lost
    if [ "$in_boot" = "$(boot)" ] && [ "$(ticks "$pid")" = "$since" ]; then
        state=running
    fi
    # Behind the look at the process: it writes the status before it ends.
    if [ -e "$d/status" ]; then
        state=ended
        read -r exit began ended why <"$d/status"
    fi
}
