/* Dotted paths into jansson trees, so that callers read like the Kubernetes field they mean. */
#ifndef SIM_KUBE_JSON_TREE_H
#define SIM_KUBE_JSON_TREE_H

#include <jansson.h>

/* The value at "metadata.labels", borrowed; NULL when any part is absent or no object. */
json_t *tree_at(const json_t *root, const char *path);

/* As tree_at, for texts and integers; NULL and `otherwise` when absent or of another type. */
const char *tree_text(const json_t *root, const char *path);
json_int_t tree_integer(const json_t *root, const char *path, json_int_t otherwise);
int tree_is_true(const json_t *root, const char *path);

/* Sets the value (stolen), making missing objects on the way; a non-object there is replaced. */
void tree_set(json_t *root, const char *path, json_t *value);
void tree_set_text(json_t *root, const char *path, const char *text);

/* Removes the last part; absent is fine. */
void tree_remove(json_t *root, const char *path);

/* 1 when the array (NULL: empty) holds the text. */
int tree_array_has(const json_t *array, const char *text);

/* Removes every occurrence of the text from the array; the number removed. */
int tree_array_drop(json_t *array, const char *text);

#endif
