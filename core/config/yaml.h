/*
 * The part of YAML that a configuration needs, as a tree that knows where everything stands. Not
 * accepted, each with its own message: duplicate keys, anchors and aliases (they can grow without
 * bound and hide where a value comes from), tags, several documents, deep nesting.
 */
#ifndef SALVOR_CONFIG_YAML_H
#define SALVOR_CONFIG_YAML_H

#include <stddef.h>

#include "base/error.h"

enum {
    YAML_SIZE_LIMIT = 1 << 20,
    YAML_DEPTH_LIMIT = 32,
    YAML_NODE_LIMIT = 65536,
    YAML_ENTRY_LIMIT = 1024 /* of one list or map */
};

enum yaml_kind { YAML_NOTHING, YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    size_t line, column; /* from 1; characters, not bytes */
    char *text;          /* TEXT: the scalar as written; NULL otherwise */
    size_t count;        /* of entries */
    struct yaml_entry *entries;
};

struct yaml_entry {
    char *key; /* NULL in a list */
    size_t line, column;
    struct yaml_node *value;
};

/*
 * Parses one document; an empty one is a node of kind NOTHING. Errors (exit code 2) begin with
 * "NAME:LINE:COLUMN: ". `text` need not end with a NUL. The caller frees the tree.
 */
int yaml_parse(const char *text, size_t size, const char *name, struct yaml_node **ret_root,
               struct error *reterr);
void yaml_free(struct yaml_node *node);

/* Member of a map; NULL when absent or `node` is no map. */
const struct yaml_entry *yaml_member(const struct yaml_node *node, const char *key);

/* "a text", "a list", "a map", "nothing": for messages. */
const char *yaml_kind_name(enum yaml_kind kind);

#endif
