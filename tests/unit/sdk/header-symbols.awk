# Lists what a header of the SDK declares, one line a symbol: "macro NAME", "type NAME",
# "struct NAME", "member STRUCT.NAME", "function NAME".
# Reads the headers' own layout rules (clang-format), not all of C; check-headers.sh proves against
# the compiler's view that nothing was missed.

function emit(kind, name) { print kind, name }

function trim(text) { gsub(/^[ \t]+|[ \t]+$/, "", text); return text }

# The last identifier of a declarator: "const char *name", "char tag[16]", "(*log)(...)".
function declared_name(text)
{
    if (match(text, /\(\*[A-Za-z_][A-Za-z0-9_]*\)/))
        return substr(text, RSTART + 2, RLENGTH - 3)
    sub(/\[[^]]*\]/, "", text)
    if (match(text, /[A-Za-z_][A-Za-z0-9_]*[ \t]*$/))
        return trim(substr(text, RSTART, RLENGTH))
    return ""
}

function members(owner, body,    parts, names, count, i, j, n)
{
    count = split(body, parts, ";")
    for (i = 1; i <= count; i++) {
        if (trim(parts[i]) == "")
            continue
        if (parts[i] ~ /\(\*/) {
            emit("member", owner "." declared_name(parts[i]))
            continue
        }
        n = split(parts[i], names, ",")
        for (j = 1; j <= n; j++)
            emit("member", owner "." declared_name(names[j]))
    }
}

function statement(text, body,    head)
{
    text = trim(text)
    if (text == "")
        return
    if (text ~ /^typedef struct [A-Za-z0-9_]+ *\{/ ) {
        head = text
        sub(/^typedef struct /, "", head)
        sub(/[ {].*/, "", head)
        emit("struct", head)
        members(head, body)
        sub(/.*\}/, "", text)
        emit("type", declared_name(text))
    } else if (text ~ /^typedef /) {
        emit("type", declared_name(text))
    } else if (text ~ /^struct [A-Za-z0-9_]+ *\{/) {
        head = text
        sub(/^struct /, "", head)
        sub(/[ {].*/, "", head)
        emit("struct", head)
        members(head, body)
    } else if (text ~ /^struct [A-Za-z0-9_]+$/) {
        # a forward declaration
    } else if (index(text, "(")) {
        gsub(/__attribute__ *\(\(([^()]|\([^()]*\))*\)\)/, "", text)
        head = text
        sub(/[ \t]*\(.*/, "", head)
        emit("function", declared_name(head))
    } else {
        emit("unknown", text)
    }
}

{ source = source $0 "\n" }

END {
    # comments
    clean = ""
    while ((start = index(source, "/*")) > 0) {
        clean = clean substr(source, 1, start - 1) " "
        source = substr(source, start + 2)
        source = substr(source, index(source, "*/") + 2)
    }
    clean = clean source
    # directives, with their continuation lines
    gsub(/\\\n/, " ", clean)
    lines = split(clean, line, "\n")
    code = ""
    for (i = 1; i <= lines; i++) {
        if (line[i] ~ /^[ \t]*#/) {
            if (line[i] ~ /^#[ ]*define /) {
                name = line[i]
                sub(/^#[ ]*define /, "", name)
                sub(/[^A-Za-z0-9_].*/, "", name)
                if (name !~ /_H$/ && !(name in defined))
                    emit("macro", name)
                defined[name] = 1
            }
            continue
        }
        code = code line[i] " "
    }
    gsub(/[ \t]+/, " ", code)
    gsub(/extern "C" \{/, "", code)

    depth = 0
    text = body = ""
    size = length(code)
    for (i = 1; i <= size; i++) {
        c = substr(code, i, 1)
        if (c == "{") {
            if (depth++ == 0) {
                text = text "{"
                continue
            }
        } else if (c == "}") {
            if (depth == 0)
                continue # closes extern "C"
            if (--depth == 0) {
                text = text "}"
                if (text !~ /^ *(typedef )?struct [A-Za-z0-9_]+ *\{/) {
                    sub(/\{\}$/, "", text)
                    statement(text, "") # a function with a body
                    text = ""
                    body = ""
                }
                continue
            }
        } else if (c == ";" && depth == 0) {
            sub(/\{\}/, "{ }", text)
            statement(text, body)
            text = body = ""
            continue
        }
        if (depth == 0)
            text = text c
        else
            body = body c
    }
}
