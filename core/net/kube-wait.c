#include <salvor/scan.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "net/kube-condition.h"
#include "net/kube-exchange.h"
#include "net/kube-list-split.h"
#include "net/kube-status.h"
#include "net/kube-target.h"
#include "net/kube.h"
#include "services/recorder.h"
#include "worker/argument.h"

enum {
    EVENT_LIMIT = 32 << 20,
    WATCH_SECONDS = 290, /* the server ends it then; a connection that died unseen is noticed */
    AGAIN_MS = 250,      /* pause before a watch that ended at once is begun again */
    AGAIN_MOST_MS = 8000,
    FAILURES_MOST = 8 /* in a row, without any event between them */
};

/* One wait while it lasts. */
struct waiting {
    struct worker_call *call;
    salvor_kube_client *client;
    const struct salvor_kube_request *request;
    const json_t *condition;
    char *what; /* "wait for 'pods' 'ns/name'" */
    char *type;
    char *target; /* of the collection, with the field selector */
    int64_t until;
    char version[256];   /* the watch goes on behind it */
    json_t *object;      /* its last state; NULL: it does not exist */
    struct buffer state; /* the same as it came */
    struct buffer line;  /* an event that has not come wholly yet */
    int met;
    int must_list;                     /* nobody knows what happened since */
    int64_t events;                    /* of the watch under way */
    const struct net_transfer *answer; /* of it */
    uint64_t watches, lists, bookmarks;
};

/* ---- states ---------------------------------------------------------------------------------- */

static void take_state(struct waiting *waiting, struct salvor_span object)
{
    json_decref(waiting->object);
    waiting->object =
        object.size > 0 ? json_loadb(object.data, (size_t)object.size, 0, NULL) : NULL;
    buffer_clear(&waiting->state);
    waiting->state = (struct buffer)BUFFER_INIT((size_t)object.size + 1);
    if (object.size > 0)
        (void)buffer_append(&waiting->state, object.data, (size_t)object.size);
    waiting->met = kube_condition_holds(waiting->condition, waiting->object);
}

static int take_version(struct waiting *waiting, struct salvor_span object)
{
    struct salvor_token token;
    return salvor_scan_find(object, "/metadata/resourceVersion", &token, NULL, NULL) == SALVOR_OK &&
                   token.type == SALVOR_TOKEN_STRING
               ? salvor_token_decode(&token, waiting->version, sizeof waiting->version) == SALVOR_OK
               : 0;
}

/* Objects of a list leave out what the list says for all of them; those of a watch do not. */
static void take_item(struct waiting *waiting, struct salvor_span item, const char *list_kind)
{
    const struct salvor_kube_request *object = waiting->request;
    cleanup_json json_t *whole = json_loadb(item.data, (size_t)item.size, 0, NULL);
    const size_t size = text_ends(list_kind, "List") ? strlen(list_kind) - strlen("List") : 0;
    if (json_is_object(whole) && json_object_get(whole, "kind") == NULL && size > 0) {
        const int has_group = object->group != NULL && *object->group != '\0';
        cleanup_free char *kind = text_copy_span(list_kind, size);
        cleanup_free char *version = text_format("%s%s%s", has_group ? object->group : "",
                                                 has_group ? "/" : "", object->version);
        json_put_text(whole, "kind", kind);
        json_put_text(whole, "apiVersion", version);
        cleanup_free char *text = json_dumps(whole, JSON_COMPACT);
        if (text == NULL)
            out_of_memory();
        take_state(waiting, (struct salvor_span){text, strlen(text)});
        return;
    }
    take_state(waiting, item);
}

/* ---- listing --------------------------------------------------------------------------------- */

static salvor_status take_list(struct waiting *waiting, struct salvor_span body)
{
    cleanup_error struct error err = ERROR_INIT;
    struct kube_list_page page = {0};
    const int failed = kube_list_split(body, &page, &err);
    if (failed == 0) {
        memcpy(waiting->version, page.resource_version, sizeof waiting->version);
        if (page.item_count > 0)
            take_item(waiting, page.items[0], page.kind);
        else
            take_state(waiting, (struct salvor_span){NULL, 0});
        waiting->must_list = 0;
    }
    kube_list_page_clear(&page);
    if (failed == 0)
        return SALVOR_OK;
    (void)error_prefix(&err, "cannot %s", waiting->what);
    return call_fail_error(waiting->call, SALVOR_FAILED, &err);
}

static int64_t time_left(const struct waiting *waiting)
{
    const int64_t left = waiting->until - clock_monotonic_ms();
    return left > 0 ? left : 0;
}

static void begin(struct waiting *waiting, struct kube_exchange *exchange, const char *query,
                  const char *verb)
{
    kube_exchange_begin(exchange, waiting->call, waiting->client);
    exchange->method = "GET";
    exchange->target = text_format("%s&%s", waiting->target, query);
    exchange->site = text_format("%s:%s", verb, waiting->type);
}

/* PENDING: there was no time left. */
static salvor_status list(struct waiting *waiting)
{
    cleanup_kube_exchange struct kube_exchange exchange;
    struct retry_rule rule = waiting->client->rule;
    struct net_transfer *transfer = &exchange.transfer;
    begin(waiting, &exchange, "limit=2", "wait-list");
    exchange.response_limit = EVENT_LIMIT;
    exchange.timeout_ms = time_left(waiting) + 1;
    rule.budget_ms = time_left(waiting);
    waiting->lists++;
    salvor_status status = kube_exchange_perform(&exchange, &rule, 0);
    if (exchange.stopped)
        return status;
    if (time_left(waiting) == 0 && status != SALVOR_OK)
        return SALVOR_PENDING;
    if (status != SALVOR_OK) {
        (void)error_prefix(&transfer->error, "cannot %s", waiting->what);
        return kube_exchange_failed(&exchange);
    }
    const struct salvor_span body = {transfer->answer.data, transfer->answer.size};
    if (transfer->code != 200)
        return kube_status_failed(waiting->call, waiting->what, transfer->code, body);
    return take_list(waiting, body);
}

/* ---- watching -------------------------------------------------------------------------------- */

/* -1: the event is none of a watch. */
static int take_event(struct waiting *waiting, struct salvor_span event, struct error *reterr)
{
    struct salvor_token type;
    struct salvor_span object = {NULL, 0};
    if (salvor_scan_check(event, NULL) != SALVOR_OK ||
        salvor_scan_find(event, "/type", &type, NULL, NULL) != SALVOR_OK ||
        salvor_scan_find(event, "/object", NULL, &object, NULL) != SALVOR_OK)
        return error_set(reterr, EXIT_FAILED, "the answer is no watch");
    waiting->events++;
    if (salvor_token_is(&type, "ERROR")) {
        /* 410 mostly: what happened since is no longer known */
        waiting->must_list = 1;
        return 0;
    }
    if (!take_version(waiting, object))
        return error_set(reterr, EXIT_FAILED, "an event of the watch has no resourceVersion");
    if (salvor_token_is(&type, "BOOKMARK"))
        waiting->bookmarks++;
    else if (salvor_token_is(&type, "DELETED"))
        take_state(waiting, (struct salvor_span){NULL, 0});
    else
        take_state(waiting, object);
    return 0;
}

/* Ends the watch as soon as there is no need for more of it. */
static int take_bytes(void *data, const char *bytes, size_t size, struct error *reterr)
{
    struct waiting *waiting = data;
    if (waiting->answer->code != 200)
        return buffer_append(&waiting->line, bytes, size); /* a Status */
    while (size > 0) {
        const char *end = memchr(bytes, '\n', size);
        const size_t part = end != NULL ? (size_t)(end - bytes) : size;
        if (buffer_append(&waiting->line, bytes, part) != 0)
            return error_set(reterr, EXIT_FAILED, "an event of the watch is too large");
        if (end == NULL)
            return 0;
        const struct salvor_span event = {waiting->line.data, waiting->line.size};
        if (event.size > 0 && take_event(waiting, event, reterr) != 0)
            return NET_FAIL;
        if (waiting->met || waiting->must_list)
            return error_set(reterr, EXIT_FAILED, "the watch has said enough");
        buffer_consume(&waiting->line, waiting->line.size);
        bytes += part + 1;
        size -= part + 1;
    }
    return 0;
}

/* What came of a watch that ended by itself. PENDING: begin again. */
static salvor_status watch_ended(struct waiting *waiting, struct kube_exchange *exchange)
{
    struct net_transfer *transfer = &exchange->transfer;
    if (transfer->status == SALVOR_OK && transfer->code == 410) {
        waiting->must_list = 1;
        return SALVOR_PENDING;
    }
    if (transfer->status == SALVOR_OK && transfer->code != 200) {
        const struct salvor_span body = {waiting->line.data, waiting->line.size};
        const salvor_status status =
            kube_status_failed(waiting->call, waiting->what, transfer->code, body);
        return status == SALVOR_RETRY ? SALVOR_PENDING : status;
    }
    /* what a certificate or a request is refused for does not pass */
    if (transfer->fault == NET_FAULT_TRUST || transfer->fault == NET_FAULT_BUG ||
        transfer->fault == NET_FAULT_LOCAL) {
        (void)error_prefix(&transfer->error, "cannot %s", waiting->what);
        return kube_exchange_failed(exchange);
    }
    return SALVOR_PENDING;
}

/* One watch: OK when the condition is met, PENDING to go on, TIMEOUT never. */
static salvor_status watch(struct waiting *waiting)
{
    cleanup_kube_exchange struct kube_exchange exchange;
    const int64_t seconds = time_left(waiting) / 1000 + 1;
    cleanup_free char *version = kube_query_pair("resourceVersion", waiting->version);
    cleanup_free char *query =
        text_format("watch=1&allowWatchBookmarks=true&%s&timeoutSeconds=%lld", version,
                    (long long)(seconds < WATCH_SECONDS ? seconds : WATCH_SECONDS));
    begin(waiting, &exchange, query, "watch");
    exchange.sink = (struct net_sink){take_bytes, waiting};
    exchange.flags = NET_KEEP_ALIVE;
    exchange.timeout_ms = time_left(waiting) + 1;
    waiting->answer = &exchange.transfer;
    waiting->watches++;
    waiting->events = 0;
    buffer_consume(&waiting->line, waiting->line.size);
    kube_exchange_start(&exchange);
    while (!exchange.transfer.done && !waiting->met && !waiting->must_list) {
        const salvor_status status = net_wait(waiting->call, time_left(waiting));
        if (status != SALVOR_OK && status != SALVOR_PENDING)
            return status;
        if (time_left(waiting) == 0)
            return SALVOR_PENDING;
    }
    if (waiting->met)
        return SALVOR_OK;
    if (waiting->must_list)
        return SALVOR_PENDING;
    return exchange.transfer.done ? watch_ended(waiting, &exchange) : SALVOR_PENDING;
}

static salvor_status timed_out(const struct waiting *waiting, int64_t timeout_ms)
{
    cleanup_free char *condition = kube_condition_text(waiting->condition);
    (void)call_fail(waiting->call, SALVOR_TIMEOUT, "cannot %s: not within %lld ms", waiting->what,
                    (long long)timeout_ms);
    return call_hint(waiting->call, SALVOR_TIMEOUT, "waited until %s%s", condition,
                     waiting->object == NULL ? "; the object does not exist" : "");
}

static salvor_status wait_for(struct waiting *waiting, int64_t timeout_ms)
{
    int64_t pause = AGAIN_MS;
    int failures = 0;
    waiting->must_list = 1;
    for (;;) {
        if (time_left(waiting) == 0)
            return timed_out(waiting, timeout_ms);
        salvor_status status = waiting->must_list ? list(waiting) : SALVOR_OK;
        if (status == SALVOR_OK && !waiting->met)
            status = watch(waiting);
        if (waiting->met || (status != SALVOR_OK && status != SALVOR_PENDING))
            return status;
        /* what goes on well is begun again at once, what does not with growing patience */
        failures = waiting->events > 0 ? 0 : failures + 1;
        pause = failures == 0 ? 0 : failures == 1 ? AGAIN_MS : pause * 2;
        if (failures > FAILURES_MOST)
            pause = AGAIN_MOST_MS;
        pause = pause < AGAIN_MOST_MS ? pause : AGAIN_MOST_MS;
        pause = pause < time_left(waiting) ? pause : time_left(waiting);
        status = kube_pause(waiting->call, pause);
        if (status != SALVOR_OK)
            return status;
    }
}

/* ---- the service ----------------------------------------------------------------------------- */

static salvor_status set_up(struct waiting *waiting, const struct salvor_kube_request *object)
{
    cleanup_error struct error err = ERROR_INIT;
    struct worker_call *call = waiting->call;
    if (object == NULL || object->struct_size < sizeof *object)
        return call_fail(call, SALVOR_BUG, "kube.wait: struct_size of the object is not set");
    if (object->name == NULL || *object->name == '\0' || object->subresource != NULL)
        return call_fail(call, SALVOR_BUG, "kube.wait: one object is waited for, by its name");
    const struct kube_place collection = {.group = object->group,
                                          .version = object->version,
                                          .resource = object->resource,
                                          .ns = object->ns};
    cleanup_free char *field = text_format("metadata.name=%s", object->name);
    cleanup_free char *selector = kube_query_pair("fieldSelector", field);
    const char *prefix = waiting->client->prefix != NULL ? waiting->client->prefix : "";
    if (kube_target(prefix, &collection, selector, &waiting->target, &err) != 0) {
        (void)error_prefix(&err, "kube.wait");
        return call_fail_error(call, SALVOR_BUG, &err);
    }
    const int in_ns = object->ns != NULL && *object->ns != '\0';
    waiting->type = kube_type_text(&collection);
    waiting->what = text_format("wait for '%s' '%s%s%s'", waiting->type, in_ns ? object->ns : "",
                                in_ns ? "/" : "", object->name);
    return SALVOR_OK;
}

static void tell(const struct waiting *waiting, int64_t duration_ms)
{
    cleanup_free char *until = kube_condition_text(waiting->condition);
    cleanup_free char *what = text_format("wait %s", waiting->type);
    const char *ns = waiting->request->ns;
    json_t *members =
        json_make("{s:s,s:s,s:s,s:s,s:b,s:I,s:I,s:I,s:I}", "service", "kube", "what", what, "name",
                  waiting->request->name, "until", until, "met", waiting->met, "watches",
                  (json_int_t)waiting->watches, "lists", (json_int_t)waiting->lists, "bookmarks",
                  (json_int_t)waiting->bookmarks, "duration_ms", (json_int_t)duration_ms);
    if (ns != NULL && *ns != '\0')
        json_put_text(members, "namespace", ns);
    if (waiting->client->replays)
        json_put(members, "replayed", json_true());
    call_evidence(waiting->call, members);
}

static salvor_status run(struct waiting *waiting, const json_t *key, int64_t timeout_ms)
{
    struct worker_call *call = waiting->call;
    cleanup_json json_t *answer = NULL;
    salvor_status status = SALVOR_OK;
    if (waiting->client->replays) {
        status = recorder_replay(call, "kube", "wait", key, NULL, &answer);
        const json_t *body = json_object_get(answer, "body");
        take_state(waiting,
                   (struct salvor_span){json_string_value(body), json_string_length(body)});
        return status;
    }
    status = wait_for(waiting, timeout_ms);
    if (!recorder_records(call->session->recorder) || status == SALVOR_CANCELLED)
        return status;
    return recorder_save(
        call, "kube", "wait", key, status,
        json_make("{s:o}", "body",
                  json_stringn(waiting->state.data != NULL ? waiting->state.data : "",
                               waiting->state.size)),
        NULL);
}

salvor_status kube_wait(salvor_call *public_call, salvor_kube_client *client,
                        const struct salvor_kube_request *object, const char *condition,
                        int64_t timeout_ms, struct salvor_span *ret_body)
{
    struct worker_call *call = call_of(public_call);
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *parsed = NULL;
    const int64_t began = clock_monotonic_ms();
    if (ret_body == NULL)
        return call_fail(call, SALVOR_BUG, "kube.wait: an argument is missing");
    *ret_body = (struct salvor_span){NULL, 0};
    salvor_status status = kube_client_check(call, client);
    if (status == SALVOR_OK)
        status = argument_json(call, "kube.wait", "condition", condition, ARGUMENT_JSON_LIMIT, 1,
                               &parsed);
    if (status != SALVOR_OK)
        return status;
    if (kube_condition_check(parsed, &err) != 0) {
        (void)error_prefix(&err, "kube.wait");
        return call_fail_error(call, SALVOR_BUG, &err);
    }
    struct waiting waiting = {
        .call = call, .client = client, .request = object, .condition = parsed};
    const int64_t left = call_time_left(call);
    const int64_t most = timeout_ms > 0 && timeout_ms < left ? timeout_ms : left;
    waiting.until = began + most;
    waiting.line = (struct buffer)BUFFER_INIT(EVENT_LIMIT);
    waiting.state = (struct buffer)BUFFER_INIT(0);
    status = set_up(&waiting, object);
    if (status == SALVOR_OK) {
        cleanup_json json_t *key = json_make("{s:O,s:s,s:O}", "client", client->identity, "of",
                                             waiting.what, "condition", parsed);
        status = run(&waiting, key, most);
        tell(&waiting, clock_monotonic_ms() - began);
    }
    ret_body->data = call_keep_text(call, waiting.state.data, waiting.state.size);
    ret_body->size = waiting.state.size;
    json_decref(waiting.object);
    buffer_clear(&waiting.state);
    buffer_clear(&waiting.line);
    free(waiting.what);
    free(waiting.type);
    free(waiting.target);
    return status;
}
