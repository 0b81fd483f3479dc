/*
 * Facts of class identity: which restore of which managers a run is about, and which clusters, so
 * that it never goes on with others. A later restore, or another cluster behind the same context,
 * ends it.
 */
#ifndef NSX_ANTREA_IDENTITY_H
#define NSX_ANTREA_IDENTITY_H

#include "gather.h"

#define FACT_RESTORE "nsx-restore"       /* {"id", "end_time", "backup_timestamp"} */
#define FACT_CLUSTERS "kube-system-uids" /* {context: uid} of the clusters that answer */

/* Puts them through salvor.inventory (discover, observe). */
salvor_status identity_observed(salvor_call *call, const struct site *site);

/* The hook observe: only what is asked for is read. */
salvor_status nsx_observe(salvor_call *call, const char *names);

#endif
