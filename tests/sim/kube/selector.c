#include "selector.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "json-tree.h"
#include "status.h"

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/text.h"

enum operation { OP_EXISTS, OP_ABSENT, OP_IN, OP_NOT_IN };

struct requirement {
    char *key;
    enum operation operation;
    json_t *values; /* array of texts */
    int is_field;
};

struct selector {
    struct requirement *items;
    size_t count;
};

static struct requirement *add(struct selector *selector, char *key, enum operation operation,
                               int is_field)
{
    selector->items = memory_resize(selector->items, selector->count + 1, sizeof *selector->items);
    struct requirement *item = &selector->items[selector->count++];
    *item = (struct requirement){key, operation, json_array(), is_field};
    return item;
}

static const char *skip_space(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

static int is_word(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.' || c == '/';
}

static char *take_word(const char **at)
{
    const char *begin = *at = skip_space(*at);
    while (is_word(**at))
        (*at)++;
    char *word = text_copy_span(begin, (size_t)(*at - begin));
    *at = skip_space(*at);
    return word;
}

/* "(a, b)" into the values; -1 when malformed. */
static int take_values(const char **at, json_t *values)
{
    if (**at != '(')
        return -1;
    do {
        (*at)++;
        cleanup_free char *word = take_word(at);
        json_array_append_new(values, json_string(word));
    } while (**at == ',');
    if (**at != ')')
        return -1;
    *at = skip_space(*at + 1);
    return 0;
}

/* One requirement of a label selector; -1 when malformed. */
static int take_label(struct selector *selector, const char **at)
{
    *at = skip_space(*at);
    if (**at == '!') {
        (*at)++;
        struct requirement *absent = add(selector, take_word(at), OP_ABSENT, 0);
        return absent->key[0] == '\0' ? -1 : 0;
    }
    struct requirement *item = add(selector, take_word(at), OP_EXISTS, 0);
    if (item->key[0] == '\0')
        return -1;
    if (**at == '\0' || **at == ',')
        return 0;
    if (**at == '=' || **at == '!') {
        item->operation = **at == '=' ? OP_IN : OP_NOT_IN;
        if (**at == '!' && (*at)[1] != '=')
            return -1;
        *at += (*at)[1] == '=' ? 2 : 1;
        cleanup_free char *word = take_word(at);
        json_array_append_new(item->values, json_string(word));
        return 0;
    }
    cleanup_free char *word = take_word(at);
    if (strcmp(word, "in") == 0)
        item->operation = OP_IN;
    else if (strcmp(word, "notin") == 0)
        item->operation = OP_NOT_IN;
    else
        return -1;
    return take_values(at, item->values);
}

static int parse_labels(struct selector *selector, const char *text)
{
    const char *at = skip_space(text);
    while (*at != '\0') {
        if (take_label(selector, &at) != 0)
            return -1;
        if (*at == ',')
            at++;
        else if (*at != '\0')
            return -1;
    }
    return 0;
}

/* "a=b,c!=d" with backslash before , = and \ in values; -1 when malformed. */
static int parse_fields(struct selector *selector, const char *text)
{
    const char *at = text;
    while (*at != '\0') {
        const char *operation = strpbrk(at, "=!");
        if (operation == NULL || operation == at)
            return -1;
        enum operation op = *operation == '!' ? OP_NOT_IN : OP_IN;
        if (op == OP_NOT_IN && operation[1] != '=')
            return -1;
        struct requirement *item =
            add(selector, text_copy_span(at, (size_t)(operation - at)), op, 1);
        at = operation + (operation[1] == '=' ? 2 : 1);
        cleanup_buffer struct buffer value = BUFFER_INIT(4096);
        for (; *at != '\0' && *at != ','; at++) {
            if (*at == '\\' && at[1] != '\0')
                at++;
            buffer_append(&value, at, 1);
        }
        if (*at == ',')
            at++;
        json_array_append_new(item->values, json_string(value.data != NULL ? value.data : ""));
    }
    return 0;
}

struct selector *selector_new(const struct kube_type *type, const char *labels, const char *fields,
                              json_t **ret_status)
{
    struct selector *selector = memory_new(1, sizeof *selector);
    *selector = (struct selector){NULL, 0};
    if (labels != NULL && parse_labels(selector, labels) != 0) {
        *ret_status = status_bad_request("unable to parse requirement: '%s'", labels);
        selector_free(selector);
        return NULL;
    }
    size_t first_field = selector->count;
    if (fields != NULL && parse_fields(selector, fields) != 0) {
        *ret_status =
            status_bad_request("invalid field selector: %s; can't understand '%s'", fields, fields);
        selector_free(selector);
        return NULL;
    }
    for (size_t i = first_field; i < selector->count; i++)
        if (!types_has_field(type, selector->items[i].key)) {
            *ret_status =
                status_bad_request("field label not supported: %s", selector->items[i].key);
            selector_free(selector);
            return NULL;
        }
    return selector;
}

void selector_free(struct selector *selector)
{
    if (selector == NULL)
        return;
    for (size_t i = 0; i < selector->count; i++) {
        free(selector->items[i].key);
        json_decref(selector->items[i].values);
    }
    free(selector->items);
    free(selector);
}

int selector_is_empty(const struct selector *selector)
{
    return selector->count == 0;
}

static int matches(const struct requirement *item, const char *value)
{
    switch (item->operation) {
    case OP_EXISTS:
        return value != NULL;
    case OP_ABSENT:
        return value == NULL;
    case OP_IN:
        return value != NULL && tree_array_has(item->values, value);
    default:
        return value == NULL || !tree_array_has(item->values, value);
    }
}

static int field_matches(const struct requirement *item, const char *key,
                         const struct store_object *object)
{
    const char *slash = strchr(key, '/');
    if (strcmp(item->key, "metadata.name") == 0)
        return matches(item, slash == NULL ? key : slash + 1);
    if (strcmp(item->key, "metadata.namespace") == 0) {
        cleanup_free char *space = text_copy_span(key, slash == NULL ? 0 : (size_t)(slash - key));
        return matches(item, space);
    }
    const char *value = json_string_value(json_object_get(object->fields, item->key));
    return matches(item, value == NULL ? "" : value);
}

int selector_matches(const struct selector *selector, const char *key,
                     const struct store_object *object)
{
    for (size_t i = 0; i < selector->count; i++) {
        const struct requirement *item = &selector->items[i];
        if (item->is_field) {
            if (!field_matches(item, key, object))
                return 0;
        } else if (!matches(item, json_string_value(json_object_get(object->labels, item->key)))) {
            return 0;
        }
    }
    return 1;
}
