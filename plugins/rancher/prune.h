/* Pruning: what the archive's resource set selects in the cluster and the archive does not have. */
#ifndef SALVOR_RANCHER_PRUNE_H
#define SALVOR_RANCHER_PRUNE_H

#include <salvor/helpers.h>

#include "restore-context.h"

/* One object to be deleted. */
typedef salvor_status (*prune_visit)(void *data, const char *path, const char *uid);

struct prune_summary {
    uint64_t selected;
    uint64_t candidates;
    uint64_t spared; /* Secrets of the operator's own namespace: keys and credentials */
};

/* Visits the candidates. */
salvor_status prune_find(struct restore_context *context, prune_visit visit, void *data,
                         struct prune_summary *ret_summary);

/* Of objects [{"path","uid"}], those that still stand with that UID: a new array, the caller's. */
salvor_status prune_still_there(salvor_call *call, salvor_kube_client *client,
                                const json_t *objects, json_t **ret_list, uint64_t *ret_deleting);

/* Rows: parameters {"objects":[{"path","uid"}]}. The first deletes; the second takes the finalizers
 * of what is still there. */
salvor_status prune_delete(salvor_call *call, const struct salvor_step *step, json_t *parameters);
salvor_status prune_is_deleted(salvor_call *call, const struct salvor_step *step,
                               json_t *parameters, uint32_t *ret_answer);
salvor_status prune_release(salvor_call *call, const struct salvor_step *step, json_t *parameters);
salvor_status prune_is_released(salvor_call *call, const struct salvor_step *step,
                                json_t *parameters, uint32_t *ret_answer);

#endif
