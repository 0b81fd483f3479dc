/*
 * Whether what stands in the cluster is what was sent, as far as an answer that never came can be
 * made up for by looking. Careful: 1 only when it surely is.
 */
#ifndef SALVOR_NET_KUBE_COMPARE_H
#define SALVOR_NET_KUBE_COMPARE_H

#include <jansson.h>

/*
 * 1: every value that `sent` gives stands in `live`, what the server fills in or keeps to itself
 * (resourceVersion, uid, managedFields, ...) left out. With sub-resource "status" only the status
 * is compared, otherwise all but the status.
 */
int kube_covers(const json_t *live, const json_t *sent, const char *subresource);

/* The same for a merge patch: nulls stand for what must not be there. */
int kube_covers_patch(const json_t *live, const json_t *patch);

#endif
