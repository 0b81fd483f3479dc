/* Who says that a planned stage may run: nobody needs to, a hash, a policy, --yes, or a person. */
#ifndef SALVOR_ENGINE_APPROVAL_H
#define SALVOR_ENGINE_APPROVAL_H

#include "engine/run.h"

struct approval_means {
    const json_t *hashes; /* array of plan hashes given with --approve */
    const json_t *policy; /* checked, or NULL */
    const char *policy_sha256;
    int yes;
};

/*
 * Records the approval of the present plan. -1 with exit code 4 when nobody gave it. A plan that
 * was approved before needs no further one; a hash given now counts all the same, for its
 * irreversible steps.
 */
int approval_obtain(struct run *run, const struct approval_means *means, struct error *reterr);

#endif
