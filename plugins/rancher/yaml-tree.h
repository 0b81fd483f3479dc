/* A YAML document as a tree: libyaml parses it; every key is looked up by name. Scalars are wiped
 * when it is freed, since the documents here hold keys. */
#ifndef SALVOR_RANCHER_YAML_TREE_H
#define SALVOR_RANCHER_YAML_TREE_H

#include <salvor/types.h>
#include <stddef.h>

struct yaml_tree;

struct yaml_node {
    unsigned line;              /* from 1 */
    int kind;                   /* internal */
    char *text;                 /* of a scalar */
    struct yaml_node *children; /* items, or values */
    struct yaml_node *keys;     /* of a mapping */
    size_t count;
};

/* One document with unique keys, no aliases. SALVOR_REFUSED: `problem` says why and where. */
salvor_status yaml_tree_read(struct salvor_span text, struct yaml_tree **ret_tree, char *problem,
                             size_t problem_size);
void yaml_tree_free(struct yaml_tree *tree);
const struct yaml_node *yaml_tree_root(const struct yaml_tree *tree);

/* NULL is a node of no kind. */
int yaml_node_is_map(const struct yaml_node *node);
int yaml_node_is_list(const struct yaml_node *node);
const char *yaml_node_text(const struct yaml_node *node); /* NULL: not a scalar */
size_t yaml_node_count(const struct yaml_node *node);
const struct yaml_node *yaml_node_at(const struct yaml_node *node, const char *key);
const struct yaml_node *yaml_node_item(const struct yaml_node *node, size_t index);

/* The first key that is not in the list (ended by NULL); NULL: all are. */
const struct yaml_node *yaml_node_stranger(const struct yaml_node *node, const char *const *known);

#if defined(__GNUC__)
static inline void yaml_tree_free_at(struct yaml_tree **tree)
{
    yaml_tree_free(*tree);
}
#define auto_yaml_tree __attribute__((__cleanup__(yaml_tree_free_at)))
#endif

#endif
