#include "net/transport.h"

#include <string.h>

#include "base/banned.h"
#include "base/clock.h"
#include "base/kill-point.h"
#include "base/text.h"
#include "net/pool.h"

enum { RESPONSE_LIMIT = 16 << 20 };

/* ---- what ended ------------------------------------------------------------------------------ */

/* Out of all lists; the caller's again. */
static struct net_transfer *release(struct net_flight *flight)
{
    struct net_transfer *transfer = flight->transfer;
    flight_move(flight, NULL);
    loop_expect(-1);
    transfer->flight = NULL;
    transfer->done = 1;
    net_pool_release(flight->pool);
    flight_free(flight);
    return transfer;
}

static struct net_flight *next_ended(void)
{
    for (struct net_pool *pool = pool_first(); pool != NULL; pool = pool->next) {
        pool_take_results(pool);
        if (pool->ended != NULL)
            return pool->ended;
    }
    return NULL;
}

/* `ended` may begin, cancel and clear others: after each one the lists are looked at anew. */
static void harvest(void)
{
    for (struct net_flight *flight = NULL; (flight = next_ended()) != NULL;) {
        if (flight->transfer->certainty == SALVOR_CERTAINTY_ANSWERED)
            kill_point(flight->call->row, "answer-received");
        struct net_transfer *transfer = release(flight);
        loop_happened();
        if (transfer->ended != NULL)
            transfer->ended(transfer);
    }
}

/* ---- the end of a call ----------------------------------------------------------------------- */

static struct worker_call *open_call; /* that transfers were started in */

static struct net_flight *flight_in(struct net_flight *list, const struct worker_call *call)
{
    while (list != NULL && list->call != call)
        list = list->next;
    return list;
}

static struct net_flight *flight_of(const struct worker_call *call)
{
    for (struct net_pool *pool = pool_first(); pool != NULL; pool = pool->next) {
        struct net_flight *flight = flight_in(pool->running, call);
        if (flight == NULL)
            flight = flight_in(pool->in_line, call);
        if (flight == NULL)
            flight = flight_in(pool->ended, call);
        if (flight != NULL)
            return flight;
    }
    return NULL;
}

/* Whoever forgot one of its transfers must not find it changing after the hook returned. */
static void call_ended(struct worker_call *call, void *handle)
{
    (void)handle;
    open_call = NULL;
    for (struct net_flight *flight = NULL; (flight = flight_of(call)) != NULL;)
        net_cancel(flight->transfer);
}

/* ---- one transfer ---------------------------------------------------------------------------- */

static void forget_results(struct net_transfer *transfer)
{
    error_clear(&transfer->error);
    buffer_clear(&transfer->answer);
    buffer_clear(&transfer->header_lines);
    buffer_clear(&transfer->trailer_lines);
    transfer->done = 0;
    transfer->status = SALVOR_OK;
    transfer->fault = NET_FAULT_NONE;
    transfer->certainty = SALVOR_CERTAINTY_NOT_SENT;
    transfer->code = 0;
    transfer->http = 0;
    transfer->retry_after_ms = -1;
    transfer->answer_bytes = 0;
    transfer->queued_ms = 0;
    transfer->first_byte_ms = -1;
    transfer->total_ms = 0;
    transfer->new_connection = 0;
}

void net_start(struct worker_call *call, struct net_transfer *transfer)
{
    struct net_pool *pool = transfer->pool;
    struct net_flight *flight = memory_new(1, sizeof *flight);
    const int64_t now = clock_monotonic_ms();
    const int64_t limit_ms =
        transfer->timeout_ms > 0 ? transfer->timeout_ms : pool->settings.whole_ms;
    loop_set_harvest(harvest);
    if (open_call != call) {
        open_call = call;
        call_register(call, &open_call, call_ended);
    }
    forget_results(transfer);
    if (transfer->response_limit == 0 && transfer->sink.write == NULL)
        transfer->response_limit = RESPONSE_LIMIT;
    *flight = (struct net_flight){.transfer = transfer,
                                  .call = call,
                                  .pool = pool,
                                  .queued_at = now,
                                  .active = now,
                                  .deadline = limit_ms < INT64_MAX ? now + limit_ms : INT64_MAX};
    transfer->flight = flight;
    loop_expect(1);
    pool->users++;
    if (request_check(transfer, &flight->reason) != 0) {
        flight->verdict = NET_FAULT_BUG;
        flight_end(flight, CURLE_OK);
        pool_sweep_before(pool, 0); /* the next round hands it out */
        return;
    }
    flight_move(flight, &pool->in_line);
    flight_start_waiting(pool);
}

void net_cancel(struct net_transfer *transfer)
{
    struct net_flight *flight = transfer->flight;
    if (flight == NULL)
        return;
    struct net_pool *pool = flight->pool;
    if (flight->phase != FLIGHT_ENDED) {
        flight->verdict = NET_FAULT_CANCELLED;
        flight_end(flight, CURLE_ABORTED_BY_CALLBACK);
    }
    (void)release(flight);
    flight_start_waiting(pool);
}

void net_resume(struct net_transfer *transfer)
{
    struct net_flight *flight = transfer->flight;
    if (flight == NULL || !flight->paused || flight->easy == NULL)
        return;
    flight->paused = 0;
    flight->active = clock_monotonic_ms();
    flight->pool->in_curl++;
    (void)curl_easy_pause(flight->easy, CURLPAUSE_CONT);
    flight->pool->in_curl--;
    flight->pool->acted = 1;
    pool_sweep_before(flight->pool, 0);
}

salvor_status net_perform(struct worker_call *call, struct net_transfer *transfer)
{
    net_start(call, transfer);
    while (!transfer->done) {
        salvor_status status = net_wait(call, -1);
        if (status == SALVOR_OK || transfer->done)
            continue;
        net_cancel(transfer);
        if (status != SALVOR_PENDING) {
            transfer->status = status;
            error_clear(&transfer->error);
            (void)error_set(&transfer->error, EXIT_FAILED, "%s", call->error.message);
        }
    }
    return transfer->status;
}

salvor_status net_failed(struct worker_call *call, struct net_transfer *transfer)
{
    return call_fail_error(call, transfer->status, &transfer->error);
}

void net_transfer_clear(struct net_transfer *transfer)
{
    net_cancel(transfer);
    forget_results(transfer);
}

/* ---- headers --------------------------------------------------------------------------------- */

struct salvor_span net_header(const struct buffer *lines, const char *name)
{
    const size_t size = strlen(name);
    const char *end = lines->data != NULL ? lines->data + lines->size : NULL;
    for (const char *line = lines->data; line != NULL && line < end;) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        if (next == NULL)
            break;
        if ((size_t)(next - line) >= size + 2 && memcmp(line, name, size) == 0 && line[size] == ':')
            return (struct salvor_span){line + size + 2, (uint64_t)(next - line) - size - 2};
        line = next + 1;
    }
    return (struct salvor_span){NULL, 0};
}
