/* A large site from a seed: clusters, groups, policies with rules and spans. */
#ifndef SIM_NSX_GENERATE_H
#define SIM_NSX_GENERATE_H

#include "internal.h"

struct nsx_size {
    int64_t clusters, groups, policies, rules; /* rules: per policy */
};

void nsx_generate(struct sim_nsx *sim, const struct nsx_size *size);

#endif
