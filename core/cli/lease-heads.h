/* Heads of a run's journal that were put into its Lease, as far as its cluster can be asked. */
#ifndef SALVOR_CLI_LEASE_HEADS_H
#define SALVOR_CLI_LEASE_HEADS_H

#include <jansson.h>

#include "base/error.h"

/*
 * [{"head","from"},…] for report_request.more_heads, owned by the caller; empty when the run of
 * this report held no Lease. NULL with *reterr when its cluster does not answer within seconds.
 */
json_t *lease_heads_of(const json_t *report, struct error *reterr);

#endif
