#include "watch.h"

#include <stdlib.h>
#include <string.h>

#include "json-text.h"
#include "json-tree.h"
#include "list.h"
#include "status.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

/* What the real server draws from, when the client does not say. */
enum { DEFAULT_TIMEOUT_S = 1800 };

static void emit(struct watch *watch, const char *change, const struct store_object *object)
{
    buffer_format(&watch->pending, "{\"type\":\"%s\",\"object\":", change);
    output_object(&watch->pending, watch->output, watch->type, object, 0);
    buffer_append_text(&watch->pending, "}\n");
}

/* What left the selection is told as it was when it still matched, at the revision of leaving. */
static void emit_gone(struct watch *watch, const struct store_event *event)
{
    if (event->deleted) {
        emit(watch, "DELETED", event->object);
        return;
    }
    cleanup_json json_t *tree = store_object_tree(event->previous);
    tree_set(tree, "metadata.resourceVersion", json_sprintf("%lld", (long long)event->revision));
    buffer_append_text(&watch->pending, "{\"type\":\"DELETED\",\"object\":");
    output_tree(&watch->pending, watch->output, watch->type, tree);
    buffer_append_text(&watch->pending, "}\n");
}

static void emit_error(struct watch *watch, json_t *status)
{
    buffer_append_text(&watch->pending, "{\"type\":\"ERROR\",\"object\":");
    json_text_write(&watch->pending, status);
    buffer_append_text(&watch->pending, "}\n");
    json_decref(status);
    watch->ended = 1;
}

static void emit_bookmark(const struct sim_kube *sim, struct watch *watch, int initial_end)
{
    buffer_append_text(&watch->pending, "{\"type\":\"BOOKMARK\",\"object\":");
    json_t *tree =
        json_pack("{s:{s:o, s:n}}", "metadata", "resourceVersion",
                  json_sprintf("%lld", (long long)sim->store->revision), "creationTimestamp");
    if (initial_end)
        json_object_set_new(json_object_get(tree, "metadata"), "annotations",
                            json_pack("{s:s}", "k8s.io/initial-events-end", "true"));
    enum output output = watch->output == OUTPUT_TABLE ? OUTPUT_OBJECT : watch->output;
    output_tree(&watch->pending, output, watch->type, tree);
    buffer_append_text(&watch->pending, "}\n");
    json_decref(tree);
}

static void emit_existing(const struct sim_kube *sim, struct watch *watch)
{
    struct store_cursor cursor;
    const struct store_object *object;
    const char *key;
    store_walk(&cursor, watch->type->table, sim->store->revision, watch->prefix, watch->prefix);
    while ((object = store_walk_next(&cursor, &key)) != NULL)
        if (selector_matches(watch->selector, key, object))
            emit(watch, "ADDED", object);
}

static int is_true(const struct sim_request *request, const char *name)
{
    const char *value = request_query(request, name);
    return value != NULL && (strcmp(value, "true") == 0 || strcmp(value, "1") == 0);
}

/* Where the watch begins; NULL or the failure, which takes the place of the stream. */
static json_t *begin(const struct sim_kube *sim, const struct sim_request *request,
                     struct watch *watch)
{
    int64_t revision;
    if (list_revision(request, &revision) != 0)
        return status_bad_request("resourceVersion: '%s' is no number",
                                  request_query(request, "resourceVersion"));
    int initial = is_true(request, "sendInitialEvents");
    const char *match = request_query(request, "resourceVersionMatch");
    if (initial && (match == NULL || strcmp(match, "NotOlderThan") != 0))
        return status_invalid("meta.k8s.io", "ListOptions", "", "FieldValueForbidden",
                              "resourceVersionMatch",
                              "Forbidden: sendInitialEvents requires setting resourceVersionMatch "
                              "to NotOlderThan");
    if (revision > sim->store->revision)
        return list_too_new(sim, revision);
    watch->cursor = store_event_after(sim->store, sim->store->revision);
    if (initial || revision == 0) {
        emit_existing(sim, watch);
        if (initial && watch->bookmarks)
            emit_bookmark(sim, watch, 1);
    } else if (revision < sim->store->compacted) {
        emit_error(watch,
                   status_failure(410, "Expired", NULL, "too old resource version: %lld (%lld)",
                                  (long long)revision, (long long)sim->store->compacted));
    } else {
        watch->cursor = store_event_after(sim->store, revision);
    }
    return NULL;
}

void watch_open(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer)
{
    enum output output;
    json_t *failure = NULL;
    if (output_choose(request, answer, &output) != 0)
        return;
    struct selector *selector =
        selector_new(request->route.type, request_query(request, "labelSelector"),
                     request_query(request, "fieldSelector"), &failure);
    if (failure != NULL) {
        answer_status(answer, failure);
        return;
    }
    int64_t timeout_s = 0;
    const char *timeout = request_query(request, "timeoutSeconds");
    if (timeout != NULL && text_parse_integer(timeout, &timeout_s) != 0) {
        selector_free(selector);
        answer_status(answer, status_bad_request("timeoutSeconds: '%s' is no number", timeout));
        return;
    }
    struct watch *watch = memory_new(1, sizeof *watch);
    *watch = (struct watch){.next = sim->watches,
                            .type = request->route.type,
                            .prefix = list_prefix(&request->route),
                            .selector = selector,
                            .output = output,
                            .bookmarks = is_true(request, "allowWatchBookmarks"),
                            .pending = BUFFER_INIT(ANSWER_LIMIT)};
    watch->deadline_ms =
        clock_monotonic_ms() + (timeout_s > 0 ? timeout_s : DEFAULT_TIMEOUT_S) * 1000;
    sim->watches = watch;
    failure = begin(sim, request, watch);
    if (failure != NULL) {
        watch_close(sim, watch);
        answer_status(answer, failure);
        return;
    }
    answer->status = 200;
    answer->watch = watch;
}

static void deliver(struct watch *watch, const struct store_event *event)
{
    if (event->table != watch->type->table || !text_starts(event->key, watch->prefix))
        return;
    int was =
        event->previous != NULL && selector_matches(watch->selector, event->key, event->previous);
    int is = !event->deleted && selector_matches(watch->selector, event->key, event->object);
    if (is)
        emit(watch, was ? "MODIFIED" : "ADDED", event->object);
    else if (was)
        emit_gone(watch, event);
}

int watch_pump(struct sim_kube *sim, struct watch *watch, int64_t now_ms)
{
    if (!watch->ended) {
        const struct store_event *event;
        while ((event = store_event_at(sim->store, watch->cursor)) != NULL) {
            deliver(watch, event);
            watch->cursor++;
        }
        if (now_ms >= watch->deadline_ms) {
            if (watch->bookmarks)
                emit_bookmark(sim, watch, 0);
            watch->ended = 1;
        }
    }
    return watch->ended || watch->pending.size > watch->sent;
}

void watch_close(struct sim_kube *sim, struct watch *watch)
{
    struct watch **at = &sim->watches;
    while (*at != NULL && *at != watch)
        at = &(*at)->next;
    if (*at != NULL)
        *at = watch->next;
    free(watch->prefix);
    selector_free(watch->selector);
    buffer_clear(&watch->pending);
    free(watch);
}
