/* What became of the intent in the clusters. */
#ifndef SIM_NSX_REALIZATION_H
#define SIM_NSX_REALIZATION_H

#include "internal.h"

/* Digest of a policy with its rules, spans and nothing else; new. */
char *nsx_policy_version(const struct sim_nsx *sim, const char *policy);

/* What the adapters of a control plane are to enforce, new array. */
json_t *nsx_realization_wanted(const struct sim_nsx *sim, const char *control_plane);

/* 1 when the cluster enforces the policy as it is now. */
int nsx_realization_is_enforced(const struct sim_nsx *sim, const char *policy,
                                const char *control_plane);

/* "REALIZED", "UNREALIZED" or "ERROR" of a policy; *ret_message (may be NULL) says why, new. */
const char *nsx_realization_state(const struct sim_nsx *sim, const char *policy,
                                  char **ret_message);

#endif
