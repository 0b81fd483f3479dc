/*
 * How to see that the automatic resynchronisation has ended (facts 1.12). No field of the managers
 * says so: six signs together do, and each is told on its own.
 */
#ifndef NSX_ANTREA_RESYNC_H
#define NSX_ANTREA_RESYNC_H

#include <jansson.h>
#include <salvor/types.h>

struct picture; /* picture.h */

/*
 * The signs of the whole site and of each living cluster (classes: of classify()):
 *
 * {"ended": bool, "signs": [{"sign": "restore | managers | heartbeat | last-sync | inventory |
 * policies", "cluster": name | null, "state": "yes | not-yet | cannot-tell", "seen": one line}],
 *  "done", "total": clusters}
 *
 * Added members of the picture that only this reads: "/managers/cluster_status" {"management",
 * "control"}, "/managers/search_indexing": bool, of each cluster "counts" {"namespaces", "pods",
 * "services", "nodes", "ingresses"} and of each inventory entry the same, "/policies_unrealized"
 * {control plane id: number of spanning policies not realized yet}.
 *
 * `before` is the previous picture, taken at least two inventory batches earlier, or NULL: the
 * fifth sign needs two samples. What a cluster does not tell is "cannot-tell" and holds nothing up,
 * but for signs 1 and 5. SALVOR_FAILED: no memory.
 */
salvor_status resync_signs(salvor_call *call, const struct picture *picture,
                           const struct picture *before, const json_t *classes, json_t **ret_signs);

#endif
