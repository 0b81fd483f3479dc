#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "net/kube-exchange.h"
#include "net/kube-list-split.h"
#include "net/kube-status.h"
#include "net/kube-target.h"
#include "net/kube.h"
#include "services/recorder.h"
#include "worker/argument.h"

enum {
    LIMIT_DEFAULT = 500, /* as kubectl asks for */
    LIMIT_MOST = 10000,
    PAGE_GOAL = 4 << 20, /* bytes: pages of large objects get fewer of them */
    PAGE_MOST = 16 << 20 /* a page beyond it is asked for again in smaller pieces */
};

struct salvor_kube_list {
    struct worker_call *call;
    salvor_kube_client *client;
    json_t *options;
    char *what;   /* "list 'secrets'" */
    char *type;   /* "secrets" */
    char *target; /* without a query */
    const char *accept;
    char *token; /* of the page that is asked for next; NULL: the first */
    int64_t limit;
    int64_t limit_now;
    struct kube_exchange exchange; /* one page ahead */
    int is_ahead;                  /* it is under way */
    int ended;                     /* the last page was handed out */
    salvor_status failed;          /* what ended it otherwise */
    int inconsistent;
    struct buffer body; /* what the present page points into */
    struct kube_list_page page;
    uint64_t pages, items, bytes;
    int64_t began;
};

/* ---- asking for a page ----------------------------------------------------------------------- */

/* A token stands for a version already: the server refuses another one beside it. */
static char *query_of(const json_t *options, int is_first)
{
    static const char *const names[] = {"labelSelector", "fieldSelector", "resourceVersion",
                                        "resourceVersionMatch", NULL};
    char *query = text_copy("");
    for (size_t i = 0; names[i] != NULL; i++) {
        const char *value = json_text(options, names[i]);
        if (value == NULL || *value == '\0' || (!is_first && text_starts(names[i], "resource")))
            continue;
        cleanup_free char *pair = kube_query_pair(names[i], value);
        char *longer = kube_query_join(query, pair);
        free(query);
        query = longer;
    }
    return query;
}

static void ask(salvor_kube_list *list)
{
    struct kube_exchange *exchange = &list->exchange;
    cleanup_free char *asked = query_of(list->options, list->token == NULL);
    cleanup_free char *limit = text_format("limit=%lld", (long long)list->limit_now);
    cleanup_free char *own = kube_query_join(asked, limit);
    cleanup_free char *token =
        list->token != NULL ? kube_query_pair("continue", list->token) : NULL;
    cleanup_free char *query = kube_query_join(own, token);
    kube_exchange_clear(exchange);
    kube_exchange_begin(exchange, list->call, list->client);
    exchange->method = "GET";
    exchange->target = text_format("%s?%s", list->target, query);
    exchange->site = text_format("list:%s", list->type);
    exchange->accept = list->accept;
    exchange->response_limit = PAGE_MOST;
    exchange->is_read_later = 1;
    list->is_ahead = 1;
    kube_exchange_start(exchange);
}

/* The page after next fits into the goal if its objects are like those of this page. */
static void choose_limit(salvor_kube_list *list)
{
    if (list->page.item_count == 0)
        return;
    const int64_t each = (int64_t)(list->body.size / list->page.item_count) + 1;
    const int64_t fitting = PAGE_GOAL / each + 1;
    list->limit_now = fitting < list->limit ? fitting : list->limit;
}

static salvor_status fail(salvor_kube_list *list, salvor_status status)
{
    list->failed = status;
    return status;
}

/* 410: the snapshot that the token belongs to is gone. The server offers to go on behind the last
 * object, at the present state. */
static salvor_status go_on_inconsistently(salvor_kube_list *list, struct salvor_span answer)
{
    cleanup_free char *token = list->token != NULL ? kube_status_continue(answer) : NULL;
    if (token == NULL) {
        (void)kube_status_failed(list->call, list->what, 410, answer);
        return call_hint(list->call, fail(list, SALVOR_FAILED),
                         "the list grew too old while it was read: list it again");
    }
    free(list->token);
    list->token = take_pointer(token);
    list->inconsistent = 1;
    ask(list);
    return SALVOR_PENDING;
}

/* PENDING: it was asked for anew. */
static salvor_status take_answer(salvor_kube_list *list)
{
    struct net_transfer *transfer = &list->exchange.transfer;
    const struct salvor_span answer = {transfer->answer.data, transfer->answer.size};
    list->is_ahead = 0;
    if (transfer->status != SALVOR_OK && transfer->fault == NET_FAULT_LIMIT &&
        list->limit_now > 1) {
        list->limit_now = list->limit_now / 4 + 1;
        list->limit = list->limit_now;
        ask(list);
        return SALVOR_PENDING;
    }
    if (transfer->status != SALVOR_OK) {
        (void)error_prefix(&transfer->error, "cannot %s", list->what);
        return fail(list, kube_exchange_failed(&list->exchange));
    }
    if (transfer->code == 410)
        return go_on_inconsistently(list, answer);
    if (transfer->code != 200)
        return fail(list, kube_status_failed(list->call, list->what, transfer->code, answer));
    buffer_clear(&list->body);
    list->body = transfer->answer;
    transfer->answer = (struct buffer)BUFFER_INIT(0);
    return SALVOR_OK;
}

/* ---- handing one out ------------------------------------------------------------------------- */

static salvor_status split(salvor_kube_list *list)
{
    cleanup_error struct error err = ERROR_INIT;
    const struct salvor_span body = {list->body.data, list->body.size};
    if (kube_list_split(body, &list->page, &err) != 0) {
        (void)error_prefix(&err, "cannot %s", list->what);
        return fail(list, call_fail_error(list->call, SALVOR_FAILED, &err));
    }
    if (list->token != NULL && text_equal(list->page.continue_token, list->token)) {
        return fail(list, call_fail(list->call, SALVOR_FAILED,
                                    "cannot %s: the server gave the same page twice", list->what));
    }
    free(list->token);
    list->token = *list->page.continue_token != '\0' ? text_copy(list->page.continue_token) : NULL;
    list->ended = list->token == NULL;
    list->pages++;
    list->items += list->page.item_count;
    list->bytes += list->body.size;
    return SALVOR_OK;
}

static void hand_out(const salvor_kube_list *list, struct salvor_kube_page *ret_page)
{
    *ret_page = (struct salvor_kube_page){
        .struct_size = sizeof *ret_page,
        .item_count = (uint32_t)list->page.item_count,
        .body = {list->body.data, list->body.size},
        .items = list->page.items,
        .list_kind = list->page.kind,
        .resource_version = list->page.resource_version,
        .remaining = list->page.remaining,
        .inconsistent = (uint32_t)list->inconsistent,
    };
}

static json_t *key_of(const salvor_kube_list *list)
{
    return json_make("{s:O,s:O,s:I}", "client", list->client->identity, "options", list->options,
                     "page", (json_int_t)list->pages + 1);
}

static salvor_status record(salvor_kube_list *list, const json_t *key, salvor_status status)
{
    if (!recorder_records(list->call->session->recorder) || status == SALVOR_CANCELLED)
        return status;
    json_t *answer = NULL;
    if (status == SALVOR_OK)
        answer = json_make("{s:o,s:b}", "body", json_stringn(list->body.data, list->body.size),
                           "inconsistent", list->inconsistent);
    return recorder_save(list->call, "kube", "list", key, status, answer, NULL);
}

static salvor_status replay(salvor_kube_list *list, const json_t *key)
{
    cleanup_json json_t *answer = NULL;
    salvor_status status = recorder_replay(list->call, "kube", "list", key, NULL, &answer);
    const json_t *body = json_object_get(answer, "body");
    if (status != SALVOR_OK)
        return fail(list, status);
    buffer_clear(&list->body);
    list->body = (struct buffer)BUFFER_INIT((size_t)PAGE_MOST * 4);
    (void)buffer_append(&list->body, json_string_value(body), json_string_length(body));
    list->inconsistent = json_flag(answer, "inconsistent");
    return split(list);
}

static salvor_status fetch(salvor_kube_list *list)
{
    salvor_status status = SALVOR_PENDING;
    while (status == SALVOR_PENDING) {
        if (!list->is_ahead)
            ask(list);
        status = kube_exchange_perform(&list->exchange, &list->client->rule, 1);
        if (list->exchange.stopped)
            return fail(list, status);
        status = take_answer(list);
    }
    if (status != SALVOR_OK)
        return status;
    status = split(list);
    if (status != SALVOR_OK || list->ended)
        return status;
    choose_limit(list);
    ask(list);
    /* on its way, so that the server works while the plugin does */
    status = net_wait(list->call, 0);
    return status == SALVOR_PENDING ? SALVOR_OK : status;
}

static void tell(const salvor_kube_list *list)
{
    cleanup_free char *what = text_format("list %s", list->type);
    json_t *members = json_make("{s:s,s:s,s:I,s:I,s:I,s:I}", "service", "kube", "what", what,
                                "pages", (json_int_t)list->pages, "items", (json_int_t)list->items,
                                "bytes", (json_int_t)list->bytes, "duration_ms",
                                (json_int_t)(clock_monotonic_ms() - list->began));
    if (list->client->origin != NULL) {
        cleanup_free char *url = text_format("%s%s", list->client->origin, list->target);
        json_put_text(members, "url", url);
    }
    if (list->inconsistent)
        json_put(members, "inconsistent", json_true());
    if (!list->ended)
        json_put(members, "left_early", json_true());
    if (list->client->replays)
        json_put(members, "replayed", json_true());
    call_evidence(list->call, members);
}

/* ---- the service ----------------------------------------------------------------------------- */

static void close_list(struct worker_call *call, void *handle)
{
    salvor_kube_list *list = handle;
    (void)call;
    tell(list);
    kube_exchange_clear(&list->exchange);
    kube_list_page_clear(&list->page);
    buffer_clear(&list->body);
    kube_client_let_go(list->client);
    json_decref(list->options);
    free(list->what);
    free(list->type);
    free(list->target);
    free(list->token);
    free(list);
}

static const char *const list_texts[] = {"group",
                                         "version",
                                         "resource",
                                         "namespace",
                                         "labelSelector",
                                         "fieldSelector",
                                         "resourceVersion",
                                         "resourceVersionMatch",
                                         NULL};

static salvor_status check_options(struct worker_call *call, const json_t *options)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach ((json_t *)(uintptr_t)options, name, value) {
        int is_text = 0;
        for (size_t i = 0; list_texts[i] != NULL; i++)
            is_text = is_text || text_equal(name, list_texts[i]);
        if (json_is_null(value) || (is_text && json_is_string(value)) ||
            (text_equal(name, "metadata_only") && json_is_boolean(value)))
            continue;
        if (text_equal(name, "limit") && json_is_integer(value) && json_integer_value(value) > 0 &&
            json_integer_value(value) <= LIMIT_MOST)
            continue;
        return call_fail(call, SALVOR_BUG,
                         "kube.list_open: '%s' is no option, or its value is none of it", name);
    }
    return SALVOR_OK;
}

salvor_status kube_list_open(salvor_call *public_call, salvor_kube_client *client,
                             const char *options, salvor_kube_list **ret_list)
{
    struct worker_call *call = call_of(public_call);
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *parsed = NULL;
    cleanup_free char *target = NULL;
    if (ret_list == NULL)
        return call_fail(call, SALVOR_BUG, "kube.list_open: an argument is missing");
    *ret_list = NULL;
    salvor_status status = kube_client_check(call, client);
    if (status == SALVOR_OK)
        status = argument_json(call, "kube.list_open", "options", options, ARGUMENT_JSON_LIMIT, 1,
                               &parsed);
    if (status == SALVOR_OK)
        status = check_options(call, parsed);
    if (status != SALVOR_OK)
        return status;
    const struct kube_place place = {.group = json_text(parsed, "group"),
                                     .version = json_text(parsed, "version"),
                                     .resource = json_text(parsed, "resource"),
                                     .ns = json_text(parsed, "namespace")};
    if (kube_target(client->replays ? "" : client->prefix, &place, NULL, &target, &err) != 0) {
        (void)error_prefix(&err, "kube.list_open");
        return call_fail_error(call, SALVOR_BUG, &err);
    }
    salvor_kube_list *list = memory_new(1, sizeof *list);
    list->call = call;
    list->client = client;
    kube_client_hold(client);
    list->options = take_pointer(parsed);
    list->type = kube_type_text(&place);
    list->what = text_format("list '%s'", list->type);
    list->target = take_pointer(target);
    list->accept = json_flag(list->options, "metadata_only")
                       ? "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
                       : NULL;
    list->limit = list->limit_now = json_whole(list->options, "limit", LIMIT_DEFAULT);
    list->body = (struct buffer)BUFFER_INIT(0);
    list->began = clock_monotonic_ms();
    call_register(call, list, close_list);
    *ret_list = list;
    if (!client->replays)
        ask(list);
    return SALVOR_OK;
}

salvor_status kube_list_next(salvor_call *public_call, salvor_kube_list *list,
                             struct salvor_kube_page *ret_page)
{
    struct worker_call *call = call_of(public_call);
    if (!call_owns(call, list, close_list))
        return call_fail(call, SALVOR_BUG, "kube.list_next: the list is not open in this call");
    if (ret_page == NULL || ret_page->struct_size < sizeof *ret_page)
        return call_fail(call, SALVOR_BUG, "kube.list_next: struct_size of the page is not set");
    if (list->failed != SALVOR_OK)
        return call_fail(call, list->failed, "cannot %s: it failed before its end", list->what);
    if (list->ended)
        return SALVOR_END;
    cleanup_json json_t *key = key_of(list);
    salvor_status status =
        list->client->replays ? replay(list, key) : record(list, key, fetch(list));
    if (status == SALVOR_OK)
        hand_out(list, ret_page);
    return status;
}

void kube_list_close(salvor_call *public_call, salvor_kube_list *list)
{
    struct worker_call *call = call_of(public_call);
    if (!call_owns(call, list, close_list))
        return;
    call_forget(call, list);
    close_list(call, list);
}
