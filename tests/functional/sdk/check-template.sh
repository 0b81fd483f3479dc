#!/usr/bin/env bash
# The template plugin built out of the tree against an installed SDK, by CMake and by plain make.
# Usage: check-template.sh BUILD_FOLDER SOURCE_FOLDER WORK_FOLDER C_COMPILER
set -euo pipefail

build=$1
source=$2
work=$3
export CC=$4

rm -rf "$work"
mkdir -p "$work"
prefix=$work/installed
cmake --install "$build" --prefix "$prefix" --component sdk > "$work/install.log"

# A prefix that was moved must work as well.
mv "$prefix" "$work/moved"
prefix=$work/moved

pkgconfig=$(find "$prefix" -name salvor-plugin.pc -printf '%h')
export PKG_CONFIG_PATH=$pkgconfig
export SALVOR=${SALVOR_PROGRAM:-true}
[ "$(pkg-config --variable=plugin_abi salvor-plugin)" = "$(
    awk '/define SALVOR_ABI_MAJOR/ {major = $3 + 0} /define SALVOR_ABI_MINOR/ {print major "." $3 + 0}' \
        "$prefix/include/salvor/plugin.h")" ]

check_plugin() { # FILE
    local symbols
    symbols=$(nm -D --defined-only "$1" | awk '{print $3}')
    if [ "$symbols" != salvor_plugin_v1 ]; then
        echo "'$1' exports $symbols"
        return 1
    fi
    readelf -d "$1" | grep -q 'Flags:.*NOW'
    readelf -n "$1" | grep -q 'Build ID'
    if readelf -d "$1" | grep -E 'RPATH|RUNPATH'; then
        echo "'$1' has a path of the build in it"
        return 1
    fi
}

cp -r "$source/sdk/template" "$work/with-make"
make -C "$work/with-make" > "$work/make.log" 2>&1 || { cat "$work/make.log"; exit 1; }
check_plugin "$work/with-make/salvor_text_folder.so"

cp -r "$source/sdk/template" "$work/with-cmake"
cmake -S "$work/with-cmake" -B "$work/with-cmake/build" -G Ninja -DCMAKE_C_COMPILER="$CC" \
    -DCMAKE_PREFIX_PATH="$prefix" -DSALVOR_PROGRAM="${SALVOR_PROGRAM:-}" \
    > "$work/cmake.log" 2>&1 || { cat "$work/cmake.log"; exit 1; }
cmake --build "$work/with-cmake/build" >> "$work/cmake.log" 2>&1 || { cat "$work/cmake.log"; exit 1; }
check_plugin "$work/with-cmake/build/plugins/salvor_text_folder.so"
if grep -i warning "$work/cmake.log" "$work/make.log"; then
    echo "the template compiles with warnings"
    exit 1
fi

# Undefined symbols are found at link time, not at 3 a.m.
printf 'extern int absent(void);\nint salvor_plugin_v1(void);\nint salvor_plugin_v1(void)\n{\n    return absent();\n}\n' \
    > "$work/undefined.c"
read -r -a flags <<< "$(pkg-config --variable=plugin_cflags salvor-plugin) $(pkg-config --variable=plugin_ldflags salvor-plugin)"
if "$CC" "${flags[@]}" -o "$work/undefined.so" "$work/undefined.c" 2> "$work/undefined.log"; then
    echo "a plugin with an undefined symbol was linked"
    exit 1
fi
grep -q absent "$work/undefined.log"
