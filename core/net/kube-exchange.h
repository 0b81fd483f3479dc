/*
 * One request to the API and its answer: credentials and warnings are seen to here, whether to send
 * it again is decided by whoever asks. An answer of 401 renews the credentials once and asks again.
 */
#ifndef SALVOR_NET_KUBE_EXCHANGE_H
#define SALVOR_NET_KUBE_EXCHANGE_H

#include "net/kube-client.h"
#include "net/retry.h"

struct kube_exchange {
    /* What is asked. Texts are borrowed until kube_exchange_clear, but for `target` and `site`,
     * which are owned. */
    salvor_kube_client *client; /* held by kube_exchange_begin */
    const char *method;
    char *target;
    char *site;               /* "get:configmaps", for evidence and fault tests */
    const char *accept;       /* NULL: application/json */
    const char *content_type; /* of `body` */
    struct salvor_span body;
    struct net_sink sink;
    uint64_t response_limit;
    int64_t timeout_ms;
    uint32_t flags;                                /* NET_* */
    int is_read_later;                             /* whoever asks reads the whole answer anyway */
    void (*ended)(struct kube_exchange *exchange); /* in net_wait, or NULL */
    void *owner;

    /* How it went, when transfer.done is 1. */
    struct net_transfer transfer;
    uint32_t attempts; /* of kube_exchange_perform */
    int stopped;       /* 1: the call was, and its error is recorded already */

    /* Its own. */
    struct worker_call *call;
    const char *headers[64];
    char *authorization;
    char *accept_line;
    char *type_line;
    uint64_t generation;
    int renewed;
};

/* Holds the client. The rest is filled by the caller before or after. */
void kube_exchange_begin(struct kube_exchange *exchange, struct worker_call *call,
                         salvor_kube_client *client);

/* One attempt; its end is told through `ended`, or seen in transfer.done after net_wait. */
void kube_exchange_start(struct kube_exchange *exchange);

/* Waits for the attempt under way. */
salvor_status kube_exchange_wait(struct kube_exchange *exchange);

/* As often as `rule` allows, until there is a whole answer: OK, whatever its code. The error, if
 * any, stays in the transfer. `started`: the first attempt is under way already. */
salvor_status kube_exchange_perform(struct kube_exchange *exchange, const struct retry_rule *rule,
                                    int started);

/* net_wait for so long, so that others under way go on meanwhile. */
salvor_status kube_pause(struct worker_call *call, int64_t milliseconds);

/* Records why there is no answer and returns the status. */
salvor_status kube_exchange_failed(struct kube_exchange *exchange);

/* Cancels it if need be, lets the client go, frees what it holds. */
void kube_exchange_clear(struct kube_exchange *exchange);

#define cleanup_kube_exchange __attribute__((cleanup(kube_exchange_clear)))

#endif
