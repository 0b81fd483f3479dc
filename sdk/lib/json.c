/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <salvor/json.h>
#include <salvor/report.h>
#include <salvor/scan.h>
#include <salvor/text.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pointer.h"

/* jansson leaves the text empty when it fails before it could begin. */
static int out_of_memory(const json_error_t *error)
{
    return error->text[0] == '\0' || json_error_code(error) == json_error_out_of_memory;
}

/* jansson also calls a token bad that it had no memory for; the scanner needs none and knows. */
static int is_good_after_all(const json_error_t *error, struct salvor_span text)
{
    return json_error_code(error) == json_error_invalid_syntax &&
           strstr(error->text, "Unicode") == NULL && salvor_scan_check(text, NULL) == SALVOR_OK;
}

salvor_status salvor_json_parse(salvor_call *call, struct salvor_span text, const char *what,
                                json_t **ret_json)
{
    if (text.size > SALVOR_JSON_LIMIT)
        return salvor_fail(call, SALVOR_FAILED, NULL, "%s is larger than %u bytes", what,
                           SALVOR_JSON_LIMIT);
    json_error_t error = {.line = 0};
    json_t *json = json_loadb(text.data != NULL ? text.data : "", (size_t)text.size,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (json == NULL) {
        if (out_of_memory(&error) || is_good_after_all(&error, text))
            return salvor_fail_memory(call, what);
        return salvor_fail_detail(call, SALVOR_FAILED, error.text, NULL,
                                  "%s is no valid JSON at line %d, column %d", what, error.line,
                                  error.column);
    }
    *ret_json = json;
    return SALVOR_OK;
}

salvor_status salvor_json_parse_text(salvor_call *call, const char *text, const char *what,
                                     json_t **ret_json)
{
    const struct salvor_span span = {text, text != NULL ? strlen(text) : 0};
    return salvor_json_parse(call, span, what, ret_json);
}

/* Decimal index as RFC 6901 writes it: no sign, no leading zero. */
static int array_index(const char *word, size_t *ret_index)
{
    if (word[0] == '\0' || (word[0] == '0' && word[1] != '\0') || strlen(word) > 9)
        return -1;
    size_t index = 0;
    for (; *word != '\0'; word++) {
        if (*word < '0' || *word > '9')
            return -1;
        index = index * 10 + (size_t)(*word - '0');
    }
    *ret_index = index;
    return 0;
}

json_t *salvor_json_at(const json_t *root, const char *path)
{
    const json_t *at = root;
    char word[POINTER_WORD_LIMIT];
    while (at != NULL && *path != '\0') {
        if (pointer_next(&path, word) != 0)
            return NULL;
        if (json_is_object(at)) {
            at = json_object_get(at, word);
        } else {
            size_t index = 0;
            if (!json_is_array(at) || array_index(word, &index) != 0)
                return NULL;
            at = json_array_get(at, index);
        }
    }
    /* jansson's own getters give values to change of containers to read as well */
    return (json_t *)(uintptr_t)at;
}

const char *salvor_json_text(const json_t *root, const char *path, const char *fallback)
{
    const char *value = json_string_value(salvor_json_at(root, path));
    return value != NULL ? value : fallback;
}

int64_t salvor_json_integer(const json_t *root, const char *path, int64_t fallback)
{
    const json_t *value = salvor_json_at(root, path);
    return json_is_integer(value) ? (int64_t)json_integer_value(value) : fallback;
}

int salvor_json_flag(const json_t *root, const char *path, int fallback)
{
    const json_t *value = salvor_json_at(root, path);
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

size_t salvor_json_count(const json_t *root, const char *path)
{
    const json_t *value = salvor_json_at(root, path);
    return json_is_object(value) ? json_object_size(value) : json_array_size(value);
}

salvor_status salvor_json_need(salvor_call *call, const json_t *root, const char *path,
                               const char *what, const char **ret_text)
{
    const char *value = json_string_value(salvor_json_at(root, path));
    if (value == NULL)
        return salvor_fail(call, SALVOR_FAILED, NULL, "%s has no text at '%s'", what, path);
    *ret_text = value;
    return SALVOR_OK;
}

json_t *salvor_json_build(salvor_call *call, const char *format, ...)
{
    json_error_t error = {.line = 0};
    va_list arguments;
    va_start(arguments, format);
    json_t *json = json_vpack_ex(&error, 0, format, arguments);
    va_end(arguments);
    if (json == NULL) {
        if (out_of_memory(&error))
            (void)salvor_fail_memory(call, "a JSON document");
        else
            (void)salvor_fail_detail(call, SALVOR_FAILED, error.text, NULL,
                                     "cannot build a JSON document");
    }
    return json;
}

salvor_status salvor_json_put(json_t *root, const char *path, json_t *value)
{
    salvor_auto_json json_t *owned = value;
    if (owned == NULL)
        return SALVOR_FAILED;
    char word[POINTER_WORD_LIMIT];
    json_t *at = root;
    if (*path == '\0')
        return SALVOR_REFUSED;
    for (;;) {
        if (pointer_next(&path, word) != 0 || !json_is_object(at))
            return SALVOR_REFUSED;
        if (*path == '\0')
            return json_object_set(at, word, owned) == 0 ? SALVOR_OK : SALVOR_FAILED;
        json_t *next = json_object_get(at, word);
        if (next == NULL) {
            next = json_object();
            if (next == NULL || json_object_set_new(at, word, next) != 0)
                return SALVOR_FAILED;
        }
        at = next;
    }
}

static int add_to_text(const char *data, size_t size, void *text)
{
    salvor_text_add(text, data, size);
    return ((const struct salvor_text *)text)->failed == SALVOR_OK ? 0 : -1;
}

char *salvor_json_write(const json_t *json)
{
    struct salvor_text text = SALVOR_TEXT_INIT(SALVOR_JSON_LIMIT);
    if (json_dump_callback(json, add_to_text, &text,
                           JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY) != 0) {
        salvor_text_clear(&text);
        return NULL;
    }
    return text.data;
}
