/*
 * The way of a whole run: look, judge the backup, then stage after stage; after a restore the same
 * again for post-resync. Each function goes on from where the run stands.
 */
#ifndef SALVOR_ENGINE_PROCEDURE_H
#define SALVOR_ENGINE_PROCEDURE_H

#include "engine/run.h"
#include "engine/stage.h"

/* Calls discover; items and facts are in the state then. */
int procedure_discover(struct run *run, struct error *reterr);

/* Calls validate with the run's source; findings are in the state then. */
int procedure_validate(struct run *run, struct error *reterr);

/* -1 with exit code 3 when a finding of severity blocker stands that is not waived. */
int procedure_check_blockers(const struct run *run, const json_t *waivers, struct error *reterr);

/* -1 with exit code 2 when a waiver names an unknown finding or one that cannot be waived. */
int procedure_check_waivers(const struct plugin_info *info, const json_t *waivers,
                            struct error *reterr);

/* -1 with exit code 2 when --manual names neither a row nor a step that the provider could plan. */
int procedure_check_manual(const struct plugin_info *info, const json_t *manual,
                           struct error *reterr);

/* Discover, validate, plan the first stage that is not done; runs nothing. */
int procedure_plan(struct run *run, const struct stage_order *order, struct error *reterr);

/* All of it. `post_resync`: go on to it after a restore, when the plugin offers it. */
int procedure_run(struct run *run, const struct stage_order *order, int post_resync,
                  struct error *reterr);

#endif
