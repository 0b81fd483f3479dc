#include "patch.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

void patch_merge(json_t *target, const json_t *patch)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)patch, key, value) {
        if (json_is_null(value)) {
            json_object_del(target, key);
        } else if (json_is_object(value)) {
            json_t *inner = json_object_get(target, key);
            if (!json_is_object(inner)) {
                inner = json_object();
                json_object_set_new(target, key, inner);
            }
            patch_merge(inner, value);
        } else {
            json_object_set_new(target, key, json_deep_copy(value));
        }
    }
}

/* Where a pointer leads: the parent and the last, unescaped token. */
struct place {
    json_t *parent;
    char *token;
};

static void unescape(char *token)
{
    char *to = token;
    for (const char *from = token; *from != '\0'; from++, to++) {
        if (from[0] == '~' && (from[1] == '0' || from[1] == '1')) {
            *to = from[1] == '0' ? '~' : '/';
            from++;
        } else {
            *to = *from;
        }
    }
    *to = '\0';
}

/* -1 unless the token is an index below `limit`. */
static int array_index(const char *token, size_t limit, size_t *ret_index)
{
    int64_t index;
    if (text_parse_integer(token, &index) != 0 || index < 0 || (uint64_t)index >= limit)
        return -1;
    *ret_index = (size_t)index;
    return 0;
}

static json_t *child_of(json_t *parent, const char *token)
{
    size_t index;
    if (json_is_object(parent))
        return json_object_get(parent, token);
    if (json_is_array(parent) && array_index(token, json_array_size(parent), &index) == 0)
        return json_array_get(parent, index);
    return NULL;
}

/* Finds the parent of the pointer's target; token is owned by the caller. -1 when absent. */
static int find_place(json_t *document, const char *pointer, struct place *ret_place)
{
    json_t *at = document;
    if (pointer[0] != '/')
        return -1;
    for (;;) {
        const char *slash = strchr(pointer + 1, '/');
        size_t size = slash == NULL ? strlen(pointer + 1) : (size_t)(slash - pointer - 1);
        char *token = text_copy_span(pointer + 1, size);
        unescape(token);
        if (slash == NULL) {
            *ret_place = (struct place){at, token};
            if (json_is_object(at) || json_is_array(at))
                return 0;
            free(token);
            ret_place->token = NULL;
            return -1;
        }
        at = child_of(at, token);
        free(token);
        if (at == NULL)
            return -1;
        pointer = slash;
    }
}

/* Takes the value; -1 when the place cannot hold it. */
static int add_at(const struct place *place, json_t *value)
{
    size_t index;
    if (json_is_object(place->parent))
        return json_object_set_new(place->parent, place->token, value);
    if (strcmp(place->token, "-") == 0)
        return json_array_append_new(place->parent, value);
    if (array_index(place->token, json_array_size(place->parent) + 1, &index) == 0)
        return json_array_insert_new(place->parent, index, value);
    json_decref(value);
    return -1;
}

static int remove_at(const struct place *place)
{
    size_t index;
    if (json_is_object(place->parent))
        return json_object_del(place->parent, place->token);
    if (array_index(place->token, json_array_size(place->parent), &index) != 0)
        return -1;
    return json_array_remove(place->parent, index);
}

static int replace_at(const struct place *place, json_t *value)
{
    size_t index;
    /* The server's library replaces an absent member by adding it, whatever RFC 6902 says. */
    if (json_is_object(place->parent))
        return json_object_set_new(place->parent, place->token, value);
    if (array_index(place->token, json_array_size(place->parent), &index) != 0) {
        json_decref(value);
        return -1;
    }
    return json_array_set_new(place->parent, index, value);
}

/* A copy of what `from` points at, taken out of the document when `cut`; NULL when absent. */
static json_t *copy_from(json_t *document, const char *from, int cut)
{
    struct place source = {NULL, NULL};
    if (from == NULL || find_place(document, from, &source) != 0)
        return NULL;
    json_t *value = child_of(source.parent, source.token);
    json_t *copy = value == NULL ? NULL : json_deep_copy(value);
    if (copy != NULL && cut)
        remove_at(&source);
    free(source.token);
    return copy;
}

/* 0 done, -1 does not fit, -2 malformed. */
static int apply_at(json_t *document, const char *name, const struct place *place,
                    const json_t *operation)
{
    const json_t *value = json_object_get(operation, "value");
    if (strcmp(name, "remove") == 0)
        return remove_at(place);
    if (value == NULL)
        return -2;
    if (strcmp(name, "add") == 0)
        return add_at(place, json_deep_copy(value));
    if (strcmp(name, "replace") == 0)
        return replace_at(place, json_deep_copy(value));
    if (strcmp(name, "test") == 0) {
        json_t *found = child_of(place->parent, place->token);
        return found != NULL && json_equal(found, value) ? 0 : -1;
    }
    (void)document;
    return -2;
}

static int apply_operation(json_t *document, const json_t *operation)
{
    const char *name = json_string_value(json_object_get(operation, "op"));
    const char *path = json_string_value(json_object_get(operation, "path"));
    const char *from = json_string_value(json_object_get(operation, "from"));
    if (name == NULL || path == NULL)
        return -2;
    int moves = strcmp(name, "move") == 0;
    if (moves || strcmp(name, "copy") == 0) {
        json_t *value = copy_from(document, from, moves);
        struct place target = {NULL, NULL};
        if (value == NULL || find_place(document, path, &target) != 0) {
            json_decref(value);
            return -1;
        }
        int result = add_at(&target, value);
        free(target.token);
        return result;
    }
    struct place place = {NULL, NULL};
    if (find_place(document, path, &place) != 0)
        return -1;
    int result = apply_at(document, name, &place, operation);
    free(place.token);
    return result;
}

int patch_json(json_t **document, const json_t *patch, int *ret_malformed, char **ret_message)
{
    *ret_malformed = 0;
    if (!json_is_array(patch)) {
        *ret_malformed = 1;
        *ret_message = text_copy("error decoding patch: a JSON patch is an array of operations");
        return -1;
    }
    size_t i;
    json_t *operation;
    json_array_foreach ((json_t *)(uintptr_t)patch, i, operation) {
        int result = apply_operation(*document, operation);
        if (result == 0)
            continue;
        const char *name = json_string_value(json_object_get(operation, "op"));
        const char *path = json_string_value(json_object_get(operation, "path"));
        *ret_malformed = result == -2;
        *ret_message =
            text_format("%s operation does not apply: doc is missing or differs at path: %s",
                        name == NULL ? "unnamed" : name, path == NULL ? "" : path);
        return -1;
    }
    return 0;
}
