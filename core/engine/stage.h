/* One stage: planned from the frozen facts, shown, approved, run step by step. */
#ifndef SALVOR_ENGINE_STAGE_H
#define SALVOR_ENGINE_STAGE_H

#include "engine/approval.h"
#include "engine/run.h"
#include "engine/step.h"

struct stage_order {
    uint32_t kind;         /* SALVOR_PROCEDURE_* of the command */
    const char *asked_for; /* --path, or NULL */
    const json_t *waivers; /* array */
    const json_t *manual;  /* array of row or step names */
    struct approval_means approval;
    enum patience patience;
};

/* Calls the plan hook for `stage` (NULL: the first) and records the plan. */
int stage_plan(struct run *run, const struct stage_order *order, const char *stage,
               struct error *reterr);

/* Shows, approves and runs the present plan from where it stands; records the stage as done. */
int stage_run(struct run *run, const struct stage_order *order, struct error *reterr);

#endif
