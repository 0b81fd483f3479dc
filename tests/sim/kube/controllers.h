/* Scripted controllers: small parts of kube-controller-manager and friends, chosen by name. */
#ifndef SIM_KUBE_CONTROLLERS_H
#define SIM_KUBE_CONTROLLERS_H

#include "internal.h"

/* Adds those of the comma list ("namespace", "gc", "workload", "job", "service-account", "pod");
 * -1 with *reterr for an unknown name. */
int controllers_add(struct sim_kube *sim, const char *list, struct error *reterr);

/* The part of the API server itself that establishes and cleans up custom types. */
void controllers_add_crd(struct sim_kube *sim);

/* Runs what is due; the monotonic time when the next is, or -1. */
int64_t controllers_run(struct sim_kube *sim, int64_t now_ms);

#endif
