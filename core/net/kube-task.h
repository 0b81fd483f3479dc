/*
 * One request of salvor.kube with all that belongs to it: what it asks, whether it may be sent
 * again, and what is looked at when it was sent and no answer came, so that nothing is ever made
 * twice. The same for single requests and in a batch.
 *
 * A request that cannot simply be repeated and whose answer was lost (or is a 5xx, which says
 * nothing about the effect) is settled by reading the object: it stands there as sent - done; it
 * does not exist, or is unchanged - the request is sent again; it is something else - the request
 * is sent again too, since the server will refuse it in its own words. What has no name
 * (generateName) and JSON patches cannot be settled: they are never sent again.
 */
#ifndef SALVOR_NET_KUBE_TASK_H
#define SALVOR_NET_KUBE_TASK_H

#include "net/batch.h"
#include "net/kube-exchange.h"
#include "net/kube-target.h"

enum kube_verb { KUBE_GET, KUBE_LIST, KUBE_CREATE, KUBE_UPDATE, KUBE_PATCH, KUBE_DELETE };

/* How a lost answer is made up for. */
enum kube_settling {
    KUBE_REPEAT,     /* it is sent again */
    KUBE_LOOK,       /* the object is read first */
    KUBE_NEVER_TWICE /* neither is possible */
};

struct kube_task {
    struct batch_task task; /* first: outcome, attempts, evidence */
    struct worker_call *call;
    salvor_kube_client *client;
    enum kube_verb verb;
    enum kube_settling settling;
    int is_read;
    char *type; /* "deployments.apps/status" */
    char *what; /* "create 'deployments.apps' 'ns/name'", for messages */
    char *group, *version, *resource, *subresource, *ns, *name; /* NULL: not given */
    const char *method;
    const char *content_type;
    char *target;
    char *body;
    size_t body_size;
    json_t *key; /* for recordings, NULL without */

    struct kube_exchange exchange; /* the request */
    struct kube_exchange look;     /* the GET that settles it */
    struct batch_outcome lost;     /* of the request, while it is settled */
    int unknown;                   /* an attempt so far may have taken effect */
    int must_look;                 /* before it is sent again */
    int compared;                  /* something else stands there: no second look */
    int looked;                    /* for evidence */
    struct buffer found;           /* what settled it, or a recorded answer */
    int is_found;                  /* the answer is in `found` */
    uint64_t response_limit;
    void (*finished)(struct kube_task *task); /* instead of batch_ended */
    int done;                                 /* of a task outside of a batch */
    int stopped;                              /* the call was; its error is recorded already */
};

/* Checks `request` and the effect of the running row; *ret_task is the caller's, until it is given
 * to batch_submit. `function`: "kube.request", for messages. */
salvor_status kube_task_make(struct worker_call *call, salvor_kube_client *client,
                             const char *function, const struct salvor_kube_request *request,
                             struct kube_task **ret_task);

/* Runs it outside of a batch, as often as `rule` allows; the outcome is in it. CANCELLED or TIMEOUT
 * when the call shall stop, otherwise outcome.status. */
salvor_status kube_task_perform(struct kube_task *task, const struct retry_rule *rule);

/* EVIDENCE of one request. */
void kube_task_tell(struct worker_call *call, const struct kube_task *task, int64_t duration_ms);

/* What was answered; lives as long as the task. */
struct salvor_span kube_task_body(const struct kube_task *task);

void kube_task_free(struct kube_task *task);

/* How batches handle it. */
extern const struct batch_kind kube_task_kind;

#endif
