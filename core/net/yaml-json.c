#include "net/yaml-json.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <yaml.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

struct converter {
    yaml_document_t document;
    const char *name;
    size_t values;
    struct error *reterr;
};

static int fail_at(const struct converter *converter, const yaml_mark_t *mark, const char *what)
{
    return error_set(converter->reterr, EXIT_USAGE, "%s:%zu:%zu: %s", converter->name,
                     mark->line + 1, mark->column + 1, what);
}

/* ---- plain scalars --------------------------------------------------------------------------- */

static int is_one_of(const char *text, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (text_equal(text, *words))
            return 1;
    }
    return 0;
}

/* Without the underscores that YAML 1.1 allows between digits; NULL when it is no short number. */
static char *without_underscores(const char *text, char *buffer, size_t size)
{
    size_t used = 0;
    for (; *text != '\0'; text++) {
        if (*text == '_')
            continue;
        if (used + 1 >= size)
            return NULL;
        buffer[used++] = *text;
    }
    buffer[used] = '\0';
    return buffer;
}

/* 10, -10, +10, 0x1f, 017, 0o17, 0b101; NULL: no whole number that fits. */
static json_t *whole_number(const char *digits)
{
    const int negative = *digits == '-';
    char *end = NULL;
    int base = 10;
    if (*digits == '-' || *digits == '+')
        digits++;
    if (*digits == '0' && digits[1] != '\0') {
        const char letter = digits[1];
        base = letter == 'x' || letter == 'X' ? 16 : letter == 'b' || letter == 'B' ? 2 : 8;
        digits += base != 8 || letter == 'o' || letter == 'O' ? 2 : 1;
    }
    if (strspn(digits, "0123456789abcdefABCDEF") != strlen(digits) || *digits == '\0')
        return NULL;
    errno = 0;
    const unsigned long long value = strtoull(digits, &end, base);
    if (*end != '\0' || errno != 0 || value > (unsigned long long)INT64_MAX + (unsigned)negative)
        return NULL;
    return json_integer((json_int_t)(negative ? 0 - value : value));
}

static json_t *fraction(const char *text)
{
    char *end = NULL;
    if (strspn(text, "0123456789+-.eE") != strlen(text) || strpbrk(text, "0123456789") == NULL)
        return NULL;
    errno = 0;
    const double value = strtod(text, &end);
    return *end == '\0' && errno == 0 ? json_real(value) : NULL;
}

static json_t *plain_scalar(const char *text)
{
    static const char *const nothing[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const yes[] = {"y",    "Y",    "yes", "Yes", "YES", "true",
                                      "True", "TRUE", "on",  "On",  "ON",  NULL};
    static const char *const no[] = {"n",     "N",     "no",  "No",  "NO",  "false",
                                     "False", "FALSE", "off", "Off", "OFF", NULL};
    char digits[64];
    if (is_one_of(text, nothing))
        return json_null();
    if (is_one_of(text, yes))
        return json_true();
    if (is_one_of(text, no))
        return json_false();
    if (strchr("+-.0123456789", *text) == NULL ||
        without_underscores(text, digits, sizeof digits) == NULL)
        return NULL;
    json_t *number = whole_number(digits);
    return number != NULL ? number : fraction(digits);
}

static int scalar(struct converter *converter, const yaml_node_t *node, json_t **ret)
{
    const char *text = (const char *)node->data.scalar.value;
    const size_t size = node->data.scalar.length;
    const char *tag = node->tag != NULL ? (const char *)node->tag : YAML_STR_TAG;
    if (strlen(text) != size)
        return fail_at(converter, &node->start_mark, "a text holds a NUL character");
    /* libyaml gives every scalar without a tag that of a string */
    *ret = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && text_equal(tag, YAML_STR_TAG)
               ? plain_scalar(text)
               : NULL;
    if (*ret == NULL)
        *ret = json_stringn(text, size);
    return *ret != NULL ? 0 : fail_at(converter, &node->start_mark, "a text is no UTF-8");
}

/* ---- lists and maps -------------------------------------------------------------------------- */

static int value(struct converter *converter, int index, size_t depth, json_t **ret);

static int list(struct converter *converter, const yaml_node_t *node, size_t depth, json_t **ret)
{
    *ret = json_make("[]");
    for (const yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        json_t *entry = NULL;
        const int failed = value(converter, *item, depth, &entry);
        if (entry != NULL)
            json_add(*ret, entry);
        if (failed != 0)
            return -1;
    }
    return 0;
}

/* "<<": the members of a map, or of each map of a list, that stand not in `map` itself. */
static int merge(struct converter *converter, const yaml_node_t *at, json_t *merged, json_t *map)
{
    size_t index = 0;
    json_t *entry = NULL;
    if (json_is_object(merged)) {
        if (json_object_update_missing(map, merged) != 0)
            out_of_memory();
        return 0;
    }
    if (!json_is_array(merged))
        return fail_at(converter, &at->start_mark, "only maps can be merged with '<<'");
    json_array_foreach (merged, index, entry) {
        if (!json_is_object(entry))
            return fail_at(converter, &at->start_mark, "only maps can be merged with '<<'");
        if (json_object_update_missing(map, entry) != 0)
            out_of_memory();
    }
    return 0;
}

static int is_merge_key(const yaml_node_t *key)
{
    return key->type == YAML_SCALAR_NODE && key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           text_equal((const char *)key->data.scalar.value, "<<");
}

/* JSON has keys of one kind only: words and numbers become the text of their value, so that "n"
 * without quotes is "false". *ret is the caller's. */
static int key_text(struct converter *converter, const yaml_node_t *key, char **ret)
{
    if (key->type != YAML_SCALAR_NODE)
        return fail_at(converter, &key->start_mark, "a key must be a text");
    const char *text = (const char *)key->data.scalar.value;
    if (strlen(text) != key->data.scalar.length)
        return fail_at(converter, &key->start_mark, "a key holds a NUL character");
    cleanup_json json_t *value =
        key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? plain_scalar(text) : NULL;
    if (json_is_null(value))
        return fail_at(converter, &key->start_mark, "a key must be a text");
    if (json_is_boolean(value))
        *ret = text_copy(json_is_true(value) ? "true" : "false");
    else if (json_is_integer(value))
        *ret = text_format("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else
        *ret = text_copy(text);
    return 0;
}

static int map(struct converter *converter, const yaml_node_t *node, size_t depth, json_t **ret)
{
    *ret = json_make("{}");
    for (int merging = 0; merging < 2; merging++) {
        for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
             pair < node->data.mapping.pairs.top; pair++) {
            const yaml_node_t *key = yaml_document_get_node(&converter->document, pair->key);
            cleanup_free char *name = NULL;
            if (is_merge_key(key) != merging)
                continue;
            json_t *member = NULL;
            if (key_text(converter, key, &name) != 0 ||
                value(converter, pair->value, depth, &member) != 0) {
                json_decref(member);
                return -1;
            }
            if (!merging) {
                json_put(*ret, name, member);
                continue;
            }
            cleanup_json json_t *merged = member;
            if (merge(converter, key, merged, *ret) != 0)
                return -1;
        }
    }
    return 0;
}

/* *ret is set even on failure, as far as converted: it belongs to the document. */
static int value(struct converter *converter, int index, size_t depth, json_t **ret)
{
    const yaml_node_t *node = yaml_document_get_node(&converter->document, index);
    *ret = NULL;
    if (++converter->values > YAML_JSON_VALUES)
        return fail_at(converter, &node->start_mark, "too many values");
    if (depth >= YAML_JSON_DEPTH)
        return fail_at(converter, &node->start_mark, "nested too deeply");
    switch (node->type) {
    case YAML_SCALAR_NODE:
        return scalar(converter, node, ret);
    case YAML_SEQUENCE_NODE:
        return list(converter, node, depth + 1, ret);
    case YAML_MAPPING_NODE:
        return map(converter, node, depth + 1, ret);
    default:
        return fail_at(converter, &node->start_mark, "a value was expected");
    }
}

/* ---- the document ---------------------------------------------------------------------------- */

static int fail_syntax(const struct converter *converter, const yaml_parser_t *parser)
{
    const char *problem = parser->problem != NULL ? parser->problem : "not YAML";
    if (parser->error == YAML_MEMORY_ERROR)
        out_of_memory();
    if (parser->error == YAML_READER_ERROR)
        return error_set(converter->reterr, EXIT_USAGE, "%s: %s at byte %zu", converter->name,
                         problem, parser->problem_offset);
    return fail_at(converter, &parser->problem_mark, problem);
}

static int convert(struct converter *converter, json_t **ret_json)
{
    if (yaml_document_get_root_node(&converter->document) == NULL) {
        *ret_json = json_null();
        return 0;
    }
    json_t *root = NULL;
    /* nodes are counted from 1, the root is the first */
    const int failed = value(converter, 1, 0, &root);
    if (failed != 0) {
        json_decref(root);
        return -1;
    }
    *ret_json = root;
    return 0;
}

int yaml_json(const char *text, size_t size, const char *name, json_t **ret_json,
              struct error *reterr)
{
    struct converter converter = {.name = name, .reterr = reterr};
    yaml_parser_t parser;
    int result = -1;
    *ret_json = NULL;
    if (yaml_parser_initialize(&parser) != 1)
        out_of_memory();
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    if (yaml_parser_load(&parser, &converter.document) == 1) {
        result = convert(&converter, ret_json);
        yaml_document_delete(&converter.document);
    } else {
        result = fail_syntax(&converter, &parser);
    }
    yaml_parser_delete(&parser);
    return result;
}
