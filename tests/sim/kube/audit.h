/* The audit log: one JSON line a request, the oracle of tests that count and order requests. */
#ifndef SIM_KUBE_AUDIT_H
#define SIM_KUBE_AUDIT_H

#include "internal.h"

/* Opens the file for appending; -1 with *reterr. */
int audit_open(struct sim_kube *sim, const char *path, struct error *reterr);
void audit_close(struct sim_kube *sim);

/* Writes the line of a request that has been handled; for a watch, of its start. */
void audit_write(struct sim_kube *sim, const struct sim_request *request,
                 const struct sim_answer *answer);

#endif
