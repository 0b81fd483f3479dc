#include "cluster.h"

#include <stdio.h>
#include <string.h>

int cluster_is_named(salvor_call *call)
{
    return salvor_option_text(call, "kubeconfig", NULL) != NULL ||
           salvor_option_text(call, "context", NULL) != NULL;
}

salvor_status cluster_open(salvor_call *call, int bypass, salvor_kube_client **ret_client)
{
    const char *kubeconfig = salvor_option_text(call, "kubeconfig", NULL);
    const char *context = salvor_option_text(call, "context", NULL);
    const int as_webhook = bypass && salvor_option_flag(call, "webhook-bypass");
    salvor_auto_json json_t *options =
        salvor_json_build(call, "{s:s?, s:s?}", "kubeconfig", kubeconfig, "context", context);
    if (options == NULL)
        return SALVOR_FAILED;
    if (as_webhook &&
        (salvor_json_put(options, "/as",
                         json_string("system:serviceaccount:cattle-system:rancher-webhook-sudo")) !=
             SALVOR_OK ||
         salvor_json_put(options, "/as_groups", json_pack("[s]", "system:masters")) != SALVOR_OK))
        return salvor_fail_memory(call, "the client");
    salvor_auto_release char *text = salvor_json_write(options);
    if (text == NULL)
        return salvor_fail_memory(call, "the client");
    return salvor_kube_of(call)->client_open(call, text, ret_client);
}

/* ---- single objects -------------------------------------------------------------------------- */

static void name_of(const struct salvor_kube_request *object, char *buffer, size_t size)
{
    (void)snprintf(buffer, size, "%s%s%s%s%s%s%s", object->resource,
                   *object->group != '\0' ? "." : "", object->group, object->ns != NULL ? " " : "",
                   object->ns != NULL ? object->ns : "", object->ns != NULL ? "/" : " ",
                   object->name != NULL ? object->name : "");
}

salvor_status cluster_get(salvor_call *call, salvor_kube_client *client,
                          const struct salvor_kube_request *object, int32_t *ret_code,
                          struct salvor_span *ret_body)
{
    struct salvor_kube_request request = *object;
    request.struct_size = sizeof request;
    request.verb = "get";
    const salvor_status status =
        salvor_kube_of(call)->request(call, client, &request, ret_code, ret_body);
    return status == SALVOR_NOT_FOUND ? SALVOR_OK : status;
}

const char *cluster_reason(struct salvor_span body, char *buffer, size_t size)
{
    struct salvor_token token;
    buffer[0] = '\0';
    if (body.data == NULL || salvor_scan_find(body, "/message", &token, NULL, NULL) != SALVOR_OK ||
        token.type != SALVOR_TOKEN_STRING)
        return buffer;
    char decoded[1024];
    if (salvor_token_decode(&token, decoded, sizeof decoded) != SALVOR_OK)
        (void)snprintf(decoded, sizeof decoded, "%.*s", (int)sizeof decoded - 1, token.text.data);
    (void)snprintf(buffer, size, "%s", decoded);
    return buffer;
}

static salvor_status refused(salvor_call *call, const char *what, int32_t code,
                             struct salvor_span body)
{
    char reason[1024];
    const char *text = cluster_reason(body, reason, sizeof reason);
    return salvor_fail_detail(call, SALVOR_FAILED, *text != '\0' ? text : NULL,
                              code == 401 || code == 403
                                  ? "the account needs that right: docs/providers/rancher.md"
                                  : NULL,
                              "the API server answers %s with %d", what, (int)code);
}

salvor_status cluster_get_json(salvor_call *call, salvor_kube_client *client,
                               const struct salvor_kube_request *object, json_t **ret_json)
{
    int32_t code = 0;
    struct salvor_span body = {NULL, 0};
    char name[600];
    *ret_json = NULL;
    SALVOR_TRY(cluster_get(call, client, object, &code, &body));
    if (code == 404)
        return SALVOR_OK;
    name_of(object, name, sizeof name);
    if (code == 200)
        return salvor_json_parse(call, body, name, ret_json);
    char what[640];
    (void)snprintf(what, sizeof what, "'get %s'", name);
    return refused(call, what, code, body);
}

salvor_status cluster_must(salvor_call *call, salvor_kube_client *client,
                           const struct salvor_kube_request *request, struct salvor_span *ret_body)
{
    int32_t code = 0;
    struct salvor_span body = {NULL, 0};
    char name[600];
    char what[700];
    const salvor_status status = salvor_kube_of(call)->request(call, client, request, &code, &body);
    if (status != SALVOR_OK && status != SALVOR_NOT_FOUND)
        return status;
    if (ret_body != NULL)
        *ret_body = body;
    if (code >= 200 && code < 300)
        return SALVOR_OK;
    name_of(request, name, sizeof name);
    (void)snprintf(what, sizeof what, "'%s %s'", request->verb, name);
    return refused(call, what, code, body);
}

/* ---- what is served ---------------------------------------------------------------------------
 */

static int has_verb(const json_t *resource, const char *verb)
{
    size_t index = 0;
    const json_t *one = NULL;
    json_array_foreach (json_object_get(resource, "verbs"), index, one) {
        if (json_is_string(one) && strcmp(json_string_value(one), verb) == 0)
            return 1;
    }
    return 0;
}

salvor_status api_catalog_read(salvor_call *call, salvor_kube_client *client,
                               struct api_catalog *ret_catalog)
{
    struct salvor_span json = {NULL, 0};
    memset(ret_catalog, 0, sizeof *ret_catalog);
    SALVOR_TRY(salvor_kube_of(call)->discovery(call, client, &json));
    SALVOR_TRY(salvor_json_parse(call, json, "the answer of the discovery", &ret_catalog->json));
    const json_t *resources = json_object_get(ret_catalog->json, "resources");
    const size_t count = json_array_size(resources);
    ret_catalog->types = salvor_allocate_zeroed((count + 1) * sizeof *ret_catalog->types);
    if (ret_catalog->types == NULL) {
        api_catalog_clear(ret_catalog);
        return salvor_fail_memory(call, "the types of the API");
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *one = json_array_get(resources, i);
        ret_catalog->types[ret_catalog->count++] =
            (struct api_type){.group = salvor_json_text(one, "/group", ""),
                              .version = salvor_json_text(one, "/version", ""),
                              .resource = salvor_json_text(one, "/resource", ""),
                              .kind = salvor_json_text(one, "/kind", ""),
                              .namespaced = salvor_json_flag(one, "/namespaced", 0),
                              .can_list = has_verb(one, "list"),
                              .can_get = has_verb(one, "get")};
    }
    return SALVOR_OK;
}

void api_catalog_clear(struct api_catalog *catalog)
{
    salvor_release(catalog->types);
    json_decref(catalog->json);
    memset(catalog, 0, sizeof *catalog);
}

const struct api_type *api_catalog_find(const struct api_catalog *catalog, struct salvor_span group,
                                        const char *version, struct salvor_span resource)
{
    for (size_t i = 0; i < catalog->count; i++) {
        const struct api_type *type = &catalog->types[i];
        if (salvor_span_is(group, type->group) && salvor_span_is(resource, type->resource) &&
            (version == NULL || strcmp(version, type->version) == 0))
            return type;
    }
    return NULL;
}

const struct api_type *api_catalog_find_kind(const struct api_catalog *catalog,
                                             struct salvor_span group, struct salvor_span version,
                                             struct salvor_span kind)
{
    for (size_t i = 0; i < catalog->count; i++) {
        const struct api_type *type = &catalog->types[i];
        if (salvor_span_is(group, type->group) && salvor_span_is(kind, type->kind) &&
            (version.data == NULL || salvor_span_is(version, type->version)))
            return type;
    }
    return NULL;
}

const char *api_catalog_unavailable(const struct api_catalog *catalog, const char *group,
                                    const char *version)
{
    size_t index = 0;
    const json_t *one = NULL;
    json_array_foreach (json_object_get(catalog->json, "unavailable"), index, one) {
        const char *of = salvor_json_text(one, "/version", "");
        if (strcmp(salvor_json_text(one, "/group", ""), group) == 0 &&
            (*of == '\0' || strcmp(of, version) == 0))
            return salvor_json_text(one, "/reason", "its server does not answer");
    }
    return NULL;
}
