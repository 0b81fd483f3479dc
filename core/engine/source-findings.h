/* What the core itself finds about a backup, whatever the plugin looks at: its ids begin with
 * "SALVOR-", those of plugins never do. */
#ifndef SALVOR_ENGINE_SOURCE_FINDINGS_H
#define SALVOR_ENGINE_SOURCE_FINDINGS_H

#include "engine/run.h"

/* Records them as findings of the validate hook; a run without source has none. */
int source_findings_record(struct run *run, struct error *reterr);

#endif
