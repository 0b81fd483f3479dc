#!/usr/bin/env bash
# Size of every ABI struct and offset of every member against the committed table (x86-64).
# Usage: check-layout.sh INCLUDE_FOLDER AWK_FOLDER TABLE COMPILER [--update]
set -euo pipefail

include=$1
here=$2
table=$3
compiler=$4

if [ "$("$compiler" -dumpmachine | cut -d- -f1)" != x86_64 ]; then
    echo "the table is for x86-64"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

{
    printf '#include <salvor/plugin.h>\n#include <stddef.h>\n#include <stdio.h>\n'
    printf '#define S(type) printf("%%s\\t-\\t%%zu\\n", #type, sizeof(struct type));\n'
    printf '#define M(type, member) printf("%%s\\t%%zu\\t%%zu\\n", #type "." #member, '
    printf 'offsetof(struct type, member), sizeof(((struct type *)0)->member));\n'
    printf 'int main(void)\n{\n'
    for header in types host services plugin; do
        awk -f "$here/header-symbols.awk" "$include/salvor/$header.h"
    done | awk '$1 == "struct" {print "S(" $2 ")"}
                $1 == "member" {sub(/\./, ", ", $2); sub(/^member /, ""); print "M(" $0 ")"}'
    printf 'return 0;\n}\n'
} > "$work/layout.c"
"$compiler" -std=c17 -I "$include" -o "$work/layout" "$work/layout.c"
{
    printf '# sizeof and offsetof of the plugin ABI on x86-64; made by tests/unit/sdk/check-layout.sh\n'
    printf '# name\toffset\tsize\n'
    "$work/layout"
} > "$work/table"

# Members must fill their struct up to padding smaller than 8 bytes: nothing was left out.
awk -F '\t' '/^#/ {next}
    $2 == "-" {if (name != "" && total - end >= 8) {print "hole at the end of " name; bad = 1}
               name = $1; total = $3; end = 0; next}
    {if ($2 - end >= 8 || $2 < end) {print "hole before " $1; bad = 1} end = $2 + $3}
    END {exit bad}' "$work/table"

if [ "${5-}" = --update ]; then
    cp "$work/table" "$table"
    exit 0
fi
if ! diff -u "$table" "$work/table"; then
    echo "the layout of the ABI changed: a change that plugins can live with goes into abi/history.md,"
    echo "and 'check-layout.sh … --update' renews the table"
    exit 1
fi
