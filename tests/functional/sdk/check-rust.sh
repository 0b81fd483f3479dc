#!/usr/bin/env bash
# A plugin in Rust: bindings from the header, the same layout as in C, one exported function, and
# its hooks run by the real worker. rustc and the standard library only, no network.
# Usage: check-rust.sh INCLUDE_FOLDER LAYOUT_TABLE AWK_FOLDER WORK_FOLDER DRIVE PROGRAM
set -euo pipefail
trap 'echo "line $LINENO failed"' ERR

include=$1
table=$2
awk_folder=$3
work=$4
drive=$5
program=$6
here=$(cd "$(dirname "$0")" && pwd)

for tool in rustc bindgen; do
    if ! command -v "$tool" > /dev/null; then
        echo "needs $tool"
        exit 77
    fi
done
rm -rf "$work"
mkdir -p "$work"
export SALVOR_BINDINGS=$work

bindgen "$include/salvor/plugin.h" --allowlist-type 'salvor_.*' --allowlist-var 'SALVOR_.*' \
    --size_t-is-usize -o "$work/bindings.rs" -- -I "$include" -std=c17

# ---- layout: Rust's own sizes and offsets against the table of the C headers ----
{
    printf '#![allow(non_camel_case_types, non_upper_case_globals, dead_code)]\n'
    printf 'mod abi { include!(concat!(env!("SALVOR_BINDINGS"), "/bindings.rs")); }\n'
    printf 'use std::mem::{size_of_val, MaybeUninit};\n'
    # shellcheck disable=SC2016 # Rust's macro variables, not the shell's
    printf '%s\n' 'macro_rules! layout { ($t:ident { $($m:ident $c:expr),* }) => {{' \
        ' println!("{}\t-\t{}", stringify!($t), std::mem::size_of::<abi::$t>());' \
        ' let value = MaybeUninit::<abi::$t>::zeroed();' \
        ' let base = value.as_ptr();' \
        ' $( let at = unsafe { std::ptr::addr_of!((*base).$m) };' \
        ' println!("{}.{}\t{}\t{}", stringify!($t), $c, at as usize - base as usize,' \
        '          size_of_val(unsafe { &*at }));)* }} }'
    printf 'fn main() {\n'
    for header in types host services plugin; do
        awk -f "$awk_folder/header-symbols.awk" "$include/salvor/$header.h"
    done | awk '
        function finish() {if (open) print "});"; open = 0}
        $1 == "struct" {finish(); printf "layout!(%s {", $2; open = 1; separator = ""}
        $1 == "member" {
            split($2, word, ".")
            field = word[2] ~ /^(type|match|move|ref|use|where|in|as|fn|loop)$/ ? word[2] "_" : word[2]
            printf "%s%s \"%s\"", separator, field, word[2]
            separator = ", "
        }
        END {finish()}'
    printf '}\n'
} > "$work/layout.rs"
rustc --edition 2021 -o "$work/layout" "$work/layout.rs"
"$work/layout" > "$work/layout.tsv"
if [ "$(uname -m)" = x86_64 ]; then
    grep -v '^#' "$table" | diff -u - "$work/layout.tsv"
fi
# bindgen's own assertions, from what clang sees
rustc --edition 2021 --test -A warnings -o "$work/bindings-test" "$work/bindings.rs" 
"$work/bindings-test" -q > "$work/bindings-test.log"
grep -q 'test result: ok' "$work/bindings-test.log"

# ---- build ----
plugin=$work/salvor_rust_count.so
rustc --edition 2021 --crate-type cdylib --crate-name salvor_rust_count -O \
    -C link-arg=-Wl,-z,now,-z,relro,-z,defs,--build-id -o "$plugin" "$here/rust/plugin.rs"
symbols=$(nm -D --defined-only "$plugin" | awk '{print $3}')
if [ "$symbols" != salvor_plugin_v1 ]; then
    printf 'the plugin exports:\n%s\n' "$symbols"
    exit 1
fi
"$program" plugin note "$plugin"

# ---- run by the real worker ----
ask() { # CALL [OPTIONS]
    printf '%s\n' "$1" | "$drive" "$plugin" rust-count "{\"options\":${2-{\}}}" || true
}
expect() { # WHAT TEXT OUTPUT
    case $3 in
        *"$2"*) ;;
        *)
            printf '%s: expected %s in\n%s\n' "$1" "$2" "$3"
            exit 1
            ;;
    esac
}

step='{"instance":"count/1","procedure":"count","stage":"count","row":"set-number","target":"the number","parameters":{"number":5},"attempt":1,"job_id":"j"}'
for mode in shared per-call; do
    export SALVOR_WORKER=$mode
    output=$(ask '{"hook":"discover","effect":2000}' '{"number":5}')
    expect discover '"class":"identity"' "$output"
    expect discover '"value":5' "$output"
    expect discover '"outcome":"done"' "$output"

    output=$(ask '{"hook":"restore","effect":2000,"request":{"procedure_kind":2000}}' '{"number":5}')
    expect plan '"do":"decide"' "$output"
    expect plan '"parameters":{"number":5}' "$output"

    output=$(ask "{\"hook\":\"check_step\",\"effect\":2000,\"step\":$step}")
    expect check '"answer":1000' "$output"
    output=$(ask "{\"hook\":\"run_step\",\"effect\":3000,\"step\":$step}")
    expect run '"kind":"cursor"' "$output"
    expect run '"outcome":"done"' "$output"
    output=$(ask "{\"hook\":\"check_step\",\"effect\":2000,\"step\":$step,\"checkpoints\":{\"cursor\":{\"number\":5}}}")
    expect check '"answer":4000' "$output"

    # A panic is a reported bug, and the worker lives on.
    output=$(printf '%s\n' '{"hook":"discover","effect":2000}' '{"hook":"discover","effect":2000}' |
        "$drive" "$plugin" rust-count '{"options":{"number":13}}' 2> "$work/panic.log" || true)
    expect panic "the plugin panicked: 'thirteen'" "$output"
    expect panic '"status":7000' "$output"
    [ "$(printf '%s\n' "$output" | grep -c '"outcome":"done"')" = 2 ]
done
