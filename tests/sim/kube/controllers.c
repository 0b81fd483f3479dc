#include "controllers.h"

#include <stdlib.h>
#include <string.h>

#include "json-tree.h"
#include "workload.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

void sim_kube_add_hook(struct sim_kube *sim, int64_t delay_ms, sim_kube_hook *hook, void *user)
{
    sim->hooks = memory_resize(sim->hooks, sim->hook_count + 1, sizeof *sim->hooks);
    sim->hooks[sim->hook_count++] =
        (struct sim_hook){hook, user, delay_ms, sim->store->event_base + sim->store->event_count};
}

static void call_hook(struct sim_kube *sim, const struct sim_hook *hook,
                      const struct store_event *event)
{
    const char *slash = strchr(event->key, '/');
    cleanup_free char *space =
        text_copy_span(event->key, slash == NULL ? 0 : (size_t)(slash - event->key));
    cleanup_free char *name = text_copy(slash == NULL ? event->key : slash + 1);
    cleanup_json json_t *object = store_object_tree(event->object);
    const struct sim_kube_event told = {.change = event->deleted            ? "DELETED"
                                                  : event->previous == NULL ? "ADDED"
                                                                            : "MODIFIED",
                                        .group = event->table->group,
                                        .plural = event->table->plural,
                                        .namespace_ = space,
                                        .name = name,
                                        .object = object};
    hook->call(sim, &told, hook->user);
}

int64_t controllers_run(struct sim_kube *sim, int64_t now_ms)
{
    int64_t next = -1;
    for (size_t i = 0; i < sim->hook_count; i++) {
        const struct store_event *event;
        if (sim->hooks[i].cursor < sim->store->event_base)
            sim->hooks[i].cursor = sim->store->event_base;
        while ((event = store_event_at(sim->store, sim->hooks[i].cursor)) != NULL) {
            int64_t due = event->time_ms + sim->hooks[i].delay_ms;
            if (due > now_ms) {
                if (next < 0 || due < next)
                    next = due;
                break;
            }
            sim->hooks[i].cursor++;
            call_hook(sim, &sim->hooks[i], event);
        }
    }
    return next;
}

/* --- custom resource definitions ------------------------------------------------------------- */

static int is_kind(const struct sim_kube_event *event, const char *group, const char *plural)
{
    return strcmp(event->group, group) == 0 && strcmp(event->plural, plural) == 0;
}

static int has_condition(const json_t *object, const char *type)
{
    size_t i;
    json_t *condition;
    json_array_foreach (tree_at(object, "status.conditions"), i, condition)
        if (text_equal(tree_text(condition, "type"), type) &&
            text_equal(tree_text(condition, "status"), "True"))
            return 1;
    return 0;
}

static json_t *condition(const char *type, const char *reason, const char *message)
{
    char now[32];
    sim_now(now);
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "type", type, "status", "True", "reason", reason,
                     "message", message, "lastTransitionTime", now);
}

static char *crd_path(const char *name, const char *subresource)
{
    return text_format("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/%s%s", name,
                       subresource);
}

static void establish(struct sim_kube *sim, const char *name, const json_t *crd)
{
    cleanup_json json_t *patch = json_pack(
        "{s:{s:[o,o], s:O}}", "status", "conditions",
        condition("NamesAccepted", "NoConflicts", "no conflicts found"),
        condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        "acceptedNames", tree_at(crd, "spec.names"));
    cleanup_free char *path = crd_path(name, "/status");
    sim_kube_request(sim, "PATCH", path, NULL, patch, NULL);
}

/* Deletes every object of a definition under deletion, then lets the definition go. */
static void clean_up(struct sim_kube *sim, const char *name, const json_t *crd)
{
    struct store_table *table =
        store_table(sim->store, tree_text(crd, "spec.group"), tree_text(crd, "spec.names.plural"));
    const struct kube_type *type = types_find_group(&sim->types, table->group, table->plural);
    struct store_cursor cursor;
    const char *key;
    store_walk(&cursor, table, sim->store->revision, "", "");
    while (type != NULL && store_walk_next(&cursor, &key) != NULL) {
        const char *slash = strchr(key, '/');
        cleanup_free char *path =
            slash == NULL
                ? text_format("/apis/%s/%s/%s/%s", type->group, type->version, type->plural, key)
                : text_format("/apis/%s/%s/namespaces/%.*s/%s/%s", type->group, type->version,
                              (int)(slash - key), key, type->plural, slash + 1);
        sim_kube_request(sim, "DELETE", path, NULL, NULL, NULL);
    }
    if (table->live > 0)
        return;
    json_t *finalizers = json_deep_copy(tree_at(crd, "metadata.finalizers"));
    tree_array_drop(finalizers, "customresourcecleanup.apiextensions.k8s.io");
    cleanup_json json_t *patch = json_pack("{s:{s:o}}", "metadata", "finalizers", finalizers);
    cleanup_free char *path = crd_path(name, "");
    sim_kube_request(sim, "PATCH", path, NULL, patch, NULL);
}

/* The live object as tree, or NULL. */
static json_t *live(const struct store_table *table, const char *key)
{
    const struct store_object *object = store_get(table, key);
    return object == NULL ? NULL : store_object_tree(object);
}

static void crd_hook(struct sim_kube *sim, const struct sim_kube_event *event, void *user)
{
    (void)user;
    if (!is_kind(event, "apiextensions.k8s.io", "customresourcedefinitions")) {
        /* The last object of a type may be what a definition under deletion waits for. */
        if (strcmp(event->change, "DELETED") != 0)
            return;
        cleanup_free char *name = text_format("%s.%s", event->plural, event->group);
        cleanup_json json_t *crd = live(sim->tables.crds, name);
        if (tree_at(crd, "metadata.deletionTimestamp") != NULL)
            clean_up(sim, name, crd);
        return;
    }
    cleanup_json json_t *crd = live(sim->tables.crds, event->name);
    types_set_custom(&sim->types, sim->store, event->name, crd);
    if (crd == NULL)
        return;
    if (tree_at(crd, "metadata.deletionTimestamp") != NULL)
        clean_up(sim, event->name, crd);
    else if (!has_condition(crd, "Established"))
        establish(sim, event->name, crd);
}

void controllers_add_crd(struct sim_kube *sim)
{
    sim_kube_add_hook(sim, sim->controller_delay_ms, crd_hook, NULL);
}

/* --- namespaces ------------------------------------------------------------------------------ */

/* Deletes what lies in the namespace; the number of objects still there. */
static size_t empty_namespace(struct sim_kube *sim, const char *space)
{
    size_t left = 0;
    cleanup_free char *prefix = text_format("%s/", space);
    for (size_t i = 0; i < sim->types.count; i++) {
        const struct kube_type *type = sim->types.items[i];
        if ((type->flags & TYPE_NAMESPACED) == 0 || (type->flags & TYPE_CREATE_ONLY) != 0)
            continue;
        struct store_cursor cursor;
        const char *key;
        store_walk(&cursor, type->table, sim->store->revision, prefix, prefix);
        if (store_walk_next(&cursor, &key) == NULL)
            continue;
        cleanup_free char *path =
            type->group[0] == '\0'
                ? text_format("/api/%s/namespaces/%s/%s", type->version, space, type->plural)
                : text_format("/apis/%s/%s/namespaces/%s/%s", type->group, type->version, space,
                              type->plural);
        sim_kube_request(sim, "DELETE", path, NULL, NULL, NULL);
        store_walk(&cursor, type->table, sim->store->revision, prefix, prefix);
        while (store_walk_next(&cursor, &key) != NULL)
            left++;
    }
    return left;
}

static void finalize_namespace(struct sim_kube *sim, const char *name)
{
    cleanup_json json_t *space = live(sim->tables.namespaces, name);
    if (space == NULL || tree_at(space, "metadata.deletionTimestamp") == NULL ||
        !tree_array_has(tree_at(space, "spec.finalizers"), "kubernetes") ||
        empty_namespace(sim, name) > 0)
        return;
    tree_array_drop(tree_at(space, "spec.finalizers"), "kubernetes");
    cleanup_free char *path = text_format("/api/v1/namespaces/%s/finalize", name);
    sim_kube_request(sim, "PUT", path, NULL, space, NULL);
}

static void namespace_hook(struct sim_kube *sim, const struct sim_kube_event *event, void *user)
{
    (void)user;
    if (is_kind(event, "", "namespaces"))
        finalize_namespace(sim, event->name);
    else if (event->namespace_[0] != '\0' && strcmp(event->change, "DELETED") == 0)
        finalize_namespace(sim, event->namespace_);
}

static void service_account_hook(struct sim_kube *sim, const struct sim_kube_event *event,
                                 void *user)
{
    (void)user;
    if (!is_kind(event, "", "namespaces") || strcmp(event->change, "ADDED") != 0)
        return;
    cleanup_free char *accounts = text_format("/api/v1/namespaces/%s/serviceaccounts", event->name);
    cleanup_free char *maps = text_format("/api/v1/namespaces/%s/configmaps", event->name);
    cleanup_json json_t *account = json_pack("{s:{s:s}}", "metadata", "name", "default");
    cleanup_json json_t *map =
        json_pack("{s:{s:s}, s:{s:s}}", "metadata", "name", "kube-root-ca.crt", "data", "ca.crt",
                  sim->authority.pem == NULL ? "" : sim->authority.pem);
    sim_kube_request(sim, "POST", accounts, NULL, account, NULL);
    sim_kube_request(sim, "POST", maps, NULL, map, NULL);
}

int controllers_add(struct sim_kube *sim, const char *list, struct error *reterr)
{
    static const struct {
        const char *name;
        sim_kube_hook *hook;
    } known[] = {
        {"namespace", namespace_hook}, {"service-account", service_account_hook},
        {"workload", workload_hook},   {"job", workload_job_hook},
        {"pod", workload_pod_hook},    {"gc", workload_gc_hook},
    };
    while (*list != '\0') {
        size_t size = strcspn(list, ","), i = 0;
        cleanup_free char *name = text_copy_span(list, size);
        while (i < sizeof known / sizeof *known && strcmp(known[i].name, name) != 0)
            i++;
        if (i < sizeof known / sizeof *known)
            sim_kube_add_hook(sim, sim->controller_delay_ms, known[i].hook, NULL);
        else if (size > 0)
            return error_set(reterr, EXIT_USAGE, "unknown controller '%s'", name);
        list += size + (list[size] == ',');
    }
    return 0;
}
