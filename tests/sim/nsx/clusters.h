/*
 * Clusters that exist inside the simulator only: where no Kubernetes side is asked for, and where
 * there are hundreds. Their truth is here; what NSX knows of them is intent like any other.
 */
#ifndef SIM_NSX_CLUSTERS_H
#define SIM_NSX_CLUSTERS_H

#include "internal.h"

/*
 * Acts on clusters as {"name", "op", ...} says; NULL, or why not. Operations: create (certificate
 * and cluster, nothing in NSX), register, deregister, destroy (without a word to NSX), rotate,
 * adapters (with "up"). create takes "nodes", "namespaces", "services", "pods", "ingresses",
 * "egresses" and "register".
 */
const char *nsx_cluster_act(struct sim_nsx *sim, const json_t *wish);

/* Adapters that can connect do, and report; those that may not any more go. */
void nsx_clusters_work(struct sim_nsx *sim);

/* Their truth; with keys of certificates, which a test needs to come as one of them. */
json_t *nsx_clusters_json(const struct sim_nsx *sim);

void nsx_clusters_clear(struct sim_nsx *sim);

#endif
