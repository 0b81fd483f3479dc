#!/bin/sh
# Asks to end the job $id, present or future. Prints its state.
# shellcheck disable=SC2154
d=$(jobs_folder)/$id
start
look
case $state in
prepared | running)
    : >"$d/kill" || finish 1
    durable "$d/kill" "$d"
    ;;
esac
echo "$state"
finish 0
