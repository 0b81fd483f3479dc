#include "delete.h"

#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "json-text.h"
#include "json-tree.h"
#include "list.h"
#include "metadata.h"
#include "object.h"
#include "output.h"
#include "selector.h"
#include "status.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

enum { POD_GRACE_S = 30 };

/* DeleteOptions from the body, or from the query when there is none; NULL after answering. */
static json_t *read_options(struct sim_request *request, struct sim_answer *answer)
{
    cleanup_free char *message = NULL;
    json_t *options;
    if (request->body.size > 0) {
        options = json_text_read(request->body.data, request->body.size, &message);
        if (!json_is_object(options)) {
            json_decref(options);
            answer_status(
                answer,
                status_bad_request("%s", message == NULL ? "DeleteOptions is an object" : message));
            return NULL;
        }
    } else {
        options = json_object();
        const char *policy = request_query(request, "propagationPolicy");
        const char *grace = request_query(request, "gracePeriodSeconds");
        int64_t seconds;
        if (policy != NULL)
            tree_set_text(options, "propagationPolicy", policy);
        if (grace != NULL && text_parse_integer(grace, &seconds) == 0)
            tree_set(options, "gracePeriodSeconds", json_integer(seconds));
    }
    if (tree_array_has(tree_at(options, "dryRun"), "All"))
        request->is_dry = 1;
    const char *policy = tree_text(options, "propagationPolicy");
    if (policy != NULL && strcmp(policy, "Foreground") != 0 && strcmp(policy, "Background") != 0 &&
        strcmp(policy, "Orphan") != 0) {
        cleanup_free char *text =
            text_format("Unsupported value: \"%s\": supported values: \"Foreground\", "
                        "\"Background\", \"Orphan\", \"nil\"",
                        policy);
        answer_status(answer, status_invalid("meta.k8s.io", "DeleteOptions", "",
                                             "FieldValueNotSupported", "propagationPolicy", text));
        json_decref(options);
        return NULL;
    }
    return options;
}

/* NULL or the 409 of a precondition that does not hold. */
static json_t *check_preconditions(const struct sim_route *route, const json_t *options,
                                   const json_t *object)
{
    const char *uid = tree_text(options, "preconditions.uid");
    const char *version = tree_text(options, "preconditions.resourceVersion");
    const char *own_uid = tree_text(object, "metadata.uid");
    const char *own_version = tree_text(object, "metadata.resourceVersion");
    cleanup_free char *cause = NULL;
    if (uid != NULL && !text_equal(uid, own_uid))
        cause = text_format("the UID in the precondition (%s) does not match the UID in record "
                            "(%s). The object might have been deleted and then recreated",
                            uid, own_uid);
    else if (version != NULL && !text_equal(version, own_version))
        cause = text_format("the ResourceVersion in the precondition (%s) does not match the "
                            "ResourceVersion in record (%s). The object might have been modified",
                            version, own_version);
    if (cause == NULL)
        return NULL;
    return status_conflict(route->type->group, route->type->kind, route->name, cause);
}

/* Foreground and Orphan leave a finalizer that the garbage collector takes away. */
static void add_policy_finalizer(json_t *object, const json_t *options)
{
    const char *policy = tree_text(options, "propagationPolicy");
    int orphan = text_equal(policy, "Orphan") || tree_is_true(options, "orphanDependents");
    const char *name = orphan                             ? "orphan"
                       : text_equal(policy, "Foreground") ? "foregroundDeletion"
                                                          : NULL;
    if (name == NULL)
        return;
    json_t *finalizers = tree_at(object, "metadata.finalizers");
    if (!json_is_array(finalizers)) {
        tree_set(object, "metadata.finalizers", json_array());
        finalizers = tree_at(object, "metadata.finalizers");
    }
    if (!tree_array_has(finalizers, name))
        json_array_append_new(finalizers, json_string(name));
}

static void terminate_namespace(json_t *object)
{
    tree_set_text(object, "status.phase", "Terminating");
}

static void terminate_crd(json_t *object)
{
    static const char cleanup[] = "customresourcecleanup.apiextensions.k8s.io";
    json_t *finalizers = tree_at(object, "metadata.finalizers");
    if (!json_is_array(finalizers)) {
        tree_set(object, "metadata.finalizers", json_array());
        finalizers = tree_at(object, "metadata.finalizers");
    }
    if (!tree_array_has(finalizers, cleanup))
        json_array_append_new(finalizers, json_string(cleanup));
    if (!json_is_array(tree_at(object, "status.conditions")))
        tree_set(object, "status.conditions", json_array());
    char now[32];
    sim_now(now);
    json_array_append_new(
        tree_at(object, "status.conditions"),
        json_pack("{s:s, s:s, s:s, s:s, s:s}", "type", "Terminating", "status", "True", "reason",
                  "InstanceDeletionPending", "message",
                  "CustomResourceDefinition marked for deletion; CustomResource deletion will "
                  "begin soon",
                  "lastTransitionTime", now));
}

static json_int_t grace_of(const struct kube_type *type, const json_t *object,
                           const json_t *options)
{
    if ((type->flags & TYPE_GRACEFUL) == 0)
        return 0;
    /* A pod that no node runs has nothing to wait for. */
    const char *node = tree_text(object, "spec.nodeName");
    if (node == NULL || node[0] == '\0')
        return 0;
    json_int_t usual = tree_integer(object, "spec.terminationGracePeriodSeconds", POD_GRACE_S);
    return tree_integer(options, "gracePeriodSeconds", usual);
}

/*
 * Deletes one object, at once or as far as its finalizers let it go. *ret_left is its state when it
 * is still there (new), else NULL.
 */
static void delete_one(struct sim_kube *sim, const struct sim_request *request, const char *key,
                       const json_t *options, json_t *object, json_t **ret_left)
{
    const struct kube_type *type = request->route.type;
    cleanup_json json_t *before = json_deep_copy(object);
    int again = tree_at(object, "metadata.deletionTimestamp") != NULL;
    json_int_t grace = grace_of(type, object, options);
    if (again && grace == 0)
        tree_set(object, "metadata.deletionGracePeriodSeconds", json_integer(0));
    metadata_mark_deleted(object, grace);
    if (!again) {
        add_policy_finalizer(object, options);
        if (type->table == sim->tables.namespaces)
            terminate_namespace(object);
        else if (type->table == sim->tables.crds)
            terminate_crd(object);
    }
    *ret_left = NULL;
    if (metadata_is_released(object)) {
        if (!request->is_dry)
            store_delete(sim->store, type->table, key, types_fields_of);
        return;
    }
    if (!request->is_dry && !json_equal(before, object))
        store_put(sim->store, type->table, key, object, types_fields_of);
    *ret_left = json_incref(object);
}

void delete_object(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer)
{
    const struct sim_route *route = &request->route;
    cleanup_json json_t *options = read_options(request, answer);
    if (options == NULL)
        return;
    const struct store_object *live = object_find(request, answer);
    if (live == NULL)
        return;
    cleanup_json json_t *object = store_object_tree(live);
    json_t *failure = check_preconditions(route, options, object);
    if (failure == NULL)
        failure = guard_refusal(sim, route->type, route->name);
    if (failure != NULL) {
        answer_status(answer, failure);
        return;
    }
    cleanup_free char *key = route_key(route);
    cleanup_free char *uid = text_copy(tree_text(object, "metadata.uid"));
    cleanup_json json_t *last = json_deep_copy(object);
    cleanup_json json_t *left = NULL;
    delete_one(sim, request, key, options, object, &left);
    if (left != NULL) {
        int waits = json_is_false(tree_at(options, "orphanDependents"));
        object_answer(request, answer, waits ? 202 : 200, left);
    } else if ((route->type->flags & TYPE_RETURNS_OBJECT) != 0) {
        object_answer(request, answer, 200, last);
    } else {
        answer_status(answer, status_success(route->type, route->name, uid));
    }
}

/* What a webhook says to one of the selected objects. */
static json_t *collection_refusal(const struct sim_kube *sim, const struct kube_type *type,
                                  const char *prefix, const struct selector *selector)
{
    struct store_cursor cursor;
    const struct store_object *state;
    const char *key;
    if (sim->guards == NULL)
        return NULL;
    store_walk(&cursor, type->table, sim->store->revision, prefix, prefix);
    while ((state = store_walk_next(&cursor, &key)) != NULL) {
        const char *slash = strchr(key, '/');
        json_t *refusal = selector_matches(selector, key, state)
                              ? guard_refusal(sim, type, slash == NULL ? key : slash + 1)
                              : NULL;
        if (refusal != NULL)
            return refusal;
    }
    return NULL;
}

void delete_collection(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer)
{
    const struct kube_type *type = request->route.type;
    json_t *failure = NULL;
    if (type->table == sim->tables.namespaces) {
        answer_status(answer, status_method_not_allowed());
        return;
    }
    struct selector *selector = selector_new(type, request_query(request, "labelSelector"),
                                             request_query(request, "fieldSelector"), &failure);
    if (failure != NULL) {
        answer_status(answer, failure);
        return;
    }
    cleanup_json json_t *options = read_options(request, answer);
    if (options == NULL) {
        selector_free(selector);
        return;
    }
    cleanup_free char *prefix = list_prefix(&request->route);
    failure = collection_refusal(sim, type, prefix, selector);
    if (failure != NULL) {
        answer_status(answer, failure);
        selector_free(selector);
        return;
    }
    struct output_list head = {.revision = sim->store->revision, .remaining = -1};
    struct store_cursor cursor;
    const struct store_object *state;
    const char *key;
    int first = 1;
    answer->status = 200;
    output_list_begin(&answer->body, OUTPUT_OBJECT, type, &head);
    store_walk(&cursor, type->table, sim->store->revision, prefix, prefix);
    while ((state = store_walk_next(&cursor, &key)) != NULL) {
        if (!selector_matches(selector, key, state))
            continue;
        output_list_item(&answer->body, OUTPUT_OBJECT, type, state, first);
        first = 0;
        cleanup_json json_t *object = store_object_tree(state);
        cleanup_json json_t *left = NULL;
        delete_one(sim, request, key, options, object, &left);
    }
    output_list_end(&answer->body, OUTPUT_OBJECT, type, &head);
    selector_free(selector);
}
