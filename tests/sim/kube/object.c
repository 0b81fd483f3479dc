#include "object.h"

#include <stdlib.h>
#include <string.h>

#include "json-text.h"
#include "json-tree.h"
#include "metadata.h"
#include "output.h"
#include "patch.h"
#include "status.h"
#include "strategy.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

static int media_is(const char *content_type, const char *media)
{
    size_t size = strlen(media);
    return strncmp(content_type, media, size) == 0 && strchr("; ", content_type[size]) != NULL;
}

struct store_object *object_find(struct sim_request *request, struct sim_answer *answer)
{
    const struct sim_route *route = &request->route;
    cleanup_free char *key = route_key(route);
    struct store_object *object = store_get(route->type->table, key);
    if (object == NULL)
        answer_status(answer,
                      status_not_found(route->type->group, route->type->plural, route->name));
    return object;
}

void object_answer(struct sim_request *request, struct sim_answer *answer, int code,
                   const json_t *tree)
{
    enum output output;
    if (output_choose(request, answer, &output) != 0)
        return;
    answer->status = code;
    cleanup_json json_t *copy = json_copy((json_t *)(uintptr_t)tree);
    output_tree(&answer->body, output, request->route.type, copy);
    buffer_append_text(&answer->body, "\n");
}

void object_get(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer)
{
    (void)sim;
    enum output output;
    if (output_choose(request, answer, &output) != 0)
        return;
    const struct store_object *object = object_find(request, answer);
    if (object == NULL)
        return;
    answer->status = 200;
    output_object(&answer->body, output, request->route.type, object, 0);
    buffer_append_text(&answer->body, "\n");
}

/* apiVersion and kind of the body against the type; NULL or 400. */
static json_t *check_kind(const struct kube_type *type, const json_t *object)
{
    cleanup_free char *expected = types_api_version(type);
    const char *kind = tree_text(object, "kind");
    const char *version = tree_text(object, "apiVersion");
    /* Built-in types are decoded with a default; custom objects must say what they are. */
    if ((type->flags & TYPE_CUSTOM) != 0 && (kind == NULL || kind[0] == '\0'))
        return status_bad_request("Object 'Kind' is missing in the body");
    if ((type->flags & TYPE_CUSTOM) != 0 && (version == NULL || version[0] == '\0'))
        return status_bad_request("Object 'apiVersion' is missing in the body");
    if (version != NULL && version[0] != '\0' && strcmp(version, expected) != 0)
        return status_bad_request("the API version in the data (%s) does not match the expected "
                                  "API version (%s)",
                                  version, expected);
    if (kind != NULL && kind[0] != '\0' && strcmp(kind, type->kind) != 0)
        return status_bad_request("%s in version \"%s\" cannot be handled as a %s: converting "
                                  "(%s) to (%s): unknown conversion",
                                  kind, type->version, type->kind, kind, type->kind);
    return NULL;
}

/* Name and namespace of the body against the path; NULL or 400. */
static json_t *check_place(const struct sim_route *route, const json_t *object)
{
    const char *space = tree_text(object, "metadata.namespace");
    const char *name = tree_text(object, "metadata.name");
    if (space != NULL && space[0] != '\0' && strcmp(space, route->space) != 0) {
        if (route->space[0] == '\0')
            return status_bad_request("namespace is not allowed on a cluster-scoped type");
        return status_bad_request("the namespace of the provided object does not match the "
                                  "namespace sent on the request");
    }
    if (route->name[0] == '\0')
        return NULL;
    if (name == NULL || name[0] == '\0')
        return status_bad_request("the name of the object ( based on URL) was undeterminable: "
                                  "name must be provided");
    if (strcmp(name, route->name) != 0)
        return status_bad_request("the name of the object (%s) does not match the name on the URL "
                                  "(%s)",
                                  name, route->name);
    return NULL;
}

json_t *object_read_body(const struct sim_request *request, struct sim_answer *answer)
{
    if (request->content_type != NULL && !media_is(request->content_type, "application/json")) {
        answer_status(answer, status_unsupported_media("application/json"));
        return NULL;
    }
    cleanup_free char *message = NULL;
    json_t *object = json_text_read(request->body.data == NULL ? "" : request->body.data,
                                    request->body.size, &message);
    json_t *failure = NULL;
    if (object == NULL)
        failure = status_bad_request("%s", message);
    else if (!json_is_object(object))
        failure = status_bad_request("couldn't get version/kind; json parse error: "
                                     "the body is no object");
    if (failure == NULL)
        failure = check_kind(request->route.type, object);
    if (failure == NULL)
        failure = metadata_check_types(object);
    if (failure == NULL && !json_is_object(json_object_get(object, "metadata")))
        tree_set(object, "metadata", json_object());
    if (failure == NULL && (request->route.type->flags & TYPE_CREATE_ONLY) == 0)
        failure = check_place(&request->route, object);
    if (failure != NULL) {
        json_decref(object);
        answer_status(answer, failure);
        return NULL;
    }
    json_object_del(object, "apiVersion");
    json_object_del(object, "kind");
    return object;
}

/* New content needs its namespace, alive; NULL or the failure. */
static json_t *check_namespace(const struct sim_kube *sim, const struct sim_route *route,
                               const char *name)
{
    if (route->space[0] == '\0')
        return NULL;
    const struct store_object *space = store_get(sim->tables.namespaces, route->space);
    if (space == NULL)
        return status_not_found("", "namespaces", route->space);
    cleanup_json json_t *tree = store_object_tree(space);
    if (tree_at(tree, "metadata.deletionTimestamp") == NULL)
        return NULL;
    const struct kube_type *type = route->type;
    cleanup_free char *what = type->group[0] == '\0'
                                  ? text_copy(type->plural)
                                  : text_format("%s.%s", type->plural, type->group);
    cleanup_free char *cause = text_format("namespace %s is being terminated", route->space);
    json_t *details = json_pack("{s:s, s:s, s:[{s:s, s:s, s:s}]}", "name", name, "kind",
                                type->plural, "causes", "reason", "NamespaceTerminating", "message",
                                cause, "field", "metadata.namespace");
    if (type->group[0] != '\0')
        tree_set_text(details, "group", type->group);
    return status_failure(403, "Forbidden", details,
                          "%s \"%s\" is forbidden: unable to create new content in namespace %s "
                          "because it is being terminated",
                          what, name, route->space);
}

/* Creates `object` (borrowed, changed) at the routed collection or name. */
static void create(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer,
                   json_t *object)
{
    const struct sim_route *route = &request->route;
    const struct kube_type *type = route->type;
    const char *version = tree_text(object, "metadata.resourceVersion");
    int has_version = version != NULL && version[0] != '\0' && strcmp(version, "0") != 0;
    metadata_prepare_create(sim, route, object);
    strategy_prepare_create(route, object);
    const char *name = tree_text(object, "metadata.name");
    json_t *failure = check_namespace(sim, route, name == NULL ? "" : name);
    if (failure == NULL)
        failure = metadata_check(type, object);
    if (failure == NULL)
        failure = strategy_check(type, NULL, object);
    cleanup_free char *key = object_key(route->space, name == NULL ? "" : name);
    if (failure == NULL && has_version)
        failure = status_failure(500, NULL, NULL,
                                 "resourceVersion should not be set on objects to be "
                                 "created");
    if (failure == NULL && store_get(type->table, key) != NULL)
        failure = status_already_exists(type, name);
    if (failure != NULL) {
        answer_status(answer, failure);
        return;
    }
    if (!request->is_dry)
        store_put(sim->store, type->table, key, object, types_fields_of);
    object_answer(request, answer, 201, object);
}

void object_create(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer)
{
    cleanup_json json_t *object = object_read_body(request, answer);
    if (object != NULL)
        create(sim, request, answer, object);
}

void object_replace(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer,
                    const json_t *old, json_t *given)
{
    const struct sim_route *route = &request->route;
    cleanup_json json_t *object = given;
    json_t *failure = metadata_prepare_update(route, old, object);
    if (failure == NULL) {
        strategy_prepare_update(route, old, &object);
        failure = metadata_check(route->type, object);
    }
    if (failure == NULL)
        failure = strategy_check(route->type, old, object);
    if (failure != NULL) {
        answer_status(answer, failure);
        return;
    }
    cleanup_free char *key = route_key(route);
    if (metadata_is_released(object)) {
        if (!request->is_dry) {
            /* The last state goes into the deletion event. */
            store_put(sim->store, route->type->table, key, object, types_fields_of);
            store_delete(sim->store, route->type->table, key, types_fields_of);
        }
    } else if (!json_equal(old, object) && !request->is_dry) {
        store_put(sim->store, route->type->table, key, object, types_fields_of);
    }
    object_answer(request, answer, 200, object);
}

void object_update(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer)
{
    const struct kube_type *type = request->route.type;
    cleanup_json json_t *object = object_read_body(request, answer);
    if (object == NULL)
        return;
    cleanup_free char *key = route_key(&request->route);
    const struct store_object *live = store_get(type->table, key);
    if (live == NULL && (type->flags & TYPE_PUT_CREATES) != 0 &&
        request->route.subresource[0] == '\0') {
        json_t *other = metadata_check_uid(&request->route, NULL, object);
        /* a version alone keeps nobody from making it anew */
        json_object_del(json_object_get(object, "metadata"), "resourceVersion");
        if (other != NULL)
            answer_status(answer, other);
        else
            create(sim, request, answer, object);
        return;
    }
    if (live == NULL) {
        answer_status(answer, status_not_found(type->group, type->plural, request->route.name));
        return;
    }
    cleanup_json json_t *old = store_object_tree(live);
    object_replace(sim, request, answer, old, take_pointer(object));
}

/* Applies the body to `object` by content type; NULL or the failure. */
static json_t *apply_patch(const struct sim_request *request, json_t **object)
{
    const char *media = request->content_type == NULL ? "" : request->content_type;
    int merge = media_is(media, "application/merge-patch+json");
    if (!merge && !media_is(media, "application/json-patch+json"))
        return status_unsupported_media("application/json-patch+json, "
                                        "application/merge-patch+json");
    cleanup_free char *message = NULL;
    cleanup_json json_t *patch = json_text_read(
        request->body.data == NULL ? "" : request->body.data, request->body.size, &message);
    if (patch == NULL)
        return status_bad_request("error decoding patch: %s", message);
    if (merge) {
        if (!json_is_object(patch))
            return status_bad_request("error decoding patch: a merge patch is an object");
        patch_merge(*object, patch);
        return NULL;
    }
    int malformed;
    if (patch_json(object, patch, &malformed, &message) == 0)
        return NULL;
    if (malformed)
        return status_bad_request("%s", message);
    json_t *details = json_pack("{s:[{s:s, s:s}]}", "causes", "reason", "UnexpectedServerResponse",
                                "message", message);
    return status_failure(422, "Invalid", details,
                          "the server rejected our request due to an error in our request");
}

void object_patch(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer)
{
    const struct store_object *live = object_find(request, answer);
    if (live == NULL)
        return;
    const struct kube_type *type = request->route.type;
    cleanup_json json_t *old = store_object_tree(live);
    cleanup_json json_t *object = json_deep_copy(old);
    cleanup_free char *api_version = types_api_version(type);
    tree_set_text(object, "apiVersion", api_version);
    tree_set_text(object, "kind", type->kind);
    json_t *failure = apply_patch(request, &object);
    if (failure == NULL && !json_is_object(object))
        failure = status_bad_request("the patch leaves no object");
    if (failure == NULL)
        failure = check_kind(type, object);
    if (failure == NULL)
        failure = metadata_check_types(object);
    if (failure == NULL && !json_is_object(json_object_get(object, "metadata")))
        tree_set(object, "metadata", json_object());
    if (failure == NULL && tree_at(object, "metadata.name") == NULL)
        tree_set_text(object, "metadata.name", request->route.name);
    if (failure == NULL)
        failure = check_place(&request->route, object);
    if (failure != NULL) {
        answer_status(answer, failure);
        return;
    }
    json_object_del(object, "apiVersion");
    json_object_del(object, "kind");
    /* A patch that takes the resourceVersion away applies to whatever is there. */
    if (tree_text(object, "metadata.resourceVersion") == NULL)
        tree_set_text(object, "metadata.resourceVersion",
                      tree_text(old, "metadata.resourceVersion"));
    object_replace(sim, request, answer, old, take_pointer(object));
}
