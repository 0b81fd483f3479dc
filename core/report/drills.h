/* When the recovery of each site was rehearsed, from the journals of the drills. */
#ifndef SALVOR_REPORT_DRILLS_H
#define SALVOR_REPORT_DRILLS_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

/*
 * A row a site, first those of `sites` (ends with NULL), then others that drills are of:
 * {"site", "drilled","age_ms","took_ms","into","backup","run": of the newest drill that ran a whole
 * restore to its end, null without one; "last_try","last_mode":"ran|looked","last_status": of the
 * newest drill, however it went}. `now_ms`: real time, for ages. Owned by the caller.
 */
int report_drills(const char *state_folder, const char *const *sites, int64_t now_ms,
                  json_t **ret_rows, struct error *reterr);

#endif
