#include "net/batch.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "net/evidence.h"
#include "net/options.h"
#include "net/pace.h"
#include "services/recorder.h"

enum { IN_FLIGHT = 32, IN_FLIGHT_MOST = 1024 };

struct task_list {
    struct batch_task *first;
    struct batch_task **end;
};

struct salvor_batch {
    struct worker_call *call;
    struct retry_rule rule;
    struct pace pace;
    uint32_t most;    /* tasks that were not handed out yet */
    uint32_t held;    /* those */
    uint32_t running; /* attempts under way */
    char *class_name;
    struct evidence_class *class;
    struct task_list waiting; /* for a first attempt */
    struct task_list again;   /* for another one, each at its own time */
    struct task_list under_way;
    struct task_list ended; /* attempts to be judged */
    struct task_list finished;
    struct batch_task *handed; /* whose spans the plugin may still read */
};

/* ---- lists ----------------------------------------------------------------------------------- */

static void list_init(struct task_list *list)
{
    *list = (struct task_list){NULL, &list->first};
}

static void list_add(struct task_list *list, struct batch_task *task)
{
    task->next = NULL;
    *list->end = task;
    list->end = &task->next;
}

static void list_remove(struct task_list *list, struct batch_task *task)
{
    struct batch_task **at = &list->first;
    while (*at != task)
        at = &(*at)->next;
    *at = task->next;
    if (*at == NULL)
        list->end = at;
}

static struct batch_task *list_take(struct task_list *list)
{
    struct batch_task *task = list->first;
    if (task != NULL)
        list_remove(list, task);
    return task;
}

static void destroy(struct batch_task *task)
{
    if (task == NULL)
        return;
    error_clear(&task->outcome.error);
    task->kind->destroy(task);
}

static void destroy_all(struct task_list *list)
{
    for (struct batch_task *task = NULL; (task = list_take(list)) != NULL;)
        destroy(task);
}

/* ---- one attempt ----------------------------------------------------------------------------- */

static void start(struct salvor_batch *batch, struct batch_task *task, int64_t now)
{
    error_clear(&task->outcome.error);
    task->outcome = (struct batch_outcome){.retry_after_ms = -1, .latency_ms = -1};
    task->started = now;
    if (task->attempts++ == 0)
        task->began = now;
    task->settled = 0;
    list_add(&batch->under_way, task);
    batch->running++;
    pace_begun(&batch->pace, now);
    task->kind->start(batch->call, task);
}

void batch_ended(struct batch_task *task)
{
    list_remove(&task->batch->under_way, task);
    list_add(&task->batch->ended, task);
    task->batch->running--;
}

static struct batch_task *next_due(const struct salvor_batch *batch, int64_t *ret_due)
{
    struct batch_task *found = NULL;
    *ret_due = INT64_MAX;
    for (struct batch_task *task = batch->again.first; task != NULL; task = task->next) {
        if (task->due < *ret_due) {
            *ret_due = task->due;
            found = task;
        }
    }
    return found;
}

/* Begins what may begin; when to look again by time alone. */
static int64_t begin_some(struct salvor_batch *batch)
{
    for (;;) {
        const int64_t now = clock_monotonic_ms();
        int64_t due = INT64_MAX;
        int64_t pace_due = INT64_MAX;
        struct batch_task *task = next_due(batch, &due);
        const int is_again = task != NULL && due <= now;
        if (!is_again)
            task = batch->waiting.first;
        if (task == NULL)
            return due;
        if (!pace_may_begin(&batch->pace, batch->running, now, &pace_due))
            return pace_due;
        list_remove(is_again ? &batch->again : &batch->waiting, task);
        start(batch, task, now);
    }
}

/* ---- judging an attempt ---------------------------------------------------------------------- */

static int is_expected(const struct batch_outcome *outcome)
{
    return outcome->status == SALVOR_OK &&
           (outcome->code < 400 || outcome->code == 404 || outcome->code == 409);
}

static void finish(struct salvor_batch *batch, struct batch_task *task)
{
    struct worker_call *call = batch->call;
    task->outcome.certainty = task->certainty;
    if (!is_expected(&task->outcome) && task->kind->tell != NULL &&
        evidence_class_wants(batch->class))
        task->kind->tell(call, task);
    if (recorder_records(call->session->recorder) && task->kind->record != NULL)
        task->kind->record(call, task);
    list_add(&batch->finished, task);
}

static void adapt(struct salvor_batch *batch, const struct batch_task *task, int64_t now)
{
    const struct batch_outcome *outcome = &task->outcome;
    if (outcome->slow_down)
        pace_refused(&batch->pace, task->started, now, outcome->retry_after_ms);
    else if (outcome->status == SALVOR_OK)
        pace_answered(&batch->pace, task->started, now, outcome->latency_ms);
}

static int is_worth_another(const struct salvor_batch *batch, struct batch_task *task, int64_t now)
{
    const struct batch_outcome *outcome = &task->outcome;
    int64_t delay = 0;
    if (!retry_decide(&batch->rule,
                      &(struct retry_facts){.attempt = task->attempts,
                                            .repeatable = outcome->repeatable,
                                            .certainty = outcome->certainty,
                                            .fault = outcome->fault,
                                            .code = outcome->code,
                                            .retry_after_ms = outcome->retry_after_ms,
                                            .spent_ms = now - task->began,
                                            .left_ms = call_time_left(batch->call),
                                            .random = retry_random()},
                      &delay))
        return 0;
    task->due = now + delay;
    return 1;
}

static int settles(struct salvor_batch *batch, struct batch_task *task)
{
    const struct batch_outcome *outcome = &task->outcome;
    if (task->settled || task->kind->settle == NULL || outcome->repeatable ||
        outcome->certainty != SALVOR_CERTAINTY_SENT)
        return 0;
    task->settled = 1;
    list_add(&batch->under_way, task);
    batch->running++;
    if (task->kind->settle(batch->call, task) == BATCH_SETTLING)
        return 1;
    list_remove(&batch->under_way, task);
    batch->running--;
    return 0;
}

static void judge(struct salvor_batch *batch, struct batch_task *task)
{
    const int64_t now = clock_monotonic_ms();
    const struct batch_outcome *outcome = &task->outcome;
    evidence_class_count(batch->class, task->verb, task->type,
                         outcome->status == SALVOR_OK ? outcome->code : -1, outcome->latency_ms);
    adapt(batch, task, now);
    task->certainty = retry_certainty(task->certainty, outcome->certainty);
    if (is_worth_another(batch, task, now))
        list_add(&batch->again, task);
    else if (!settles(batch, task))
        finish(batch, task);
}

void batch_outcome_of(struct net_transfer *transfer, int repeatable, struct batch_outcome *ret)
{
    *ret = (struct batch_outcome){.status = transfer->status,
                                  .certainty = transfer->certainty,
                                  .fault = transfer->fault,
                                  .code = transfer->code,
                                  .repeatable = repeatable,
                                  .retry_after_ms = transfer->retry_after_ms,
                                  .latency_ms = transfer->first_byte_ms,
                                  .slow_down = transfer->code == 429 || transfer->code == 503};
    (void)error_move(&ret->error, &transfer->error);
}

/* ---- submit ---------------------------------------------------------------------------------- */

static void close_batch(struct worker_call *call, void *handle);

salvor_status batch_room(struct worker_call *call, salvor_batch *batch)
{
    if (!call_owns(call, batch, close_batch))
        return call_fail(call, SALVOR_BUG, "a batch is not open in this call");
    return batch->held < batch->most ? SALVOR_OK : SALVOR_FULL;
}

void batch_submit(struct worker_call *call, salvor_batch *batch, uint64_t tag,
                  struct batch_task *task)
{
    task->tag = tag;
    task->batch = batch;
    batch->held++;
    if (batch->class == NULL)
        batch->class = evidence_class_new(task->kind->service, batch->class_name);
    if (recorder_replays(call->session->recorder) && task->kind->replay != NULL) {
        task->attempts = 1;
        task->kind->replay(call, task);
        list_add(&batch->finished, task);
        return;
    }
    list_add(&batch->waiting, task);
    (void)begin_some(batch);
}

/* ---- the service ----------------------------------------------------------------------------- */

static void close_batch(struct worker_call *call, void *handle)
{
    struct salvor_batch *batch = handle;
    destroy_all(&batch->waiting);
    destroy_all(&batch->again);
    destroy_all(&batch->under_way);
    destroy_all(&batch->ended);
    destroy_all(&batch->finished);
    destroy(batch->handed);
    if (batch->class != NULL)
        evidence_class_send(call, batch->class);
    evidence_class_free(batch->class);
    free(batch->class_name);
    free(batch);
}

static int take_options(const char *text, struct salvor_batch *batch, struct error *reterr)
{
    static const char *const names[] = {"in_flight", "class", "retry", NULL};
    static const char what[] = "options of batch.open";
    cleanup_json json_t *options = NULL;
    const char *class_name = "batch";
    int64_t in_flight = IN_FLIGHT;
    if (options_parse(what, text, &options, reterr) != 0 ||
        options_check(what, options, names, reterr) != 0 ||
        options_text(options, "class", &class_name, reterr) != 0 ||
        options_number(options, "in_flight", 1, IN_FLIGHT_MOST, &in_flight, reterr) != 0 ||
        retry_rule_parse(json_object_get(options, "retry"), &batch->rule, reterr) != 0)
        return error_prefix(reterr, "batch.open");
    batch->class_name = text_copy(class_name);
    batch->most = (uint32_t)in_flight;
    pace_init(&batch->pace, batch->most);
    return 0;
}

static salvor_status batch_open(salvor_call *public_call, const char *options,
                                salvor_batch **ret_batch)
{
    struct worker_call *call = call_of(public_call);
    cleanup_error struct error err = ERROR_INIT;
    if (ret_batch == NULL)
        return call_fail(call, SALVOR_BUG, "batch.open: an argument is missing");
    *ret_batch = NULL;
    struct salvor_batch *batch = memory_new(1, sizeof *batch);
    batch->call = call;
    batch->rule = retry_rule_default;
    struct task_list *lists[] = {&batch->waiting, &batch->again, &batch->under_way, &batch->ended,
                                 &batch->finished};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        list_init(lists[i]);
    if (take_options(options, batch, &err) != 0) {
        close_batch(call, batch);
        return call_fail_error(call, SALVOR_BUG, &err);
    }
    call_register(call, batch, close_batch);
    *ret_batch = batch;
    return SALVOR_OK;
}

static void hand_out(struct salvor_batch *batch, struct batch_task *task,
                     struct salvor_batch_result *ret)
{
    const struct batch_outcome *outcome = &task->outcome;
    destroy(batch->handed);
    batch->handed = task;
    batch->held--;
    *ret = (struct salvor_batch_result){.struct_size = ret->struct_size,
                                        .certainty = outcome->certainty,
                                        .tag = task->tag,
                                        .status = outcome->status,
                                        .code = outcome->code,
                                        .attempts = task->attempts};
    task->kind->result(task, ret);
    if (outcome->status != SALVOR_OK)
        (void)call_fail_error(batch->call, outcome->status, &task->outcome.error);
}

static salvor_status batch_next(salvor_call *public_call, salvor_batch *batch,
                                struct salvor_batch_result *ret_result)
{
    struct worker_call *call = call_of(public_call);
    if (!call_owns(call, batch, close_batch))
        return call_fail(call, SALVOR_BUG, "batch.next: the batch is not open in this call");
    if (ret_result == NULL || ret_result->struct_size < sizeof *ret_result)
        return call_fail(call, SALVOR_BUG, "batch.next: struct_size of the result is not set");
    for (;;) {
        for (struct batch_task *task = NULL; (task = list_take(&batch->ended)) != NULL;)
            judge(batch, task);
        const int64_t due = begin_some(batch);
        if (batch->finished.first != NULL) {
            hand_out(batch, list_take(&batch->finished), ret_result);
            return SALVOR_OK;
        }
        if (batch->held == 0)
            return SALVOR_END;
        if (batch->ended.first != NULL)
            continue;
        const int64_t now = clock_monotonic_ms();
        const int64_t wait = due == INT64_MAX ? -1 : due > now ? due - now : 0;
        const salvor_status status = net_wait(call, wait);
        if (status == SALVOR_PENDING && wait < 0 && batch->ended.first == NULL)
            return call_fail(call, SALVOR_BUG, "batch.next: a task waits for nothing");
        if (status != SALVOR_OK && status != SALVOR_PENDING)
            return status;
    }
}

static void batch_close(salvor_call *public_call, salvor_batch *batch)
{
    struct worker_call *call = call_of(public_call);
    if (!call_owns(call, batch, close_batch))
        return;
    call_forget(call, batch);
    close_batch(call, batch);
}

const struct salvor_batches batch_table = {
    .struct_size = sizeof(struct salvor_batches),
    .version = 1,
    .open = batch_open,
    .next = batch_next,
    .close = batch_close,
};

const struct batch_access batch_access = {
    .room = batch_room,
    .submit = batch_submit,
    .ended = batch_ended,
    .watch_add = net_watch_add,
    .watch_remove = net_watch_remove,
};
