/* A stage's plan as an operator reads it: what will be done, to what, what it costs, who says so.
 */
#ifndef SALVOR_CLI_PLAN_VIEW_H
#define SALVOR_CLI_PLAN_VIEW_H

#include <jansson.h>
#include <stdio.h>

#include "plugin/plugin-info.h"

/*
 * Prints the plan record (docs/internals.md). `decision` (or NULL) says why this procedure;
 * `objects` gives the names behind a step's count, or is NULL.
 */
typedef void (*plan_view_objects)(void *data, const char *step,
                                  void (*visit)(void *visit_data, const char *name),
                                  void *visit_data);
void plan_view_print(FILE *out, const struct plugin_info *info, const json_t *record,
                     const json_t *decision, plan_view_objects objects, void *data);

/* The vendor statements of a planned step's row, as "A-1, A-2"; owned by the caller, "" for none.
 */
char *plan_view_statements(const struct plugin_info *info, const json_t *body, const json_t *step);

#endif
