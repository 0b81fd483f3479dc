#!/usr/bin/env bash
# Each ABI header compiles alone in every dialect that a plugin author may use, and brings no name
# of its own beside SALVOR_ and salvor_. Usage: check-headers.sh INCLUDE_FOLDER AWK_FOLDER
set -euo pipefail

include=$1
here=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

complain() {
    printf 'FAIL: %s\n' "$*"
    failed=1
}

compilers() {
    local name
    for name in "$@"; do
        command -v "$name" || true
    done
}

mapfile -t c_compilers < <(compilers gcc clang)
mapfile -t cxx_compilers < <(compilers g++ clang++)
if [ ${#c_compilers[@]} -eq 0 ] || [ ${#cxx_compilers[@]} -eq 0 ]; then
    echo "needs a C and a C++ compiler"
    exit 1
fi

compiles() { # COMPILER LANGUAGE DIALECT FILE
    "$1" -x "$2" -std="$3" -pedantic -Wall -Wextra -Wshadow -Werror -fsyntax-only -I "$include" "$4"
}

alone() { # HEADER
    local file=$work/alone.c compiler dialect
    printf '#include <%s>\nextern int salvor_alone;\n' "$1" > "$file"
    for compiler in "${c_compilers[@]}"; do
        for dialect in c90 gnu90 c99 c17; do
            compiles "$compiler" c "$dialect" "$file" || complain "$1, $compiler, $dialect"
        done
    done
    for compiler in "${cxx_compilers[@]}"; do
        for dialect in c++11 c++17 c++20; do
            compiles "$compiler" c++ "$dialect" "$file" || complain "$1, $compiler, $dialect"
        done
    done
}

# Macros beyond those of <stdint.h>, and every declared name.
foreign_names() { # HEADER
    local compiler=${c_compilers[0]}
    printf '#include <stdint.h>\n' > "$work/base.c"
    printf '#include <%s>\n' "$1" > "$work/header.c"
    "$compiler" -std=c17 -dM -E -I "$include" "$work/base.c" | sort > "$work/base.macros"
    "$compiler" -std=c17 -dM -E -I "$include" "$work/header.c" | sort > "$work/header.macros"
    comm -13 "$work/base.macros" "$work/header.macros" | awk '{print $2}' | grep -v '^SALVOR_' || true
    awk -f "$here/header-symbols.awk" "$include/$1" |
        awk '$1 == "unknown" || ($1 != "macro" && $1 != "member" && $2 !~ /^salvor_/) ||
             ($1 == "macro" && $2 !~ /^SALVOR_/)'
}

for header in salvor/types.h salvor/host.h salvor/services.h salvor/plugin.h; do
    alone "$header"
    names=$(foreign_names "$header")
    [ -z "$names" ] || complain "$header declares $names"
done

# The filled-in macros, as a plugin uses them.
cat > "$work/use.c" <<'USE'
#include <salvor/plugin.h>
static const struct salvor_row rows[] = {
    {"a", "do it", "S-1", 0, 0, 1000, SALVOR_EFFECT_READ, 0, 1, 0, 0, 0}
};
static const struct salvor_stage stages[] = {{"s", "stage", rows, SALVOR_ARRAY(rows)}};
static const struct salvor_procedure procedures[] = {
    {"p", "way", "page", "1", stages, SALVOR_ARRAY(stages), SALVOR_PROCEDURE_RESTORE, 0}
};
static const struct salvor_hooks hooks = {sizeof(struct salvor_hooks), 0, 0, 0, 0, 0, 0, 0, 0, 0};
static const struct salvor_plugin plugin = {
    SALVOR_PLUGIN_HEAD, "use", "1.0", "a use", "me <me@example.org>", 0, "Apache-2.0",
    0, procedures, 0, 0, 0, &hooks, SALVOR_NO_ARRAY, SALVOR_ARRAY(procedures), SALVOR_NO_ARRAY,
    SALVOR_NO_ARRAY, SALVOR_NO_ARRAY
};
SALVOR_REGISTER_PLUGIN(plugin)
USE
for compiler in "${c_compilers[@]}"; do
    for dialect in c90 c17; do
        compiles "$compiler" c "$dialect" "$work/use.c" || complain "macros, $compiler, $dialect"
    done
done
for compiler in "${cxx_compilers[@]}"; do
    compiles "$compiler" c++ c++17 "$work/use.c" || complain "macros, $compiler, c++17"
done

# The helper headers are for C99 on and C++; jansson's are not ours to check.
for path in "$include"/salvor/*.h; do
    header=salvor/${path##*/}
    printf '#include <%s>\nextern int salvor_alone;\n' "$header" > "$work/helper.c"
    for compiler in "${c_compilers[@]}"; do
        compiles "$compiler" c c99 "$work/helper.c" || complain "$header, $compiler, c99"
    done
    for compiler in "${cxx_compilers[@]}"; do
        compiles "$compiler" c++ c++17 "$work/helper.c" || complain "$header, $compiler, c++17"
    done
done

# The checks above can fail.
mkdir -p "$work/bad/salvor"
printf '#include <stdint.h>\n#define MINE 1\nstruct stray { int32_t a; };\n' > "$work/bad/salvor/bad.h"
include=$work/bad
[ "$(foreign_names salvor/bad.h | tr '\n' ' ')" = "MINE macro MINE struct stray " ] ||
    complain "a polluting header was not noticed: $(foreign_names salvor/bad.h)"
printf 'struct a { int b; }; // comment\n' > "$work/bad/salvor/bad.h"
if compiles "${c_compilers[0]}" c c90 "$work/bad/salvor/bad.h" 2> /dev/null; then
    complain "a header that is not C90 was not noticed"
fi

exit "$failed"
