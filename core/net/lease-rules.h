/*
 * When a Lease may be taken, how long it is ours, when it is lost: pure rules over what was seen
 * and when by our own clocks. Clocks of two machines are never compared: that a holder is gone is
 * known only when nothing of its Lease has changed under our eyes for the whole duration that it
 * claims, or when the holder was this very run and is proven dead.
 *
 * Two clocks of this machine, each where it errs to the safe side when the machine was suspended:
 * others are watched by CLOCK_MONOTONIC, which then stands still; our own Lease runs out by
 * CLOCK_BOOTTIME, which goes on.
 */
#ifndef SALVOR_NET_LEASE_RULES_H
#define SALVOR_NET_LEASE_RULES_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"
#include "net/lease-object.h"

/* ---- taking it ------------------------------------------------------------------------------- */

enum lease_advice {
    LEASE_TAKE,  /* write it as ours, over what was seen */
    LEASE_OURS,  /* it is ours already: a write of this process whose answer was lost */
    LEASE_WATCH, /* look again later: the holder may be gone */
    LEASE_REFUSE /* somebody else works; *reterr says who */
};

/* What was seen of a Lease so far. Zeroed at first; lease_watch_clear at the end. */
struct lease_watch {
    int began;
    char *identity;
    char *renewed;
    char *version;
    int64_t first; /* monotonic ms of the first look */
    int64_t since; /* from which on it did not change */
};

void lease_watch_clear(struct lease_watch *watch);
#define cleanup_lease_watch __attribute__((cleanup(lease_watch_clear)))

/*
 * What to do about `seen`, whose answer came at `now` (monotonic ms). `old_is_dead`: see below.
 * With LEASE_WATCH *ret_wait_ms is when to look again. With LEASE_TAKE *ret_from tells whom it is
 * taken over from ("run 'x' on 'host'", owned by the caller), or is NULL when nobody held it.
 */
enum lease_advice lease_judge(struct lease_watch *watch, const struct lease_seen *seen,
                              const struct lease_self *self, int old_is_dead, int64_t now,
                              int64_t *ret_wait_ms, char **ret_from, struct error *reterr);

/*
 * 1 when the holder is an earlier process of this run and cannot live any more. We hold the run's
 * lock file (`has_run_lock`), and either the machine was started anew since (same machine id,
 * another boot), or its process is not there any more: `process_lives` is what the process table
 * says, which counts only for the same boot and the same process namespace. A copied state folder
 * proves nothing: that process lives.
 */
int lease_old_is_dead(const json_t *then, const json_t *now, int has_run_lock, int process_lives);

/*
 * Whether a Lease may lie in the cluster with this UID (of its namespace kube-system; NULL: it
 * cannot be read). -1: this run sets the cluster back (`rewinds`, an array of UIDs, or NULL), and
 * the Lease with it; or it is another one than before (`expected`, or NULL).
 */
int lease_check_cluster(const char *uid, const char *expected, const json_t *rewinds,
                        struct error *reterr);

/* ---- keeping it ------------------------------------------------------------------------------ */

enum lease_turn {
    LEASE_WRITTEN, /* the server took it */
    LEASE_LOOK,    /* something changed: look at it */
    LEASE_TROUBLE  /* no answer, or none that says whose it is: try again while time is left */
};

/* What the HTTP status of a write means; 0: no answer. */
enum lease_turn lease_after_write(int code);

/* 0: it is still ours, and what was seen is what to write over next. -1: it is lost, *reterr says
 * to whom. */
int lease_after_look(const struct lease_seen *seen, const struct lease_self *self,
                     struct error *reterr);

/* When to write next, in ms from now: after a write that went well, and after trouble. */
int64_t lease_renew_after(int64_t duration_ms);
int64_t lease_retry_after(int64_t duration_ms);

/* "run 'x' on 'host' (provider 'p', site 's')", or the bare identity; owned by the caller. */
char *lease_holder_text(const struct lease_seen *seen);

#endif
