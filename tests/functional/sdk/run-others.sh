#!/usr/bin/env bash
# The plugin of the guide and the one in Rust under the installed salvor, in both worker modes: note,
# lint, discover, and a restore to its end. Needs what run-template.sh installed and what
# check-guide.sh and check-rust.sh built.
# Usage: run-others.sh PROGRAM LAMP_PLUGIN RUST_PLUGIN WORK_FOLDER
set -euo pipefail
trap 'echo "line $LINENO failed"; cat "$work"/said 2> /dev/null || true' ERR

program=$1
lamp=$2
rust=$3
work=$4

rm -rf "$work"
mkdir -p "$work/plugins" "$work/home"
chmod -R go-w "$work"
export HOME=$work/home XDG_STATE_HOME="" XDG_CONFIG_HOME="" SALVOR_PLUGIN_PATH=$work/plugins

plugins=("$lamp")
[ ! -e "$rust" ] || plugins+=("$rust")
for plugin in "${plugins[@]}"; do
    file=$work/plugins/${plugin##*/}
    install -m 0644 "$plugin" "$file"
    "$program" plugin note "$file"
    # Rust's standard library has a constructor of its own, which lint knows.
    "$program" plugin lint "$file" > "$work/said" 2>&1
done

salvor() {
    "$program" --state-dir "$work/state" "$@" < /dev/null > "$work/out" 2> "$work/said"
}
for mode in "" per-call; do
    export SALVOR_WORKER=$mode
    echo off > "$work/lamp"
    salvor --provider lamp discover --lamp "$work/lamp" -o json
    grep -q '"off"' "$work/out"
    salvor --provider lamp restore --lamp "$work/lamp" --state on --yes
    [ "$(cat "$work/lamp")" = on ]
    # Nothing to do: the second stage is empty.
    salvor --provider lamp restore --lamp "$work/lamp" --state on --yes
    grep -q "'write': 0 steps" "$work/said"
    [ "$(cat "$work/lamp")" = on ]
    if salvor --provider lamp discover --lamp "$work/absent"; then
        echo "a lamp that does not exist was found"
        exit 1
    fi
    grep -q "cannot read lamp '$work/absent'" "$work/said"

    [ -e "$rust" ] || continue
    salvor --provider rust-count restore --number 5 --yes
    if salvor --provider rust-count discover --number 13; then
        echo "a panic went unnoticed"
        exit 1
    fi
    grep -q "the plugin panicked: 'thirteen'" "$work/said"
done
