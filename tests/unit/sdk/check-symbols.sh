#!/usr/bin/env bash
# docs/symbols-in-versions against the headers, in both directions.
# Usage: check-symbols.sh INCLUDE_FOLDER AWK_FOLDER LIST VERSION [--update]
set -euo pipefail

include=$1
here=$2
list=$3
version=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C

for header in "$include"/salvor/*.h; do
    awk -f "$here/header-symbols.awk" "$header"
done | awk '$1 == "struct" {print "struct_" $2; next} {print $2}' | sort -u |
    sed 's/^struct_salvor_/struct salvor_/; s/ /~/' > "$work/declared"
if grep -v '^SALVOR_\|^salvor_\|^struct~salvor_' "$work/declared"; then
    echo "the symbols above do not begin with salvor_"
    exit 1
fi

[ -e "$list" ] || : > "$list"
grep -v '^#' "$list" > "$work/lines" || true
if ! awk 'NF < 2 || NF > 4 || $2 !~ /^[0-9]+\.[0-9]+$/ {print "bad line: " $0; bad = 1} END {exit bad}' "$work/lines"; then
    exit 1
fi
# a symbol with a fourth column was removed in that version
awk 'NF < 4 {print $1}' "$work/lines" | sort -u > "$work/listed"

if [ "${5-}" = --update ]; then
    {
        printf '# Every macro, type, struct, member and function of the SDK headers, with the version\n'
        printf '# of salvor that introduced it, deprecated it ("-": not) and removed it.\n'
        printf '# name since [deprecated [removed]]; "struct~x" is the tag x.\n'
        { cat "$work/lines"; comm -23 "$work/declared" "$work/listed" | sed "s/\$/ $version/"; } | sort -u
    } > "$work/new"
    cp "$work/new" "$list"
    exit 0
fi

failed=0
while read -r name; do
    echo "'$name' is declared, but docs/symbols-in-versions does not list it"
    failed=1
done < <(comm -23 "$work/declared" "$work/listed")
while read -r name; do
    echo "docs/symbols-in-versions lists '$name', which no header declares"
    failed=1
done < <(comm -13 "$work/declared" "$work/listed")
sort -c "$work/lines" || failed=1
[ "$failed" -eq 0 ] || echo "hint: run it with --update, or give a removed symbol its fourth column"
exit "$failed"
