# shellcheck shell=bash
# Servers as plain background processes of one folder. Needs lib/common.sh.
#
# A server NAME of folder D has D/NAME.log and D/NAME.pid; the pid file also holds the start time of
# the process, so that a number the kernel has given to somebody else is never signalled.

# start_time PID: in clock ticks since boot.
start_time() {
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    # The second field is the program's name and may hold anything, even ')'.
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    printf '%s\n' "${20}"
}

# spawn D NAME COMMAND...: starts it in D, detached from the caller's terminal and descriptors.
spawn() {
    local dir=$1 name=$2 pid
    shift 2
    (
        cd "$dir" || exit
        exec setsid "$@" </dev/null >"$dir/$name.log" 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
    ) &
    pid=$!
    printf '%s %s\n' "$pid" "$(start_time "$pid")" >"$dir/$name.pid"
    disown "$pid"
}

# alive D NAME
alive() {
    local pid started
    { read -r pid started <"$1/$2.pid"; } 2>/dev/null || return 1
    [[ $(start_time "$pid") == "$started" && $(awk '{ print $3 }' "/proc/$pid/stat" 2>/dev/null) != Z ]]
}

gone() {
    ! alive "$@"
}

# await_server SECONDS D NAME COMMAND...: until COMMAND succeeds; 1 as soon as the process has ended.
await_server() {
    local deadline=$((SECONDS + $1)) dir=$2 name=$3
    shift 3
    until "$@"; do
        alive "$dir" "$name" && ((SECONDS < deadline)) || return 1
        sleep 0.05
    done
}

# stop_server D NAME [SECONDS]: TERM, and KILL where that is not heeded in time.
stop_server() {
    local dir=$1 name=$2 patience=${3:-10} pid
    alive "$dir" "$name" || return 0
    read -r pid _ <"$dir/$name.pid"
    kill -TERM "$pid" 2>/dev/null || true
    if ! await "$patience" gone "$dir" "$name"; then
        kill -KILL "$pid" 2>/dev/null || true
        await 10 gone "$dir" "$name" || die "process $pid ($name) cannot be stopped"
    fi
}
