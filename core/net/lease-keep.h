/*
 * Takes a Lease, keeps it for as long as a run goes on, gives it back: one conversation with the
 * API server and one with the run, both behind a table, so that tests bring their own server and
 * their own time.
 *
 * The run says (TELL): {"serial","do":"renew"} write it now, {"serial","do":"head","head"} put the
 * journal's head into it, {"serial","do":"release","head"} give it back and end. It hears (STATE):
 *
 *   {"phase":"waiting"|"held","valid_until":CLOCK_BOOTTIME ms, "cluster":UID|null,
 *    "holder":TEXT|null of whom is waited for, "from":TEXT|null whom it was taken over from,
 *    "trouble":TEXT|null, "renewals","failures","longest_gap_ms"}
 *
 * after each change and in answer to whatever it said. That the Lease is lost ends the call.
 */
#ifndef SALVOR_NET_LEASE_KEEP_H
#define SALVOR_NET_LEASE_KEEP_H

#include <jansson.h>
#include <salvor/types.h>
#include <stdint.h>

#include "base/error.h"
#include "net/lease-object.h"

/* What a request brought. */
struct lease_answer {
    int code;       /* HTTP status; 0: none came */
    json_t *object; /* of a 2xx, owned by whoever asked; else NULL */
    char *why;      /* in words, owned; NULL with a 2xx */
};

/* What the keeper lives in. `data` comes first in every call. */
struct lease_world {
    void *data;
    void (*get)(void *data, struct lease_answer *ret_answer);
    /* POST without metadata.resourceVersion in `object` (borrowed), else PUT. */
    void (*put)(void *data, const json_t *object, struct lease_answer *ret_answer);
    /* UID of the namespace kube-system, owned by the caller; NULL with *ret_why: it cannot be read.
     */
    char *(*cluster)(void *data, char **ret_why);
    int64_t (*monotonic)(void *data); /* ms */
    int64_t (*boottime)(void *data);  /* ms */
    int64_t (*realtime)(void *data);  /* us */
    /* Waits for the next TELL: OK, PENDING after `timeout_ms`, or that the call shall end. */
    salvor_status (*hear)(void *data, int64_t timeout_ms, json_t **ret_body);
    /* `state` is stolen. */
    void (*state)(void *data, int64_t serial, json_t *state);
    void (*log)(void *data, uint32_t level, const char *text);
    /* 1 when that process is there and was started then (ticks since boot). */
    int (*lives)(void *data, int64_t pid, int64_t started);
};

struct lease_order {
    struct lease_self self;
    int has_run_lock;      /* see lease_old_is_dead */
    const char *expected;  /* UID of the cluster that it was in before, or NULL */
    const json_t *rewinds; /* UIDs of clusters that the run sets back, or NULL */
};

/*
 * OK when it was told to release, *ret_result (owned by the caller) being {"released":bool,
 * "why":TEXT|null,"renewals","failures","longest_gap_ms"}; REFUSED when somebody else has it, it
 * was lost or cannot be taken; else what `hear` said. *reterr unless OK.
 */
salvor_status lease_keep(const struct lease_world *world, const struct lease_order *order,
                         json_t **ret_result, struct error *reterr);

#endif
