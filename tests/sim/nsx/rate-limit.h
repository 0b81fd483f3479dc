/* How many requests a user may send: rate per second and requests in flight, by the real clock. */
#ifndef SIM_NSX_RATE_LIMIT_H
#define SIM_NSX_RATE_LIMIT_H

#include "internal.h"

/* -1 after answering 429 or 503. Counts the request in. */
int nsx_limit(struct sim_nsx *sim, const struct nsx_request *request, struct nsx_answer *answer);

/* The answer is on its way; `user` may be NULL. */
void nsx_limit_begin(struct sim_nsx *sim, const char *user);
void nsx_limit_end(struct sim_nsx *sim, const char *user);

#endif
