/* The base table of salvor/host.h. */
#ifndef SALVOR_WORKER_HOST_TABLE_H
#define SALVOR_WORKER_HOST_TABLE_H

#include <salvor/host.h>

#include "worker/call.h"

const struct salvor_host *host_table(void);

/* At the end of a hook: sends what the rate limits held back. */
void host_table_flush(struct worker_call *call);

#endif
