#include "json-tree.h"

#include <stdint.h>
#include <string.h>

#include "base/banned.h"

enum { PART_SIZE = 128 };

/* Copies the part before the next dot; returns what follows the dot, or NULL at the end. */
static const char *next_part(const char *path, char part[PART_SIZE])
{
    const char *dot = strchr(path, '.');
    size_t size = dot == NULL ? strlen(path) : (size_t)(dot - path);
    if (size >= PART_SIZE)
        size = PART_SIZE - 1;
    memcpy(part, path, size);
    part[size] = '\0';
    return dot == NULL ? NULL : dot + 1;
}

json_t *tree_at(const json_t *root, const char *path)
{
    char part[PART_SIZE];
    const json_t *at = root;
    while (path != NULL && at != NULL) {
        path = next_part(path, part);
        at = json_object_get(at, part);
    }
    return (json_t *)(uintptr_t)at;
}

const char *tree_text(const json_t *root, const char *path)
{
    return json_string_value(tree_at(root, path));
}

json_int_t tree_integer(const json_t *root, const char *path, json_int_t otherwise)
{
    const json_t *value = tree_at(root, path);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

int tree_is_true(const json_t *root, const char *path)
{
    return json_is_true(tree_at(root, path));
}

void tree_set(json_t *root, const char *path, json_t *value)
{
    char part[PART_SIZE];
    const char *rest = next_part(path, part);
    while (rest != NULL) {
        json_t *next = json_object_get(root, part);
        if (!json_is_object(next)) {
            json_object_set_new(root, part, json_object());
            next = json_object_get(root, part);
        }
        root = next;
        rest = next_part(rest, part);
    }
    json_object_set_new(root, part, value);
}

void tree_set_text(json_t *root, const char *path, const char *text)
{
    tree_set(root, path, json_string(text));
}

void tree_remove(json_t *root, const char *path)
{
    char part[PART_SIZE];
    const char *rest = next_part(path, part);
    while (rest != NULL) {
        root = json_object_get(root, part);
        if (root == NULL)
            return;
        rest = next_part(rest, part);
    }
    json_object_del(root, part);
}

int tree_array_has(const json_t *array, const char *text)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *value = json_string_value(json_array_get(array, i));
        if (value != NULL && strcmp(value, text) == 0)
            return 1;
    }
    return 0;
}

int tree_array_drop(json_t *array, const char *text)
{
    int dropped = 0;
    for (size_t i = json_array_size(array); i > 0; i--) {
        const char *value = json_string_value(json_array_get(array, i - 1));
        if (value != NULL && strcmp(value, text) == 0) {
            json_array_remove(array, i - 1);
            dropped++;
        }
    }
    return dropped;
}
