#include "base/banned.h"
#include "base/json.h"
#include "base/text.h"
#include "net/evidence.h"
#include "net/http.h"
#include "services/recorder.h"

struct http_task {
    struct batch_task task; /* first */
    struct http_exchange exchange;
    struct http_answer answer;
};

static struct http_task *own(struct batch_task *task)
{
    return (struct http_task *)(void *)task;
}

static void exchange_ended(struct http_exchange *exchange)
{
    struct http_task *task = exchange->owner;
    task->task.outcome = exchange->outcome;
    exchange->outcome.error = (struct error)ERROR_INIT;
    task->answer.headers = (struct salvor_span){exchange->transfer.header_lines.data,
                                                exchange->transfer.header_lines.size};
    task->answer.body =
        (struct salvor_span){exchange->transfer.answer.data, exchange->transfer.answer.size};
    batch_ended(&task->task);
}

static void start(struct worker_call *call, struct batch_task *task)
{
    struct http_exchange *exchange = &own(task)->exchange;
    exchange->logged_in_anew = 0;
    http_exchange_start(call, exchange);
}

static void record(struct worker_call *call, struct batch_task *task)
{
    struct http_answer answer = own(task)->answer;
    answer.code = task->outcome.code;
    answer.certainty = task->outcome.certainty;
    answer.attempts = task->attempts;
    /* The recorder takes the error from the call. */
    if (task->outcome.status != SALVOR_OK && task->outcome.error.message != NULL)
        (void)call_fail(call, task->outcome.status, "%s", task->outcome.error.message);
    const salvor_status status =
        http_record(call, "submit", &own(task)->exchange, task->outcome.status, &answer);
    if (status == task->outcome.status)
        return;
    /* What cannot be recorded is never handed out as an answer. */
    task->outcome.status = status;
    error_clear(&task->outcome.error);
    (void)error_move(&task->outcome.error, &call->error);
}

static void replay(struct worker_call *call, struct batch_task *task)
{
    struct http_answer *answer = &own(task)->answer;
    const salvor_status status = http_replay(call, "submit", &own(task)->exchange, answer);
    task->attempts = answer->attempts > 0 ? answer->attempts : 1;
    task->outcome = (struct batch_outcome){.status = status,
                                           .certainty = answer->certainty,
                                           .code = answer->code,
                                           .retry_after_ms = -1,
                                           .latency_ms = -1};
    if (status != SALVOR_OK)
        (void)error_move(&task->outcome.error, &call->error);
}

static void tell(struct worker_call *call, const struct batch_task *task)
{
    const struct http_exchange *exchange =
        &((const struct http_task *)(const void *)task)->exchange;
    json_t *evidence = evidence_of("http", &exchange->transfer, exchange->transfer.call_site,
                                   exchange->client->shown_keys, task->attempts);
    json_put_text(evidence, "certainty", evidence_certainty(task->outcome.certainty));
    if (task->outcome.error.message != NULL)
        json_put_text(evidence, "error", task->outcome.error.message);
    call_evidence(call, evidence);
}

static void result(struct batch_task *task, struct salvor_batch_result *ret)
{
    ret->body = own(task)->answer.body;
}

static void destroy(struct batch_task *task)
{
    http_exchange_clear(&own(task)->exchange);
    free(task);
}

static const struct batch_kind kind = {.service = "http",
                                       .start = start,
                                       .record = record,
                                       .replay = replay,
                                       .tell = tell,
                                       .result = result,
                                       .destroy = destroy};

salvor_status http_submit(salvor_call *public_call, salvor_batch *batch, salvor_http_client *client,
                          uint64_t tag, const struct salvor_http_request *request)
{
    struct worker_call *call = call_of(public_call);
    salvor_status status = http_check_client(call, client);
    if (status == SALVOR_OK)
        status = batch_room(call, batch);
    if (status != SALVOR_OK)
        return status;
    struct http_task *task = memory_new(1, sizeof *task);
    status = http_exchange_make(call, client, request, 1, &task->exchange);
    if (status != SALVOR_OK) {
        destroy(&task->task);
        return status;
    }
    task->exchange.owner = task;
    task->exchange.ended = exchange_ended;
    task->task = (struct batch_task){.kind = &kind,
                                     .verb = task->exchange.transfer.method,
                                     .type = task->exchange.transfer.call_site};
    batch_submit(call, batch, tag, &task->task);
    return SALVOR_OK;
}
