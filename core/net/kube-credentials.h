/*
 * Who a client says it is, request by request: credentials that stand in the kubeconfig, a token
 * file that is read again, a plugin's answer that is kept for as long as it says, across the calls
 * of a worker. Every secret is made known for redaction before it is used.
 */
#ifndef SALVOR_NET_KUBE_CREDENTIALS_H
#define SALVOR_NET_KUBE_CREDENTIALS_H

#include <jansson.h>
#include <stdint.h>

#include "net/kube-access.h"
#include "worker/call.h"

struct kube_credentials {
    const struct kube_access *access; /* borrowed */
    uint64_t generation;              /* grows when they change */
    int64_t renew_at;                 /* Unix epoch ms; 0: no known end */
    int64_t file_read_at;             /* monotonic ms */
    const char *token;                /* locked; NULL: none. Valid until they change */
    const char *certificate;          /* PEM; NULL: none */
    const char *key;
    char *own_token; /* what `token` points to when it came from a file or plugin */
    char *own_certificate;
    char *own_key;
};

/* The first credentials; runs the plugin unless an earlier call of the worker has its answer. */
salvor_status kube_credentials_open(struct worker_call *call, const struct kube_access *access,
                                    struct kube_credentials *ret_credentials);

/* Before a request: renews what has ended or is about to. */
salvor_status kube_credentials_check(struct worker_call *call,
                                     struct kube_credentials *credentials);

/*
 * After a 401 to a request made with `generation`: OK when there are newer ones or they could be
 * renewed; NOT_FOUND when there is nothing to renew (nothing recorded); else the plugin's failure.
 */
salvor_status kube_credentials_renew(struct worker_call *call, struct kube_credentials *credentials,
                                     uint64_t generation);

/* The value of the Authorization header, owned by the caller, who wipes it; NULL: none. */
char *kube_credentials_header(const struct kube_credentials *credentials);

void kube_credentials_clear(struct kube_credentials *credentials);

/* Forgets the plugins' answers of the process, for tests. */
void kube_credentials_forget(void);

#endif
