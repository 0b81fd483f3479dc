/*
 * A client of salvor.kube: where, as whom, by which connections. It belongs to the call that opened
 * it; connections and the answers of credential plugins outlive it in the worker.
 */
#ifndef SALVOR_NET_KUBE_CLIENT_H
#define SALVOR_NET_KUBE_CLIENT_H

#include <salvor/services.h>

#include "net/kube-access.h"
#include "net/kube-credentials.h"
#include "net/retry.h"
#include "net/transport.h"

enum { KUBE_IDENTITY_HEADERS = 48 };

struct salvor_kube_client {
    struct worker_call *call;
    unsigned users;   /* the handle, and whatever is under way */
    json_t *identity; /* what recordings know of it: {"kubeconfig","context","as",…} */
    struct kube_access access;
    struct kube_credentials credentials;
    struct net_pool *pool; /* of the present credentials */
    uint64_t pool_generation;
    char *prefix; /* path of the server's URL: "" or "/k8s/clusters/c-1" */
    char *origin; /* and what comes before it */
    uint32_t connections;
    int64_t timeout_ms;     /* of one request; 0: the transport's own deadlines alone */
    struct retry_rule rule; /* of what is no batch */
    enum net_http http;
    int gzip;
    char *identity_headers[KUBE_IDENTITY_HEADERS]; /* Impersonate-… */
    size_t identity_header_count;
    json_t *warnings; /* text -> how often the server said it */
    int replays;      /* answers come from recordings: there is no server */
};

/* The client behind a handle of this call; BUG for any other pointer. */
salvor_status kube_client_check(struct worker_call *call, salvor_kube_client *client);

salvor_status kube_client_open(salvor_call *call, const char *options,
                               salvor_kube_client **ret_client);
void kube_client_close(salvor_call *call, salvor_kube_client *client);

/* Whoever works with it beyond its handle. */
void kube_client_hold(salvor_kube_client *client);
void kube_client_let_go(salvor_kube_client *client);

/* Credentials renewed if need be and the pool that goes with them. */
salvor_status kube_client_ready(struct worker_call *call, salvor_kube_client *client);

/* Takes the Warning headers of an answer; the first of each text becomes evidence. */
void kube_client_take_warnings(struct worker_call *call, salvor_kube_client *client,
                               const struct buffer *header_lines);

#endif
