/* From a path to the type, object and subresource it means, and the verb of the method. */
#ifndef SIM_KUBE_ROUTE_H
#define SIM_KUBE_ROUTE_H

#include "internal.h"

/*
 * Parses /api/v1/... and /apis/GROUP/VERSION/... into request->route; 0, or -1 when the path is no
 * resource that is served. Texts of the route are owned by it; free with route_clear.
 */
int route_parse(const struct sim_kube *sim, struct sim_request *request);
void route_clear(struct sim_route *route);

#endif
