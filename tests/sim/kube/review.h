/* Reviews: questions about rights and identity that are answered and never stored. */
#ifndef SIM_KUBE_REVIEW_H
#define SIM_KUBE_REVIEW_H

#include "internal.h"

void review_answer(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer);

#endif
