/*
 * A drill: a recovery rehearsed. On a site that is marked for practice it runs as a restore does.
 * On any other it has no effect: it looks, judges, plans, asks every check once, and says what it
 * did not try.
 */
#ifndef SALVOR_ENGINE_DRILL_H
#define SALVOR_ENGINE_DRILL_H

#include <jansson.h>

#include "engine/engine.h"
#include "engine/run.h"
#include "engine/stage.h"

/* For the run record: {"of","practice"}, or null without a drill. */
json_t *drill_record(const struct engine_drill *drill);

/* -1 with exit code 5 when a drill with effect is asked for on a site that is not marked. */
int drill_check_request(const struct engine_request *request, struct error *reterr);

/*
 * The same before a resumed run goes on: `practice_sites` (ends with NULL) are those that are
 * marked now. What is no drill passes.
 */
int drill_check_resume(const json_t *run_record, const char *const *practice_sites,
                       struct error *reterr);

/*
 * After procedure_plan: looks again at what identifies the site and asks the check of each planned
 * step, then records what was tried and what was not (docs/internals.md, record "drill") and hands
 * it out. -1 also when a look failed that a restore would begin with, or a plugin crashed in one.
 */
int drill_rehearse(struct run *run, const struct stage_order *order, int post_resync,
                   json_t **ret_told, struct error *reterr);

/* Records that a drill ran a whole restore to its end. */
int drill_ran(struct run *run, struct error *reterr);

#endif
