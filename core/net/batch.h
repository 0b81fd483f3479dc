/*
 * The queue behind salvor.batch, the same for http, kube and ssh: how much is in flight, when to
 * slow down, what is tried again, what is recorded. What one task does is its kind's business; a
 * service adds itself by filling a struct batch_task and calling batch_submit:
 *
 *   struct my_task { struct batch_task task; struct net_transfer transfer; ... };
 *
 *   start()  begins one attempt and returns at once; when the attempt ended (in net_wait) the kind
 *            fills task->outcome and calls batch_ended(task). An attempt that cannot even begin is
 *            ended the same way, from start() itself if need be.
 *   settle() what to do about an attempt that may have taken effect and may not be repeated.
 *   result() fills what next() hands out.
 *   destroy() cancels the attempt under way and frees the task.
 *
 * Single thread. Spans of a result live until the next next() or close.
 */
#ifndef SALVOR_NET_BATCH_H
#define SALVOR_NET_BATCH_H

#include <salvor/services.h>

#include "net/retry.h"
#include "net/transport.h"

struct batch_task;

enum batch_settled {
    BATCH_GIVE_UP, /* its outcome stands as it is */
    BATCH_SETTLING /* another attempt is under way: batch_ended will be called again */
};

struct batch_kind {
    const char *service; /* "http": for evidence */

    /* Begins attempt number task->attempts (from 1). */
    void (*start)(struct worker_call *call, struct batch_task *task);

    /*
     * The retry rule would not send it again although it was sent without a whole answer and is
     * not repeatable. The kind may look first (GET what a POST should have made) and end that look
     * by batch_ended: with the outcome that it found, or with outcome.repeatable set to 1 and the
     * old certainty when it saw that nothing had happened. NULL: give up. Not asked twice in a row.
     * task->outcome is still that of the attempt: its error is cleared before another takes its
     * place.
     */
    enum batch_settled (*settle)(struct worker_call *call, struct batch_task *task);

    /*
     * With --record: keeps the outcome that stands (status, certainty, code, error and what
     * result() needs); with --replay: fills them in from what was kept, in place of start(). NULL:
     * this kind is not recorded.
     */
    void (*record)(struct worker_call *call, struct batch_task *task);
    void (*replay)(struct worker_call *call, struct batch_task *task);

    /* A full record for the journal, of an outcome that was not expected. NULL: none. */
    void (*tell)(struct worker_call *call, const struct batch_task *task);

    /* Body and err of the result; status, code, certainty and attempts are filled already. */
    void (*result)(struct batch_task *task, struct salvor_batch_result *result);

    void (*destroy)(struct batch_task *task);
};

/* How an attempt ended. */
struct batch_outcome {
    salvor_status status; /* OK: the peer answered, whatever `code` says */
    uint32_t certainty;
    enum net_fault fault;
    int32_t code; /* HTTP status, or exit status */
    int repeatable;
    int64_t retry_after_ms; /* -1: none */
    int64_t latency_ms;     /* what the peer took; -1: says nothing about its load */
    int slow_down;          /* 1: the peer asks for a lower rate (429, 503, no free session) */
    struct error error;     /* unless OK; what last_error says after next() */
};

struct batch_task {
    const struct batch_kind *kind; /* set by the service, as the next three */
    const char *verb;              /* for evidence: "POST", "create", "run"; lives as long as it */
    const char *type;              /* "policies.delete", "apps/deployments" */
    struct batch_outcome outcome;  /* set by the kind before batch_ended */

    uint64_t tag; /* the rest is the queue's */
    uint32_t attempts;
    struct salvor_batch *batch;
    struct batch_task *next;
    int64_t began;   /* its first attempt */
    int64_t started; /* its last one */
    int64_t due;     /* the next one */
    int settled;
    uint32_t certainty; /* of the attempts so far */
};

/* salvor.batch, for the list of tables. */
extern const struct salvor_batches batch_table;

/* OK: batch_submit will take a task. FULL: no room (nothing is recorded in `call`); BUG: not an
 * open batch of this call. Services ask before they build a task. */
salvor_status batch_room(struct worker_call *call, salvor_batch *batch);

/* After batch_room: takes the task over and starts it as soon as there is room in flight. */
void batch_submit(struct worker_call *call, salvor_batch *batch, uint64_t tag,
                  struct batch_task *task);

/* The attempt under way ended and task->outcome is filled. From start() or settle() themselves, or
 * any time later in net_wait. */
void batch_ended(struct batch_task *task);

/* The same for a service that is in the program: it cannot call into the library by name. */
struct batch_access {
    salvor_status (*room)(struct worker_call *call, salvor_batch *batch);
    void (*submit)(struct worker_call *call, salvor_batch *batch, uint64_t tag,
                   struct batch_task *task);
    void (*ended)(struct batch_task *task);
    int (*watch_add)(struct net_watch *watch);
    void (*watch_remove)(const struct net_watch *watch);
};

extern const struct batch_access batch_access;

/* outcome of a finished transfer; its error is moved. `repeatable`: by method or flag. */
void batch_outcome_of(struct net_transfer *transfer, int repeatable, struct batch_outcome *ret);

#endif
