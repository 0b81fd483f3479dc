/*
 * What an object of an archive becomes before it is written: the changes that the operator makes,
 * and owner references with the UIDs of this cluster. All goals are absolute: twice is like once.
 */
#ifndef SALVOR_RANCHER_CUSTOMIZE_H
#define SALVOR_RANCHER_CUSTOMIZE_H

#include <salvor/json.h>
#include <salvor/object.h>
#include <salvor/text.h>

/* UID of a living owner: SALVOR_OK with `uid` (64 bytes), SALVOR_NOT_FOUND: there is none, or its
 * kind is not served. ns: of the dependent, size 0 for cluster scope. */
typedef salvor_status (*customize_owner)(void *data, const struct salvor_owner *owner,
                                         struct salvor_span ns, char uid[64]);

struct customized {
    int refs_dropped; /* owner references whose owner does not live */
};

/*
 * Appends the object to `out` as it is to be created; without resourceVersion. Failures: of the
 * document (SALVOR_FAILED, not reported), of memory, or those of find_owner.
 */
salvor_status customize(const struct salvor_object *object, customize_owner find_owner, void *data,
                        struct salvor_text *out, struct customized *ret);

/* A definition for the cluster: its schema loosened where preserveUnknownFields stood, and the live
 * definition's versions (NULL: there is none) that the archive lacks kept without storage. The
 * caller owns *ret_json. */
salvor_status customize_definition(const json_t *archived, const json_t *live, json_t **ret_json);

#endif
