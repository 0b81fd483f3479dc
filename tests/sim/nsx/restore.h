/* Restoring a backup, step by step as the product does, or at once as if an operator had done it.
 */
#ifndef SIM_NSX_RESTORE_H
#define SIM_NSX_RESTORE_H

#include "internal.h"

enum { NSX_RESTORE_STEPS = 11 };

/* ClusterRestoreStatus, new. */
json_t *nsx_restore_json(const struct sim_nsx *sim);

/* Puts the backup in place of everything, with the marks of a restore that succeeded now. */
void nsx_restore_at_once(struct sim_nsx *sim, size_t backup);

/* A fresh appliance: no intent, never restored; the file server stays. */
void nsx_redeploy(struct sim_nsx *sim);

void nsx_restore_clear(struct sim_nsx *sim);

#endif
