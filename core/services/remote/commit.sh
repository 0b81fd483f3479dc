#!/bin/sh
# Gives the file $from the name $path, with mode $mode, when it has digest $sum; durable. Ends with 3
# when it has another one.
# shellcheck disable=SC2154
start
if [ "$(sha256 <"$from")" != "$sum" ]; then
    rm -f -- "$from"
    finish 3
fi
if [ -d "$path" ]; then
    echo "$path is a folder" >&2
    finish 1
fi
d=${path%/*}
chmod "$mode" "$from" && durable "$from" && mv -f -- "$from" "$path" && durable "${d:-/}"
finish "$?"
