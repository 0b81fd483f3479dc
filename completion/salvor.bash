# bash completion for salvor; salvor itself knows what can stand where.
# Put `source <(salvor completion bash)` into ~/.bashrc, or this file into the completions folder.

_salvor() {
  COMPREPLY=()
  local -a words=()
  local i word joined=0 prefix=""

  # readline splits words at '=': put them together again
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]-}
    if [[ $word == = && ${#words[@]} -gt 0 ]]; then
      words[-1]+="="
      joined=1
    elif ((joined)); then
      words[-1]+=$word
      joined=0
    else
      words+=("$word")
    fi
  done
  [[ ${#words[@]} -gt 0 ]] || words=("")
  local current=${words[-1]}
  # only what stands behind the last '=' is replaced by readline
  if [[ $current == *=* && $COMP_WORDBREAKS == *=* ]]; then
    prefix=${current%=*}=
  fi

  local -a found=()
  mapfile -t found < <("${COMP_WORDS[0]}" __complete "${words[@]}" 2>/dev/null)
  local candidate
  for candidate in "${found[@]}"; do
    case $candidate in
      :files | :folders)
        local action=-f
        [[ $candidate == :folders ]] && action=-d
        compopt -o filenames 2>/dev/null
        local path=${current#"$prefix"}
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen "$action" -- "$path")
        ;;
      *)
        COMPREPLY+=("${candidate#"$prefix"}")
        ;;
    esac
  done
  # a key waits for its value
  if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=:] ]]; then
    compopt -o nospace 2>/dev/null
  fi
  return 0
}

complete -F _salvor salvor
