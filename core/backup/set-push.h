/*
 * Brings a complete local set into a store: artifacts, then SHA256SUMS, then the manifest, which
 * makes it a backup there. What is already there with the right digest is not sent again, so that a
 * push that failed is simply repeated.
 */
#ifndef SALVOR_BACKUP_SET_PUSH_H
#define SALVOR_BACKUP_SET_PUSH_H

#include <jansson.h>

#include "backup/set-progress.h"
#include "base/error.h"
#include "store/store.h"

/*
 * `folder` is the local set. Its sequence is counted in the store it goes to, so that the manifest
 * there may differ from the local one in that number alone. *ret_result, owned by the caller:
 * {"set","provider","path","digest","sequence","sent","skipped" (artifacts),"bytes" (sent)}.
 * Refused (exit code 5) while another process works on the folder, and when the store has another
 * set of that name.
 */
int set_push(struct store *store, const char *folder, const struct set_listener *listener,
             json_t **ret_result, struct error *reterr);

#endif
