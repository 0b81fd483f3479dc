#include <string.h>

#include <salvor/report.h>

#include "go-regex-internal.h"

struct range {
    uint32_t first;
    uint32_t last;
};

struct named {
    const char *name;
    struct range ranges[4];
    uint32_t count;
};

/* ASCII only, as in Go. */
static const struct named posix_classes[] = {
    {"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}, 3},
    {"alpha", {{'A', 'Z'}, {'a', 'z'}}, 2},
    {"ascii", {{0, 0x7F}}, 1},
    {"blank", {{'\t', '\t'}, {' ', ' '}}, 2},
    {"cntrl", {{0, 0x1F}, {0x7F, 0x7F}}, 2},
    {"digit", {{'0', '9'}}, 1},
    {"graph", {{'!', '~'}}, 1},
    {"lower", {{'a', 'z'}}, 1},
    {"print", {{' ', '~'}}, 1},
    {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}, 4},
    {"space", {{'\t', '\r'}, {' ', ' '}}, 2},
    {"upper", {{'A', 'Z'}}, 1},
    {"word", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}, 4},
    {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}, 3},
};

static const struct named perl_classes[] = {
    {"d", {{'0', '9'}}, 1},
    {"s", {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}}, 3},
    {"w", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}, 4},
};

/* General categories: the names that Go and PCRE2 share with one meaning. */
static const char *const categories[] = {"C",  "Cc", "Cf", "Co", "L",  "Ll", "Lm", "Lo", "Lt",
                                         "Lu", "M",  "Mc", "Me", "Mn", "N",  "Nd", "Nl", "No",
                                         "P",  "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S",
                                         "Sc", "Sk", "Sm", "So", "Z",  "Zl", "Zp", "Zs"};

static void put_range(struct salvor_text *out, uint32_t first, uint32_t last)
{
    go_regex_put_rune(out, first);
    if (last == first)
        return;
    salvor_text_put(out, "-");
    go_regex_put_rune(out, last);
}

static void put_named(struct salvor_text *out, const struct named *class, int negated)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < class->count; i++) {
        if (!negated)
            put_range(out, class->ranges[i].first, class->ranges[i].last);
        else if (class->ranges[i].first > next)
            put_range(out, next, class->ranges[i].first - 1);
        next = class->ranges[i].last + 1;
    }
    if (negated)
        put_range(out, next, LAST_CODE_POINT);
}

/* Folding reaches from ASCII letters to two others (U+017F, U+212A) and back: Go negates after
 * folding, PCRE2 folds after negating. Without letters in the class it is all the same. */
static int negation_is_safe(const struct go_parser *parser, const struct named *class)
{
    if ((parser->flags & FLAG_FOLD) == 0)
        return 1;
    for (uint32_t i = 0; i < class->count; i++) {
        if (class->ranges[i].last >= 'A' && class->ranges[i].first <= 'z')
            return 0;
    }
    return 1;
}

static void open_class(struct go_parser *parser, int inside)
{
    if (!inside)
        salvor_text_put(parser->out, (parser->flags & FLAG_FOLD) != 0 ? "(?i:[" : "[");
}

static void close_class(struct go_parser *parser, int inside)
{
    if (!inside)
        salvor_text_put(parser->out, (parser->flags & FLAG_FOLD) != 0 ? "])" : "]");
}

/* "\pL", "\p{Lu}", "\p{^Lu}". parser->at is at the backslash. */
static salvor_status unicode_class(struct go_parser *parser, int inside)
{
    const char *from = parser->at;
    const char *name = from + 2;
    size_t size = 1;
    int negated = from[1] == 'P';
    if (*name == '\0')
        return go_regex_fail(parser, SALVOR_REFUSED, "invalid character class", from, name);
    parser->at = name;
    (void)go_regex_rune(parser);
    if (*name == '{') {
        const char *end = strchr(name, '}');
        if (end == NULL)
            return go_regex_fail(parser, SALVOR_REFUSED, "invalid character class", from,
                                 name + strlen(name));
        parser->at = end + 1;
        name++;
        if (*name == '^') {
            negated = !negated;
            name++;
        }
        size = (size_t)(end - name);
    }
    for (size_t i = 0; i < sizeof categories / sizeof *categories; i++) {
        if (strlen(categories[i]) != size || memcmp(categories[i], name, size) != 0)
            continue;
        if ((parser->flags & FLAG_FOLD) != 0)
            break;
        open_class(parser, inside);
        salvor_text_format(parser->out, "\\%c{%s}", negated ? 'P' : 'p', categories[i]);
        close_class(parser, inside);
        return SALVOR_OK;
    }
    for (size_t i = 0; i < size; i++) {
        if (((unsigned char)name[i] | 0x20) < 'a' || ((unsigned char)name[i] | 0x20) > 'z')
            if (name[i] != '_')
                return go_regex_fail(parser, SALVOR_REFUSED, "invalid character class range", from,
                                     parser->at);
    }
    return go_regex_fail(parser, SALVOR_UNSUPPORTED,
                         "a class of Unicode whose meaning differs between versions", from,
                         parser->at);
}

salvor_status go_regex_named_class(struct go_parser *parser, int inside, int *ret_found)
{
    const char letter = parser->at[1];
    const char lower = (char)(letter | 0x20);
    *ret_found = 0;
    if (letter == 'p' || letter == 'P') {
        *ret_found = 1;
        return unicode_class(parser, inside);
    }
    for (size_t i = 0; i < sizeof perl_classes / sizeof *perl_classes; i++) {
        const struct named *class = &perl_classes[i];
        if (class->name[0] != lower || (letter & 0x40) == 0)
            continue;
        const int negated = letter != lower;
        *ret_found = 1;
        if (negated && !negation_is_safe(parser, class))
            return go_regex_fail(parser, SALVOR_UNSUPPORTED, "a negated class without case",
                                 parser->at, parser->at + 2);
        parser->at += 2;
        open_class(parser, inside);
        put_named(parser->out, class, negated);
        close_class(parser, inside);
        return SALVOR_OK;
    }
    return SALVOR_OK;
}

/* "[:alpha:]" within a class. *ret_found 0: it is none, the bracket stands for itself. */
static salvor_status posix_class(struct go_parser *parser, int *ret_found)
{
    const char *from = parser->at;
    const char *name = from + 2;
    *ret_found = 0;
    if (from[0] != '[' || from[1] != ':')
        return SALVOR_OK;
    const char *end = strstr(name, ":]");
    if (end == NULL)
        return SALVOR_OK;
    *ret_found = 1;
    const int negated = *name == '^';
    name += negated;
    const size_t size = (size_t)(end - name);
    for (size_t i = 0; i < sizeof posix_classes / sizeof *posix_classes; i++) {
        const struct named *class = &posix_classes[i];
        if (strlen(class->name) != size || memcmp(class->name, name, size) != 0)
            continue;
        if (negated && !negation_is_safe(parser, class))
            return go_regex_fail(parser, SALVOR_UNSUPPORTED, "a negated class without case", from,
                                 end + 2);
        put_named(parser->out, class, negated);
        parser->at = end + 2;
        return SALVOR_OK;
    }
    return go_regex_fail(parser, SALVOR_REFUSED, "invalid character class range", from, end + 2);
}

static salvor_status class_rune(struct go_parser *parser, const char *class, uint32_t *ret_rune)
{
    if (*parser->at == '\0')
        return go_regex_fail(parser, SALVOR_REFUSED, "missing closing ]", class, parser->at);
    if (*parser->at == '\\')
        return go_regex_escape(parser, ret_rune);
    *ret_rune = go_regex_rune(parser);
    return SALVOR_OK;
}

static salvor_status class_range(struct go_parser *parser, const char *class)
{
    const char *from = parser->at;
    uint32_t first = 0;
    SALVOR_TRY(class_rune(parser, class, &first));
    uint32_t last = first;
    if (parser->at[0] == '-' && parser->at[1] != '\0' && parser->at[1] != ']') {
        parser->at++;
        SALVOR_TRY(class_rune(parser, class, &last));
        if (last < first)
            return go_regex_fail(parser, SALVOR_REFUSED, "invalid character class range", from,
                                 parser->at);
    }
    put_range(parser->out, first, last);
    return SALVOR_OK;
}

salvor_status go_regex_class(struct go_parser *parser)
{
    const char *class = parser->at++;
    open_class(parser, 0);
    if (*parser->at == '^') {
        parser->at++;
        salvor_text_put(parser->out, "^");
    }
    for (int first = 1; first || *parser->at != ']'; first = 0) {
        int found = 0;
        if (*parser->at == '\0')
            return go_regex_fail(parser, SALVOR_REFUSED, "missing closing ]", class, parser->at);
        SALVOR_TRY(posix_class(parser, &found));
        if (!found && *parser->at == '\\')
            SALVOR_TRY(go_regex_named_class(parser, 1, &found));
        if (!found)
            SALVOR_TRY(class_range(parser, class));
    }
    parser->at++;
    close_class(parser, 0);
    return SALVOR_OK;
}
