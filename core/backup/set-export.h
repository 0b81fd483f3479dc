/* A set as plain files, as the vendor's own tools take them: what is encrypted is decrypted. */
#ifndef SALVOR_BACKUP_SET_EXPORT_H
#define SALVOR_BACKUP_SET_EXPORT_H

#include <jansson.h>

#include "backup/set-progress.h"
#include "base/error.h"
#include "seal/identity.h"
#include "store/store.h"

struct set_export_request {
    const char *provider;
    const char *set;
    const struct identity *identity; /* or NULL: then a set with encrypted artifacts is refused */
    const char *folder;              /* must not exist */
};

/* All or nothing: the folder gets its name when everything in it is proven. *ret_result, owned by
 * the caller: {"path","artifacts","decrypted","left_out":[names],"bytes"}. */
int set_export(struct store *store, const struct set_export_request *request,
               const struct set_listener *listener, json_t **ret_result, struct error *reterr);

#endif
