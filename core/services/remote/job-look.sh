#!/bin/sh
# Prints "STATE EXIT BEGAN ENDED BOOT", a newline and the end of the job's standard output; on standard
# error the end of its standard error.
# shellcheck disable=SC2154
d=$(jobs_folder)/$id
start
look
echo "$state $exit $began $ended $(boot)"
newest() {
    { [ ! -e "$1.old" ] || tail -c "$tail" "$1.old"; [ ! -e "$1" ] || tail -c "$tail" "$1"; } | tail -c "$tail"
}
if [ "$state" != absent ]; then
    newest "$d/stdout"
    newest "$d/stderr" >&2
    [ -z "$why" ] || echo "$why" >&2
fi
finish 0
