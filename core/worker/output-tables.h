/* The services through which hooks hand over what they found and planned: salvor.inventory,
 * salvor.findings and salvor.plan. Everything is checked against the descriptor here, so that the
 * plugin's author meets the mistake where it is made. */
#ifndef SALVOR_WORKER_OUTPUT_TABLES_H
#define SALVOR_WORKER_OUTPUT_TABLES_H

#include <salvor/services.h>

#include "worker/call.h"

extern const struct salvor_inventory inventory_table;
extern const struct salvor_findings findings_table;
extern const struct salvor_plan plan_table;

enum { INVENTORY_VERSION = 1, FINDINGS_VERSION = 1, PLAN_VERSION = 1 };

/* Checks and sends a fact; `frame` {"do":…} or NULL for a frame of its own. */
salvor_status fact_put(struct worker_call *call, const char *function, int planned,
                       const char *name, uint32_t fact_class, const char *json);
/* Class word of a fact of the run or of this call, or NULL. */
const char *fact_class_of(const struct worker_call *call, const char *name);

/* Around a hook that plans: the plan's state, and what can only be told at its end. */
void planning_begin(struct worker_call *call, const json_t *request);
salvor_status planning_finish(struct worker_call *call);
void planning_end(struct worker_call *call);

#endif
