/* Discovery, one group at a time and aggregated, and the small documents beside it. */
#ifndef SIM_KUBE_DISCOVERY_H
#define SIM_KUBE_DISCOVERY_H

#include "internal.h"

/* Answers GET /api, /apis, /api/v1, /apis/G, /apis/G/V, /version and the health checks; 0, or -1
 * when the path is none of these. */
int discovery_answer(const struct sim_kube *sim, const struct sim_request *request,
                     struct sim_answer *answer);

#endif
