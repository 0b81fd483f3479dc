#include <salvor/scan.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "net/kube-task.h"

enum { BODY_LIMIT = 64 << 20 };

struct verb {
    const char *name;
    enum kube_verb verb;
    const char *method;
    int has_body; /* 1: must, 0: must not, -1: may */
    int has_name;
};

static const struct verb verbs[] = {
    {"get", KUBE_GET, "GET", 0, 1},         {"list", KUBE_LIST, "GET", 0, 0},
    {"create", KUBE_CREATE, "POST", 1, -1}, {"update", KUBE_UPDATE, "PUT", 1, 1},
    {"patch", KUBE_PATCH, "PATCH", 1, 1},   {"delete", KUBE_DELETE, "DELETE", -1, 1},
};

static const struct {
    const char *name;
    const char *content_type;
} patches[] = {
    {"json", "application/json-patch+json"},
    {"merge", "application/merge-patch+json"},
    {"apply", "application/apply-patch+yaml"}, /* JSON is YAML */
    {"strategic", "application/strategic-merge-patch+json"},
};

static int is_set(const char *text)
{
    return text != NULL && *text != '\0';
}

/* What is made of a request before it is a task. */
struct making {
    struct worker_call *call;
    const char *function;
    const struct salvor_kube_request *request;
    const struct verb *verb;
    struct kube_task *task;
};

static salvor_status bug(const struct making *making, const char *what)
{
    return call_fail(making->call, SALVOR_BUG, "%s: %s", making->function, what);
}

/* ---- the request itself ---------------------------------------------------------------------- */

static salvor_status check_verb(struct making *making)
{
    const struct salvor_kube_request *request = making->request;
    if (request == NULL || request->struct_size < sizeof *request)
        return bug(making, "struct_size of the request is not set");
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (text_equal(request->verb, verbs[i].name))
            making->verb = &verbs[i];
    }
    if (making->verb == NULL)
        return bug(making, "the verb is none of get, list, create, update, patch, delete");
    const int has_body = request->body.size > 0;
    if (making->verb->has_body == 1 && !has_body)
        return bug(making, "this verb needs a body");
    if (making->verb->has_body == 0 && has_body)
        return bug(making, "this verb has no body");
    if (request->body.size > BODY_LIMIT)
        return bug(making, "the body is larger than 64 MiB");
    if (making->verb->has_name == 1 && !is_set(request->name))
        return bug(making, "this verb needs the name of an object");
    if (making->verb->has_name == 0 && is_set(request->name))
        return bug(making, "a list has no name: use a field selector");
    if (making->verb->verb == KUBE_CREATE && is_set(request->name) != is_set(request->subresource))
        return bug(making, "create takes a name for sub-resources, and for these only");
    return SALVOR_OK;
}

/* A connection into a pod, node or service is no request to the API: what goes through it is not
 * seen, even a GET may run commands. */
static salvor_status check_subresource(const struct making *making)
{
    static const char *const connects[] = {"exec", "attach", "portforward", "proxy", NULL};
    for (size_t i = 0; connects[i] != NULL; i++) {
        if (text_equal(making->request->subresource, connects[i])) {
            (void)call_fail(making->call, SALVOR_REFUSED, "%s: sub-resource '%s' is not offered",
                            making->function, connects[i]);
            return call_hint(making->call, SALVOR_REFUSED, "run kubectl through salvor.exec");
        }
    }
    return SALVOR_OK;
}

static int is_review(const struct salvor_kube_request *request)
{
    static const struct {
        const char *group;
        const char *resource;
    } reviews[] = {
        {"authorization.k8s.io", "selfsubjectaccessreviews"},
        {"authorization.k8s.io", "selfsubjectrulesreviews"},
        {"authorization.k8s.io", "subjectaccessreviews"},
        {"authorization.k8s.io", "localsubjectaccessreviews"},
        {"authentication.k8s.io", "selfsubjectreviews"},
        {"authentication.k8s.io", "tokenreviews"},
    };
    for (size_t i = 0; i < sizeof reviews / sizeof reviews[0]; i++) {
        if (text_equal(request->group, reviews[i].group) &&
            text_equal(request->resource, reviews[i].resource))
            return !is_set(request->subresource);
    }
    return 0;
}

static salvor_status check_patch(const struct making *making)
{
    const char *type = making->request->patch_type;
    making->task->content_type = "application/json";
    if (making->verb->verb != KUBE_PATCH)
        return is_set(type) ? bug(making, "patch_type is for patch only") : SALVOR_OK;
    for (size_t i = 0; i < sizeof patches / sizeof patches[0]; i++) {
        if (text_equal(type, patches[i].name)) {
            making->task->content_type = patches[i].content_type;
            return SALVOR_OK;
        }
    }
    return bug(making, "patch_type is none of json, merge, apply, strategic");
}

/* ---- where it goes --------------------------------------------------------------------------- */

static char *copy_or_null(const char *text)
{
    return is_set(text) ? text_copy(text) : NULL;
}

static char *what_text(const struct making *making)
{
    const struct salvor_kube_request *request = making->request;
    const char *ns = is_set(request->ns) ? request->ns : "";
    const char *name = is_set(request->name) ? request->name : "";
    if (*ns == '\0' && *name == '\0')
        return text_format("%s '%s'", making->verb->name, making->task->type);
    return text_format("%s '%s' '%s%s%s'", making->verb->name, making->task->type, ns,
                       *ns != '\0' && *name != '\0' ? "/" : "", name);
}

/* Who writes is on record with the object; without a name the server would make one up. */
static char *query_text(const struct making *making)
{
    const struct salvor_kube_request *request = making->request;
    const enum kube_verb verb = making->verb->verb;
    const int writes =
        (verb == KUBE_CREATE && !is_review(request)) || verb == KUBE_UPDATE || verb == KUBE_PATCH;
    const int named = kube_query_has(request->query, "fieldManager");
    cleanup_free char *own =
        kube_query_join(writes && !named ? "fieldManager=salvor" : NULL,
                        request->dry_run != 0 && verb != KUBE_GET && verb != KUBE_LIST &&
                                !kube_query_has(request->query, "dryRun")
                            ? "dryRun=All"
                            : NULL);
    return kube_query_join(request->query, own);
}

static salvor_status check_query(const struct making *making)
{
    const char *query = making->request->query;
    for (const char *at = query; at != NULL && *at != '\0'; at++) {
        if ((unsigned char)*at <= ' ' || *at == 0x7f || *at == '#')
            return bug(making, "the query is not encoded");
    }
    if (making->request->dry_run != 0 && kube_query_has(query, "dryRun"))
        return bug(making, "the query has a dryRun of its own beside dry_run");
    if (kube_query_has(query, "watch"))
        return bug(making, "watches are for wait");
    return SALVOR_OK;
}

/* "/version", "/readyz": what the server says of itself. */
static salvor_status make_plain_target(const struct making *making)
{
    const char *path = making->request->name;
    /* what a proxy on the way would make another path of, this one must not look past */
    const int has_bad = strpbrk(path, "?#% \\") != NULL || strstr(path, "..") != NULL ||
                        strstr(path, "//") != NULL || strstr(path, "/./") != NULL;
    if (making->verb->verb != KUBE_GET || has_bad || text_starts(path, "/api/") ||
        text_starts(path, "/apis/"))
        return bug(making, "a path without a resource is for get, and not below /api or /apis");
    making->task->target = text_format(
        "%s%s%s%s", making->task->client->prefix != NULL ? making->task->client->prefix : "", path,
        is_set(making->request->query) ? "?" : "",
        is_set(making->request->query) ? making->request->query : "");
    return SALVOR_OK;
}

static salvor_status make_target(const struct making *making)
{
    const struct salvor_kube_request *request = making->request;
    struct kube_task *task = making->task;
    cleanup_error struct error err = ERROR_INIT;
    const struct kube_place place = {.group = request->group,
                                     .version = request->version,
                                     .resource = request->resource,
                                     .ns = request->ns,
                                     .name = request->name,
                                     .subresource = request->subresource};
    const int plain = !is_set(request->resource) && is_set(request->name) && *request->name == '/';
    cleanup_free char *query = query_text(making);
    task->type = plain ? text_copy(request->name) : kube_type_text(&place);
    task->what = plain ? text_format("get '%s'", request->name) : what_text(making);
    task->group = copy_or_null(request->group);
    task->version = copy_or_null(request->version);
    task->resource = copy_or_null(request->resource);
    task->subresource = copy_or_null(request->subresource);
    task->ns = copy_or_null(request->ns);
    task->name = copy_or_null(request->name);
    if (plain)
        return make_plain_target(making);
    if (!is_set(request->resource))
        return bug(making, "the resource is missing");
    if (kube_target(task->client->prefix != NULL ? task->client->prefix : "", &place, query,
                    &task->target, &err) == 0)
        return SALVOR_OK;
    (void)error_prefix(&err, "%s", making->function);
    return call_fail_error(making->call, SALVOR_BUG, &err);
}

/* ---- what it carries ------------------------------------------------------------------------- */

/* A DELETE with a body is read from the body alone: a dryRun beside it would be overlooked, and the
 * object gone. */
static salvor_status make_dry_delete(const struct making *making)
{
    struct kube_task *task = making->task;
    cleanup_json json_t *options = json_loadb(task->body, task->body_size, 0, NULL);
    if (!json_is_object(options))
        return bug(making, "the body of a delete is no JSON object");
    json_put(options, "dryRun", json_make("[s]", "All"));
    free(task->body);
    task->body = json_dumps(options, JSON_COMPACT);
    if (task->body == NULL)
        out_of_memory();
    task->body_size = strlen(task->body);
    return SALVOR_OK;
}

static salvor_status make_body(const struct making *making)
{
    const struct salvor_span body = making->request->body;
    struct kube_task *task = making->task;
    if (body.size == 0)
        return SALVOR_OK;
    if (body.data == NULL)
        return bug(making, "the body is missing");
    task->body = memory_new((size_t)body.size + 1, 1);
    memcpy(task->body, body.data, (size_t)body.size);
    task->body_size = (size_t)body.size;
    return making->verb->verb == KUBE_DELETE && making->request->dry_run != 0
               ? make_dry_delete(making)
               : SALVOR_OK;
}

/* ---- what may be done again ------------------------------------------------------------------ */

/* A text of the body's metadata; 0 and "" when it is not there, or too long to be one. */
static int body_text(const struct kube_task *task, const char *path, char *text, size_t size)
{
    const struct salvor_span body = {task->body, task->body_size};
    struct salvor_token token;
    text[0] = '\0';
    return salvor_scan_find(body, path, &token, NULL, NULL) == SALVOR_OK &&
           token.type == SALVOR_TOKEN_STRING && token.text.size > 0 &&
           salvor_token_decode(&token, text, size) == SALVOR_OK;
}

/* 1: a second one would be refused since the first one changed the version. */
static int has_version(const struct kube_task *task)
{
    char version[256];
    return body_text(task, "/metadata/resourceVersion", version, sizeof version);
}

static enum kube_settling settling_of(const struct making *making)
{
    struct kube_task *task = making->task;
    const char *patch = making->request->patch_type;
    char name[1024];
    if (task->is_read)
        return KUBE_REPEAT;
    switch (making->verb->verb) {
    case KUBE_CREATE:
        if (task->subresource != NULL)
            return KUBE_NEVER_TWICE;
        if (!body_text(task, "/metadata/name", name, sizeof name))
            return KUBE_NEVER_TWICE;
        task->name = text_copy(name);
        return KUBE_LOOK;
    case KUBE_UPDATE:
        return has_version(task) ? KUBE_LOOK : KUBE_REPEAT;
    case KUBE_PATCH:
        if (text_equal(patch, "json") || text_equal(patch, "strategic"))
            return KUBE_NEVER_TWICE;
        return text_equal(patch, "merge") && has_version(task) ? KUBE_LOOK : KUBE_REPEAT;
    default:
        return KUBE_REPEAT;
    }
}

/* ---- all together ---------------------------------------------------------------------------- */

static json_t *key_of(const struct making *making)
{
    const struct salvor_kube_request *request = making->request;
    const struct kube_task *task = making->task;
    char digest[DIGEST_TEXT_SIZE];
    json_t *key =
        json_make("{s:O,s:s}", "client", task->client->identity, "verb", making->verb->name);
    json_put_text(key, "group", is_set(request->group) ? request->group : "");
    json_put_text(key, "version", request->version);
    json_put_text(key, "resource", request->resource);
    json_put_text(key, "subresource", request->subresource);
    json_put_text(key, "namespace", request->ns);
    json_put_text(key, "name", request->name);
    json_put_text(key, "query", request->query);
    json_put_text(key, "patch_type", request->patch_type);
    json_put(key, "dry_run", json_boolean(request->dry_run != 0));
    digest_text_of(task->body != NULL ? task->body : "", task->body_size, digest);
    json_put_text(key, "body_sha256", task->body_size > 0 ? digest : NULL);
    return key;
}

static salvor_status make(struct making *making)
{
    struct kube_task *task = making->task;
    const struct salvor_kube_request *request = making->request;
    salvor_status status = check_query(making);
    if (status == SALVOR_OK)
        status = check_subresource(making);
    if (status == SALVOR_OK)
        status = check_patch(making);
    if (status == SALVOR_OK)
        status = make_target(making);
    if (status == SALVOR_OK)
        status = make_body(making);
    if (status != SALVOR_OK)
        return status;
    task->verb = making->verb->verb;
    task->method = making->verb->method;
    task->is_read = task->verb == KUBE_GET || task->verb == KUBE_LIST || request->dry_run != 0 ||
                    (task->verb == KUBE_CREATE && is_review(request));
    if (!task->is_read) {
        status = call_may_change(making->call, task->what);
        if (status != SALVOR_OK)
            return status;
    }
    task->settling = settling_of(making);
    task->task.kind = &kube_task_kind;
    task->task.verb = making->verb->name;
    task->task.type = task->type;
    if (making->call->session->recorder != NULL)
        task->key = key_of(making);
    return SALVOR_OK;
}

salvor_status kube_task_make(struct worker_call *call, salvor_kube_client *client,
                             const char *function, const struct salvor_kube_request *request,
                             struct kube_task **ret_task)
{
    struct making making = {.call = call, .function = function, .request = request};
    *ret_task = NULL;
    salvor_status status = kube_client_check(call, client);
    if (status == SALVOR_OK)
        status = check_verb(&making);
    if (status != SALVOR_OK)
        return status;
    making.task = memory_new(1, sizeof *making.task);
    making.task->call = call;
    making.task->client = client;
    making.task->found = (struct buffer)BUFFER_INIT(0);
    kube_client_hold(client);
    status = make(&making);
    if (status != SALVOR_OK) {
        kube_task_free(making.task);
        return status;
    }
    *ret_task = making.task;
    return SALVOR_OK;
}
