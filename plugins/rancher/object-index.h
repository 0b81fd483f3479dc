/*
 * What is kept of each object of an archive while all of it is judged or restored: at most 64
 * bytes, an owner reference included. Names are kept as keyed digests; whoever needs one in full
 * reads the archive again.
 */
#ifndef SALVOR_RANCHER_OBJECT_INDEX_H
#define SALVOR_RANCHER_OBJECT_INDEX_H

#include <salvor/object.h>
#include <salvor/types.h>

#include "chunks.h"
#include "member-path.h"
#include "names.h"

#define OBJECT_NONE UINT32_MAX
#define LEVEL_NONE UINT16_MAX

/* Flags of an object. */
#define OBJECT_SUPERSEDED 1u /* the same path comes again: the last one counts */
#define OBJECT_HIDDEN 2u     /* the operator overlooks it: "filters" in the path */
#define OBJECT_ENCRYPTED 4u
#define OBJECT_CLOSED 8u         /* encrypted, and it did not open: nothing else is known of it */
#define OBJECT_BUILTIN 16u       /* a built-in role: kept, never restored */
#define OBJECT_LEFT_OUT 32u      /* Rancher's own deployments: never restored */
#define OBJECT_LOST 64u          /* the operator would not restore it, and not say so */
#define OBJECT_CYCLE 128u        /* its owners wait for each other */
#define OBJECT_OWNED 256u        /* it has owner references */
#define OBJECT_REGISTRATION 512u /* a Fleet registration Secret: kept, never restored */

struct index_object {
    unsigned char key[16]; /* of the name */
    uint32_t type;         /* number of the type */
    uint32_t ns;           /* number of the namespace + 1; 0: cluster scope */
    uint32_t first_link;   /* OBJECT_OWNED: its first owner */
    uint16_t flags;
    uint16_t level; /* owner_graph_levels(): how many owners deep; LEVEL_NONE before */
};

struct index_type {
    uint32_t number;
    uint32_t count;
    uint64_t bytes; /* stored */
    uint32_t encrypted;
    uint32_t namespaced; /* objects with a namespace */
    uint32_t resource;   /* numbers of texts */
    uint32_t group;
    uint32_t version;
    uint32_t kind; /* of the first object that could be read; NAME_NONE: none could */
};

/* An owner reference. */
struct index_link {
    uint64_t key;    /* first bytes of the key of the owner's name; then, resolved, the owner */
    uint32_t kind;   /* number of "apiVersion kind" */
    uint32_t object; /* whose reference it is */
};

struct object_index {
    struct chunks objects;
    struct chunks types;
    struct chunks links;
    struct names texts;      /* parts of types, kinds */
    struct names types_seen; /* "<plural>.<group>#<version>", numbered as types */
    struct names namespaces;
    struct names owner_kinds; /* "apiVersion kind" */
    uint32_t *slots;          /* object + 1, 0: free */
    uint32_t slot_count;
    unsigned char secret[16]; /* of the digests, so that no archive can aim at them */
    uint32_t last_type;
};

/* NULL: no memory. */
struct object_index *object_index_create(void);
void object_index_free(struct object_index *index);

/* Number of the type of a path, added when it is new. OBJECT_NONE: no memory. */
uint32_t object_index_type(struct object_index *index, const struct member_path *at);

/*
 * Adds the next object; *ret_number counts from 0. *ret_earlier: the object of the same path
 * before, now superseded, or OBJECT_NONE. SALVOR_FAILED: no memory.
 */
salvor_status object_index_add(struct object_index *index, const struct member_path *at,
                               uint32_t type, uint16_t flags, uint32_t *ret_number,
                               uint32_t *ret_earlier);

/* Notes an owner of the object that was added last. */
salvor_status object_index_own(struct object_index *index, uint32_t number,
                               const struct salvor_owner *owner);

struct index_object *object_index_object(const struct object_index *index, uint32_t number);
struct index_type *object_index_type_at(const struct object_index *index, uint32_t number);
struct index_link *object_index_link(const struct object_index *index, uint32_t number);

/* The newest object of that place. ns of size 0: cluster scope. OBJECT_NONE: there is none. */
uint32_t object_index_find(const struct object_index *index, uint32_t type, struct salvor_span ns,
                           struct salvor_span name);

/* The same by numbers: ns as in index_object, and the first bytes of the key. */
uint32_t object_index_find_key(const struct object_index *index, uint32_t type, uint32_t ns,
                               uint64_t key);

/* Number of a type; version NULL: of any version. OBJECT_NONE: none. */
uint32_t object_index_find_type(const struct object_index *index, const char *resource,
                                const char *group, const char *version);
uint32_t object_index_find_kind(const struct object_index *index, struct salvor_span group,
                                struct salvor_span version, struct salvor_span kind);

const char *object_index_text(const struct object_index *index, uint32_t text);

/* Memory for objects and owner references, in bytes. */
uint64_t object_index_bytes(const struct object_index *index);

#if defined(__GNUC__)
static inline void object_index_free_at(struct object_index **index)
{
    object_index_free(*index);
}
#define auto_object_index __attribute__((__cleanup__(object_index_free_at)))
#endif

#endif
