/*
 * The Lease that a run with effect holds across machines, kept by a service worker of its own (call
 * "lease.keep", core/net/lease-keep.h) for as long as the run goes on, whatever the plugin or the
 * person at the terminal does meanwhile. Here the run decides which one it is, hears how it stands,
 * and refuses to begin what has effect while it is not surely ours.
 *
 * There is no fencing: a step that is under way when the Lease is lost is left to finish, and a
 * machine that stands still in the middle of a step knows nothing of the time that passes.
 */
#ifndef SALVOR_ENGINE_LEASE_H
#define SALVOR_ENGINE_LEASE_H

#include <jansson.h>

#include "base/error.h"
#include "engine/run.h"

enum {
    LEASE_DURATION_MS = 120000, /* others wait that long for a sign of life of ours */
    LEASE_REQUEST_MS = 30000    /* what a request that begins now may still take */
};

struct lease_settings {
    const json_t *open; /* OPEN body for the service worker */
    const char *provider;
    const char *site;
    int per_call;
    int debug;
};

/* Of a run with effect; nothing is taken yet. Texts and JSON are copied. */
struct lease *lease_new(const struct lease_settings *settings);

/* Ends the worker; what was not released runs out by itself. NULL is fine. */
void lease_free(struct lease *lease);

/*
 * Takes the Lease that is known to be the one of this run by now (the plan says so, else the site,
 * else the plugin's facts), releases another one. With `planned` a run without any says so in the
 * journal. -1 with exit code 5 when somebody else holds it or it cannot be had. *ret_waited: 1 when
 * somebody else held it until now, so that what was seen before may be old.
 */
int lease_follow(struct run *run, int planned, int *ret_waited, struct error *reterr);

/* Hears what the keeper has to say; from every tick and wait of the run. */
void lease_pump(struct run *run);

/*
 * Before each step with effect: asks for a renewal now, and then it must be ours for longer than a
 * request may take. While its cluster does not answer this waits as long as the Lease lasts. -1
 * with exit code 5: it is lost, or has run out.
 */
int lease_check(struct run *run, const char *moment, struct error *reterr);

/* Puts the journal's head into it; the next lease_check finds it there. */
void lease_put_head(struct run *run, const char *head);

/* How it was kept so far, for the journal; before the run's last records. */
int lease_record(struct run *run, struct error *reterr);

/* Gives it back, with the journal's last head; says so when that did not work. */
void lease_release(struct run *run, const char *head);

#endif
