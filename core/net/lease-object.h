/*
 * A Lease of coordination.k8s.io/v1 as salvor reads and writes it. The holder is
 * spec.holderIdentity as for any user of Leases; what others want to know of it stands in
 * annotations:
 *
 *   salvor/holder         {"run","host","machine","boot","pids","pid","started","provider","site"},
 *                         with "identity" as in the spec: of another holder it is not believed
 *   salvor/journal-heads  [{"run","head","at"},…]: the newest head of each of the last runs
 */
#ifndef SALVOR_NET_LEASE_OBJECT_H
#define SALVOR_NET_LEASE_OBJECT_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

/* A Lease at one moment. Texts belong to `object`. */
struct lease_seen {
    json_t *object; /* owned; NULL: there is none */
    json_t *who;    /* owned; what the annotation says of the present holder, or NULL */
    const char *version;
    const char *identity; /* of the holder; "" when nobody holds it */
    const char *renewed;  /* times as they stand, by the clock of whoever wrote them; or "" */
    const char *since;
    int64_t duration_ms; /* 0: none that makes sense */
    int64_t transitions;
};

/* Who writes. */
struct lease_self {
    const char *ns;
    const char *name;
    const char *identity; /* of this process alone */
    const json_t *who;    /* see above, without "identity" */
    int64_t duration_ms;
};

/* Takes an object over (NULL: there is none). -1 when it is no sound Lease; it is freed then. */
int lease_seen_take(json_t *object, struct lease_seen *ret_seen, struct error *reterr);
void lease_seen_clear(struct lease_seen *seen);
#define cleanup_lease_seen __attribute__((cleanup(lease_seen_clear)))

enum lease_write { LEASE_WRITE_TAKE, LEASE_WRITE_RENEW, LEASE_WRITE_RELEASE };

/*
 * The Lease to be written over `seen`, owned by the caller: with its uid and resourceVersion, so
 * that the server refuses it when anything has changed or it was made anew. `head` (or NULL) goes
 * into the heads as the one of this run. `now_us`: realtime; it differs from write to write.
 */
json_t *lease_written(const struct lease_seen *seen, const struct lease_self *self,
                      enum lease_write what, int64_t now_us, const char *head);

/* [{"run","head","at"},…], owned by the caller; empty when the annotation is none. */
json_t *lease_heads(const struct lease_seen *seen);

#endif
