/* Watches: from a revision on, every change of a collection that the selectors let through. */
#ifndef SIM_KUBE_WATCH_H
#define SIM_KUBE_WATCH_H

#include "internal.h"
#include "output.h"
#include "selector.h"

struct watch {
    struct watch *next;
    const struct kube_type *type;
    char *prefix; /* of keys */
    struct selector *selector;
    enum output output;
    size_t cursor;       /* index of the next event in the store's log */
    int64_t deadline_ms; /* monotonic */
    int bookmarks;
    struct buffer pending; /* not yet sent, from `sent` on */
    size_t sent;
    int ended; /* nothing will follow `pending` */
    struct sim_kube *sim;
    struct MHD_Connection *connection;
    int socket_fd; /* of a suspended connection */
    int suspended;
};

/* Answers a watch request: either a failure, or answer->watch is set (already in sim->watches). */
void watch_open(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer);

/* Moves new events into `pending`; 1 when there is something to send or the watch ended. */
int watch_pump(struct sim_kube *sim, struct watch *watch, int64_t now_ms);

/* Unlinks and releases. */
void watch_close(struct sim_kube *sim, struct watch *watch);

#endif
