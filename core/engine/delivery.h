/*
 * How a backup set comes into a store that is no folder here: it was made whole in the staging
 * folder, is pushed by a service worker, and leaves the staging folder once the journal says that
 * it is in the store. A push that fails leaves it there, for a resume or for `salvor backups push`.
 */
#ifndef SALVOR_ENGINE_DELIVERY_H
#define SALVOR_ENGINE_DELIVERY_H

#include <jansson.h>

#include "base/error.h"
#include "engine/run.h"

/* Before a backup begins: says so when the store cannot be reached now. The backup goes on. */
void delivery_look(struct run *run, const json_t *store);

/*
 * Pushes the complete set in `folder` and records it anew ("set" with "store"). -1: it is not in
 * the store; the error says where it is and how to go on.
 */
int delivery_push(struct run *run, const json_t *store, const char *folder, struct error *reterr);

/* Takes the copy out of the staging folder; what cannot be removed is only said. */
void delivery_clear(struct run *run, const char *folder);

#endif
