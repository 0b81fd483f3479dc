#include "net/kube-exchange.h"

#include <salvor/scan.h>
#include <sodium.h>
#include <string.h>

#include "base/banned.h"
#include "base/clock.h"
#include "base/text.h"
#include "net/kube-status.h"

void kube_exchange_begin(struct kube_exchange *exchange, struct worker_call *call,
                         salvor_kube_client *client)
{
    *exchange = (struct kube_exchange){.call = call, .client = client};
    kube_client_hold(client);
}

static void drop_headers(struct kube_exchange *exchange)
{
    if (exchange->authorization != NULL)
        sodium_memzero(exchange->authorization, strlen(exchange->authorization));
    free(exchange->authorization);
    free(exchange->accept_line);
    free(exchange->type_line);
    exchange->authorization = exchange->accept_line = exchange->type_line = NULL;
}

static size_t make_headers(struct kube_exchange *exchange)
{
    const salvor_kube_client *client = exchange->client;
    size_t count = 0;
    drop_headers(exchange);
    exchange->authorization = kube_credentials_header(&client->credentials);
    exchange->accept_line =
        text_format("Accept: %s", exchange->accept != NULL ? exchange->accept : "application/json");
    if (exchange->authorization != NULL)
        exchange->headers[count++] = exchange->authorization;
    exchange->headers[count++] = exchange->accept_line;
    if (exchange->content_type != NULL) {
        exchange->type_line = text_format("Content-Type: %s", exchange->content_type);
        exchange->headers[count++] = exchange->type_line;
    }
    for (size_t i = 0; i < client->identity_header_count; i++)
        exchange->headers[count++] = client->identity_headers[i];
    return count;
}

/* Nothing was sent: there are no credentials to send it with. */
static void end_unsent(struct kube_exchange *exchange, salvor_status status)
{
    struct net_transfer *transfer = &exchange->transfer;
    transfer->done = 1;
    transfer->status = status;
    transfer->fault = NET_FAULT_LOCAL;
    transfer->certainty = SALVOR_CERTAINTY_NOT_SENT;
    transfer->retry_after_ms = -1;
    transfer->first_byte_ms = -1;
    (void)error_move(&transfer->error, &exchange->call->error);
    if (exchange->ended != NULL)
        exchange->ended(exchange);
}

static void on_end(struct net_transfer *transfer);

static void send(struct kube_exchange *exchange)
{
    struct net_transfer *transfer = &exchange->transfer;
    net_transfer_clear(transfer);
    salvor_status status = kube_client_ready(exchange->call, exchange->client);
    if (status != SALVOR_OK) {
        *transfer = (struct net_transfer){0};
        end_unsent(exchange, status);
        return;
    }
    *transfer = (struct net_transfer){
        .pool = exchange->client->pool,
        .method = exchange->method,
        .target = exchange->target,
        .headers = exchange->headers,
        .header_count = make_headers(exchange),
        .body = exchange->body,
        .sink = exchange->sink,
        .response_limit = exchange->response_limit,
        .timeout_ms =
            exchange->timeout_ms != 0 ? exchange->timeout_ms : exchange->client->timeout_ms,
        .call_site = exchange->site,
        .flags = exchange->flags | (exchange->client->gzip ? NET_GZIP : 0u),
        .ended = on_end,
        .owner = exchange,
    };
    exchange->generation = exchange->client->credentials.generation;
    net_start(exchange->call, transfer);
}

static void spoil(struct net_transfer *transfer, salvor_status status, const char *what)
{
    transfer->status = status;
    transfer->fault = NET_FAULT_MALFORMED;
    (void)error_set(&transfer->error, EXIT_FAILED, "%s '%.*s' failed: %s", transfer->method,
                    (int)strcspn(transfer->target, "?"), transfer->target, what);
}

/* Answers that look whole and are not, or come from somebody else. */
static void check_answer(const struct kube_exchange *exchange, struct net_transfer *transfer)
{
    const struct salvor_span body = {transfer->answer.data != NULL ? transfer->answer.data : "",
                                     transfer->answer.size};
    const struct salvor_span type = net_header(&transfer->header_lines, "content-type");
    static const char json[] = "application/json";
    if (transfer->status != SALVOR_OK || transfer->sink.write != NULL)
        return;
    if (transfer->code == 404 && kube_status_is_foreign(body)) {
        spoil(transfer, SALVOR_FAILED, "the 404 is not that of an API server");
        (void)error_hint(&transfer->error,
                         "find out who answers at this address: a proxy, or another server");
    } else if (transfer->code >= 200 && transfer->code < 300 && !exchange->is_read_later &&
               type.size >= sizeof json - 1 && memcmp(type.data, json, sizeof json - 1) == 0 &&
               salvor_scan_check(body, NULL) != SALVOR_OK) {
        spoil(transfer, SALVOR_RETRY, "the answer is no JSON");
    }
}

static void on_end(struct net_transfer *transfer)
{
    struct kube_exchange *exchange = transfer->owner;
    check_answer(exchange, transfer);
    kube_client_take_warnings(exchange->call, exchange->client, &transfer->header_lines);
    if (transfer->status == SALVOR_OK && transfer->code == 401 && !exchange->renewed) {
        exchange->renewed = 1;
        const salvor_status status = kube_credentials_renew(
            exchange->call, &exchange->client->credentials, exchange->generation);
        if (status == SALVOR_OK) {
            send(exchange);
            return;
        }
        if (status != SALVOR_NOT_FOUND) {
            /* the plugin's own words say more than "Unauthorized" */
            transfer->status = status;
            transfer->fault = NET_FAULT_LOCAL;
            (void)error_move(&transfer->error, &exchange->call->error);
        }
    }
    if (exchange->ended != NULL)
        exchange->ended(exchange);
}

void kube_exchange_start(struct kube_exchange *exchange)
{
    exchange->renewed = 0;
    send(exchange);
}

salvor_status kube_exchange_wait(struct kube_exchange *exchange)
{
    while (!exchange->transfer.done) {
        const salvor_status status = net_wait(exchange->call, -1);
        if (status != SALVOR_OK && status != SALVOR_PENDING)
            return status;
    }
    return SALVOR_OK;
}

salvor_status kube_pause(struct worker_call *call, int64_t milliseconds)
{
    const int64_t until = clock_monotonic_ms() + milliseconds;
    for (int64_t left = milliseconds; left > 0; left = until - clock_monotonic_ms()) {
        const salvor_status status = net_wait(call, left);
        if (status != SALVOR_OK && status != SALVOR_PENDING)
            return status;
    }
    return SALVOR_OK;
}

static int is_again(const struct kube_exchange *exchange, const struct retry_rule *rule,
                    int64_t began, int64_t *ret_delay_ms)
{
    const struct net_transfer *transfer = &exchange->transfer;
    const struct retry_facts facts = {
        .attempt = exchange->attempts,
        .repeatable =
            (exchange->flags & NET_IDEMPOTENT) != 0 || retry_method_is_repeatable(exchange->method),
        .certainty = transfer->certainty,
        .fault = transfer->fault,
        /* a 500 that says when to come back is meant as 503 */
        .code = transfer->code == 500 && transfer->retry_after_ms >= 0 ? 503 : transfer->code,
        .retry_after_ms = transfer->retry_after_ms,
        .spent_ms = clock_monotonic_ms() - began,
        .left_ms = call_time_left(exchange->call),
        .random = retry_random(),
    };
    return retry_decide(rule, &facts, ret_delay_ms);
}

salvor_status kube_exchange_perform(struct kube_exchange *exchange, const struct retry_rule *rule,
                                    int started)
{
    const int64_t began = clock_monotonic_ms();
    for (exchange->attempts = 1;; exchange->attempts++) {
        int64_t delay_ms = 0;
        if (!started)
            kube_exchange_start(exchange);
        started = 0;
        salvor_status status = kube_exchange_wait(exchange);
        if (status != SALVOR_OK) {
            net_cancel(&exchange->transfer);
            exchange->stopped = 1;
            return status;
        }
        if (!is_again(exchange, rule, began, &delay_ms))
            return exchange->transfer.status;
        status = kube_pause(exchange->call, delay_ms);
        if (status != SALVOR_OK) {
            exchange->stopped = 1;
            return status;
        }
    }
}

salvor_status kube_exchange_failed(struct kube_exchange *exchange)
{
    return net_failed(exchange->call, &exchange->transfer);
}

void kube_exchange_clear(struct kube_exchange *exchange)
{
    net_transfer_clear(&exchange->transfer);
    drop_headers(exchange);
    free(exchange->target);
    free(exchange->site);
    if (exchange->client != NULL)
        kube_client_let_go(exchange->client);
    *exchange = (struct kube_exchange){0};
}
