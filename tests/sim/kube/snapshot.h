/* Forking the server: a child with the same state that serves on a port of its own. */
#ifndef SIM_KUBE_SNAPSHOT_H
#define SIM_KUBE_SNAPSHOT_H

#include "internal.h"

/*
 * Forks between two requests. In the child returns 0 with the server listening anew, no watches,
 * and an audit log of its own ("PARENT'S.N"). In the parent returns the child's pid with
 * *ret_answer describing it, or -1.
 */
pid_t snapshot_make(struct sim_kube *sim, json_t **ret_answer, struct error *reterr);

/* Collects children that ended. */
void snapshot_reap(struct sim_kube *sim);

#endif
