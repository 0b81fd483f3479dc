#include "net/kube-task.h"

#include <sodium.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "net/evidence.h"
#include "net/kube-compare.h"
#include "services/recorder.h"

/* ---- the end of an attempt ------------------------------------------------------------------- */

static void finish(struct kube_task *task)
{
    if (task->finished != NULL)
        task->finished(task);
    else
        batch_ended(&task->task);
}

/* What is known of an answer that was lost, for as long as nothing better is. */
static void keep_lost(struct kube_task *task)
{
    error_clear(&task->lost.error);
    task->lost = task->task.outcome;
    task->task.outcome.error = (struct error)ERROR_INIT;
}

static void restore_lost(struct kube_task *task)
{
    struct batch_outcome *outcome = &task->task.outcome;
    const struct error *err = &task->lost.error;
    error_clear(&outcome->error);
    *outcome = task->lost;
    outcome->error = (struct error)ERROR_INIT;
    if (!error_is_set(err))
        return;
    (void)error_set(&outcome->error, err->code, "%s", err->message);
    if (err->detail != NULL)
        (void)error_detail(&outcome->error, "%s", err->detail);
    if (err->hint != NULL)
        (void)error_hint(&outcome->error, "%s", err->hint);
}

/* The next attempt begins by looking. */
static void look_later(struct kube_task *task)
{
    task->must_look = 1;
    restore_lost(task);
    task->task.outcome.repeatable = 1;
    finish(task);
}

/* Nothing has come of it. */
static void send_again(struct kube_task *task)
{
    restore_lost(task);
    task->task.outcome.repeatable = 1;
    finish(task);
}

static void settled_as_done(struct kube_task *task)
{
    struct batch_outcome *outcome = &task->task.outcome;
    buffer_clear(&task->found);
    task->found = task->look.transfer.answer;
    task->look.transfer.answer = (struct buffer)BUFFER_INIT(0);
    task->is_found = 1;
    error_clear(&outcome->error);
    outcome->status = SALVOR_OK;
    outcome->certainty = SALVOR_CERTAINTY_ANSWERED;
    outcome->fault = NET_FAULT_NONE;
    outcome->code = task->verb == KUBE_CREATE ? 201 : 200;
    finish(task);
}

/* ---- looking --------------------------------------------------------------------------------- */

static int stands_as_sent(const struct kube_task *task, const json_t *live, const json_t *sent)
{
    return task->verb == KUBE_PATCH ? kube_covers_patch(live, sent)
                                    : kube_covers(live, sent, task->subresource);
}

static void judge(struct kube_task *task)
{
    const struct net_transfer *seen = &task->look.transfer;
    const int refused = task->lost.status == SALVOR_OK && task->lost.code == 409;
    if (seen->status == SALVOR_OK && seen->code == 404) {
        send_again(task);
        return;
    }
    if (seen->status != SALVOR_OK || seen->code != 200) {
        look_later(task);
        return;
    }
    cleanup_json json_t *live = json_loadb(seen->answer.data, seen->answer.size, 0, NULL);
    cleanup_json json_t *sent = json_loadb(task->body, task->body_size, 0, NULL);
    const char *before = json_text(json_object_get(sent, "metadata"), "resourceVersion");
    const char *now = json_text(json_object_get(live, "metadata"), "resourceVersion");
    const int unchanged = task->verb != KUBE_CREATE && before != NULL && text_equal(before, now);
    if (!unchanged && stands_as_sent(task, live, sent)) {
        settled_as_done(task);
        return;
    }
    task->compared = !unchanged;
    if (!refused) {
        send_again(task);
        return;
    }
    restore_lost(task); /* the server has said so already */
    finish(task);
}

static void look_ended(struct kube_exchange *look)
{
    judge(look->owner);
}

static void start_look(struct kube_task *task)
{
    cleanup_error struct error err = ERROR_INIT;
    struct kube_exchange *look = &task->look;
    const struct kube_place place = {.group = task->group,
                                     .version = task->version,
                                     .resource = task->resource,
                                     .ns = task->ns,
                                     .name = task->name,
                                     .subresource = task->subresource};
    char *target = NULL;
    task->must_look = 0;
    task->looked = 1;
    kube_exchange_clear(look);
    if (kube_target(task->client->prefix, &place, NULL, &target, &err) != 0) {
        restore_lost(task);
        finish(task);
        return;
    }
    kube_exchange_begin(look, task->call, task->client);
    look->method = "GET";
    look->target = target;
    look->site = text_format("settle:%s", task->type);
    look->ended = look_ended;
    look->owner = task;
    kube_exchange_start(look);
}

/* ---- attempts -------------------------------------------------------------------------------- */

static int says_nothing_of_its_effect(const struct net_transfer *transfer)
{
    if (transfer->status != SALVOR_OK)
        return transfer->certainty == SALVOR_CERTAINTY_SENT ||
               (transfer->certainty == SALVOR_CERTAINTY_ANSWERED && transfer->code < 400);
    return transfer->code >= 500;
}

static void attempt_ended(struct kube_exchange *exchange)
{
    struct kube_task *task = exchange->owner;
    struct net_transfer *transfer = &exchange->transfer;
    struct batch_outcome *outcome = &task->task.outcome;
    const int unknown = says_nothing_of_its_effect(transfer);
    error_clear(&outcome->error);
    batch_outcome_of(transfer, task->settling == KUBE_REPEAT, outcome);
    /* a 500 that says when to come back is meant as 503 */
    if (outcome->status == SALVOR_OK && outcome->code == 500 && outcome->retry_after_ms >= 0 &&
        task->settling == KUBE_REPEAT)
        outcome->slow_down = 1;
    task->unknown = task->unknown || unknown;
    if (task->settling == KUBE_NEVER_TWICE && unknown && outcome->status != SALVOR_OK)
        (void)error_hint(&outcome->error, "whether it took effect is not known: look before you "
                                          "do it again");
    if (task->settling == KUBE_LOOK &&
        (unknown || (task->unknown && !task->compared && outcome->code == 409))) {
        keep_lost(task);
        start_look(task);
    } else {
        finish(task);
    }
}

/* In place of an attempt. */
static void replay(struct worker_call *call, struct batch_task *batch_task)
{
    struct kube_task *task = (struct kube_task *)batch_task;
    struct batch_outcome *outcome = &task->task.outcome;
    cleanup_json json_t *answer = NULL;
    const salvor_status status = recorder_replay(call, "kube", "request", task->key, NULL, &answer);
    const json_t *body = json_object_get(answer, "body");
    error_clear(&outcome->error);
    *outcome = (struct batch_outcome){
        .status = status,
        .certainty = (uint32_t)json_whole(answer, "certainty", SALVOR_CERTAINTY_NOT_SENT),
        .code = (int32_t)json_whole(answer, "code", 0),
        .fault = status == SALVOR_OK ? NET_FAULT_NONE : NET_FAULT_CANCELLED,
        .retry_after_ms = -1,
        .latency_ms = -1,
    };
    if (status != SALVOR_OK)
        (void)error_move(&outcome->error, &call->error);
    buffer_clear(&task->found);
    task->found = (struct buffer)BUFFER_INIT(json_string_length(body) + 1);
    (void)buffer_append(&task->found, json_string_value(body), json_string_length(body));
    task->is_found = 1;
}

static void start(struct worker_call *call, struct batch_task *batch_task)
{
    struct kube_task *task = (struct kube_task *)batch_task;
    struct kube_exchange *exchange = &task->exchange;
    if (task->must_look) {
        start_look(task);
        return;
    }
    if (exchange->client == NULL) {
        kube_exchange_begin(exchange, call, task->client);
        exchange->method = task->method;
        exchange->target = task->target;
        exchange->site = text_format("%s:%s", task->task.verb, task->type);
        exchange->content_type = task->body_size > 0 ? task->content_type : NULL;
        exchange->body = (struct salvor_span){task->body, task->body_size};
        exchange->response_limit = task->response_limit;
        exchange->flags = task->settling == KUBE_REPEAT ? NET_IDEMPOTENT : 0;
        exchange->ended = attempt_ended;
        exchange->owner = task;
        task->target = NULL;
    }
    kube_exchange_start(exchange);
}

/* ---- results --------------------------------------------------------------------------------- */

struct salvor_span kube_task_body(const struct kube_task *task)
{
    const struct buffer *body = task->is_found ? &task->found : &task->exchange.transfer.answer;
    return (struct salvor_span){body->data != NULL ? body->data : "", body->size};
}

void kube_task_tell(struct worker_call *call, const struct kube_task *task, int64_t duration_ms)
{
    const struct batch_outcome *outcome = &task->task.outcome;
    const char *target = task->exchange.target != NULL ? task->exchange.target : task->target;
    cleanup_free char *what = text_format("%s %s", task->task.verb, task->type);
    json_t *members = json_make("{s:s,s:s,s:s,s:i,s:I}", "service", "kube", "what", what,
                                "certainty", evidence_certainty(outcome->certainty), "attempts",
                                (int)task->task.attempts, "duration_ms", (json_int_t)duration_ms);
    if (task->client->origin != NULL && target != NULL) {
        cleanup_free char *url =
            text_format("%s%.*s", task->client->origin, (int)strcspn(target, "?"), target);
        json_put_text(members, "url", url);
    }
    if (task->name != NULL && task->verb == KUBE_CREATE)
        json_put_text(members, "name", task->name);
    if (outcome->code != 0)
        json_put(members, "status", json_integer(outcome->code));
    if (outcome->fault != NET_FAULT_NONE)
        json_put_text(members, "fault", evidence_fault(outcome->fault));
    if (!task->is_read)
        json_put(members, "change", json_true());
    if (task->looked)
        json_put(members, "settled_by_reading", json_boolean(task->is_found));
    if (task->client->replays)
        json_put(members, "replayed", json_true());
    call_evidence(call, members);
}

/* For recordings: what was answered in the end. */
static void record(struct worker_call *call, struct batch_task *batch_task)
{
    struct kube_task *task = (struct kube_task *)batch_task;
    const struct batch_outcome *outcome = &task->task.outcome;
    const struct salvor_span body = kube_task_body(task);
    if (task->key == NULL || !recorder_records(call->session->recorder) ||
        outcome->status == SALVOR_CANCELLED)
        return;
    json_t *text = json_stringn(body.data, (size_t)body.size);
    json_t *answer =
        json_make("{s:i,s:i,s:o}", "code", (int)outcome->code, "certainty", (int)outcome->certainty,
                  "body", text != NULL ? text : json_string(""));
    if (outcome->status != SALVOR_OK)
        (void)call_fail(call, outcome->status, "%s",
                        outcome->error.message != NULL ? outcome->error.message : "");
    (void)recorder_save(call, "kube", "request", task->key, outcome->status, answer, NULL);
}

static void result(struct batch_task *batch_task, struct salvor_batch_result *ret)
{
    struct kube_task *task = (struct kube_task *)batch_task;
    ret->body = kube_task_body(task);
}

static void destroy(struct batch_task *batch_task)
{
    kube_task_free((struct kube_task *)batch_task);
}

static void tell(struct worker_call *call, const struct batch_task *batch_task)
{
    kube_task_tell(call, (const struct kube_task *)batch_task,
                   clock_monotonic_ms() - batch_task->began);
}

const struct batch_kind kube_task_kind = {
    .service = "kube",
    .start = start,
    .result = result,
    .destroy = destroy,
    .record = record,
    .replay = replay,
    .tell = tell,
};

/* ---- outside of a batch ---------------------------------------------------------------------- */

static void mark_done(struct kube_task *task)
{
    task->done = 1;
}

static int is_again(const struct kube_task *task, const struct retry_rule *rule, int64_t began,
                    int64_t *ret_delay_ms)
{
    const struct batch_outcome *outcome = &task->task.outcome;
    const struct retry_facts facts = {
        .attempt = task->task.attempts,
        .repeatable = outcome->repeatable,
        .certainty = outcome->certainty,
        .fault = outcome->fault,
        .code = outcome->code,
        .retry_after_ms = outcome->retry_after_ms,
        .spent_ms = clock_monotonic_ms() - began,
        .left_ms = call_time_left(task->call),
        .random = retry_random(),
    };
    return retry_decide(rule, &facts, ret_delay_ms);
}

/* The call ended, not the request: what was under way may have arrived. */
static salvor_status stop(struct kube_task *task, salvor_status status)
{
    struct batch_outcome *outcome = &task->task.outcome;
    const struct net_transfer *transfer = &task->exchange.transfer;
    if (transfer->flight != NULL) {
        net_cancel(&task->exchange.transfer);
        outcome->certainty = transfer->certainty;
        outcome->fault = transfer->fault;
        outcome->code = transfer->code;
    }
    outcome->certainty = retry_certainty(task->task.certainty, outcome->certainty);
    task->stopped = 1;
    return status;
}

salvor_status kube_task_perform(struct kube_task *task, const struct retry_rule *rule)
{
    const int64_t began = clock_monotonic_ms();
    task->finished = mark_done;
    if (task->client->replays) {
        task->task.attempts = 1;
        replay(task->call, &task->task);
        return task->task.outcome.status;
    }
    for (task->task.attempts = 1;; task->task.attempts++) {
        int64_t delay_ms = 0;
        task->done = 0;
        start(task->call, &task->task);
        while (!task->done) {
            const salvor_status status = net_wait(task->call, -1);
            if (status != SALVOR_OK && status != SALVOR_PENDING)
                return stop(task, status);
        }
        const int again = is_again(task, rule, began, &delay_ms);
        task->task.certainty = retry_certainty(task->task.certainty, task->task.outcome.certainty);
        if (!again)
            break;
        const salvor_status status = kube_pause(task->call, delay_ms);
        if (status != SALVOR_OK)
            return stop(task, status);
    }
    task->task.outcome.certainty = task->task.certainty;
    record(task->call, &task->task);
    return task->task.outcome.status;
}

void kube_task_free(struct kube_task *task)
{
    if (task == NULL)
        return;
    kube_exchange_clear(&task->exchange);
    kube_exchange_clear(&task->look);
    buffer_clear(&task->found);
    error_clear(&task->task.outcome.error);
    error_clear(&task->lost.error);
    if (task->client != NULL)
        kube_client_let_go(task->client);
    if (task->body != NULL)
        sodium_memzero(task->body, task->body_size);
    free(task->body);
    free(task->target);
    free(task->type);
    free(task->what);
    free(task->group);
    free(task->version);
    free(task->resource);
    free(task->subresource);
    free(task->ns);
    free(task->name);
    json_decref(task->key);
    free(task);
}
