/*
 * What NSX is meant to be: tables of immutable, counted records. A copy of all of it costs one
 * pointer a record, which is what a backup is.
 */
#ifndef SIM_NSX_STORE_H
#define SIM_NSX_STORE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum nsx_table_id {
    NSX_PRINCIPALS,       /* by id */
    NSX_TOKEN_PRINCIPALS, /* by id */
    NSX_CERTIFICATES,     /* by id */
    NSX_CONTROL_PLANES,   /* by id */
    NSX_HEARTBEATS,       /* by id of the control plane */
    NSX_POLICIES,         /* by id, all of domain default */
    NSX_RULES,            /* "policy/rule" */
    NSX_SPANS,            /* "policy/span" */
    NSX_GROUPS,
    NSX_SERVICES,
    NSX_DRAFTS,
    NSX_SETTINGS, /* single objects: backup configuration, management configuration */
    NSX_TABLES
};

struct nsx_record {
    unsigned references;
    char *key;
    size_t size;
    int64_t order; /* rules: their place; certificates and others: unused */
    char text[];   /* the object, compact JSON */
};

struct nsx_table {
    struct nsx_record **items; /* sorted by key */
    size_t count, capacity;
};

struct nsx_intent {
    struct nsx_table tables[NSX_TABLES];
};

/* Names of tables as the state dump and the audit log show them. */
const char *nsx_table_name(enum nsx_table_id table);

/* Borrowed until the next change of the table; NULL when absent. */
const struct nsx_record *nsx_table_get(const struct nsx_table *table, const char *key);
/* Writes an object (borrowed) in place of the one of that key. */
void nsx_table_put(struct nsx_table *table, const char *key, const json_t *object, int64_t order);
/* 1 when it was there. */
int nsx_table_remove(struct nsx_table *table, const char *key);

/* Index of the first record whose key is not below `key`. */
size_t nsx_table_from(const struct nsx_table *table, const char *key);

/* The record at `index` when its key begins with `prefix`, else NULL. */
const struct nsx_record *nsx_table_at(const struct nsx_table *table, size_t index,
                                      const char *prefix);

/* The object as a new tree; and of a key, NULL when absent. */
json_t *nsx_record_tree(const struct nsx_record *record);
json_t *nsx_table_tree(const struct nsx_table *table, const char *key);

/* The first object whose text `field` is `value`, as a new tree; NULL: none. */
json_t *nsx_table_find(const struct nsx_table *table, const char *field, const char *value);

void nsx_intent_copy(struct nsx_intent *to, const struct nsx_intent *from);
void nsx_intent_clear(struct nsx_intent *intent);

#endif
