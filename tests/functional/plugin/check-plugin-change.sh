#!/usr/bin/env bash
# A run goes on only with the build of the plugin that it was begun with, unless the operator says
# otherwise. Usage: check-plugin-change.sh SALVOR GOOD_PLUGIN_FILE
set -euo pipefail

salvor=$1
plugin=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_CONFIG_HOME=$work/config HOME=$work
unset SALVOR_PLUGIN_PATH
installed=$work/plugins/salvor_good.so

fail() {
    printf 'FAIL: %s\n' "$*"
    cat "$work/err"
    exit 1
}

run() { # WANTED_EXIT_CODE ARGUMENT...
    local wanted=$1 code=0
    shift
    "$salvor" --plugin-dir "$work/plugins" --state-dir "$work/state" "$@" \
        > "$work/out" 2> "$work/err" < /dev/null || code=$?
    [ "$code" -eq "$wanted" ] || fail "'$*' ended with $code, not $wanted"
}

build_id() {
    "$salvor" plugin show "$installed" | sed -n 's/^build_id=//p'
}

mkdir "$work/plugins"
cp "$plugin" "$installed"
chmod go-w "$installed"
"$salvor" plugin note "$installed"
before=$(build_id)
run 4 --provider good restore --path mend --wait=false
id=$("$salvor" --state-dir "$work/state" runs -o name)

# the same plugin, built again: only the identity of the build differs
objcopy --dump-section .note.gnu.build-id="$work/note" "$installed"
head -c 16 "$work/note" > "$work/other-note"
printf 'another build 123456' >> "$work/other-note"
objcopy --update-section .note.gnu.build-id="$work/other-note" "$installed"
after=$(build_id)
[ "$before" != "$after" ] || fail "the build id is still $before"

run 5 resume "$id" --wait=false
grep -qxF "error: journal was written by plugin 'good' 0.1 (build id $before), installed is 0.1 (build id $after)" \
    "$work/err" || fail "the refusal"
grep -qxF 'hint: install the former build, or resume with --accept-plugin-change' "$work/err" ||
    fail "the hint"
run 4 resume "$id" --wait=false --accept-plugin-change
objcopy --update-section .note.gnu.build-id="$work/note" "$installed"
run 4 resume "$id" --wait=false
