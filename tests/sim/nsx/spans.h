/* Spans, for those that look at them. */
#ifndef SIM_NSX_SPANS_H
#define SIM_NSX_SPANS_H

#include "internal.h"

/* Writes one without checks. */
void nsx_span_write(struct sim_nsx *sim, const char *policy, const char *id,
                    const char *control_plane);

/* Ids of the control planes that a policy spans, new array. */
json_t *nsx_spans_of_policy(const struct sim_nsx *sim, const char *policy);

/* What follows for a policy when a span object of it went away. */
void nsx_span_removed(struct sim_nsx *sim, const char *policy);

/* Removes a policy with its rules; what becomes of its spans is a switch. */
void nsx_policy_remove(struct sim_nsx *sim, const char *id);

#endif
