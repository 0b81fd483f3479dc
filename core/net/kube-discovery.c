#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "net/kube-exchange.h"
#include "net/kube-resources.h"
#include "net/kube-status.h"
#include "net/kube-target.h"
#include "net/kube.h"
#include "services/recorder.h"

enum { DOCUMENT_LIMIT = 64 << 20, GROUPS_AT_ONCE = 16 };

#define FORM(version) \
    "application/json;g=apidiscovery.k8s.io;v=" version ";as=APIGroupDiscoveryList"

static const char aggregated[] = FORM("v2") "," FORM("v2beta1") ",application/json";

/* One document that is fetched. */
struct document {
    struct kube_exchange exchange;
    char *group; /* of a document of one version; else NULL */
    char *version;
};

struct discovering {
    struct worker_call *call;
    salvor_kube_client *client;
    json_t *resources;
    uint64_t documents;
};

static void begin(const struct discovering *discovering, const char *path, const char *accept,
                  struct document *ret)
{
    *ret = (struct document){0};
    kube_exchange_begin(&ret->exchange, discovering->call, discovering->client);
    ret->exchange.method = "GET";
    ret->exchange.target = text_format("%s%s", discovering->client->prefix, path);
    ret->exchange.site = text_format("discovery:%s", path);
    ret->exchange.accept = accept;
    ret->exchange.response_limit = DOCUMENT_LIMIT;
    kube_exchange_start(&ret->exchange);
}

static void drop(struct document *document)
{
    kube_exchange_clear(&document->exchange);
    free(document->group);
    free(document->version);
    *document = (struct document){0};
}

/* Waits for the answer and parses it. */
static salvor_status take(struct discovering *discovering, struct document *document,
                          json_t **ret_json)
{
    struct kube_exchange *exchange = &document->exchange;
    struct net_transfer *transfer = &exchange->transfer;
    cleanup_free char *what = text_format("read '%s'", exchange->target);
    *ret_json = NULL;
    struct retry_rule rule = discovering->client->rule;
    /* that a version's server is dead is an answer, too: not worth much patience */
    if (document->version != NULL && rule.attempts > 2)
        rule.attempts = 2;
    salvor_status status = kube_exchange_perform(exchange, &rule, 1);
    discovering->documents++;
    if (exchange->stopped)
        return status;
    if (status != SALVOR_OK) {
        (void)error_prefix(&transfer->error, "cannot %s", what);
        return kube_exchange_failed(exchange);
    }
    const struct salvor_span body = {transfer->answer.data, transfer->answer.size};
    if (transfer->code != 200)
        return kube_status_failed(discovering->call, what, transfer->code, body);
    *ret_json = json_loadb(body.data != NULL ? body.data : "", (size_t)body.size, 0, NULL);
    if (!json_is_object(*ret_json)) {
        json_decref(*ret_json);
        *ret_json = NULL;
        return call_fail(discovering->call, SALVOR_FAILED, "cannot %s: the answer is no JSON",
                         what);
    }
    return SALVOR_OK;
}

/* ---- one document a version ------------------------------------------------------------------ */

struct wanted {
    char *group;
    char *version;
};

struct wishes {
    struct wanted *list;
    size_t count;
};

static void wish(struct wishes *wishes, const char *group, const char *version)
{
    wishes->list = memory_resize(wishes->list, wishes->count + 1, sizeof *wishes->list);
    wishes->list[wishes->count++] = (struct wanted){text_copy(group), text_copy(version)};
}

static void drop_wishes(struct wishes *wishes)
{
    for (size_t i = 0; i < wishes->count; i++) {
        free(wishes->list[i].group);
        free(wishes->list[i].version);
    }
    free(wishes->list);
}

static void begin_version(const struct discovering *discovering, const struct wanted *wanted,
                          struct document *ret)
{
    cleanup_free char *path = *wanted->group == '\0'
                                  ? text_format("/api/%s", wanted->version)
                                  : text_format("/apis/%s/%s", wanted->group, wanted->version);
    begin(discovering, path, "application/json", ret);
    ret->group = text_copy(wanted->group);
    ret->version = text_copy(wanted->version);
}

/* A version whose server is dead is told, and the others are not lost for it. */
static salvor_status take_version(struct discovering *discovering, struct document *document)
{
    cleanup_json json_t *list = NULL;
    cleanup_error struct error err = ERROR_INIT;
    struct worker_call *call = discovering->call;
    const salvor_status status = take(discovering, document, &list);
    if (document->exchange.stopped)
        return status;
    if (status != SALVOR_OK)
        (void)error_move(&err, &call->error);
    else if (kube_resources_add_legacy(discovering->resources, document->group, document->version,
                                       list, &err) == 0)
        return SALVOR_OK;
    kube_resources_add_unavailable(discovering->resources, document->group, document->version,
                                   err.message);
    return SALVOR_OK;
}

static salvor_status read_versions(struct discovering *discovering, const struct wishes *wishes)
{
    struct document window[GROUPS_AT_ONCE] = {0};
    salvor_status status = SALVOR_OK;
    for (size_t next = 0, taken = 0; taken < wishes->count && status == SALVOR_OK; taken++) {
        for (; next < wishes->count && next < taken + GROUPS_AT_ONCE; next++)
            begin_version(discovering, &wishes->list[next], &window[next % GROUPS_AT_ONCE]);
        status = take_version(discovering, &window[taken % GROUPS_AT_ONCE]);
        drop(&window[taken % GROUPS_AT_ONCE]);
    }
    for (size_t i = 0; i < GROUPS_AT_ONCE; i++)
        drop(&window[i]);
    return status;
}

/* The preferred version first, then in the server's order. */
static void take_group(struct discovering *discovering, const json_t *group, struct wishes *wishes)
{
    const char *name = json_text(group, "name");
    const char *preferred = json_text(json_object_get(group, "preferredVersion"), "version");
    cleanup_json json_t *versions = json_make("[]");
    size_t index = 0;
    json_t *entry = NULL;
    if (preferred != NULL)
        json_add(versions, json_string(preferred));
    json_array_foreach (json_object_get(group, "versions"), index, entry) {
        const char *version = json_text(entry, "version");
        if (version != NULL && !text_equal(version, preferred))
            json_add(versions, json_string(version));
    }
    kube_resources_add_group(discovering->resources, name != NULL ? name : "", versions);
    json_array_foreach (versions, index, entry)
        wish(wishes, name != NULL ? name : "", json_string_value(entry));
}

/* ---- both forms ------------------------------------------------------------------------------ */

/* /api: an APIGroupDiscoveryList, or APIVersions. */
static salvor_status take_core(struct discovering *discovering, const json_t *list,
                               struct wishes *wishes)
{
    cleanup_error struct error err = ERROR_INIT;
    const json_t *versions = json_object_get(list, "versions");
    size_t index = 0;
    json_t *entry = NULL;
    if (json_is_array(versions)) {
        kube_resources_add_group(discovering->resources, "", versions);
        json_array_foreach (versions, index, entry)
            wish(wishes, "", json_is_string(entry) ? json_string_value(entry) : "");
        return SALVOR_OK;
    }
    if (kube_resources_add_aggregated(discovering->resources, list, &err) == 0)
        return SALVOR_OK;
    (void)error_prefix(&err, "cannot read '/api'");
    return call_fail_error(discovering->call, SALVOR_FAILED, &err);
}

/* /apis: an APIGroupDiscoveryList, or an APIGroupList. */
static salvor_status take_groups(struct discovering *discovering, const json_t *list,
                                 struct wishes *wishes)
{
    cleanup_error struct error err = ERROR_INIT;
    size_t index = 0;
    json_t *entry = NULL;
    if (text_equal(json_text(list, "kind"), "APIGroupList")) {
        json_array_foreach (json_object_get(list, "groups"), index, entry)
            take_group(discovering, entry, wishes);
        return SALVOR_OK;
    }
    if (kube_resources_add_aggregated(discovering->resources, list, &err) == 0)
        return SALVOR_OK;
    (void)error_prefix(&err, "cannot read '/apis'");
    return call_fail_error(discovering->call, SALVOR_FAILED, &err);
}

static salvor_status discover(struct discovering *discovering)
{
    struct document core = {0};
    struct document groups = {0};
    struct wishes wishes = {NULL, 0};
    cleanup_json json_t *core_list = NULL;
    cleanup_json json_t *group_list = NULL;
    begin(discovering, "/api", aggregated, &core);
    begin(discovering, "/apis", aggregated, &groups);
    salvor_status status = take(discovering, &core, &core_list);
    if (status == SALVOR_OK)
        status = take(discovering, &groups, &group_list);
    if (status == SALVOR_OK)
        status = take_core(discovering, core_list, &wishes);
    if (status == SALVOR_OK)
        status = take_groups(discovering, group_list, &wishes);
    drop(&core);
    drop(&groups);
    if (status == SALVOR_OK)
        status = read_versions(discovering, &wishes);
    drop_wishes(&wishes);
    return status;
}

/* ---- the service ----------------------------------------------------------------------------- */

static void tell(const struct discovering *discovering, int64_t duration_ms)
{
    const json_t *unavailable = json_object_get(discovering->resources, "unavailable");
    json_t *members =
        json_make("{s:s,s:s,s:I,s:I,s:I}", "service", "kube", "what", "discovery", "documents",
                  (json_int_t)discovering->documents, "resources",
                  (json_int_t)json_array_size(json_object_get(discovering->resources, "resources")),
                  "duration_ms", (json_int_t)duration_ms);
    if (json_array_size(unavailable) > 0)
        json_put(members, "unavailable", json_clone(unavailable));
    if (discovering->client->replays)
        json_put(members, "replayed", json_true());
    call_evidence(discovering->call, members);
}

salvor_status kube_discover(salvor_call *public_call, salvor_kube_client *client,
                            struct salvor_span *ret_json)
{
    struct worker_call *call = call_of(public_call);
    const int64_t began = clock_monotonic_ms();
    if (ret_json == NULL)
        return call_fail(call, SALVOR_BUG, "kube.discovery: an argument is missing");
    *ret_json = (struct salvor_span){NULL, 0};
    salvor_status status = kube_client_check(call, client);
    if (status != SALVOR_OK)
        return status;
    struct discovering discovering = {.call = call, .client = client};
    cleanup_json json_t *key = json_make("{s:O}", "client", client->identity);
    cleanup_json json_t *found = kube_resources_new();
    if (client->replays) {
        json_t *answer = NULL;
        status = recorder_replay(call, "kube", "discovery", key, NULL, &answer);
        json_decref(found);
        found = answer;
        discovering.resources = found;
    } else {
        discovering.resources = found;
        status = discover(&discovering);
        if (recorder_records(call->session->recorder) && status != SALVOR_CANCELLED)
            status = recorder_save(call, "kube", "discovery", key, status,
                                   status == SALVOR_OK ? json_clone(found) : NULL, NULL);
    }
    if (status != SALVOR_OK)
        return status;
    tell(&discovering, clock_monotonic_ms() - began);
    cleanup_free char *text = json_canonical(found);
    ret_json->size = strlen(text);
    ret_json->data = call_keep_text(call, text, (size_t)ret_json->size);
    return SALVOR_OK;
}
