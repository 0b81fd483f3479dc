/* The CustomResourceDefinitions of an archive or a cluster: which types they make, and which of
 * those have a status of their own. */
#ifndef SALVOR_RANCHER_DEFINITIONS_H
#define SALVOR_RANCHER_DEFINITIONS_H

#include <salvor/json.h>
#include <salvor/types.h>
#include <stddef.h>

struct definition_version {
    const char *name;
    int served;
    int storage;
    int has_status; /* the subresource */
};

struct definition {
    json_t *json; /* what is kept of it; the texts below are in it */
    const char *group;
    const char *plural;
    const char *kind;
    int namespaced;
    int preserves_unknown; /* spec.preserveUnknownFields stands there */
    struct definition_version *versions;
    size_t version_count;
};

struct definitions {
    struct definition *items;
    size_t count;
};

/* Adds one of apiextensions.k8s.io/v1 or v1beta1. SALVOR_REFUSED: it is none that could be used
 * (nothing is reported). SALVOR_FAILED: no memory. */
salvor_status definitions_add(struct definitions *definitions, struct salvor_span json);
void definitions_clear(struct definitions *definitions);

const struct definition *definitions_find(const struct definitions *definitions,
                                          struct salvor_span group, struct salvor_span plural);
const struct definition *definitions_find_kind(const struct definitions *definitions,
                                               struct salvor_span group, struct salvor_span kind);

/* NULL: no such version. */
const struct definition_version *definition_version(const struct definition *definition,
                                                    struct salvor_span version);

#endif
