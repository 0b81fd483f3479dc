/* What kept other machines away while the run had effect, from its "lock" records. */
#ifndef SALVOR_REPORT_LOCK_H
#define SALVOR_REPORT_LOCK_H

#include "report/fold.h"

/* A record of type "lock", and the lock that a planned stage names (or NULL). */
void fold_lock(struct fold *fold, const json_t *record);
void fold_planned_lock(struct fold *fold, const json_t *lock);

/* "held: lease …, renewed 12 times, at most 15 s apart", "none: …"; NULL when nothing was to be
 * locked. Owned by the caller. */
char *view_lock(const json_t *report);

#endif
