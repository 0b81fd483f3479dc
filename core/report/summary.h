/* One line about a run, read from the ends of its journal: cheap however long it is. */
#ifndef SALVOR_REPORT_SUMMARY_H
#define SALVOR_REPORT_SUMMARY_H

#include <jansson.h>

#include "journal/run-folder.h"

/*
 * {"run","status","command","provider","site","procedure","source","started","ended",
 *  "closed","resumable","dry_run","drill_of","pid","problem","path"}. "drill_of": the site whose
 * recovery was rehearsed. "status" is that of the newest end record, else "running"
 * (somebody holds the run's lock), "killed", "empty" (no record) or "unreadable" ("problem" says
 * why). The chain is not proven here. Owned by the caller.
 */
json_t *report_summary(const struct run_folder *folder);

#endif
