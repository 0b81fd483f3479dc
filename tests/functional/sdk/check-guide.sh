#!/usr/bin/env bash
# Every example of the plugin guide: the C blocks are one plugin, built by the cmake block and by
# the sh block against the installed SDK. Needs what check-template.sh installed.
# Usage: check-guide.sh GUIDE INSTALLED_PREFIX WORK_FOLDER C_COMPILER
set -euo pipefail

guide=$(realpath "$1")
prefix=$(realpath "$2")
work=$3
export CC=$4

rm -rf "$work"
mkdir -p "$work"
blocks() { # LANGUAGE
    awk -v fence="\`\`\`$1" '$0 == "```" {on = 0} on {print} $0 == fence {on = 1}' "$guide"
}
blocks c > "$work/lamp.c"
blocks cmake > "$work/CMakeLists.txt"
blocks sh > "$work/compile"
for file in lamp.c CMakeLists.txt compile; do
    [ -s "$work/$file" ] || { echo "the guide has no block for $file"; exit 1; }
done
# No example may hide from the test under another language.
if grep '^```.' "$guide" | grep -vxE '```(c|cmake|sh)'; then
    echo "the blocks above are tested by nothing"
    exit 1
fi

PKG_CONFIG_PATH=$(find "$prefix" -name salvor-plugin.pc -printf '%h')
export PKG_CONFIG_PATH
cd "$work"
read -r -a cflags <<< "$(pkg-config --cflags salvor-plugin)"
for compiler in gcc clang; do
    command -v "$compiler" > /dev/null || continue
    "$compiler" -std=c17 -Wall -Wextra -Wpedantic -Wshadow -Wvla -Wformat=2 -Werror \
        -fsyntax-only "${cflags[@]}" lamp.c
done
mkdir bin
printf '#!/bin/sh\nexec "%s" "$@"\n' "$CC" > bin/cc
chmod +x bin/cc
PATH=$work/bin:$PATH bash -euo pipefail compile
cmake -S . -B build -G Ninja -DCMAKE_C_COMPILER="$CC" -DCMAKE_PREFIX_PATH="$prefix" \
    -DSALVOR_PROGRAM="${SALVOR_PROGRAM:-}" > cmake.log
cmake --build build >> cmake.log
for plugin in salvor_lamp.so build/plugins/salvor_lamp.so; do
    [ "$(nm -D --defined-only "$plugin" | awk '{print $3}')" = salvor_plugin_v1 ]
done

# What the tables name must exist.
while read -r name; do
    grep -rqwF -- "$name" "$prefix/include/salvor" || { echo "the guide names '$name', which does not exist"; exit 1; }
done < <(grep -oE '\b(salvor_[a-z_]+|SALVOR_[A-Z_]+)\b' "$guide" | sort -u |
    grep -vE '^(salvor_add_plugin|salvor_lamp|SALVOR_WORKER)$|_$')
