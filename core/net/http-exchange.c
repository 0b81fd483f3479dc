#include <sodium.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "net/evidence.h"
#include "net/http.h"

/* ---- the request ----------------------------------------------------------------------------- */

static const char *keep_text(struct http_exchange *exchange, const char *text, int copies)
{
    if (!copies || text == NULL)
        return text;
    char *copy = text_copy(text);
    exchange->texts[exchange->text_count++] = copy;
    return copy;
}

static salvor_status take_headers(struct worker_call *call, struct http_exchange *exchange,
                                  const struct salvor_http_request *request, int copies)
{
    const struct salvor_http_client *client = exchange->client;
    enum { CLIENT_MOST = 16, OWN_MOST = 32 };
    size_t index = 0;
    const json_t *each = NULL;
    if (request->header_count > OWN_MOST || (request->header_count > 0 && request->headers == NULL))
        return call_fail(call, SALVOR_BUG, "http.request: more than %d headers", OWN_MOST);
    json_array_foreach (client->headers, index, each)
        exchange->headers[exchange->own_headers++] = json_string_value(each);
    for (uint32_t i = 0; i < request->header_count; i++) {
        if (request->headers[i] == NULL)
            return call_fail(call, SALVOR_BUG, "http.request: header %u is missing", i);
        exchange->headers[exchange->own_headers++] =
            keep_text(exchange, request->headers[i], copies);
    }
    if (client->wants_trailers)
        exchange->headers[exchange->own_headers++] = "TE: trailers";
    if (client->authorization != NULL)
        exchange->headers[exchange->own_headers++] = client->authorization;
    return SALVOR_OK;
}

static void take_body(struct http_exchange *exchange, struct salvor_span body, int copies)
{
    exchange->transfer.body = body;
    if (!copies || body.size == 0)
        return;
    exchange->body = memory_new((size_t)body.size, 1);
    memcpy(exchange->body, body.data, (size_t)body.size);
    exchange->transfer.body.data = exchange->body;
}

static void transfer_ended(struct net_transfer *transfer);

salvor_status http_exchange_make(struct worker_call *call, struct salvor_http_client *client,
                                 const struct salvor_http_request *request, int copies,
                                 struct http_exchange *exchange)
{
    enum { ALL_FLAGS = SALVOR_HTTP_IDEMPOTENT | SALVOR_HTTP_READ };
    *exchange = (struct http_exchange){.client = client};
    client->exchanges++;
    if (request == NULL || request->struct_size < sizeof *request || request->method == NULL ||
        request->path == NULL || (request->flags & ~(uint32_t)ALL_FLAGS) != 0 ||
        (request->body.data == NULL && request->body.size > 0))
        return call_fail(call, SALVOR_BUG,
                         "http.request: struct_size, method or path is not set, or a flag is "
                         "unknown");
    exchange->path = text_copy_span(request->path, strcspn(request->path, "?"));
    salvor_status status = http_gate(call, client, request->method, request->path, request->flags);
    if (status == SALVOR_OK)
        status = take_headers(call, exchange, request, copies);
    if (status != SALVOR_OK)
        return status;
    exchange->target = text_format("%s%s", client->base, request->path);
    exchange->repeatable = (request->flags & (SALVOR_HTTP_IDEMPOTENT | SALVOR_HTTP_READ)) != 0 ||
                           retry_method_is_repeatable(request->method);
    exchange->transfer = (struct net_transfer){
        .pool = client->pool,
        .method = keep_text(exchange, request->method, copies),
        .target = exchange->target,
        .headers = exchange->headers,
        .response_limit = request->response_limit,
        .timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : 0,
        .call_site = keep_text(
            exchange, request->call_site != NULL ? request->call_site : request->method, copies),
        .flags = (exchange->repeatable ? (uint32_t)NET_IDEMPOTENT : 0) |
                 (client->wants_trailers ? (uint32_t)NET_WANT_TRAILERS : 0),
        .ended = transfer_ended,
        .owner = exchange};
    take_body(exchange, request->body, copies);
    return SALVOR_OK;
}

/* ---- the login ------------------------------------------------------------------------------- */

static void fail_before_sending(struct http_exchange *exchange, salvor_status status,
                                enum net_fault fault, int64_t retry_after_ms,
                                const struct error *why)
{
    struct batch_outcome *outcome = &exchange->outcome;
    error_clear(&outcome->error);
    *outcome = (struct batch_outcome){.status = status,
                                      .certainty = SALVOR_CERTAINTY_NOT_SENT,
                                      .fault = fault,
                                      .repeatable = exchange->repeatable,
                                      .retry_after_ms = retry_after_ms,
                                      .latency_ms = -1};
    (void)error_set(&outcome->error, EXIT_FAILED, "%s", why->message);
    if (why->detail != NULL)
        (void)error_detail(&outcome->error, "%s", why->detail);
    if (why->hint != NULL)
        (void)error_hint(&outcome->error, "%s", why->hint);
    exchange->ended(exchange);
}

static struct http_exchange *next_waiting(struct salvor_http_client *client)
{
    struct http_exchange *exchange = client->waiting;
    if (exchange != NULL)
        client->waiting = exchange->next;
    return exchange;
}

static void fail_waiting(struct salvor_http_client *client, salvor_status status,
                         enum net_fault fault, int64_t retry_after_ms, const struct error *why)
{
    for (struct http_exchange *exchange = NULL; (exchange = next_waiting(client)) != NULL;)
        fail_before_sending(exchange, status, fault, retry_after_ms, why);
}

static int is_busy(int32_t code)
{
    return code == 429 || code == 502 || code == 503 || code == 504;
}

static void login_ended(struct net_transfer *transfer)
{
    struct salvor_http_client *client = transfer->owner;
    cleanup_error struct error err = ERROR_INIT;
    client->login_under_way = 0;
    sodium_free(take_pointer(client->login_body));
    call_evidence(client->call, evidence_of("http", transfer, "login", NULL, 1));
    if (transfer->status != SALVOR_OK) {
        fail_waiting(client, transfer->status, transfer->fault, transfer->retry_after_ms,
                     &transfer->error);
        return;
    }
    if (login_take(client->call, client->session, &client->login, transfer, &err) != 0) {
        /* A server that is only busy may be asked again by the rule of the request. */
        const int busy = is_busy(transfer->code);
        fail_waiting(client, busy ? SALVOR_RETRY : SALVOR_FAILED,
                     busy ? NET_FAULT_CONNECT : NET_FAULT_LOCAL, transfer->retry_after_ms, &err);
        return;
    }
    for (struct http_exchange *exchange = NULL; (exchange = next_waiting(client)) != NULL;)
        http_exchange_start(client->call, exchange);
}

static void start_login(struct worker_call *call, struct salvor_http_client *client)
{
    const salvor_status status =
        http_gate(call, client, "POST", client->login_path, SALVOR_HTTP_READ);
    if (status != SALVOR_OK) {
        cleanup_error struct error err = ERROR_INIT;
        (void)error_move(&err, &call->error);
        fail_waiting(client, status, NET_FAULT_LOCAL, -1, &err);
        return;
    }
    login_prepare(&client->login, client->pool, &client->login_transfer, &client->login_body);
    client->login_transfer.ended = login_ended;
    client->login_transfer.owner = client;
    client->login_under_way = 1;
    net_start(call, &client->login_transfer);
}

static void wait_for_login(struct worker_call *call, struct http_exchange *exchange)
{
    struct salvor_http_client *client = exchange->client;
    exchange->next = client->waiting;
    client->waiting = exchange;
    if (!client->login_under_way)
        start_login(call, client);
}

/* ---- the exchange ---------------------------------------------------------------------------- */

void http_exchange_start(struct worker_call *call, struct http_exchange *exchange)
{
    struct salvor_http_client *client = exchange->client;
    exchange->transfer.header_count = exchange->own_headers;
    if (client->has_login) {
        const char *refusal = session_refusal(client->session);
        if (refusal != NULL) {
            const struct error why = {.message = (char *)(uintptr_t)refusal};
            fail_before_sending(exchange, SALVOR_FAILED, NET_FAULT_LOCAL, -1, &why);
            return;
        }
        const size_t count = session_headers(
            client->session, exchange->headers + exchange->own_headers, &exchange->generation);
        if (count == 0) {
            wait_for_login(call, exchange);
            return;
        }
        exchange->transfer.header_count += count;
    }
    net_start(call, &exchange->transfer);
}

static void transfer_ended(struct net_transfer *transfer)
{
    struct http_exchange *exchange = transfer->owner;
    struct salvor_http_client *client = exchange->client;
    if (client->has_login && !exchange->logged_in_anew && transfer->status == SALVOR_OK &&
        session_is_expired(&client->login, transfer->code, &transfer->answer)) {
        exchange->logged_in_anew = 1;
        session_drop(client->session, exchange->generation);
        http_exchange_start(client->call, exchange);
        return;
    }
    error_clear(&exchange->outcome.error);
    batch_outcome_of(transfer, exchange->repeatable, &exchange->outcome);
    if (transfer->fault == NET_FAULT_TRUST)
        (void)error_hint(&exchange->outcome.error,
                         "if it is the server that is meant, give its authority (PEM), or pin its "
                         "fingerprint after comparing it");
    exchange->ended(exchange);
}

static void stop_waiting(struct http_exchange *exchange)
{
    for (struct http_exchange **at = &exchange->client->waiting; *at != NULL; at = &(*at)->next) {
        if (*at == exchange) {
            *at = exchange->next;
            return;
        }
    }
}

void http_exchange_clear(struct http_exchange *exchange)
{
    struct salvor_http_client *client = exchange->client;
    if (client == NULL)
        return;
    stop_waiting(exchange);
    net_transfer_clear(&exchange->transfer);
    for (size_t i = 0; i < exchange->text_count; i++)
        free(exchange->texts[i]);
    error_clear(&exchange->outcome.error);
    free(exchange->target);
    free(exchange->path);
    free(exchange->body);
    exchange->client = NULL;
    client->exchanges--;
    if (client->is_closed && client->exchanges == 0) {
        http_client_clear(client);
        free(client);
    }
}
