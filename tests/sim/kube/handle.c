/* One request through the layers of the API: identity, faults, rights, route, verb. */
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "control.h"
#include "delete.h"
#include "discovery.h"
#include "internal.h"
#include "json-text.h"
#include "json-tree.h"
#include "list.h"
#include "object.h"
#include "review.h"
#include "route.h"
#include "scale.h"
#include "status.h"
#include "watch.h"

#include "base/banned.h"
#include "base/text.h"

const char *request_query(const struct sim_request *request, const char *name)
{
    for (size_t i = 0; i < request->query_count; i++)
        if (strcmp(request->query[i].name, name) == 0)
            return request->query[i].value;
    return NULL;
}

void answer_json(struct sim_answer *answer, int code, json_t *tree)
{
    answer->status = code;
    json_text_write(&answer->body, tree);
    buffer_append_text(&answer->body, "\n");
    json_decref(tree);
}

void answer_status(struct sim_answer *answer, json_t *status)
{
    int code = (int)tree_integer(status, "code", 200);
    const char *reason = tree_text(status, "reason");
    json_int_t retry = tree_integer(status, "details.retryAfterSeconds", 0);
    if (reason != NULL && answer->reason == NULL)
        answer->reason = text_copy(reason);
    if (retry > 0)
        answer->retry_after = (int)retry;
    buffer_clear(&answer->body);
    answer_json(answer, code, status);
}

void answer_text(struct sim_answer *answer, int code, const char *text)
{
    answer->status = code;
    answer->content_type = "text/plain; charset=utf-8";
    buffer_append_text(&answer->body, text);
}

void answer_no_page(struct sim_answer *answer)
{
    answer_text(answer, 404, "404 page not found\n");
}

/* Paths of built-in groups are refused by the API, all others by the server in front of it. */
static void answer_no_resource(const struct sim_kube *sim, const struct sim_request *request,
                               struct sim_answer *answer)
{
    int builtin = text_starts(request->path, "/api/v1/");
    for (size_t i = 0; i < sim->types.count && !builtin; i++) {
        const struct kube_type *type = sim->types.items[i];
        if ((type->flags & TYPE_CUSTOM) != 0)
            continue;
        char *prefix = text_format("/apis/%s/%s/", type->group, type->version);
        builtin = text_starts(request->path, prefix);
        free(prefix);
    }
    if (builtin)
        answer_status(answer, status_failure(404, "NotFound", json_object(),
                                             "the server could not find the requested resource"));
    else
        answer_no_page(answer);
}

static int is_authorized(struct sim_kube *sim, struct sim_request *request,
                         struct sim_answer *answer, int has_route)
{
    const struct sim_route *route = &request->route;
    struct access_question question = {0};
    if (has_route) {
        question = (struct access_question){.verb = route->verb,
                                            .group = route->type->group,
                                            .plural = route->type->plural,
                                            .subresource = route->subresource,
                                            .space = route->space,
                                            .name = route->name};
        /* The namespace itself counts as lying in its namespace. */
        if (route->type->table == sim->tables.namespaces)
            question.space = route->name;
    } else {
        char method[16];
        size_t size = strlen(request->method);
        if (size >= sizeof method)
            size = sizeof method - 1;
        for (size_t i = 0; i < size; i++)
            method[i] = (char)(request->method[i] >= 'A' && request->method[i] <= 'Z'
                                   ? request->method[i] - 'A' + 'a'
                                   : request->method[i]);
        method[size] = '\0';
        question = (struct access_question){.verb = method,
                                            .group = "",
                                            .plural = "",
                                            .subresource = "",
                                            .space = "",
                                            .name = "",
                                            .path = request->path};
        if (access_allows(sim, &request->user, &question))
            return 1;
        answer_status(answer, access_refusal(&request->user, &question));
        return 0;
    }
    if (access_allows(sim, &request->user, &question))
        return 1;
    if (route->type->table == sim->tables.namespaces && route->name[0] == '\0')
        question.space = "";
    answer_status(answer, access_refusal(&request->user, &question));
    return 0;
}

static void dispatch_subresource(struct sim_kube *sim, struct sim_request *request,
                                 struct sim_answer *answer)
{
    const struct sim_route *route = &request->route;
    const char *sub = route->subresource;
    const char *verb = route->verb;
    unsigned flags = route->type->flags;
    int status = strcmp(sub, "status") == 0 && (flags & TYPE_STATUS) != 0;
    int finalize = strcmp(sub, "finalize") == 0 && (flags & TYPE_FINALIZE) != 0;
    int scale = strcmp(sub, "scale") == 0 && (flags & TYPE_SCALE) != 0;
    if (!status && !finalize && !scale && (flags & TYPE_CUSTOM) != 0)
        answer_status(answer,
                      status_not_found(route->type->group, route->type->plural, route->name));
    else if (!status && !finalize && !scale)
        answer_no_resource(sim, request, answer);
    else if (strcmp(verb, "update") != 0 &&
             (finalize || (strcmp(verb, "get") != 0 && strcmp(verb, "patch") != 0)))
        answer_status(answer, status_method_not_allowed());
    else if (scale)
        scale_answer(sim, request, answer);
    else if (strcmp(verb, "get") == 0)
        object_get(sim, request, answer);
    else if (strcmp(verb, "update") == 0)
        object_update(sim, request, answer);
    else
        object_patch(sim, request, answer);
}

static void dispatch(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer)
{
    const struct sim_route *route = &request->route;
    const char *verb = route->verb;
    int named = route->name[0] != '\0';
    int in_all = (route->type->flags & TYPE_NAMESPACED) != 0 && route->space[0] == '\0';
    if ((route->type->flags & TYPE_CREATE_ONLY) != 0)
        review_answer(sim, request, answer);
    else if (route->subresource[0] != '\0')
        dispatch_subresource(sim, request, answer);
    else if (strcmp(verb, "get") == 0)
        object_get(sim, request, answer);
    else if (strcmp(verb, "list") == 0)
        list_answer(sim, request, answer);
    else if (strcmp(verb, "watch") == 0)
        watch_open(sim, request, answer);
    else if (strcmp(verb, "create") == 0 && !named && !in_all)
        object_create(sim, request, answer);
    else if (strcmp(verb, "update") == 0 && named)
        object_update(sim, request, answer);
    else if (strcmp(verb, "patch") == 0 && named)
        object_patch(sim, request, answer);
    else if (strcmp(verb, "delete") == 0)
        delete_object(sim, request, answer);
    else if (strcmp(verb, "deletecollection") == 0 && !in_all)
        delete_collection(sim, request, answer);
    else if (in_all && (route->type->flags & TYPE_CUSTOM) != 0)
        answer_no_page(answer);
    else
        answer_status(answer, status_method_not_allowed());
}

/* dryRun=All, or 422 for any other value; -1 after answering. */
static int read_dry_run(struct sim_request *request, struct sim_answer *answer)
{
    const char *dry = request_query(request, "dryRun");
    if (dry == NULL || dry[0] == '\0')
        return 0;
    if (strcmp(dry, "All") == 0) {
        request->is_dry = 1;
        return 0;
    }
    char *message = text_format("Unsupported value: \"%s\": supported values: \"All\"", dry);
    answer_status(answer, status_invalid("meta.k8s.io", "CreateOptions", "",
                                         "FieldValueNotSupported", "dryRun", message));
    free(message);
    return -1;
}

static void answer_too_large(struct sim_answer *answer)
{
    answer_status(answer, status_failure(413, "RequestEntityTooLarge", json_object(),
                                         "Request entity too large: limit is %zu", REQUEST_LIMIT));
}

void sim_handle(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer)
{
    answer->content_type = "application/json";
    if (text_starts(request->path, CONTROL_PREFIX)) {
        control_answer(sim, request, answer);
        return;
    }
    if (!request->is_own && control_fault(sim, request, answer))
        return;
    if (access_identify(sim, request, answer) != 0)
        return;
    int has_route = route_parse(sim, request) == 0;
    if (!is_authorized(sim, request, answer, has_route))
        return;
    if (!has_route) {
        if (discovery_answer(sim, request, answer) != 0)
            answer_no_resource(sim, request, answer);
        return;
    }
    if ((request->route.type->flags & TYPE_DEPRECATED) != 0)
        answer->warning = text_copy(request->route.type->warning);
    if (request->body.size > REQUEST_LIMIT)
        answer_too_large(answer);
    else if (read_dry_run(request, answer) == 0)
        dispatch(sim, request, answer);
}
