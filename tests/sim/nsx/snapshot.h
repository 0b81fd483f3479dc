/* Forking the simulator: a child with the same state that serves on ports of its own. */
#ifndef SIM_NSX_SNAPSHOT_H
#define SIM_NSX_SNAPSHOT_H

#include "internal.h"

/*
 * Forks between two requests. In the child returns 0 with all doors opened anew, no connections,
 * and an audit log of its own ("PARENT'S.N"). In the parent returns the child's pid with
 * *ret_answer describing it, or -1.
 */
pid_t nsx_snapshot_make(struct sim_nsx *sim, json_t **ret_answer, struct error *reterr);

/* Collects children that ended; ends and collects all. */
void nsx_snapshot_reap(struct sim_nsx *sim);
void nsx_snapshot_stop_all(struct sim_nsx *sim);

#endif
