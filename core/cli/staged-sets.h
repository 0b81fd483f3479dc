/* Sets that were made here for a store elsewhere and are not in it yet: in `staging/STORE` of the
 * state folder, laid out as a store. */
#ifndef SALVOR_CLI_STAGED_SETS_H
#define SALVOR_CLI_STAGED_SETS_H

#include <jansson.h>

#include "base/error.h"
#include "cli/arguments.h"

/* Rows of set-list.h with state "staged" for complete ones; an empty list for a store that is a
 * folder here. Owned by the caller. */
int staged_sets_list(const struct arguments *arguments, json_t **ret_rows, struct error *reterr);

/* `salvor backups push [SET]`: brings one, or all that are complete, into the store. */
int staged_sets_push(const struct arguments *arguments, struct error *reterr);

#endif
