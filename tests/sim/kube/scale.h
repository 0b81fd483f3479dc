/* The scale subresource: spec.replicas of a workload behind an autoscaling/v1 Scale. */
#ifndef SIM_KUBE_SCALE_H
#define SIM_KUBE_SCALE_H

#include "internal.h"

void scale_answer(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer);

#endif
