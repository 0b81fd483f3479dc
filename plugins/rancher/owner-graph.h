/*
 * Which object has to be there before which, by owner references: the order of a restore, and what
 * the operator's restore would lose without a word because an owner never comes.
 */
#ifndef SALVOR_RANCHER_OWNER_GRAPH_H
#define SALVOR_RANCHER_OWNER_GRAPH_H

#include "definitions.h"
#include "object-index.h"

enum owner_state {
    OWNER_HERE,          /* objects of exactly this type are in the archive */
    OWNER_OTHER_VERSION, /* the archive has them under another API version */
    OWNER_ABSENT,        /* the type is known, the archive has none of it */
    OWNER_UNKNOWN,       /* nothing is known of the kind: depends on the cluster */
    OWNER_DROPPED        /* GlobalRole, RoleTemplate: the operator drops the references */
};

/* An apiVersion and kind that some object names as its owner's. */
struct owner_kind {
    enum owner_state state;
    uint32_t type; /* of HERE and OTHER_VERSION */
};

struct owner_graph {
    struct object_index *index;
    struct owner_kind *kinds; /* as index->owner_kinds */
    uint32_t lost;            /* objects */
    uint32_t deepest;         /* level */
};

/* What is known of kinds beside those of the objects themselves. */
struct known_kinds {
    const struct definitions *definitions;
    /* whether the target serves it; NULL: that is not known */
    int (*is_served)(const void *data, struct salvor_span group, struct salvor_span kind);
    const void *data;
};

/* Resolves all owner references of a complete index, and finds levels and losses. SALVOR_FAILED: no
 * memory. index->links then hold numbers of objects instead of keys. */
salvor_status owner_graph_make(struct object_index *index, const struct known_kinds *known,
                               struct owner_graph *ret_graph);
void owner_graph_clear(struct owner_graph *graph);

/* The owner that a link leads to, of whatever API version. OBJECT_NONE: not in the archive. */
uint32_t owner_graph_owner(const struct owner_graph *graph, const struct index_link *link);

/* 1: a kind of Kubernetes itself. */
int kind_is_builtin(struct salvor_span group, struct salvor_span kind);

#endif
