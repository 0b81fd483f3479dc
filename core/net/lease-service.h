/*
 * Service calls about a Lease:
 *
 *   lease.keep   as long as the run goes on, see net/lease-keep.h. Request:
 * {"target":{"kubeconfig",
 *                "context","namespace","name","rewinds"},"identity","who":{…},"duration_ms",
 *                "has_run_lock":bool,"expected":UID|null}; result: see there.
 *   lease.heads  Request: {"target":{…}}; result: {"found":bool,"heads":[{"run","head","at"},…]}.
 */
#ifndef SALVOR_NET_LEASE_SERVICE_H
#define SALVOR_NET_LEASE_SERVICE_H

#include "worker/service-calls.h"

extern const struct service_command lease_commands[];

#endif
