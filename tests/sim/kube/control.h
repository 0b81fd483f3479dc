/* Requests below /_sim/ that steer the simulator itself. */
#ifndef SIM_KUBE_CONTROL_H
#define SIM_KUBE_CONTROL_H

#include "internal.h"

void control_answer(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer);

/* 1 when an injected error took the place of the request's answer. */
int control_fault(struct sim_kube *sim, const struct sim_request *request,
                  struct sim_answer *answer);

void control_clear_faults(struct sim_kube *sim);

#endif
