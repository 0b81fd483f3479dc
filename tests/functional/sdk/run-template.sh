#!/usr/bin/env bash
# The template plugin, built against the installed SDK, under the installed salvor: discover,
# backup, validate, plan, restore; then the restore killed at every point that it passes, and
# resumed to the same end. Needs what check-template.sh made.
# Usage: run-template.sh BUILD_FOLDER TEMPLATE_WORK WORK_FOLDER
set -euo pipefail
trap 'echo "line $LINENO failed"; cat "$work"/said 2> /dev/null || true' ERR

build=$1
made=$2
work=$3

rm -rf "$work"
mkdir -p "$work/plugins" "$work/home"
chmod -R go-w "$work"
cmake --install "$build" --prefix "$work/installed" > "$work/install.log"
program=$work/installed/bin/salvor
export HOME=$work/home XDG_STATE_HOME="" XDG_CONFIG_HOME="" SALVOR_PLUGIN_PATH=""
site=$work/site

# Both builds of the template are the same plugin.
install -m 0644 "$made/with-make/salvor_text_folder.so" "$work/plugins/"
"$program" plugin note "$work/plugins/salvor_text_folder.so"
install -m 0644 "$made/with-cmake/build/plugins/salvor_text_folder.so" "$work/other.so"
mkdir "$work/other"
mv "$work/other.so" "$work/other/salvor_text_folder.so"
"$program" plugin note "$work/other/salvor_text_folder.so"
"$program" plugin lint "$work/other/salvor_text_folder.so" > "$work/said" 2>&1
for folder in plugins other; do
    "$program" --plugin-dir "$work/$folder" plugin show text-folder -o json > "$work/shown-$folder"
    grep -q '"copy-files"' "$work/shown-$folder"
done

salvor() { # WORDS...
    "$program" --plugin-dir "$work/plugins" --state-dir "$work/state" --provider text-folder "$@" \
        < /dev/null > "$work/out" 2> "$work/said"
}
resume() {
    "$program" --plugin-dir "$work/plugins" --state-dir "$work/state" resume last --yes \
        < /dev/null > "$work/out" 2> "$work/said"
}
state_of() { # FOLDER
    (cd "$1" && find . -type f -exec sha256sum {} + | sort)
}
wreck() {
    rm -rf "$site"
    mkdir "$site"
    echo "overwritten by accident" > "$site/a.txt"
    echo "new since the backup" > "$site/c.txt"
}

mkdir "$site"
echo alpha > "$site/a.txt"
echo beta > "$site/b with a space.txt"
: > "$site/empty.txt"

salvor discover --folder "$site" -o json
grep -q '"b with a space.txt"' "$work/out"
salvor backup --folder "$site"
salvor validate latest
cp -r "$site" "$work/expected"
echo "new since the backup" > "$work/expected/c.txt"

# Planning changes nothing.
wreck
before=$(state_of "$site")
salvor plan --folder "$site" --from latest
salvor restore --folder "$site" --from latest --dry-run
[ "$(state_of "$site")" = "$before" ]

SALVOR_KILL_LOG=$work/points salvor restore --folder "$site" --from latest --yes
[ "$(state_of "$site")" = "$(state_of "$work/expected")" ]

# A second restore finds nothing to do and does no harm.
salvor restore --folder "$site" --from latest --yes
[ "$(state_of "$site")" = "$(state_of "$work/expected")" ]

# Without the hooks of the harness there is nothing to kill at.
if [ ! -s "$work/points" ]; then
    echo "this salvor has no kill points"
    exit 0
fi
# All of them on demand; else every fourth, which still reaches each row and both processes.
every=4
[ "${SALVOR_TEMPLATE_POINTS-}" != all ] || every=1
killed=0
number=0
while read -r point; do
    number=$((number + 1))
    [ $((number % every)) -eq 0 ] || continue
    wreck
    rm -rf "$work/state/runs"
    status=0
    (SALVOR_KILL_AT=${point%%:*}:$point salvor restore --folder "$site" --from latest --yes) \
        2> /dev/null || status=$?
    [ "$status" -eq 0 ] || killed=$((killed + 1))
    for _ in 1 2 3 4 5; do
        if [ "$status" -eq 0 ]; then break; fi
        status=0
        if compgen -G "$work/state/runs/*/journal.db" > /dev/null &&
            ! grep -q 'start again' "$work/said"; then
            resume || status=$?
        else
            salvor restore --folder "$site" --from latest --yes || status=$?
        fi
        # killed after the last record: nothing is left to do
        if grep -q 'is finished; there is nothing to resume' "$work/said"; then status=0; fi
    done
    if [ "$status" -ne 0 ] || [ "$(state_of "$site")" != "$(state_of "$work/expected")" ]; then
        echo "killed at '$point': ended with $status"
        cat "$work/said"
        state_of "$site"
        exit 1
    fi
done < "$work/points"
echo "killed at $killed of $number points, resumed to the same end"
[ "$killed" -ge 5 ]
