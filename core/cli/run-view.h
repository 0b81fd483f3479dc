/* How a run is shown while it goes on: phases, plans, steps, questions, on standard error. */
#ifndef SALVOR_CLI_RUN_VIEW_H
#define SALVOR_CLI_RUN_VIEW_H

#include <stdio.h>

#include "cli/progress.h"
#include "engine/engine.h"
#include "engine/ui.h"

struct run_view {
    struct engine *engine;     /* set once there is one: plans show their objects through it */
    struct progress *progress; /* NULL: nothing is drawn */
    int data_only;             /* plan and findings are the command's output, not shown here */
};

struct engine_ui run_view_ui(struct run_view *view);

/* The lines of a validation on `out`: severity, id, object, detail, statements, remedy. */
void run_view_findings(FILE *out, const json_t *findings);

/* The present plan of the engine on `out`, with its objects. */
void run_view_plan(FILE *out, struct engine *engine);

#endif
