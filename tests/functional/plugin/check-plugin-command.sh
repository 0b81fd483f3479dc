#!/usr/bin/env bash
# salvor plugin list | show | lint | note on files that are fine, unwise and broken: what they print
# and how they end. Usage: check-plugin-command.sh SALVOR FOLDER_OF_PLUGINS
set -euo pipefail

salvor=$1
plugins=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_CONFIG_HOME=$work/config HOME=$work
unset SALVOR_PLUGIN_PATH
failed=0

complain() {
    printf 'FAIL: %s\n' "$*"
    failed=1
}

# run WANTED_EXIT_CODE ARGUMENT... : output in $work/out and $work/err
run() {
    local wanted=$1 code=0
    shift
    "$salvor" "$@" > "$work/out" 2> "$work/err" || code=$?
    if [ "$code" -ne "$wanted" ]; then
        complain "'$*' ended with $code, not $wanted"
        cat "$work/out" "$work/err"
    fi
}

says() { # FILE LINE
    grep -qxF -- "$2" "$work/$1" || {
        complain "no line '$2' in:"
        cat "$work/$1"
    }
}

silent() { # FILE
    if [ -s "$work/$1" ]; then
        complain "unexpected on $1:"
        cat "$work/$1"
    fi
}

# ---- list ---------------------------------------------------------------------------------------

mkdir "$work/near" "$work/far"
cp "$plugins/refusals/salvor_sound.so" "$plugins/refusals/salvor_no_note.so" \
    "$plugins/lint/salvor_constructor.so" "$work/near"
cp "$plugins/refusals/salvor_sound.so" "$plugins/refusals/salvor_zero_tail.so" "$work/far"
echo text > "$work/far/salvor_text.so"
chmod go-w "$work"/*/*
# mapping the file of this plugin would end the process that does it
export SALVOR_TEST_ABORT=1
run 0 plugin list --plugin-dir "$work/near" --plugin-dir "$work/far" -o name
printf '%s\n' constructor sound zero-tail > "$work/wanted"
cmp "$work/wanted" "$work/out" || cat "$work/out"
silent err
run 0 plugin show constructor --plugin-dir "$work/near"
says out name=constructor
unset SALVOR_TEST_ABORT

SALVOR_PLUGIN_PATH=$work/far run 0 plugin list -o name
says out sound
run 0 plugin list --plugin-dir "$work/near" --plugin-dir "$work/far" -o json
grep -qF "\"path\": \"$work/near/salvor_sound.so\"" "$work/out" || complain "near sound is missing"
if grep -qF "$work/far/salvor_sound.so" "$work/out"; then complain "far sound is not hidden"; fi
grep -qF "\"message\": \"'$work/far/salvor_text.so' is not a salvor plugin\"" "$work/out" ||
    complain "the text file is not named"
grep -qF '"detail": "it is not an ELF file"' "$work/out" || complain "the reason is missing"
run 0 plugin list --plugin-dir "$work/near"
grep -q "^no-note  .*unusable: '$work/near/salvor_no_note.so' is not a salvor plugin" \
    "$work/out" || complain "the table does not say why"

# ---- show ---------------------------------------------------------------------------------------

run 0 plugin show sound --plugin-dir "$work/near"
says out name=sound
says out abi=0.1
says out "path=$work/near/salvor_sound.so"
says out 'needs=salvor.plan 1 required'
says out 'procedure mending (restore): mend in place'
grep -Eq '^mend +change +idempotent +MOCK-1 +mend it$' "$work/out" || complain "row 'mend'"
grep -Eq '^MOCK-OLD +warning +yes +MOCK-3 ' "$work/out" || complain "finding 'MOCK-OLD'"
grep -Eq '^status +mockctl status \*\* +status only looks$' "$work/out" || complain "the read"
grep -Eq '^pace +slow\|fast +slow +how fast$' "$work/out" || complain "option 'pace'"
run 0 plugin show "$work/near/salvor_sound.so" -o json
grep -qF '"name": "sound"' "$work/out" || complain "show FILE -o json"

run 2 plugin show soundd --plugin-dir "$work/near"
says err "error: cannot find plugin 'soundd'"
run 2 plugin show no-note --plugin-dir "$work/near"
says err "error: '$work/near/salvor_no_note.so' is not a salvor plugin"
says err "detail: it has no note '.note.salvor'"
run 2 plugin show broken-rule --plugin-dir "$plugins/refusals"
says err "error: plugin 'broken-rule' breaks the rules of a descriptor: row 'mend': it has no deadline"
chmod g+w "$work/near/salvor_sound.so"
run 2 plugin show sound --plugin-dir "$work/near"
says err "error: refusing plugin 'sound': '$work/near/salvor_sound.so' is writable by group or others"
chmod g-w "$work/near/salvor_sound.so"
chmod o+w "$work/near"
run 2 plugin show sound --plugin-dir "$work/near"
says err "error: refusing plugin 'sound': folder '$work/near' is writable by group or others"
chmod o-w "$work/near"
mkdir "$work/far/salvor_folder.so"
run 2 plugin show folder --plugin-dir "$work/far"
says err "detail: it is a folder"
head -c 3000 "$work/far/salvor_sound.so" > "$work/far/salvor_cut.so"
run 2 plugin show cut --plugin-dir "$work/far"
grep -q '^detail: it is cut short: ' "$work/err" || complain "a truncated file"
ln -s nowhere "$work/far/salvor_link.so"
run 2 plugin show link --plugin-dir "$work/far"
says err "error: cannot open plugin file '$work/far/salvor_link.so': No such file or directory"
cp "$work/far/salvor_sound.so" "$work/far/salvor_renamed.so"
run 2 plugin show renamed --plugin-dir "$work/far"
says err "error: plugin file 'salvor_renamed.so' declares name 'sound'"

# ---- lint: what the worker refuses ----------------------------------------------------------------

refused() { # NAME MESSAGE
    local file=$plugins/refusals/salvor_${1//-/_}.so
    run 1 plugin lint "$file"
    says out "$file: error[load]: $2"
}
damaged() {
    refused "$1" "plugin '$1' has a damaged descriptor: $2"
}
unknown() {
    refused "$1" "plugin '$1' uses features this salvor does not know: $2"
}
folder=$(realpath "$plugins/refusals")
refused no-entry "'$folder/salvor_no_entry.so' is not a salvor plugin: it exports no function 'salvor_plugin_v1'"
refused later-entry "plugin 'later-entry' needs plugin ABI 2, this salvor provides 0.1"
refused later-major "plugin 'later-major' needs plugin ABI 2, this salvor provides 0.1"
refused later-minor "plugin 'later-minor' was built for plugin ABI 0.7, this salvor provides 0.1: before ABI 1.0 plugin and salvor must have the same minor version"
refused other-tag "plugin 'other-tag' was built for 'acme-salvor', not 'salvor'"
refused other-name "plugin file 'salvor_other_name.so' declares name 'third-name': plugin 'other-name' was asked for and found at '$folder/salvor_other_name.so'"
refused null-descriptor "plugin 'null-descriptor' refused to start: its entry function returned no descriptor"
refused missing-library "cannot load plugin 'missing-library': libabsent-library.so: cannot open shared object file: No such file or directory"
refused undefined-function "cannot load plugin 'undefined-function': $folder/salvor_undefined_function.so: undefined symbol: salvor_absent_function"
damaged wrong-magic "it begins with 0xdeadbeef instead of 0x53414c56"
damaged other-order "its magic number has the other byte order"
damaged short-descriptor "it says that it has 64 bytes, at least 176 are needed"
damaged odd-descriptor "its size of 180 bytes is not a multiple of 8"
damaged huge-descriptor "it says that it has 4294967288 bytes, more than 65536"
damaged crooked-descriptor "its address is not aligned"
damaged null-name "it has no name"
damaged no-hooks "it has no hooks"
damaged hostile-count "it says that it has 4294967295 elements of kind row, more than 256"
damaged null-array "it says that it has 1 elements of kind finding, but they are missing"
damaged small-stride "it says that an element of kind option has 8 bytes, not 64"
unknown set-tail "byte 192 of the descriptor"
unknown unknown-flag "flags 0x10 of the descriptor"
unknown reserved-field "reserved field of the descriptor is 0x1"
unknown later-effect "effect of a row 3500"

# ---- lint: what else is wrong ---------------------------------------------------------------------

lint_says() { # EXIT_CODE FILE PROBLEM...
    local code=$1 file=$2
    shift 2
    run "$code" plugin lint "$file"
    while [ $# -gt 0 ]; do
        says out "$file: $1"
        shift
    done
}
lint_says 0 "$plugins/refusals/salvor_sound.so" \
    'warning[man-page]: there is no manual page salvor-sound(7)'
[ "$(grep -c ': error\|: warning' "$work/out")" -eq 1 ] || complain "sound has more than one problem"
: > "$work/near/salvor-sound.7"
run 0 plugin lint "$work/near/salvor_sound.so"
silent out
lint_says 1 "$plugins/refusals/salvor_other_note.so" \
    "error[note-differs]: its note differs from its descriptor at 'summary'"
lint_says 1 "$plugins/refusals/salvor_no_note.so" \
    "error[note-missing]: it has no note '.note.salvor'"
lint_says 1 "$plugins/refusals/salvor_broken_rule.so" \
    "error[row-deadline]: row 'mend': it has no deadline" \
    "error[row-instructions]: row 'plug': a person does it, but nothing says how"
lint_says 1 "$plugins/lint/salvor_extra_export.so" \
    "error[export-extra]: it exports 'extra_export_helper'; only 'salvor_plugin_v1' may be seen"
lint_says 1 "$plugins/lint/salvor_forbidden_calls.so" \
    "error[forbidden-call]: it calls 'system'" "error[forbidden-call]: it calls 'exit'" \
    "error[forbidden-call]: it calls 'chdir'" \
    "warning[prints]: it calls 'puts'; standard output is not the plugin's"
lint_says 1 "$plugins/lint/salvor_constructor.so" \
    "error[constructor]: it runs 'start_early' when it is loaded"
lint_says 1 "$plugins/lint/salvor_lazy_binding.so" \
    'error[bind-now]: a missing function would end the worker at its first call' \
    "warning[run-path]: it looks for libraries in '/opt/elsewhere'"
lint_says 0 "$plugins/lint/salvor_careless.so" \
    "warning[need-unknown]: it needs the service 'salvor.plam', which this salvor has never heard of" \
    "warning[wording]: option 'pace': help 'How fast it goes.'" \
    "warning[option-since]: option 'pace': it does not say since when it exists" \
    "warning[row-statements]: row 'mend': it changes something, but names no vendor statement" \
    "warning[row-backoff]: row 'mend': it is tried again without a pause"
strip -o "$work/near/salvor_constructor.so" "$plugins/lint/salvor_constructor.so"
lint_says 0 "$work/near/salvor_constructor.so" \
    'warning[constructor]: it runs 2 functions when it is loaded, and names none of them'
SALVOR_TEST_ABORT=1 run 1 plugin lint "$plugins/lint/salvor_constructor.so"
grep -qi 'error\[load\]: .*abort' "$work/out" || {
    complain "a plugin that aborts while it is loaded"
    cat "$work/out"
}
run 2 plugin lint "$work/far/salvor_text.so"
says err "detail: it is not an ELF file"

# ---- note -----------------------------------------------------------------------------------------

fresh=$work/near/salvor_no_note.so
run 0 plugin note "$fresh"
silent out
silent err
run 0 plugin show no-note --plugin-dir "$work/near"
says out name=no-note
cp "$fresh" "$work/once"
run 0 plugin note "$fresh"
run 0 plugin lint "$fresh"
# other tools keep what salvor wrote
strip "$fresh"
run 0 plugin lint "$fresh"
objcopy --remove-section .comment "$fresh"
run 0 plugin lint "$fresh"
cp "$plugins/refusals/salvor_broken_rule.so" "$work/near/salvor_broken_rule.so"
run 2 plugin note "$work/near/salvor_broken_rule.so"
says err "error: plugin 'broken-rule' breaks the rules of a descriptor: row 'mend': it has no deadline"
cmp "$plugins/refusals/salvor_broken_rule.so" "$work/near/salvor_broken_rule.so" ||
    complain "a refused note changed the file"
cp "$work/once" "$work/near/libplugin.so"
run 2 plugin note "$work/near/libplugin.so"
says err "error: '$work/near/libplugin.so' is not named as a plugin file"
# a broken configuration of the builder does not matter to a build
mkdir -p "$work/config/salvor"
echo 'nonsense: [' > "$work/config/salvor/salvor.yaml"
run 0 plugin note "$fresh"
run 0 plugin lint "$fresh"
if [ -n "$(find "$work" -name '*.tmp-*')" ]; then complain "temporary files are left"; fi

exit "$failed"
