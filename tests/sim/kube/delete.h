/* DELETE of objects and collections: options, preconditions, finalizers. */
#ifndef SIM_KUBE_DELETE_H
#define SIM_KUBE_DELETE_H

#include "internal.h"

void delete_object(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer);
void delete_collection(struct sim_kube *sim, struct sim_request *request,
                       struct sim_answer *answer);

#endif
