/* Tries with a small object of its own what salvor needs to be allowed in a store. */
#ifndef SALVOR_BACKUP_STORE_CHECK_H
#define SALVOR_BACKUP_STORE_CHECK_H

#include <jansson.h>

#include "base/error.h"
#include "store/store.h"

/*
 * *ret_rows, owned by the caller: [{"check":"list|write|look|read|large|remove","needed_for",
 * "state":"ok|failed|not tried","problem","hint"}]. What fails is no error here; -1 when the check
 * was stopped.
 */
int store_check(struct store *store, json_t **ret_rows, struct error *reterr);

#endif
