/* Which resource types the simulated API serves, and the rules that differ from type to type. */
#ifndef SIM_KUBE_TYPES_H
#define SIM_KUBE_TYPES_H

#include <jansson.h>
#include <stddef.h>

#include "store.h"

enum kube_type_flag {
    TYPE_NAMESPACED = 1 << 0,
    TYPE_STATUS = 1 << 1,          /* status subresource: the main resource never changes status */
    TYPE_SCALE = 1 << 2,           /* scale subresource over spec.replicas */
    TYPE_FINALIZE = 1 << 3,        /* namespaces only */
    TYPE_NO_RV_NEEDED = 1 << 4,    /* PUT without resourceVersion overwrites */
    TYPE_PUT_CREATES = 1 << 5,     /* PUT of an absent object creates it */
    TYPE_PATH_NAME = 1 << 6,       /* names are path segments (RBAC), not DNS names */
    TYPE_GENERATION = 1 << 7,      /* metadata.generation counts changes of spec */
    TYPE_CUSTOM = 1 << 8,          /* made by a CustomResourceDefinition */
    TYPE_CREATE_ONLY = 1 << 9,     /* reviews: answered, never stored */
    TYPE_LABEL_NAME = 1 << 10,     /* names are DNS labels */
    TYPE_RETURNS_OBJECT = 1 << 11, /* DELETE answers with the object instead of a Status */
    TYPE_GRACEFUL = 1 << 12,       /* pods: deletion waits for the grace period */
    TYPE_STATUS_KEPT = 1 << 13,    /* status subresource, yet POST keeps the given status */
    TYPE_DEPRECATED = 1 << 14,     /* answers carry a Warning header */
};

struct kube_type {
    char *group; /* "" for the core group */
    char *version;
    char *kind;
    char *list_kind;
    char *plural;
    char *singular;
    char *short_names; /* space separated, may be empty */
    char *categories;  /* the same */
    unsigned flags;
    char *warning;        /* text of the deprecation warning, or NULL */
    json_t *field_labels; /* further field selectors: array of paths, or NULL */
    struct store_table *table;
};

struct types {
    struct kube_type **items; /* in discovery order */
    size_t count;
    struct kube_type **retired; /* no longer served, still named by open watches */
    size_t retired_count;
};

/* Adds every built-in type, with its table in the store. */
void types_add_builtin(struct types *types, struct store *store);
void types_clear(struct types *types);

/* Replaces what the CustomResourceDefinition serves; a NULL or not established one serves nothing.
 */
void types_set_custom(struct types *types, struct store *store, const char *crd_name,
                      const json_t *crd);

const struct kube_type *types_find(const struct types *types, const char *group,
                                   const char *version, const char *plural);
/* Any version of the type, NULL when not served. */
const struct kube_type *types_find_group(const struct types *types, const char *group,
                                         const char *plural);
/* The type of this apiVersion ("v1", "apps/v1") and kind. */
const struct kube_type *types_find_kind(const struct types *types, const char *api_version,
                                        const char *kind);

/* How the API orders versions: GA before beta before alpha, higher numbers first (and ranked
 * higher). */
int types_version_rank(const char *version);

/* "v1" or "apps/v1", new. */
char *types_api_version(const struct kube_type *type);

/* The values that field selectors of objects in this table may name (a store_fields_of). */
json_t *types_fields_of(const struct store_table *table, const json_t *object);
/* 1 when the type's selectors may name the field. */
int types_has_field(const struct kube_type *type, const char *field);

#endif
