/* The selection of the vendor's full and basic resource sets (release 11 of the chart), for
 * clusters where no ResourceSet can be asked for: the operator was never there, or is gone. */
#ifndef SALVOR_RANCHER_DEFAULT_SET_H
#define SALVOR_RANCHER_DEFAULT_SET_H

#include <salvor/json.h>

#define FULL_SET "rancher-resource-set-full"
#define BASIC_SET "rancher-resource-set-basic"

/*
 * A ResourceSet object of that name, FULL_SET or BASIC_SET; NULL: no such, or no memory. The caller
 * owns it. cluster_api: the version of cluster.x-k8s.io to select: "v1beta2" with Rancher 2.14 and
 * later, "v1beta1" before.
 */
json_t *default_set_make(const char *name, const char *cluster_api);

#endif
