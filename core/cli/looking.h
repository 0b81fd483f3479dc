/* Commands that look and print, and leave a run that nobody resumes. */
#ifndef SALVOR_CLI_LOOKING_H
#define SALVOR_CLI_LOOKING_H

#include <stdint.h>

#include "cli/arguments.h"
#include "engine/engine.h"

/* What one of them does with a run: the work, and what it prints of it. */
struct looking {
    uint32_t kind;
    uint32_t commands;
    int (*work)(struct engine *engine, const struct engine_consent *consent, struct error *reterr);
    void (*print)(struct engine *engine, enum output_format format);
};

/* Makes the run, does the work and prints, also when findings block it or a rehearsal failed. */
int look(const struct arguments *arguments, const struct looking *looking, struct error *reterr);

/* The present plan of the engine, or the findings against it. */
void print_plan(struct engine *engine, enum output_format format);

/* The same for -o json and yaml, with all objects; NULL when there is no plan. */
json_t *plan_as_data(struct engine *engine);

/* --path may name a procedure of any kind: SALVOR_PROCEDURE_* of it; a restore without one. */
uint32_t kind_of_path(const struct arguments *arguments);

#endif
