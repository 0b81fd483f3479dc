/* GET of a collection: pages, consistent at one revision, and what happens when it is gone. */
#ifndef SIM_KUBE_LIST_H
#define SIM_KUBE_LIST_H

#include "internal.h"

void list_answer(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer);

/* "" or "NAMESPACE/": what the keys of the routed collection begin with; owned by the caller. */
char *list_prefix(const struct sim_route *route);

/* A resourceVersion parameter; -1 when it is no number. Absent gives 0. */
int list_revision(const struct sim_request *request, int64_t *ret_revision);

/* 504, for a resourceVersion that has not been reached. */
json_t *list_too_new(const struct sim_kube *sim, int64_t revision);

#endif
