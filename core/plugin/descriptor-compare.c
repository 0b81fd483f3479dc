#include "plugin/descriptor-compare.h"

#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

static int is_zero(const json_t *value)
{
    switch (value == NULL ? JSON_NULL : json_typeof(value)) {
    case JSON_NULL:
    case JSON_FALSE:
        return 1;
    case JSON_INTEGER:
        return json_integer_value(value) == 0;
    case JSON_STRING:
        return json_string_length(value) == 0;
    case JSON_ARRAY:
        return json_array_size(value) == 0;
    default:
        return 0;
    }
}

static char *difference(const json_t *a, const json_t *b, const char *path);

static char *member_path(const char *path, const char *key)
{
    return path[0] == '\0' ? text_copy(key) : text_format("%s.%s", path, key);
}

static char *object_difference(const json_t *a, const json_t *b, const char *path)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach ((json_t *)a, key, value) {
        cleanup_free char *below = member_path(path, key);
        char *found = difference(value, json_object_get(b, key), below);
        if (found != NULL)
            return found;
    }
    json_object_foreach ((json_t *)b, key, value) {
        if (json_object_get(a, key) == NULL && !is_zero(value))
            return member_path(path, key);
    }
    return NULL;
}

static char *difference(const json_t *a, const json_t *b, const char *path)
{
    if (is_zero(a) && is_zero(b))
        return NULL;
    if (json_is_object(a) && json_is_object(b))
        return object_difference(a, b, path);
    if (!json_is_array(a) || !json_is_array(b))
        return json_equal(a, b) ? NULL : text_copy(path);
    for (size_t i = 0; i < json_array_size(a) || i < json_array_size(b); i++) {
        cleanup_free char *below = text_format("%s[%zu]", path, i);
        if (i >= json_array_size(a) || i >= json_array_size(b))
            return take_pointer(below);
        char *found = difference(json_array_get(a, i), json_array_get(b, i), below);
        if (found != NULL)
            return found;
    }
    return NULL;
}

char *descriptor_difference(const json_t *a, const json_t *b)
{
    return difference(a, b, "");
}
