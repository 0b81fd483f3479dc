/*
 * One Kubernetes cluster's side of a picture (picture.h): who it is, what it was registered as,
 * with which certificate, how its adapters are, how much it has. Facts 2.1.
 */
#ifndef NSX_ANTREA_READ_CLUSTER_H
#define NSX_ANTREA_READ_CLUSTER_H

#include <jansson.h>
#include <salvor/services.h>

#define INTERWORKING_NAMESPACE "vmware-system-antrea"

/*
 * `reference`: as the operator names it, see cluster_reference(). A cluster that does not answer is
 * not a failure: "reachable" is false and "problem" says why. `count`: with "counts". The caller
 * owns *ret_cluster.
 */
salvor_status read_cluster(salvor_call *call, const char *reference, int count,
                           json_t **ret_cluster);

/* All clusters of the option 'cluster'; owned by the caller. */
salvor_status read_clusters(salvor_call *call, int count, json_t **ret_clusters);

/*
 * A client for "CONTEXT" (of the kubeconfig that kubectl would use), "FILE" (with a slash; its
 * current context) or "FILE#CONTEXT".
 */
salvor_status cluster_open(salvor_call *call, const char *reference,
                           salvor_kube_client **ret_client);

/* GET; NOT_FOUND. The caller owns *ret_object. */
salvor_status cluster_get(salvor_call *call, salvor_kube_client *client, const char *group,
                          const char *version, const char *resource, const char *ns,
                          const char *name, json_t **ret_object);

#endif
