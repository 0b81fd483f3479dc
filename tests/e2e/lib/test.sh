# shellcheck shell=bash
# The vocabulary of the suites. A suite is an executable tests/e2e/test-NAME that sources this file,
# defines functions named it_..., each one test, and ends with run_suite.
#
#   suite_setup        optional function, runs once before the tests
#   run_suite [PART]   all tests in the order of the file, or those with PART in their names
#   requires WHY CMD   skips the test (in suite_setup: the suite) unless CMD succeeds
#   cleanup CMD...     runs CMD at the end of the test (in suite_setup: of the suite), last one first
#   must_fail CMD...   CMD has to fail; its output is kept in $output
#   must_say CMD...    CMD has to succeed; its output is kept in $output
#   equal GOT WANTED [WHAT], contains TEXT PART, fail MESSAGE
#   await SECONDS CMD  see lib/common.sh

# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

readonly skipped=77
suite=${0##*/}
suite=${suite#test-}
work=$(mktemp -d "${TMPDIR:-/tmp}/e2e-$suite-XXXXXX")
export work
cleanups=()

run_cleanups() {
    local i
    for ((i = ${#cleanups[@]} - 1; i >= 0; i--)); do
        eval "${cleanups[i]}" || note "cleanup failed: ${cleanups[i]}"
    done
    cleanups=()
}

cleanup() {
    cleanups+=("$(printf '%q ' "$@")")
}

fail() {
    note "failed: $1"
    exit 1
}

requires() {
    local why=$1
    shift
    "$@" && return
    printf '%s\n' "$why" >"$work/skipped"
    exit "$skipped"
}

must_fail() {
    if output=$("$@" 2>&1); then
        fail "'$*' succeeded, and should not: $output"
    fi
}

must_say() {
    output=$("$@") || fail "'$*' failed"
}

equal() {
    [[ $1 == "$2" ]] || fail "${3:-value} is '$1', not '$2'"
}

contains() {
    [[ $1 == *"$2"* ]] || fail "'$2' is not in '$1'"
}

# report RESULT WHAT [DETAIL]
report() {
    printf '%-4s %s: %s%s\n' "$1" "$suite" "$2" "${3:+ ($3)}"
    [[ -z ${SALVOR_E2E_RESULTS:-} ]] || printf '%s\t%s\t%s\n' "$1" "$suite" "$2" >>"$SALVOR_E2E_RESULTS"
}

# run_one FUNCTION: in a subshell of its own, since a failure ends it.
run_one() {
    local status started=${EPOCHREALTIME/./} what=${1#it_}
    rm -f "$work/skipped"
    : >"$work/.started"
    set +e
    (
        set -e
        cleanups=()
        trap run_cleanups EXIT
        "$1"
    ) >"$work/output" 2>&1
    status=$?
    set -e
    what=${what//_/ }
    case $status in
        0) report ok "$what" "$(((${EPOCHREALTIME/./} - started) / 1000)) ms" ;;
        "$skipped") report skip "$what" "$(<"$work/skipped")" ;;
        *)
            report FAIL "$what"
            sed 's/^/    /' "$work/output"
            show_logs
            failed=1
            ;;
    esac
}

# show_logs: what the servers said during the test.
show_logs() {
    local log
    while read -r log; do
        printf '    --- last lines of %s\n' "${log#"$work/"}"
        tail -n 10 "$log" | cut -c 1-300 | sed 's/^/    /'
    done < <(find "$work" -mindepth 2 -maxdepth 2 -name '*.log' ! -name audit.log -newer "$work/.started" | sort)
}

run_suite() {
    local test status=0
    failed=0
    : >"$work/.started"
    # Without 'if' or '||' around it: those switch errexit off inside.
    trap 'status=$?; suite_failed "$status"; run_cleanups; rm -rf "$work"; ((status != skipped)) || exit 0' EXIT
    if declare -F suite_setup >/dev/null; then
        phase=setup
        suite_setup >"$work/setup" 2>&1
    fi
    phase=tests
    while read -r test; do
        # The text may hold functions that are not this suite's.
        if declare -F "$test" >/dev/null && [[ $test == *"${1:-}"* ]]; then
            run_one "$test"
        fi
    done < <(grep -oE '^it_[a-z0-9_]+' "$0")
    return "$failed"
}

suite_failed() {
    [[ ${phase:-} == setup && $1 -ne 0 ]] || return 0
    if (($1 == skipped)); then
        report skip 'whole suite' "$(<"$work/skipped")"
    else
        report FAIL 'setting up'
        sed 's/^/    /' "$work/setup"
        show_logs
    fi
}
