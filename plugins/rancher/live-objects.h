/*
 * Which objects of an archive stand in the cluster, with UID and resourceVersion: from lists of
 * metadata instead of a request per object.
 */
#ifndef SALVOR_RANCHER_LIVE_OBJECTS_H
#define SALVOR_RANCHER_LIVE_OBJECTS_H

#include <salvor/helpers.h>

#include "chunks.h"
#include "cluster.h"
#include "object-index.h"
#include "object-reader.h"

#define LIVE_THERE 1u
#define LIVE_DELETING 2u /* its deletion has begun */

struct live_object {
    uint64_t revision; /* resourceVersion as a number; 0: has to be asked for */
    unsigned char uid[16];
    uint32_t flags;
    uint32_t reserved;
};

struct live_objects {
    const struct object_index *index;
    struct chunks items; /* as the index's objects */
    struct object_reader reader;
    unsigned char *listed; /* a byte a type: its objects were looked for */
};

/* All absent yet. SALVOR_FAILED: no memory (reported). */
salvor_status live_objects_begin(salvor_call *call, const struct object_index *index,
                                 struct live_objects *ret_live);
void live_objects_clear(struct live_objects *live);

/* Lists the objects of a type (once). A type that is not served has none. */
salvor_status live_objects_list(salvor_call *call, salvor_kube_client *client,
                                const struct api_catalog *catalog, uint32_t type,
                                struct live_objects *live);

struct live_object *live_object(const struct live_objects *live, uint32_t number);

/* Takes over what an answer says of an object. */
void live_object_take(struct live_object *live, const struct salvor_object *object);

/* UID as text; "" when it is not known. */
void live_object_uid(const struct live_object *live, char uid[64]);

#endif
