#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdio.h>
#include <string.h>

#include <salvor/report.h>

#include "go-regex-internal.h"

/* Go limits a repetition, also the product of nested ones; the depths are Go's and PCRE2's. */
enum { REPEAT_LIMIT = 1000, GO_DEPTH = 1000, DEPTH = 200, PATTERN_LIMIT = 1 << 20 };

/* What one search may cost; names are short, so that an honest pattern stays far below. */
enum { MATCH_LIMIT = 1000000, DEPTH_LIMIT = 20000, HEAP_LIMIT_KIB = 16384 };

struct go_regex {
    pcre2_code *code;
    pcre2_match_context *limits;
};

/* ---- parts ------------------------------------------------------------------------------- */

salvor_status go_regex_fail(struct go_parser *parser, salvor_status status, const char *what,
                            const char *from, const char *to)
{
    if (parser->status != SALVOR_OK)
        return parser->status;
    int size = (int)(to - from);
    if (size > 60)
        size = 60;
    if (size > 0)
        (void)snprintf(parser->problem, GO_REGEX_PROBLEM_SIZE, "%s: '%.*s'", what, size, from);
    else
        (void)snprintf(parser->problem, GO_REGEX_PROBLEM_SIZE, "%s", what);
    parser->status = status;
    return status;
}

uint32_t go_regex_rune(struct go_parser *parser)
{
    const unsigned char *at = (const unsigned char *)parser->at;
    if (at[0] < 0x80) {
        parser->at += 1;
        return at[0];
    }
    if (at[0] < 0xE0) {
        parser->at += 2;
        return (at[0] & 0x1Fu) << 6 | (at[1] & 0x3Fu);
    }
    if (at[0] < 0xF0) {
        parser->at += 3;
        return (at[0] & 0x0Fu) << 12 | (at[1] & 0x3Fu) << 6 | (at[2] & 0x3Fu);
    }
    parser->at += 4;
    return (at[0] & 0x07u) << 18 | (at[1] & 0x3Fu) << 12 | (at[2] & 0x3Fu) << 6 | (at[3] & 0x3Fu);
}

static int is_alnum(uint32_t rune)
{
    return (rune >= '0' && rune <= '9') || (rune >= 'A' && rune <= 'Z') ||
           (rune >= 'a' && rune <= 'z');
}

void go_regex_put_rune(struct salvor_text *out, uint32_t rune)
{
    if (is_alnum(rune))
        salvor_text_format(out, "%c", (char)rune);
    else
        salvor_text_format(out, "\\x{%x}", (unsigned)rune);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Behind "\x": two digits, or any number of them in braces. */
static salvor_status hex_escape(struct go_parser *parser, const char *from, uint32_t *ret_rune)
{
    uint32_t rune = 0;
    if (*parser->at != '{') {
        int high = hex_digit(parser->at[0]);
        int low = high < 0 ? -1 : hex_digit(parser->at[1]);
        if (low < 0)
            return go_regex_fail(parser, SALVOR_REFUSED, "invalid escape", from, parser->at);
        parser->at += 2;
        *ret_rune = (uint32_t)(high * 16 + low);
        return SALVOR_OK;
    }
    const char *digits = ++parser->at;
    for (; hex_digit(*parser->at) >= 0; parser->at++) {
        rune = rune * 16 + (uint32_t)hex_digit(*parser->at);
        if (rune > LAST_CODE_POINT)
            return go_regex_fail(parser, SALVOR_REFUSED, "invalid escape", from, parser->at);
    }
    if (*parser->at != '}' || parser->at == digits)
        return go_regex_fail(parser, SALVOR_REFUSED, "invalid escape", from, parser->at);
    parser->at++;
    *ret_rune = rune;
    return SALVOR_OK;
}

/* Octal: a zero and up to two digits, or a digit from 1 on with at least one more. */
static salvor_status octal_escape(struct go_parser *parser, char first, const char *from,
                                  uint32_t *ret_rune)
{
    uint32_t rune = (uint32_t)(first - '0');
    if (first != '0' && (*parser->at < '0' || *parser->at > '7'))
        return go_regex_fail(parser, SALVOR_REFUSED, "invalid escape", from, parser->at);
    for (int i = 0; i < 2 && *parser->at >= '0' && *parser->at <= '7'; i++)
        rune = rune * 8 + (uint32_t)(*parser->at++ - '0');
    *ret_rune = rune;
    return SALVOR_OK;
}

salvor_status go_regex_escape(struct go_parser *parser, uint32_t *ret_rune)
{
    static const char letters[] = "aftnrv";
    static const char meanings[] = "\a\f\t\n\r\v";
    const char *from = parser->at++;
    const char c = *parser->at;
    if (c == '\0')
        return go_regex_fail(parser, SALVOR_REFUSED, "a backslash at the end", from, parser->at);
    parser->at++;
    const char *letter = strchr(letters, c);
    if (c == 'x')
        SALVOR_TRY(hex_escape(parser, from, ret_rune));
    else if (c >= '0' && c <= '7')
        SALVOR_TRY(octal_escape(parser, c, from, ret_rune));
    else if (letter != NULL)
        *ret_rune = (uint32_t)meanings[letter - letters];
    else if ((unsigned char)c < 0x80 && !is_alnum((unsigned char)c))
        *ret_rune = (unsigned char)c;
    else
        return go_regex_fail(parser, SALVOR_REFUSED, "invalid escape", from, parser->at);
    if (*ret_rune >= 0xD800 && *ret_rune <= 0xDFFF)
        return go_regex_fail(parser, SALVOR_UNSUPPORTED, "half of a surrogate pair", from,
                             parser->at);
    return SALVOR_OK;
}

static salvor_status put_literal(struct go_parser *parser, uint32_t rune)
{
    const int fold = (parser->flags & FLAG_FOLD) != 0;
    salvor_text_put(parser->out, fold ? "(?i:" : "");
    go_regex_put_rune(parser->out, rune);
    salvor_text_put(parser->out, fold ? ")" : "");
    return SALVOR_OK;
}

/* ---- atoms ------------------------------------------------------------------------------- */

static salvor_status parse_alternatives(struct go_parser *parser, uint32_t *ret_product);

/* The name of a group: parser->at is behind the '<'. */
static salvor_status group_name(struct go_parser *parser, const char *from)
{
    const char *name = parser->at;
    while (is_alnum((unsigned char)*parser->at) || *parser->at == '_')
        parser->at++;
    const size_t size = (size_t)(parser->at - name);
    if (*parser->at != '>' || size == 0)
        return go_regex_fail(parser, SALVOR_REFUSED, "invalid named group", from, parser->at);
    parser->at++;
    if (size >= sizeof parser->names[0] || parser->name_count == 32)
        return go_regex_fail(parser, SALVOR_UNSUPPORTED, "too many or too long group names", from,
                             parser->at);
    for (uint32_t i = 0; i < parser->name_count; i++) {
        if (strlen(parser->names[i]) == size && memcmp(parser->names[i], name, size) == 0)
            return go_regex_fail(parser, SALVOR_REFUSED, "duplicate group name", from, parser->at);
    }
    memcpy(parser->names[parser->name_count++], name, size);
    return SALVOR_OK;
}

/* Behind "(?": flags up to ':' or ')'. *ret_group 1: a group begins. */
static salvor_status group_flags(struct go_parser *parser, const char *from, int *ret_group)
{
    uint32_t flags = parser->flags;
    int clear = 0;
    int any = 0;
    for (;;) {
        const char c = *parser->at;
        uint32_t flag = 0;
        if (c != '\0')
            parser->at++;
        switch (c) {
        case 'i':
            flag = FLAG_FOLD;
            break;
        case 'm':
            flag = FLAG_MULTI_LINE;
            break;
        case 's':
            flag = FLAG_DOT_ALL;
            break;
        case 'U':
            flag = FLAG_UNGREEDY;
            break;
        case '-':
            if (clear)
                return go_regex_fail(parser, SALVOR_REFUSED, "invalid or unsupported group", from,
                                     parser->at);
            clear = 1;
            any = 0;
            continue;
        case ':':
        case ')':
            if (clear && !any)
                return go_regex_fail(parser, SALVOR_REFUSED, "invalid or unsupported group", from,
                                     parser->at);
            parser->flags = flags;
            *ret_group = c == ':';
            return SALVOR_OK;
        default:
            return go_regex_fail(parser, SALVOR_REFUSED, "invalid or unsupported group", from,
                                 parser->at);
        }
        any = 1;
        flags = clear ? flags & ~flag : flags | flag;
    }
}

/* parser->at is at the parenthesis. *ret_atom 0: it only set flags. */
static salvor_status parse_group(struct go_parser *parser, uint32_t *ret_product, int *ret_atom)
{
    const char *from = parser->at++;
    const uint32_t outer = parser->flags;
    int group = 1;
    if (parser->at[0] == '?') {
        parser->at++;
        if (parser->at[0] == 'P' && parser->at[1] == '<') {
            parser->at += 2;
            SALVOR_TRY(group_name(parser, from));
        } else if (parser->at[0] == '<' && parser->at[1] != '=' && parser->at[1] != '!') {
            parser->at++;
            SALVOR_TRY(group_name(parser, from));
        } else {
            SALVOR_TRY(group_flags(parser, from, &group));
        }
    }
    *ret_atom = group;
    if (!group)
        return SALVOR_OK;
    if (++parser->depth > DEPTH)
        return go_regex_fail(parser, parser->depth > GO_DEPTH ? SALVOR_REFUSED : SALVOR_UNSUPPORTED,
                             "groups nested too deeply", NULL, NULL);
    salvor_text_put(parser->out, "(?:");
    SALVOR_TRY(parse_alternatives(parser, ret_product));
    if (*parser->at != ')')
        return go_regex_fail(parser, SALVOR_REFUSED, "missing closing )", from, parser->at);
    parser->at++;
    salvor_text_put(parser->out, ")");
    parser->depth--;
    parser->flags = outer;
    return SALVOR_OK;
}

/* "\Q...\E" is literal; a missing "\E" is at the end. *ret_atom 0: nothing stood between. */
static salvor_status parse_quoted(struct go_parser *parser, int *ret_atom)
{
    parser->at += 2;
    *ret_atom = 0;
    while (*parser->at != '\0') {
        if (parser->at[0] == '\\' && parser->at[1] == 'E') {
            parser->at += 2;
            break;
        }
        SALVOR_TRY(put_literal(parser, go_regex_rune(parser)));
        *ret_atom = 1;
    }
    return SALVOR_OK;
}

static salvor_status parse_backslash(struct go_parser *parser, int *ret_atom)
{
    static const struct {
        char letter;
        const char *assertion;
    } assertions[] = {{'A', "(?:\\A)"}, {'z', "(?:\\z)"}, {'b', "(?:\\b)"}, {'B', "(?:\\B)"}};
    const char *from = parser->at;
    uint32_t rune = 0;
    int found = 0;
    for (size_t i = 0; i < sizeof assertions / sizeof *assertions; i++) {
        if (from[1] == assertions[i].letter) {
            salvor_text_put(parser->out, assertions[i].assertion);
            parser->at += 2;
            return SALVOR_OK;
        }
    }
    if (from[1] == 'Q')
        return parse_quoted(parser, ret_atom);
    SALVOR_TRY(go_regex_named_class(parser, 0, &found));
    if (found)
        return SALVOR_OK;
    SALVOR_TRY(go_regex_escape(parser, &rune));
    return put_literal(parser, rune);
}

/* *ret_atom 0: nothing that could be repeated was written. */
static salvor_status parse_atom(struct go_parser *parser, uint32_t *ret_product, int *ret_atom)
{
    *ret_atom = 1;
    *ret_product = 1;
    switch (*parser->at) {
    case '(':
        return parse_group(parser, ret_product, ret_atom);
    case '[':
        return go_regex_class(parser);
    case '\\':
        return parse_backslash(parser, ret_atom);
    case '.':
        salvor_text_put(parser->out, (parser->flags & FLAG_DOT_ALL) != 0 ? "(?s:.)" : "[^\\x{a}]");
        break;
    case '^':
        salvor_text_put(parser->out,
                        (parser->flags & FLAG_MULTI_LINE) != 0 ? "(?:\\A|(?<=\\x{a}))" : "(?:\\A)");
        break;
    case '$':
        salvor_text_put(parser->out,
                        (parser->flags & FLAG_MULTI_LINE) != 0 ? "(?:\\z|(?=\\x{a}))" : "(?:\\z)");
        break;
    default:
        return put_literal(parser, go_regex_rune(parser));
    }
    parser->at++;
    return SALVOR_OK;
}

/* ---- repetition --------------------------------------------------------------------------- */

struct repetition {
    int there; /* 0: what stands there is none */
    int counted;
    int64_t min;
    int64_t max; /* -1: no end */
    const char *end;
};

/* A number without leading zeros; NULL: there is none. -1: far too large. */
static const char *read_count(const char *at, int64_t *ret_count)
{
    if (*at < '0' || *at > '9' || (at[0] == '0' && at[1] >= '0' && at[1] <= '9'))
        return NULL;
    *ret_count = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (*ret_count >= 0)
            *ret_count = *ret_count * 10 + (*at - '0');
        if (*ret_count > 100000000)
            *ret_count = -1;
    }
    return at;
}

/* What is no count is a literal brace. */
static struct repetition look_at_count(const char *at)
{
    struct repetition found = {0, 1, 0, 0, NULL};
    const char *next = read_count(at + 1, &found.min);
    if (next == NULL)
        return found;
    found.max = found.min;
    if (*next == ',') {
        next++;
        found.max = -1;
        if (*next != '}') {
            next = read_count(next, &found.max);
            if (next == NULL)
                return found;
            if (found.max < 0)
                found.max = INT64_MAX;
        }
    }
    if (*next != '}')
        return found;
    found.there = 1;
    found.end = next + 1;
    return found;
}

static struct repetition look_at_repetition(const char *at)
{
    struct repetition found = {1, 0, 0, -1, at + 1};
    switch (*at) {
    case '*':
        break;
    case '+':
        found.min = 1;
        break;
    case '?':
        found.max = 1;
        break;
    case '{':
        found = look_at_count(at);
        break;
    default:
        found.there = 0;
        break;
    }
    if (found.there && *found.end == '?')
        found.end++; /* reluctant */
    return found;
}

static salvor_status put_repetition(struct go_parser *parser, const struct repetition *repetition,
                                    uint32_t *product)
{
    const char *from = parser->at;
    if (!repetition->counted) {
        salvor_text_add(parser->out, from, 1);
    } else {
        const int64_t most = repetition->max < 0 ? repetition->min : repetition->max;
        if (repetition->min < 0 || repetition->min > REPEAT_LIMIT || most > REPEAT_LIMIT ||
            (repetition->max >= 0 && repetition->min > repetition->max))
            return go_regex_fail(parser, SALVOR_REFUSED, "invalid repeat count", from,
                                 repetition->end);
        *product *= (uint32_t)most;
        if (most >= 2 && *product > REPEAT_LIMIT)
            return go_regex_fail(parser, SALVOR_REFUSED, "invalid repeat count", from,
                                 repetition->end);
        salvor_text_format(parser->out, "{%d,", (int)repetition->min);
        if (repetition->max >= 0)
            salvor_text_format(parser->out, "%d", (int)repetition->max);
        salvor_text_put(parser->out, "}");
    }
    parser->at = repetition->end;
    if (look_at_repetition(parser->at).there)
        return go_regex_fail(parser, SALVOR_REFUSED, "invalid nested repetition operator", from,
                             look_at_repetition(parser->at).end);
    return SALVOR_OK;
}

static salvor_status parse_sequence(struct go_parser *parser, uint32_t *ret_product)
{
    int anything = 0; /* that a repetition would apply to */
    int flags_last = 0;
    while (*parser->at != '\0' && *parser->at != '|' && *parser->at != ')') {
        uint32_t product = 1;
        int atom = 0;
        const struct repetition stray = look_at_repetition(parser->at);
        if (stray.there)
            return go_regex_fail(parser,
                                 anything && flags_last ? SALVOR_UNSUPPORTED : SALVOR_REFUSED,
                                 anything ? "a repetition of what stands before flags"
                                          : "missing argument to repetition operator",
                                 parser->at, stray.end);
        SALVOR_TRY(parse_atom(parser, &product, &atom));
        flags_last = !atom;
        if (atom) {
            const struct repetition repetition = look_at_repetition(parser->at);
            anything = 1;
            if (repetition.there)
                SALVOR_TRY(put_repetition(parser, &repetition, &product));
        }
        if (product > *ret_product)
            *ret_product = product;
    }
    return SALVOR_OK;
}

/* Recursion through groups is bounded by DEPTH. */
static salvor_status parse_alternatives(struct go_parser *parser, uint32_t *ret_product)
{
    *ret_product = 1;
    SALVOR_TRY(parse_sequence(parser, ret_product));
    while (*parser->at == '|') {
        parser->at++;
        salvor_text_put(parser->out, "|");
        SALVOR_TRY(parse_sequence(parser, ret_product));
    }
    return SALVOR_OK;
}

/* ---- compile and search ------------------------------------------------------------------- */

static int is_utf8(const char *text)
{
    /* an empty pattern compiled for the check alone; PCRE2 reports the first bad byte */
    int error = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                                     PCRE2_UTF | PCRE2_LITERAL, &error, &offset, NULL);
    pcre2_code_free(code);
    return code != NULL;
}

static salvor_status compile(struct go_parser *parser, go_regex *regex)
{
    int error = 0;
    PCRE2_SIZE offset = 0;
    regex->code = pcre2_compile((PCRE2_SPTR)parser->out->data, parser->out->size,
                                PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOLLAR_ENDONLY |
                                    PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE,
                                &error, &offset, NULL);
    regex->limits = pcre2_match_context_create(NULL);
    if (regex->code == NULL && error != PCRE2_ERROR_NOMEMORY) {
        PCRE2_UCHAR text[100];
        if (pcre2_get_error_message(error, text, sizeof text) < 0)
            text[0] = '\0';
        (void)snprintf(parser->problem, GO_REGEX_PROBLEM_SIZE, "PCRE2 does not take it: %s",
                       (const char *)text);
        return SALVOR_UNSUPPORTED;
    }
    if (regex->code == NULL || regex->limits == NULL)
        return go_regex_fail(parser, SALVOR_FAILED, "no memory", NULL, NULL);
    (void)pcre2_set_match_limit(regex->limits, MATCH_LIMIT);
    (void)pcre2_set_depth_limit(regex->limits, DEPTH_LIMIT);
    (void)pcre2_set_heap_limit(regex->limits, HEAP_LIMIT_KIB);
    return SALVOR_OK;
}

salvor_status go_regex_compile(const char *pattern, go_regex **ret_regex,
                               char problem[GO_REGEX_PROBLEM_SIZE])
{
    salvor_auto_text struct salvor_text out = SALVOR_TEXT_INIT(PATTERN_LIMIT);
    struct go_parser parser = {.at = pattern, .out = &out, .problem = problem};
    uint32_t product = 1;
    problem[0] = '\0';
    if (!is_utf8(pattern))
        return go_regex_fail(&parser, SALVOR_REFUSED, "it is no UTF-8", NULL, NULL);
    salvor_text_put(&out, "(?:");
    SALVOR_TRY(parse_alternatives(&parser, &product));
    if (*parser.at == ')')
        return go_regex_fail(&parser, SALVOR_REFUSED, "unexpected )", parser.at, parser.at + 1);
    salvor_text_put(&out, ")");
    if (out.failed == SALVOR_REFUSED)
        return go_regex_fail(&parser, SALVOR_UNSUPPORTED, "it is too long", NULL, NULL);
    go_regex *regex = salvor_allocate_zeroed(sizeof *regex);
    if (regex == NULL || out.failed != SALVOR_OK) {
        salvor_release(regex);
        return go_regex_fail(&parser, SALVOR_FAILED, "no memory", NULL, NULL);
    }
    const salvor_status status = compile(&parser, regex);
    if (status != SALVOR_OK) {
        go_regex_free(regex);
        return status;
    }
    *ret_regex = regex;
    return SALVOR_OK;
}

salvor_status go_regex_search(const go_regex *regex, struct salvor_span text)
{
    pcre2_match_data *found = pcre2_match_data_create(1, NULL);
    if (found == NULL)
        return SALVOR_FAILED;
    const int result = pcre2_match(regex->code, (PCRE2_SPTR)(text.data != NULL ? text.data : ""),
                                   (PCRE2_SIZE)text.size, 0, 0, found, regex->limits);
    pcre2_match_data_free(found);
    if (result >= 0)
        return SALVOR_OK;
    return result == PCRE2_ERROR_NOMATCH ? SALVOR_NOT_FOUND : SALVOR_FAILED;
}

void go_regex_free(go_regex *regex)
{
    if (regex == NULL)
        return;
    pcre2_code_free(regex->code);
    pcre2_match_context_free(regex->limits);
    salvor_release(regex);
}
