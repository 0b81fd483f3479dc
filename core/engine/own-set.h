/* The set that a backup run makes: begun with the run, committed at its end, brought into its
 * store. `record` is the run record; every function does nothing for runs that make none. */
#ifndef SALVOR_ENGINE_OWN_SET_H
#define SALVOR_ENGINE_OWN_SET_H

#include <jansson.h>

#include "backup/backup-set.h"
#include "base/error.h"
#include "engine/run.h"

/* *ret_set stays NULL when the journal says that the set is in its store already. */
int own_set_begin(const struct run *run, const json_t *record, struct backup_set **ret_set,
                  struct error *reterr);

/* Says so when the set's store cannot be reached now. */
void own_set_look(struct run *run, const json_t *record);

/* Commits the set and brings it where it belongs; `set` is closed where that needs it. *ret_backup
 * is the newest set record, owned by the caller. */
int own_set_finish(struct run *run, const json_t *record, struct backup_set **set,
                   json_t **ret_backup, struct error *reterr);

#endif
