#include "workload.h"

#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "json-tree.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

static json_t *condition(const char *type, const char *reason)
{
    char now[32];
    sim_now(now);
    return json_pack("{s:s, s:s, s:s, s:s}", "type", type, "status", "True", "reason", reason,
                     "lastTransitionTime", now);
}

static char *apps_path(const struct sim_kube_event *event, const char *subresource)
{
    return text_format("/apis/%s/v1/namespaces/%s/%s/%s%s", event->group, event->namespace_,
                       event->plural, event->name, subresource);
}

static const char *kind_of(const struct sim_kube *sim, const struct sim_kube_event *event)
{
    const struct kube_type *type = types_find_group(&sim->types, event->group, event->plural);
    return type == NULL ? "" : type->kind;
}

static void make_pod(struct sim_kube *sim, const struct sim_kube_event *event, const json_t *object,
                     int64_t number)
{
    cleanup_free char *name = text_format("%s-%lld", event->name, (long long)number);
    cleanup_free char *path = text_format("/api/v1/namespaces/%s/pods", event->namespace_);
    cleanup_json json_t *pod =
        json_pack("{s:{s:s, s:[{s:s, s:s, s:s, s:O, s:b}]}, s:{s:s}}", "metadata", "name", name,
                  "ownerReferences", "apiVersion", "apps/v1", "kind", kind_of(sim, event), "name",
                  event->name, "uid", tree_at(object, "metadata.uid"), "controller", 1, "spec",
                  "nodeName", "node-1");
    static const char *const copied[] = {"labels", "annotations"};
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++) {
        json_t *value = json_object_get(tree_at(object, "spec.template.metadata"), copied[i]);
        if (value != NULL)
            json_object_set(json_object_get(pod, "metadata"), copied[i], value);
    }
    json_t *containers = tree_at(object, "spec.template.spec.containers");
    if (containers != NULL)
        tree_set(pod, "spec.containers", json_incref(containers));
    sim_kube_request(sim, "POST", path, NULL, pod, NULL);
}

static char *pod_path(const char *space, const char *owner, int64_t number)
{
    return text_format("/api/v1/namespaces/%s/pods/%s-%lld", space, owner, (long long)number);
}

/* Makes pods 0 to replicas-1 and removes those above. */
static void fit_pods(struct sim_kube *sim, const struct sim_kube_event *event, const json_t *object,
                     int64_t replicas)
{
    struct store_table *pods = store_table(sim->store, "", "pods");
    for (int64_t i = 0; i < replicas; i++) {
        cleanup_free char *key =
            text_format("%s/%s-%lld", event->namespace_, event->name, (long long)i);
        if (store_get(pods, key) == NULL)
            make_pod(sim, event, object, i);
    }
    for (int64_t i = replicas;; i++) {
        cleanup_free char *key =
            text_format("%s/%s-%lld", event->namespace_, event->name, (long long)i);
        if (store_get(pods, key) == NULL)
            break;
        cleanup_free char *path = pod_path(event->namespace_, event->name, i);
        sim_kube_request(sim, "DELETE", path, NULL, NULL, NULL);
    }
}

void workload_hook(struct sim_kube *sim, const struct sim_kube_event *event, void *user)
{
    (void)user;
    int daemon = strcmp(event->plural, "daemonsets") == 0;
    if (strcmp(event->group, "apps") != 0 ||
        (!daemon && strcmp(event->plural, "deployments") != 0 &&
         strcmp(event->plural, "statefulsets") != 0))
        return;
    int64_t replicas = daemon ? 1 : tree_integer(event->object, "spec.replicas", 1);
    int gone = strcmp(event->change, "DELETED") == 0 ||
               tree_at(event->object, "metadata.deletionTimestamp") != NULL;
    fit_pods(sim, event, event->object, gone ? 0 : replicas);
    if (gone)
        return;
    json_int_t generation = tree_integer(event->object, "metadata.generation", 1);
    if (tree_integer(event->object, "status.observedGeneration", 0) == generation)
        return;
    json_t *status =
        daemon ? json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:i}", "observedGeneration", generation,
                           "currentNumberScheduled", (json_int_t)replicas, "desiredNumberScheduled",
                           (json_int_t)replicas, "numberReady", (json_int_t)replicas,
                           "numberAvailable", (json_int_t)replicas, "updatedNumberScheduled",
                           (json_int_t)replicas, "numberMisscheduled", 0)
               : json_pack("{s:I, s:I, s:I, s:I, s:I, s:[o,o]}", "observedGeneration", generation,
                           "replicas", (json_int_t)replicas, "readyReplicas", (json_int_t)replicas,
                           "availableReplicas", (json_int_t)replicas, "updatedReplicas",
                           (json_int_t)replicas, "conditions",
                           condition("Available", "MinimumReplicasAvailable"),
                           condition("Progressing", "NewReplicaSetAvailable"));
    cleanup_json json_t *patch = json_pack("{s:o}", "status", status);
    cleanup_free char *path = apps_path(event, "/status");
    sim_kube_request(sim, "PATCH", path, NULL, patch, NULL);
}

void workload_job_hook(struct sim_kube *sim, const struct sim_kube_event *event, void *user)
{
    (void)user;
    if (strcmp(event->group, "batch") != 0 || strcmp(event->plural, "jobs") != 0 ||
        strcmp(event->change, "ADDED") != 0 || tree_is_true(event->object, "spec.suspend"))
        return;
    char now[32];
    sim_now(now);
    cleanup_json json_t *patch =
        json_pack("{s:{s:I, s:s, s:s, s:[o]}}", "status", "succeeded",
                  tree_integer(event->object, "spec.completions", 1), "startTime", now,
                  "completionTime", now, "conditions", condition("Complete", "CompletionsReached"));
    cleanup_free char *path = apps_path(event, "/status");
    sim_kube_request(sim, "PATCH", path, NULL, patch, NULL);
}

void workload_pod_hook(struct sim_kube *sim, const struct sim_kube_event *event, void *user)
{
    (void)user;
    if (event->group[0] != '\0' || strcmp(event->plural, "pods") != 0 ||
        strcmp(event->change, "DELETED") == 0)
        return;
    cleanup_free char *path =
        text_format("/api/v1/namespaces/%s/pods/%s", event->namespace_, event->name);
    if (tree_at(event->object, "metadata.deletionTimestamp") != NULL) {
        cleanup_json json_t *now = json_pack("{s:i}", "gracePeriodSeconds", 0);
        sim_kube_request(sim, "DELETE", path, "application/json", now, NULL);
    } else if (text_equal(tree_text(event->object, "status.phase"), "Pending")) {
        cleanup_json json_t *patch = json_pack("{s:{s:s, s:[o]}}", "status", "phase", "Running",
                                               "conditions", condition("Ready", "Ready"));
        cleanup_free char *status = text_format("%s/status", path);
        sim_kube_request(sim, "PATCH", status, NULL, patch, NULL);
    }
}

/* --- garbage collection ---------------------------------------------------------------------- */

static char *object_path(const struct kube_type *type, const char *key)
{
    const char *slash = strchr(key, '/');
    cleanup_free char *root = type->group[0] == '\0'
                                  ? text_format("/api/%s", type->version)
                                  : text_format("/apis/%s/%s", type->group, type->version);
    return slash == NULL ? text_format("%s/%s/%s", root, type->plural, key)
                         : text_format("%s/namespaces/%.*s/%s/%s", root, (int)(slash - key), key,
                                       type->plural, slash + 1);
}

/* The references of `object` without those to `uid`; NULL when there was none. */
static json_t *other_owners(const json_t *object, const char *uid)
{
    json_t *rest = json_array();
    int found = 0;
    size_t i;
    json_t *owner;
    json_array_foreach (tree_at(object, "metadata.ownerReferences"), i, owner) {
        if (text_equal(tree_text(owner, "uid"), uid))
            found = 1;
        else
            json_array_append(rest, owner);
    }
    if (found)
        return rest;
    json_decref(rest);
    return NULL;
}

/* Deletes the dependents of `uid`, or only cuts the reference; the number of dependents found. */
static size_t release_dependents(struct sim_kube *sim, const char *uid, int orphan)
{
    size_t found = 0;
    for (size_t i = 0; i < sim->types.count; i++) {
        const struct kube_type *type = sim->types.items[i];
        if ((type->flags & TYPE_CREATE_ONLY) != 0)
            continue;
        struct store_cursor cursor;
        const struct store_object *state;
        const char *key;
        store_walk(&cursor, type->table, sim->store->revision, "", "");
        while ((state = store_walk_next(&cursor, &key)) != NULL) {
            /* Reading every object is dear; the text tells most of them apart. */
            if (strstr(state->text, uid) == NULL)
                continue;
            cleanup_json json_t *object = store_object_tree(state);
            json_t *rest = other_owners(object, uid);
            if (rest == NULL)
                continue;
            found++;
            cleanup_free char *path = object_path(type, key);
            cleanup_json json_t *patch =
                json_pack("{s:{s:o}}", "metadata", "ownerReferences", rest);
            if (orphan || json_array_size(rest) > 0)
                sim_kube_request(sim, "PATCH", path, NULL, patch, NULL);
            else
                sim_kube_request(sim, "DELETE", path, NULL, NULL, NULL);
        }
    }
    return found;
}

static void drop_finalizer(struct sim_kube *sim, const struct kube_type *type,
                           const struct sim_kube_event *event, const char *finalizer)
{
    cleanup_free char *key = object_key(event->namespace_, event->name);
    const struct store_object *state = store_get(type->table, key);
    if (state == NULL)
        return;
    cleanup_json json_t *object = store_object_tree(state);
    json_t *finalizers = json_deep_copy(tree_at(object, "metadata.finalizers"));
    tree_array_drop(finalizers, finalizer);
    cleanup_json json_t *patch = json_pack("{s:{s:o}}", "metadata", "finalizers", finalizers);
    cleanup_free char *path = object_path(type, key);
    sim_kube_request(sim, "PATCH", path, NULL, patch, NULL);
}

/* 1 when the owner of an object just made is gone already. */
static int owner_is_gone(const struct sim_kube *sim, const struct sim_kube_event *event,
                         const json_t *owner)
{
    const struct kube_type *type =
        types_find_kind(&sim->types, tree_text(owner, "apiVersion"), tree_text(owner, "kind"));
    if (type == NULL)
        return 0;
    cleanup_free char *key = object_key(
        (type->flags & TYPE_NAMESPACED) != 0 ? event->namespace_ : "", tree_text(owner, "name"));
    const struct store_object *state = store_get(type->table, key);
    return state == NULL || strstr(state->text, tree_text(owner, "uid")) == NULL;
}

static void collect_orphan(struct sim_kube *sim, const struct kube_type *type,
                           const struct sim_kube_event *event)
{
    json_t *owners = tree_at(event->object, "metadata.ownerReferences");
    size_t i;
    json_t *owner;
    if (json_array_size(owners) == 0)
        return;
    json_array_foreach (owners, i, owner)
        if (!owner_is_gone(sim, event, owner))
            return;
    cleanup_free char *key = object_key(event->namespace_, event->name);
    cleanup_free char *path = object_path(type, key);
    sim_kube_request(sim, "DELETE", path, NULL, NULL, NULL);
}

void workload_gc_hook(struct sim_kube *sim, const struct sim_kube_event *event, void *user)
{
    (void)user;
    const struct kube_type *type = types_find_group(&sim->types, event->group, event->plural);
    const char *uid = tree_text(event->object, "metadata.uid");
    if (type == NULL || uid == NULL)
        return;
    if (strcmp(event->change, "DELETED") == 0) {
        release_dependents(sim, uid, 0);
        return;
    }
    const json_t *finalizers = tree_at(event->object, "metadata.finalizers");
    if (tree_at(event->object, "metadata.deletionTimestamp") == NULL) {
        if (strcmp(event->change, "ADDED") == 0)
            collect_orphan(sim, type, event);
    } else if (tree_array_has(finalizers, "orphan")) {
        release_dependents(sim, uid, 1);
        drop_finalizer(sim, type, event, "orphan");
    } else if (tree_array_has(finalizers, "foregroundDeletion")) {
        release_dependents(sim, uid, 0);
        drop_finalizer(sim, type, event, "foregroundDeletion");
    }
}
