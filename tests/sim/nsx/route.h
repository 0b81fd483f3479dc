/* Which handler a path means. */
#ifndef SIM_NSX_ROUTE_H
#define SIM_NSX_ROUTE_H

#include "identity.h"

typedef void nsx_handler(struct sim_nsx *sim, struct nsx_request *request,
                         struct nsx_answer *answer);

enum nsx_route_flags {
    NSX_WHILE_RESTORING = 1, /* answered although the services are not back */
};

struct nsx_route {
    const char *method;
    const char *template; /* "{name}" stands for one element of the path */
    enum nsx_feature feature;
    nsx_handler *handler;
    unsigned flags;
};

/* The route, with request->parts and request->template filled; NULL after answering 404 or 405. */
const struct nsx_route *nsx_route(const struct sim_nsx *sim, struct nsx_request *request,
                                  struct nsx_answer *answer);

#endif
