#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

const char *json_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

int64_t json_whole(const json_t *object, const char *key, int64_t otherwise)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

int json_flag(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

void json_put(json_t *object, const char *key, json_t *value)
{
    if (value == NULL || json_object_set_new(object, key, value) != 0)
        out_of_memory();
}

void json_put_text(json_t *object, const char *key, const char *text)
{
    json_put(object, key, text != NULL ? json_string(text) : json_null());
}

void json_add(json_t *array, json_t *value)
{
    if (value == NULL || json_array_append_new(array, value) != 0)
        out_of_memory();
}

json_t *json_make(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    json_t *value = json_vpack_ex(NULL, 0, format, args);
    va_end(args);
    if (value == NULL)
        out_of_memory();
    return value;
}

json_t *json_clone(const json_t *value)
{
    if (value == NULL)
        return NULL;
    json_t *copy = json_deep_copy(value);
    if (copy == NULL)
        out_of_memory();
    return copy;
}

char *json_canonical(const json_t *value)
{
    char *text = json_dumps(value, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
    if (text == NULL)
        out_of_memory();
    return text;
}

void json_digest(const json_t *value, char ret_text[DIGEST_TEXT_SIZE])
{
    cleanup_free char *text = json_canonical(value);
    digest_text_of(text, strlen(text), ret_text);
}
