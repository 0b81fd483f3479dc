# What the tests of the command line share. Sourced with: SALVOR PLUGINS.
# shellcheck shell=bash
set -euo pipefail
SALVOR=$(realpath "$1")
SALVOR_PLUGIN_PATH=$(realpath "$2")
export SALVOR_PLUGIN_PATH
place=$(mktemp -d)
cleanups=()
finish() {
  local cleanup
  for cleanup in "${cleanups[@]}"; do "$cleanup"; done
  rm -rf "$place"
}
trap finish EXIT
# nothing of this machine's configuration counts, and nothing of its state is touched
export XDG_CONFIG_HOME=$place/config XDG_STATE_HOME=$place/state HOME=$place/home
mkdir -p "$XDG_CONFIG_HOME" "$HOME"
unset SALVOR_WORKER NO_COLOR COLUMNS TERM KUBECONFIG
cd "$place"
cases=0

failed() {
  echo "FAILED: $*" >&2
  [[ ! -f $place/out ]] || sed 's/^/  stdout: /' "$place/out" >&2
  [[ ! -f $place/err ]] || sed 's/^/  stderr: /' "$place/err" >&2
  exit 1
}

# run CODE ARGUMENT...: salvor must end with exactly this status; a crash (by signal, or of a
# sanitizer or valgrind) is never the failure that was meant.
run() {
  local wanted=$1 status=0
  shift
  what="salvor $*"
  "${SALVOR_UNDER[@]}" "$SALVOR" "$@" >"$place/out" 2>"$place/err" </dev/null || status=$?
  [[ $status -eq $wanted ]] || failed "$what: exit status $status, not $wanted"
  if grep -qE 'AddressSanitizer|runtime error:|LeakSanitizer|==ERROR' "$place/err"; then
    failed "$what: a sanitizer complains"
  fi
}
SALVOR_UNDER=()

# says TEXT...: standard error holds each as a whole line, in this order of lines or another
says() {
  local text
  for text in "$@"; do
    grep -qxF -e "$text" "$place/err" || failed "$what: does not say: $text"
  done
}

# prints TEXT...: standard output holds each somewhere
prints() {
  local text
  for text in "$@"; do
    grep -qF -e "$text" "$place/out" || failed "$what: does not print: $text"
  done
}

silent() { [[ ! -s $place/err ]] || failed "$what: standard error is not empty"; }
prints_nothing() { [[ ! -s $place/out ]] || failed "$what: standard output is not empty"; }

# bad CODE ARGUMENT... -- LINE...: fails with this status and says these whole lines; nothing on
# standard output
bad() {
  local wanted=$1 arguments=()
  shift
  while [[ $# -gt 0 && $1 != --- ]]; do
    arguments+=("$1")
    shift
  done
  shift
  run "$wanted" "${arguments[@]}"
  says "$@"
  prints_nothing
  cases=$((cases + 1))
}

# config TEXT: writes s.yaml
config() { printf '%s\n' "$1" >"$place/s.yaml"; }
