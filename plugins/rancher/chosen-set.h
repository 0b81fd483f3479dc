/* The ResourceSet of a backup or of the pruning of a restore: from the cluster, from a file, or
 * salvor's own copy of the vendor's selection. */
#ifndef SALVOR_RANCHER_CHOSEN_SET_H
#define SALVOR_RANCHER_CHOSEN_SET_H

#include <salvor/helpers.h>

#include "resource-set.h"

struct chosen_set {
    struct resource_set *set;
    char *json;         /* as it goes into the archive */
    const char *origin; /* constant text: where it came from */
};

/* By the options 'resource-set' and 'resource-set-file'. Failures are reported. */
salvor_status chosen_set_find(salvor_call *call, salvor_kube_client *client,
                              struct chosen_set *ret_set);
void chosen_set_clear(struct chosen_set *set);

#endif
