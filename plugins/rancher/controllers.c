#include "controllers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.h"

enum { DEFAULT_REPLICAS = 3 };

static const char annotation_path[] = "/metadata/annotations/salvor~1replicas-before-restore";

static struct salvor_kube_request request_for(const json_t *controller, const char *verb)
{
    const char *ns = salvor_json_text(controller, "/namespace", "");
    const struct salvor_kube_request request = {
        .struct_size = sizeof request,
        .verb = verb,
        .group = salvor_json_text(controller, "/group", ""),
        .version = salvor_json_text(controller, "/version", ""),
        .resource = salvor_json_text(controller, "/resource", ""),
        .ns = *ns != '\0' ? ns : NULL,
        .name = salvor_json_text(controller, "/name", "")};
    return request;
}

/* ---- finding --------------------------------------------------------------------------------- */

/* What it shall have in the end. */
static int64_t wanted_replicas(salvor_call *call, const json_t *live)
{
    const int64_t given = salvor_option_integer(call, "replicas", -1);
    const int64_t now = salvor_json_integer(live, "/spec/replicas", 1);
    const char *noted = salvor_json_text(live, annotation_path, "");
    if (given >= 0)
        return given;
    if (now > 0)
        return now;
    const long long before = strtoll(noted, NULL, 10);
    return before > 0 && before < 1000 ? before : DEFAULT_REPLICAS;
}

static salvor_status add(salvor_call *call, salvor_kube_client *client,
                         const struct controller_reference *reference, json_t *list)
{
    struct salvor_span group;
    struct salvor_span version;
    salvor_auto_json json_t *live = NULL;
    salvor_group_version(salvor_span_of(reference->api_version), &group, &version);
    json_t *one = salvor_json_build(
        call, "{s:s%, s:s%, s:s, s:s, s:s}", "group", group.size > 0 ? group.data : "",
        (size_t)group.size, "version", version.data, (size_t)version.size, "resource",
        reference->resource, "namespace", reference->ns, "name", reference->name);
    if (one == NULL || json_array_append_new(list, one) != 0)
        return salvor_fail_memory(call, "the controllers");
    const struct salvor_kube_request request = request_for(one, "get");
    SALVOR_TRY(cluster_get_json(call, client, &request, &live));
    if (live == NULL) {
        (void)json_array_remove(list, json_array_size(list) - 1);
        return SALVOR_OK;
    }
    SALVOR_TRY(salvor_json_put(one, "/live",
                               json_integer(salvor_json_integer(live, "/spec/replicas", 1))));
    return salvor_json_put(one, "/replicas", json_integer(wanted_replicas(call, live)));
}

salvor_status controllers_find(salvor_call *call, salvor_kube_client *client,
                               const struct resource_set *set, json_t **ret_list)
{
    static const struct controller_reference rancher = {"apps/v1", "deployments", "cattle-system",
                                                        "rancher"};
    const struct controller_reference *references =
        set != NULL && set->controller_count > 0 ? set->controllers : &rancher;
    const size_t count = set != NULL && set->controller_count > 0 ? set->controller_count : 1;
    json_t *list = json_array();
    salvor_status status = list != NULL ? SALVOR_OK : salvor_fail_memory(call, "the controllers");
    for (size_t i = 0; status == SALVOR_OK && i < count; i++)
        status = add(call, client, &references[i], list);
    if (status != SALVOR_OK) {
        json_decref(list);
        return status;
    }
    *ret_list = list;
    return SALVOR_OK;
}

/* ---- changing -------------------------------------------------------------------------------- */

/* annotation: the replicas to note, negative: to forget. */
static salvor_status scale(salvor_call *call, salvor_kube_client *client, const json_t *controller,
                           int64_t replicas, int64_t annotation)
{
    char number[32];
    struct salvor_kube_request request = request_for(controller, "patch");
    (void)snprintf(number, sizeof number, "%lld", (long long)annotation);
    salvor_auto_json json_t *patch = salvor_json_build(
        call, "{s:{s:{s:s?}}, s:{s:I}}", "metadata", "annotations", REPLICAS_ANNOTATION,
        annotation >= 0 ? number : NULL, "spec", "replicas", (json_int_t)replicas);
    salvor_auto_release char *text = patch != NULL ? salvor_json_write(patch) : NULL;
    if (text == NULL)
        return salvor_fail_memory(call, "a patch");
    request.patch_type = "merge";
    request.body = salvor_span_of(text);
    return cluster_must(call, client, &request, NULL);
}

/* What stood before, unless an earlier attempt noted it. */
static salvor_status keep_pre_image(salvor_call *call, const json_t *parameters)
{
    if (call->host->last_checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE) != NULL)
        return SALVOR_OK;
    return salvor_checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE,
                             json_deep_copy(json_object_get(parameters, "controllers")));
}

salvor_status controllers_stop(salvor_call *call, const struct salvor_step *step,
                               json_t *parameters)
{
    salvor_kube_client *client = NULL;
    size_t index = 0;
    const json_t *one = NULL;
    (void)step;
    SALVOR_TRY(keep_pre_image(call, parameters));
    SALVOR_TRY(cluster_open(call, 0, &client));
    json_array_foreach (json_object_get(parameters, "controllers"), index, one) {
        const int64_t replicas = salvor_json_integer(one, "/replicas", DEFAULT_REPLICAS);
        SALVOR_TRY(scale(call, client, one, 0, replicas));
        SALVOR_TRY(
            salvor_note(call, "should this run end here: kubectl scale %s %s -n %s --replicas=%lld",
                        salvor_json_text(one, "/resource", ""), salvor_json_text(one, "/name", ""),
                        salvor_json_text(one, "/namespace", ""), (long long)replicas));
    }
    return SALVOR_OK;
}

salvor_status controllers_start(salvor_call *call, const struct salvor_step *step,
                                json_t *parameters)
{
    salvor_kube_client *client = NULL;
    size_t index = 0;
    const json_t *one = NULL;
    (void)step;
    SALVOR_TRY(keep_pre_image(call, parameters));
    SALVOR_TRY(cluster_open(call, 0, &client));
    json_array_foreach (json_object_get(parameters, "controllers"), index, one)
        SALVOR_TRY(scale(call, client, one, salvor_json_integer(one, "/replicas", 1), -1));
    return SALVOR_OK;
}

/* ---- looking --------------------------------------------------------------------------------- */

/* 1: some pod of its selector is still there. */
static salvor_status has_pods(salvor_call *call, salvor_kube_client *client, const json_t *live,
                              int *ret_has)
{
    salvor_auto_text struct salvor_text labels = SALVOR_TEXT_INIT(65536);
    const struct salvor_kube *kube = salvor_kube_of(call);
    struct salvor_kube_page page = {.struct_size = sizeof page};
    salvor_kube_list *list = NULL;
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach (salvor_json_at(live, "/spec/selector/matchLabels"), key, value)
        salvor_text_format(&labels, "%s%s=%s", labels.size > 0 ? "," : "", key,
                           json_is_string(value) ? json_string_value(value) : "");
    SALVOR_TRY(salvor_text_check(call, &labels, "a label selector"));
    salvor_auto_json json_t *options = salvor_json_build(
        call, "{s:s, s:s, s:s, s:s, s:s, s:b, s:i}", "group", "", "version", "v1", "resource",
        "pods", "namespace", salvor_json_text(live, "/metadata/namespace", ""), "labelSelector",
        salvor_text_get(&labels), "metadata_only", 1, "limit", 1);
    salvor_auto_release char *text = options != NULL ? salvor_json_write(options) : NULL;
    if (text == NULL)
        return salvor_fail_memory(call, "a list");
    *ret_has = 0;
    if (labels.size == 0)
        return SALVOR_OK;
    SALVOR_TRY(kube->list_open(call, client, text, &list));
    const salvor_status status = kube->list_next(call, list, &page);
    *ret_has = status == SALVOR_OK && page.item_count > 0;
    kube->list_close(call, list);
    return status == SALVOR_END ? SALVOR_OK : status;
}

struct look {
    uint32_t answer; /* the least of all */
    int64_t ready;
    int64_t wanted;
};

/* The one that is furthest from the goal counts. */
static void take_answer(struct look *look, uint32_t answer)
{
    if (answer < look->answer)
        look->answer = answer;
}

static salvor_status look_at(salvor_call *call, salvor_kube_client *client, const json_t *one,
                             int stopping, struct look *look)
{
    const struct salvor_kube_request request = request_for(one, "get");
    const int64_t wanted = stopping ? 0 : salvor_json_integer(one, "/replicas", 1);
    salvor_auto_json json_t *live = NULL;
    int pods = 0;
    SALVOR_TRY(cluster_get_json(call, client, &request, &live));
    if (live == NULL) { /* gone: nothing runs, and nothing can be started */
        take_answer(look, stopping ? SALVOR_CHECK_DONE : SALVOR_CHECK_NOT_STARTED);
        return SALVOR_OK;
    }
    if (salvor_json_integer(live, "/spec/replicas", 1) != wanted ||
        (!stopping && salvor_json_at(live, annotation_path) != NULL)) {
        take_answer(look, SALVOR_CHECK_NOT_STARTED);
        return SALVOR_OK;
    }
    if (stopping) {
        SALVOR_TRY(has_pods(call, client, live, &pods));
        take_answer(look, pods ? SALVOR_CHECK_IN_PROGRESS : SALVOR_CHECK_DONE);
        return SALVOR_OK;
    }
    const int64_t ready = salvor_json_integer(live, "/status/readyReplicas", 0);
    look->ready += ready;
    look->wanted += wanted;
    take_answer(look, ready >= wanted ? SALVOR_CHECK_DONE : SALVOR_CHECK_IN_PROGRESS);
    return SALVOR_OK;
}

static salvor_status look_at_all(salvor_call *call, const json_t *parameters, int stopping,
                                 struct look *look)
{
    salvor_kube_client *client = NULL;
    size_t index = 0;
    const json_t *one = NULL;
    look->answer = SALVOR_CHECK_DONE;
    SALVOR_TRY(cluster_open(call, 0, &client));
    json_array_foreach (json_object_get(parameters, "controllers"), index, one)
        SALVOR_TRY(look_at(call, client, one, stopping, look));
    return SALVOR_OK;
}

salvor_status controllers_are_stopped(salvor_call *call, const struct salvor_step *step,
                                      json_t *parameters, uint32_t *ret_answer)
{
    struct look look = {0, 0, 0};
    (void)step;
    SALVOR_TRY(look_at_all(call, parameters, 1, &look));
    *ret_answer = look.answer;
    return SALVOR_OK;
}

salvor_status controllers_are_started(salvor_call *call, const struct salvor_step *step,
                                      json_t *parameters, uint32_t *ret_answer)
{
    struct look look = {0, 0, 0};
    (void)step;
    SALVOR_TRY(look_at_all(call, parameters, 0, &look));
    *ret_answer = look.answer;
    if (look.answer != SALVOR_CHECK_IN_PROGRESS)
        return SALVOR_OK;
    return salvor_note(call, "%lld of %lld replicas are ready", (long long)look.ready,
                       (long long)look.wanted);
}
