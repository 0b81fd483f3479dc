/* Removes a set from a store: its manifest first, so that a kill never leaves half a backup that
 * looks like one. */
#ifndef SALVOR_BACKUP_SET_REMOVE_H
#define SALVOR_BACKUP_SET_REMOVE_H

#include "base/error.h"
#include "store/store.h"

/*
 * `key` is that of the list ("PROVIDER/SET"), `digest` that of the manifest that was decided about,
 * NULL for one that has none: when the store has another one now, it is refused (exit code 5).
 */
int set_remove(struct store *store, const char *key, const char *digest, struct error *reterr);

#endif
