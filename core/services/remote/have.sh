#!/bin/sh
# Ends with 0 when $path is a file of ours with mode $mode and digest $sum.
# shellcheck disable=SC2154
start
[ -f "$path" ] && [ ! -L "$path" ] && [ -O "$path" ] && [ "$(stat -c %a -- "$path")" = "$mode" ] &&
    [ "$(sha256 <"$path")" = "$sum" ]
finish "$?"
