/* Deleting a cluster control plane: protection, references, cascade. Facts 1.6, 2.5, 7.7. */
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "control-planes.h"
#include "errors.h"
#include "groups.h"
#include "handlers.h"
#include "inventory.h"
#include "policies.h"
#include "spans.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

/* "policy/child" → the child's path. */
static char *child_path(const char *key, const char *collection)
{
    const char *slash = strchr(key, '/');
    return text_format(NSX_POLICIES_PATH "%.*s/%s/%s", (int)(slash - key), key, collection,
                       slash + 1);
}

static int names(const json_t *paths, const char *id)
{
    size_t i;
    json_t *path;
    json_array_foreach ((json_t *)(uintptr_t)paths, i, path)
        if (text_equal(nsx_control_plane_of_path(json_string_value(path)), id))
            return 1;
    return 0;
}

static int is_span_of(const struct nsx_record *record, const char *id)
{
    if (strstr(record->text, id) == NULL)
        return 0;
    cleanup_json json_t *span = nsx_record_tree(record);
    return text_equal(nsx_control_plane_of_path(json_text(span, "container_cluster_path")), id);
}

/* 1 when the scope of the policy or rule holds the path. */
static int is_scoped_to(const struct nsx_record *record, const char *id)
{
    if (strstr(record->text, id) == NULL)
        return 0;
    cleanup_json json_t *object = nsx_record_tree(record);
    return names(json_object_get(object, "scope"), id);
}

json_t *nsx_control_plane_users(const struct sim_nsx *sim, const char *id)
{
    const struct nsx_table *spans = &sim->intent.tables[NSX_SPANS];
    const struct nsx_table *policies = &sim->intent.tables[NSX_POLICIES];
    const struct nsx_table *rules = &sim->intent.tables[NSX_RULES];
    json_t *users = json_array();
    for (size_t i = 0; i < spans->count; i++)
        if (is_span_of(spans->items[i], id)) {
            cleanup_free char *path = child_path(spans->items[i]->key, "container-cluster-span");
            json_add(users, json_string(path));
        }
    for (size_t i = 0; i < policies->count; i++)
        if (is_scoped_to(policies->items[i], id))
            json_add(users, json_sprintf(NSX_POLICIES_PATH "%s", policies->items[i]->key));
    for (size_t i = 0; i < rules->count; i++)
        if (is_scoped_to(rules->items[i], id)) {
            cleanup_free char *path = child_path(rules->items[i]->key, "rules");
            json_add(users, json_string(path));
        }
    return users;
}

void nsx_control_plane_remove_spans(struct sim_nsx *sim, const char *id)
{
    const struct nsx_table *spans = &sim->intent.tables[NSX_SPANS];
    for (size_t i = spans->count; i > 0; i--)
        if (is_span_of(spans->items[i - 1], id)) {
            cleanup_free char *key = text_copy(spans->items[i - 1]->key);
            cleanup_free char *policy = text_copy_span(key, strcspn(key, "/"));
            nsx_remove(sim, NSX_SPANS, key);
            nsx_span_removed(sim, policy);
        }
}

/* Takes the path out of scopes; an empty scope means everything, so that "ANY" is put there. */
static void remove_from_scopes(struct sim_nsx *sim, enum nsx_table_id table_id, const char *id)
{
    const struct nsx_table *table = &sim->intent.tables[table_id];
    for (size_t i = 0; i < table->count; i++) {
        if (!is_scoped_to(table->items[i], id))
            continue;
        cleanup_free char *key = text_copy(table->items[i]->key);
        cleanup_json json_t *old = nsx_record_tree(table->items[i]), *object = json_clone(old);
        json_t *scope = json_object_get(object, "scope");
        for (size_t k = json_array_size(scope); k > 0; k--)
            if (text_equal(
                    nsx_control_plane_of_path(json_string_value(json_array_get(scope, k - 1))), id))
                json_array_remove(scope, k - 1);
        if (json_array_size(scope) == 0)
            json_add(scope, json_string("ANY"));
        nsx_stamp(sim, object, old);
        nsx_put(sim, table_id, key, object);
    }
}

static void cascade(struct sim_nsx *sim, const char *id, const json_t *control_plane)
{
    nsx_control_plane_remove_spans(sim, id);
    if (nsx_switch_is(sim, SW_CASCADE_SCOPE, "removed")) {
        remove_from_scopes(sim, NSX_POLICIES, id);
        remove_from_scopes(sim, NSX_RULES, id);
    }
    if (nsx_switch_is(sim, SW_CASCADE_GROUPS, "criteria-removed"))
        nsx_groups_forget_cluster(sim, id, json_text(control_plane, "node_id"));
}

static void forget_later(struct sim_nsx *sim, void *argument)
{
    (void)argument;
    nsx_inventory_forget_orphans(sim);
}

void nsx_control_plane_delete(struct sim_nsx *sim, struct nsx_request *request,
                              struct nsx_answer *answer)
{
    const char *id = request->parts[2];
    if (!nsx_is_point(sim, request, answer))
        return;
    cleanup_json json_t *object = nsx_control_plane(sim, id);
    if (object == NULL) {
        if (nsx_switch_is(sim, SW_DELETE_MISSING, "404"))
            nsx_error_not_found(sim, answer, request->path);
        else
            nsx_answer_deleted(sim, answer);
        return;
    }
    if (nsx_refuse_protected(sim, request, object, answer) != 0)
        return;
    cleanup_json json_t *users = nsx_control_plane_users(sim, id);
    if (json_array_size(users) > 0 && !nsx_query_is(request, "cascade", "true")) {
        int64_t code = nsx_switch_is(sim, SW_CCP_REFERENCED, "500030") ? 500030 : 610803;
        nsx_error_referenced(answer, code, json_text(object, "path"), users);
        return;
    }
    cascade(sim, id, object);
    nsx_remove(sim, NSX_HEARTBEATS, id);
    nsx_remove_marked(sim, NSX_CONTROL_PLANES, id);
    if (nsx_switch_is(sim, SW_CASCADE_INVENTORY, "at-once"))
        nsx_inventory_forget(sim, id);
    else
        nsx_timer_set(&sim->clock, nsx_now(sim) + 2 * sim->purge_ms, forget_later, NULL);
    nsx_answer_deleted(sim, answer);
}
