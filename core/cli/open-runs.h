/* Runs that are not over: what they work from must not go away. */
#ifndef SALVOR_CLI_OPEN_RUNS_H
#define SALVOR_CLI_OPEN_RUNS_H

#include <jansson.h>

#include "base/error.h"

/* Set name -> "run 'ID'", of each run that goes on or can be resumed: the backup that it works
 * from, and the set that it makes. Owned by the caller. */
int open_runs_sets(const char *state_folder, json_t **ret_used, struct error *reterr);

/* The newest set record of a run (docs/internals.md, "set"), owned by the caller. `name` as for
 * run_folder_find. NULL with 0: it made none. */
int open_runs_made(const char *state_folder, const char *name, json_t **ret_set,
                   struct error *reterr);

#endif
