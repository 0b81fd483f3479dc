#!/bin/sh
# Starts the job $id with request $digest ($words) unless it was started; $shim is the script of the
# process that takes care of it. Prints its state; ends with 4 when the id has another request.
# shellcheck disable=SC2154
d=$(jobs_folder)/$id
mkdir -p -- "$d" || refuse folder
if [ ! -O "$d" ] || [ -L "$d" ]; then
    echo "$d belongs to somebody else" >&2
    refuse owner
fi
start
r=$d/.request-${m#salvor-}
printf '%s\n%s\n' "$digest" "$words" >"$r" || finish 1
ln "$r" "$d/request" 2>/dev/null
rm -f "$r"
[ -e "$d/request" ] || finish 1
read -r was <"$d/request"
[ "$was" = "$digest" ] || finish 4
look
if [ "$state" = prepared ]; then
    durable "$d/request" "$d"
    # The last words show that all of the script has arrived, which must not wait for a disk, or be
    # seen in the arguments of a process.
    # shellcheck disable=SC2016
    boots='x=$(cat); case $x in *"#salvor-end") eval "$x" ;; esac'
    launch() {
        printf '%s' "$shim" | "$@" /bin/sh -c "$boots" "salvor-job" >/dev/null 2>"$d/.words" &
        l=$!
        # It claims the job in the first moment of its life, or never.
        i=0
        while [ ! -e "$d/claim" ] && [ ! -e "$d/.failed" ] && kill -0 "$l" 2>/dev/null && [ "$i" -lt 400 ]; do
            sleep 0.02 2>/dev/null || sleep 1
            i=$((i + 1))
        done
    }
    g=
    command -v setsid >/dev/null 2>&1 && g=setsid
    rm -f "$d/.failed"
    if [ "$(id -u)" -eq 0 ] && [ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1; then
        # systemd may end what belongs to a session with the session.
        launch systemd-run --system --scope --collect --quiet --no-ask-password \
            --description="salvor job $id" -- $g
    fi
    if [ ! -e "$d/claim" ] && [ ! -e "$d/.failed" ]; then
        # shellcheck disable=SC2086
        launch ${g:-env}
    fi
    look
    if [ "$state" = prepared ]; then
        cat "$d/.failed" "$d/.words" 2>/dev/null >&2
        finish 1
    fi
fi
echo "$state $(boot)"
finish 0
