#include "net/http.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "net/evidence.h"
#include "services/recorder.h"

/* ---- clients --------------------------------------------------------------------------------- */

static void close_client(struct worker_call *call, void *handle)
{
    struct salvor_http_client *client = handle;
    (void)call;
    client->is_closed = 1;
    if (client->exchanges > 0)
        return; /* goes with the last of them */
    http_client_clear(client);
    free(client);
}

salvor_status http_check_client(struct worker_call *call, const salvor_http_client *client)
{
    if (call_owns(call, client, close_client))
        return SALVOR_OK;
    return call_fail(call, SALVOR_BUG, "an http client is not open in this call");
}

static salvor_status client_open(salvor_call *public_call, const char *options,
                                 salvor_secret *const *secrets, uint32_t secret_count,
                                 salvor_http_client **ret_client)
{
    struct worker_call *call = call_of(public_call);
    if (ret_client == NULL || (secrets == NULL && secret_count > 0))
        return call_fail(call, SALVOR_BUG, "http.client_open: an argument is missing");
    *ret_client = NULL;
    struct salvor_http_client *client = memory_new(1, sizeof *client);
    const salvor_status status = http_client_make(call, options, secrets, secret_count, client);
    if (status != SALVOR_OK) {
        free(client);
        return status;
    }
    call_register(call, client, close_client);
    *ret_client = client;
    return SALVOR_OK;
}

static void client_close(salvor_call *public_call, salvor_http_client *client)
{
    struct worker_call *call = call_of(public_call);
    if (!call_owns(call, client, close_client))
        return;
    call_forget(call, client);
    close_client(call, client);
}

/* ---- one request ----------------------------------------------------------------------------- */

static void note_end(struct http_exchange *exchange)
{
    *(int *)exchange->owner = 1;
}

static salvor_status attempt(struct worker_call *call, struct http_exchange *exchange)
{
    int done = 0;
    exchange->owner = &done;
    exchange->ended = note_end;
    http_exchange_start(call, exchange);
    while (!done) {
        const salvor_status status = net_wait(call, -1);
        if (status != SALVOR_OK && !done)
            return status == SALVOR_PENDING
                       ? call_fail(call, SALVOR_BUG, "http.request waits for nothing")
                       : status;
    }
    return SALVOR_OK;
}

/* Attempts until the rule is content; *ret counts them and holds the certainty of all but the one
 * under way. Anything but OK: the call shall stop. */
static salvor_status try(struct worker_call *call, struct http_exchange *exchange,
                         struct http_answer *ret)
{
    const int64_t began = clock_monotonic_ms();
    const struct batch_outcome *outcome = &exchange->outcome;
    for (uint32_t n = 1;; n++) {
        int64_t delay = 0;
        ret->attempts = n;
        exchange->logged_in_anew = 0;
        salvor_status status = attempt(call, exchange);
        if (status != SALVOR_OK)
            return status;
        const struct retry_facts facts = {.attempt = n,
                                          .repeatable = outcome->repeatable,
                                          .certainty = outcome->certainty,
                                          .fault = outcome->fault,
                                          .code = outcome->code,
                                          .retry_after_ms = outcome->retry_after_ms,
                                          .spent_ms = clock_monotonic_ms() - began,
                                          .left_ms = call_time_left(call),
                                          .random = retry_random()};
        ret->certainty = retry_certainty(n > 1 ? ret->certainty : 0, outcome->certainty);
        if (!retry_decide(&exchange->client->rule, &facts, &delay))
            return SALVOR_OK;
        status = call_wait(call, NULL, 0, delay);
        if (status != SALVOR_PENDING)
            return status;
    }
}

static void free_memory(struct worker_call *call, void *memory)
{
    (void)call;
    free(memory);
}

/* The bytes of a buffer, without a copy, until the hook returns. */
static struct salvor_span keep_buffer(struct worker_call *call, struct buffer *buffer)
{
    const size_t size = buffer->size;
    char *data = buffer_take(buffer);
    call_register(call, data, free_memory);
    return (struct salvor_span){data, size};
}

static void tell(struct worker_call *call, const struct http_exchange *exchange,
                 const struct http_answer *answer, int64_t duration_ms)
{
    const struct net_transfer *transfer = &exchange->transfer;
    json_t *record = evidence_of("http", transfer, transfer->call_site,
                                 exchange->client->shown_keys, answer->attempts);
    json_put_text(record, "certainty", evidence_certainty(answer->certainty));
    if (exchange->outcome.status != SALVOR_OK && exchange->outcome.error.message != NULL)
        json_put_text(record, "error", exchange->outcome.error.message);
    json_put(record, "duration_ms", json_integer(duration_ms));
    call_evidence(call, record);
}

static salvor_status send(struct worker_call *call, struct http_exchange *exchange,
                          struct http_answer *ret)
{
    struct net_transfer *transfer = &exchange->transfer;
    struct batch_outcome *outcome = &exchange->outcome;
    const int64_t began = clock_monotonic_ms();
    salvor_status status = try(call, exchange, ret);
    if (status != SALVOR_OK) {
        net_cancel(transfer);
        ret->certainty =
            retry_certainty(ret->attempts > 1 ? ret->certainty : 0, transfer->certainty);
    }
    ret->code = status == SALVOR_OK ? outcome->code : transfer->code;
    tell(call, exchange, ret, clock_monotonic_ms() - began);
    if (status == SALVOR_OK) {
        status = outcome->status;
        if (status != SALVOR_OK)
            (void)call_fail_error(call, status, &outcome->error);
    }
    (void)buffer_append(&transfer->header_lines, transfer->trailer_lines.data,
                        transfer->trailer_lines.size);
    ret->headers = keep_buffer(call, &transfer->header_lines);
    ret->body = keep_buffer(call, &transfer->answer);
    return http_record(call, "request", exchange, status, ret);
}

static salvor_status replay(struct worker_call *call, const struct http_exchange *exchange,
                            struct http_answer *ret)
{
    const salvor_status status = http_replay(call, "request", exchange, ret);
    cleanup_free char *what =
        text_format("%s %s", exchange->transfer.method, exchange->transfer.call_site);
    json_t *record =
        json_make("{s:s,s:s,s:s,s:b,s:i}", "service", "http", "what", what, "certainty",
                  evidence_certainty(ret->certainty), "replayed", 1, "duration_ms", 0);
    if (ret->code != 0)
        json_put(record, "status", json_integer(ret->code));
    call_evidence(call, record);
    return status;
}

static salvor_status request(salvor_call *public_call, salvor_http_client *client,
                             const struct salvor_http_request *request,
                             struct salvor_http_response *ret_response)
{
    struct worker_call *call = call_of(public_call);
    struct http_exchange exchange;
    struct http_answer answer = {.certainty = SALVOR_CERTAINTY_NOT_SENT};
    if (ret_response == NULL || ret_response->struct_size < sizeof *ret_response)
        return call_fail(call, SALVOR_BUG, "http.request: struct_size of the response is not set");
    *ret_response = (struct salvor_http_response){.struct_size = ret_response->struct_size,
                                                  .certainty = SALVOR_CERTAINTY_NOT_SENT};
    salvor_status status = http_check_client(call, client);
    if (status != SALVOR_OK)
        return status;
    status = http_exchange_make(call, client, request, 0, &exchange);
    if (status == SALVOR_OK) {
        status = call_wait(call, NULL, 0, 0);
        status = status == SALVOR_PENDING ? SALVOR_OK : status;
    }
    if (status == SALVOR_OK)
        status = recorder_replays(call->session->recorder) ? replay(call, &exchange, &answer)
                                                           : send(call, &exchange, &answer);
    http_exchange_clear(&exchange);
    ret_response->code = answer.code;
    ret_response->certainty = answer.certainty;
    ret_response->attempts = answer.attempts;
    ret_response->headers = answer.headers;
    ret_response->body = answer.body;
    return status;
}

const struct salvor_http http_table = {
    .struct_size = sizeof(struct salvor_http),
    .version = 1,
    .client_open = client_open,
    .request = request,
    .submit = http_submit,
    .client_close = client_close,
};
