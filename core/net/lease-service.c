#include "net/lease-service.h"

#include <salvor/plugin.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/process-start.h"
#include "base/text.h"
#include "net/kube-client.h"
#include "net/kube-exchange.h"
#include "net/kube-status.h"
#include "net/kube-target.h"
#include "net/lease-keep.h"

enum {
    ANSWER_LIMIT = 1 << 20,
    REQUEST_PARTS = 12, /* a request may take 10 s where the Lease lasts 120 s */
    READ_MS = 10000
};

/* The cluster as one call sees it. */
struct cluster {
    struct worker_call *call;
    salvor_kube_client *client;
    const char *ns;
    const char *name;
    int64_t request_ms;
};

/* ---- requests -------------------------------------------------------------------------------- */

static const struct retry_rule once = {.attempts = 1};

/* What went wrong, in words; the call forgets it. */
static char *why_of(struct worker_call *call)
{
    cleanup_error struct error err = ERROR_INIT;
    (void)error_move(&err, &call->error);
    if (err.message == NULL)
        return text_copy("no reason given");
    return err.detail != NULL ? text_format("%s: %s", err.message, err.detail)
                              : text_copy(err.message);
}

static void take_answer(const struct cluster *cluster, struct kube_exchange *exchange,
                        const char *what, struct lease_answer *ret_answer)
{
    const struct buffer *body = &exchange->transfer.answer;
    const struct salvor_span span = {body->data, body->size};
    const int32_t code = exchange->transfer.code;
    ret_answer->code = code;
    if (code >= 200 && code <= 299) {
        ret_answer->object = json_loadb(body->data != NULL ? body->data : "", body->size,
                                        JSON_REJECT_DUPLICATES, NULL);
        if (ret_answer->object != NULL)
            return;
        ret_answer->code = 0;
        ret_answer->why = text_format("cannot %s: the answer is no JSON", what);
        return;
    }
    (void)kube_status_failed(cluster->call, what, code, span);
    ret_answer->why = why_of(cluster->call);
}

/* One request to `place`; `object` (or NULL) is its body. */
static void exchange(const struct cluster *cluster, const char *method, const char *what,
                     const struct kube_place *place, const json_t *object,
                     const struct retry_rule *rule, struct lease_answer *ret_answer)
{
    cleanup_kube_exchange struct kube_exchange exchange;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *text = object != NULL ? json_canonical(object) : NULL;
    kube_exchange_begin(&exchange, cluster->call, cluster->client);
    *ret_answer = (struct lease_answer){0, NULL, NULL};
    if (kube_target(cluster->client->prefix, place, NULL, &exchange.target, &err) != 0) {
        ret_answer->why = text_copy(err.message);
        return;
    }
    exchange.method = method;
    exchange.site = text_format("lease:%s:%s", method, place->resource);
    exchange.response_limit = ANSWER_LIMIT;
    exchange.timeout_ms = cluster->request_ms;
    if (text != NULL) {
        exchange.content_type = "application/json";
        exchange.body = (struct salvor_span){text, strlen(text)};
    }
    if (kube_exchange_perform(&exchange, rule, 0) == SALVOR_OK) {
        take_answer(cluster, &exchange, what, ret_answer);
        return;
    }
    (void)kube_exchange_failed(&exchange);
    cleanup_free char *why = why_of(cluster->call);
    ret_answer->why = text_format("cannot %s: %s", what, why);
}

static struct kube_place place_of(const struct cluster *cluster, const char *name)
{
    return (struct kube_place){.group = "coordination.k8s.io",
                               .version = "v1",
                               .resource = "leases",
                               .ns = cluster->ns,
                               .name = name};
}

static void world_get(void *data, struct lease_answer *ret_answer)
{
    const struct cluster *cluster = data;
    const struct kube_place place = place_of(cluster, cluster->name);
    cleanup_free char *what = text_format("read lease '%s/%s'", cluster->ns, cluster->name);
    exchange(cluster, "GET", what, &place, NULL, &once, ret_answer);
}

static void world_put(void *data, const json_t *object, struct lease_answer *ret_answer)
{
    const struct cluster *cluster = data;
    const int makes = json_text(json_object_get(object, "metadata"), "resourceVersion") == NULL;
    const struct kube_place place = place_of(cluster, makes ? NULL : cluster->name);
    cleanup_free char *what = text_format("write lease '%s/%s'", cluster->ns, cluster->name);
    exchange(cluster, makes ? "POST" : "PUT", what, &place, object, &once, ret_answer);
}

/* It changes when a cluster is made anew, and comes back with one that is set back. */
static char *world_cluster(void *data, char **ret_why)
{
    const struct cluster *cluster = data;
    const struct kube_place place = {
        .version = "v1", .resource = "namespaces", .name = "kube-system"};
    struct lease_answer answer;
    exchange(cluster, "GET", "read namespace 'kube-system'", &place, NULL, &retry_rule_default,
             &answer);
    const char *uid = json_text(json_object_get(answer.object, "metadata"), "uid");
    char *copy = uid != NULL && *uid != '\0' ? text_copy(uid) : NULL;
    *ret_why = answer.why;
    if (copy == NULL && answer.why == NULL)
        *ret_why = text_copy("namespace 'kube-system' has no UID");
    json_decref(answer.object);
    return copy;
}

/* ---- the rest of the world ------------------------------------------------------------------- */

static int64_t world_monotonic(void *data)
{
    (void)data;
    return clock_monotonic_ms();
}

static int64_t world_boottime(void *data)
{
    (void)data;
    return clock_boottime_ms();
}

static int64_t world_realtime(void *data)
{
    struct timespec now = {0, 0};
    (void)data;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static salvor_status world_hear(void *data, int64_t timeout_ms, json_t **ret_body)
{
    const struct cluster *cluster = data;
    return call_hear(cluster->call, timeout_ms, ret_body);
}

static void world_state(void *data, int64_t serial, json_t *state)
{
    const struct cluster *cluster = data;
    call_state(cluster->call, serial, state);
}

static void world_log(void *data, uint32_t level, const char *text)
{
    const struct cluster *cluster = data;
    cluster->call->public.host->log(&cluster->call->public, level, text);
}

/* What cannot be seen may live. */
static int world_lives(void *data, int64_t pid, int64_t started)
{
    (void)data;
    if (pid <= 0 || pid > INT32_MAX)
        return 1;
    const int64_t now = process_started((pid_t)pid);
    return now < 0 || (now > 0 && now == started);
}

static const struct lease_world world_table = {
    .get = world_get,
    .put = world_put,
    .cluster = world_cluster,
    .monotonic = world_monotonic,
    .boottime = world_boottime,
    .realtime = world_realtime,
    .hear = world_hear,
    .state = world_state,
    .log = world_log,
    .lives = world_lives,
};

/* ---- the calls ------------------------------------------------------------------------------- */

static salvor_status open_cluster(struct worker_call *call, const json_t *target,
                                  int64_t request_ms, struct cluster *ret_cluster)
{
    const char *ns = json_text(target, "namespace");
    const char *name = json_text(target, "name");
    if (ns == NULL || name == NULL)
        return call_fail(call, SALVOR_BUG, "%s: the target lacks namespace or name",
                         call->hook_name);
    cleanup_json json_t *options =
        json_make("{s:s?, s:s?}", "kubeconfig", json_text(target, "kubeconfig"), "context",
                  json_text(target, "context"));
    cleanup_free char *text = json_canonical(options);
    *ret_cluster = (struct cluster){call, NULL, ns, name, request_ms};
    return kube_client_open(&call->public, text, &ret_cluster->client);
}

static salvor_status run_keep(struct worker_call *call, const json_t *request, json_t **ret_result)
{
    cleanup_error struct error err = ERROR_INIT;
    const json_t *target = json_object_get(request, "target");
    const int64_t duration_ms = json_whole(request, "duration_ms", 0);
    const json_t *who = json_object_get(request, "who");
    const char *identity = json_text(request, "identity");
    struct cluster cluster;
    if (duration_ms <= 0 || identity == NULL || !json_is_object(who))
        return call_fail(call, SALVOR_BUG, "lease.keep: the request lacks who keeps it");
    salvor_status status = call_may_change(call, "hold a lease");
    if (status == SALVOR_OK)
        status = open_cluster(call, target, duration_ms / REQUEST_PARTS, &cluster);
    if (status != SALVOR_OK)
        return status;
    struct lease_world world = world_table;
    world.data = &cluster;
    const struct lease_order order = {
        .self = {cluster.ns, cluster.name, identity, who, duration_ms},
        .has_run_lock = json_flag(request, "has_run_lock"),
        .expected = json_text(request, "expected"),
        .rewinds = json_object_get(target, "rewinds"),
    };
    status = lease_keep(&world, &order, ret_result, &err);
    return status == SALVOR_OK ? status : call_fail_error(call, status, &err);
}

static salvor_status run_heads(struct worker_call *call, const json_t *request, json_t **ret_result)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_lease_seen struct lease_seen seen = {0};
    struct lease_answer answer;
    struct cluster cluster;
    salvor_status status =
        open_cluster(call, json_object_get(request, "target"), READ_MS, &cluster);
    if (status != SALVOR_OK)
        return status;
    const struct kube_place place = place_of(&cluster, cluster.name);
    exchange(&cluster, "GET", "read the lease", &place, NULL, &retry_rule_default, &answer);
    cleanup_free char *why = answer.why;
    if (answer.object == NULL && answer.code != 404)
        return call_fail(call, SALVOR_FAILED, "%s", why);
    if (lease_seen_take(answer.object, &seen, &err) != 0)
        return call_fail_error(call, SALVOR_FAILED, &err);
    *ret_result =
        json_make("{s:b, s:o}", "found", seen.object != NULL, "heads", lease_heads(&seen));
    return SALVOR_OK;
}

const struct service_command lease_commands[] = {
    {"lease.keep", run_keep},
    {"lease.heads", run_heads},
    {NULL, NULL},
};
