#include "change.h"

#include <stdlib.h>
#include <string.h>

#include "adapter.h"
#include "errors.h"
#include "identity.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

/* What the object is, whatever its key is used for later. */
static const char *unique_of(const json_t *object)
{
    const char *node_id = json_text(object, "node_id"), *unique = json_text(object, "unique_id");
    if (text_equal(json_text(object, "resource_type"), "AntreaClusterControlPlane"))
        return node_id;
    return unique != NULL ? unique : json_text(object, "id");
}

void nsx_note_effect(struct sim_nsx *sim, const char *op, const char *table, const char *key,
                     const json_t *object)
{
    if (sim->current == NULL)
        return;
    if (sim->current->effects == NULL)
        sim->current->effects = json_array();
    json_t *effect = json_make("{s:s, s:s, s:s}", "op", op, "table", table, "key", key);
    if (json_text(object, "_create_user") != NULL)
        json_put_text(effect, "owner", json_text(object, "_create_user"));
    if (unique_of(object) != NULL)
        json_put_text(effect, "unique", unique_of(object));
    json_add(sim->current->effects, effect);
}

static void changed(struct sim_nsx *sim, enum nsx_table_id table)
{
    sim->version_state++;
    nsx_world_changed(sim);
    if (table == NSX_PRINCIPALS || table == NSX_CONTROL_PLANES)
        sim->must_check = 1;
    if (sim->index_due_ms == 0)
        sim->index_due_ms = nsx_now(sim) + sim->search_lag_ms;
    if (table == NSX_POLICIES || table == NSX_RULES || table == NSX_SPANS || table == NSX_GROUPS)
        nsx_adapters_dirty(sim);
}

void nsx_put(struct sim_nsx *sim, enum nsx_table_id table, const char *key, const json_t *object)
{
    struct nsx_table *at = &sim->intent.tables[table];
    int existed = nsx_table_get(at, key) != NULL;
    nsx_table_put(at, key, object, json_whole(object, "sequence_number", 0));
    if (table == NSX_PRINCIPALS)
        nsx_index_principal(sim, object, existed);
    nsx_note_effect(sim, existed ? "update" : "create", nsx_table_name(table), key, NULL);
    changed(sim, table);
}

int nsx_remove(struct sim_nsx *sim, enum nsx_table_id table, const char *key)
{
    struct nsx_table *at = &sim->intent.tables[table];
    cleanup_json json_t *old = nsx_table_tree(at, key);
    if (old == NULL)
        return 0;
    nsx_table_remove(at, key);
    if (table == NSX_PRINCIPALS)
        nsx_forget_principal_index(sim);
    nsx_note_effect(sim, "delete", nsx_table_name(table), key, old);
    changed(sim, table);
    return 1;
}

/* --- marked for deletion ---------------------------------------------------------------------- */

/* Drops those that are due by then. */
static void forget_until(struct sim_nsx *sim, int64_t due_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < sim->marked_count; i++) {
        if (sim->marked[i].due_ms > due_ms) {
            sim->marked[kept++] = sim->marked[i];
            continue;
        }
        free(sim->marked[i].key);
        json_decref(sim->marked[i].object);
    }
    sim->marked_count = kept;
}

void nsx_forget_marked(struct sim_nsx *sim)
{
    forget_until(sim, INT64_MAX);
}

static void purge(struct sim_nsx *sim, void *argument)
{
    (void)argument;
    forget_until(sim, nsx_now(sim));
}

void nsx_remove_marked(struct sim_nsx *sim, enum nsx_table_id table, const char *key)
{
    json_t *object = nsx_table_tree(&sim->intent.tables[table], key);
    if (object == NULL)
        return;
    nsx_remove(sim, table, key);
    json_put(object, "marked_for_delete", json_true());
    int64_t due = nsx_now(sim) + sim->purge_ms;
    sim->marked = memory_resize(sim->marked, sim->marked_count + 1, sizeof *sim->marked);
    sim->marked[sim->marked_count++] = (struct nsx_marked){table, text_copy(key), object, due};
    nsx_timer_set(&sim->clock, due, purge, NULL);
}

const json_t *nsx_marked_object(const struct sim_nsx *sim, enum nsx_table_id table, const char *key)
{
    for (size_t i = 0; i < sim->marked_count; i++)
        if (sim->marked[i].table == table && strcmp(sim->marked[i].key, key) == 0)
            return sim->marked[i].object;
    return NULL;
}

int nsx_refuse_marked(const struct sim_nsx *sim, enum nsx_table_id table, const char *key,
                      const char *path, struct nsx_answer *answer)
{
    if (nsx_marked_object(sim, table, key) == NULL)
        return 0;
    nsx_error(answer, 400, 500045, "policy",
              "An object with the same path=[%s] is marked for deletion. Either use another path "
              "or wait for the purge cycle to permanently remove the deleted object.",
              path);
    return -1;
}

/* --- managed fields --------------------------------------------------------------------------- */

/* What stays from the first writing on; new. */
static json_t *kept(const json_t *old, const char *field, json_t *otherwise)
{
    json_t *value = old == NULL ? NULL : json_object_get(old, field);
    if (value == NULL)
        return otherwise;
    json_decref(otherwise);
    return json_incref(value);
}

void nsx_stamp(struct sim_nsx *sim, json_t *object, const json_t *old)
{
    const struct nsx_request *request = sim->current;
    const char *user =
        request == NULL || request->caller.name == NULL ? "system" : request->caller.name;
    json_int_t now = (json_int_t)nsx_now(sim);
    int is_protected = old != NULL ? json_flag(old, "_sim_protected")
                                   : request != NULL && request->caller.is_protective;
    json_object_del(object, "_protection");
    json_object_del(object, "_sim_protected");
    json_put(object, "_create_time", kept(old, "_create_time", json_integer(now)));
    json_put(object, "_create_user", kept(old, "_create_user", json_string(user)));
    json_put(object, "_last_modified_time", json_integer(now));
    json_put_text(object, "_last_modified_user", user);
    json_put(object, "_system_owned", json_boolean(old != NULL && json_flag(old, "_system_owned")));
    json_put(object, "_revision",
             json_integer(old == NULL ? 0 : json_whole(old, "_revision", 0) + 1));
    if (is_protected)
        json_put(object, "_sim_protected", json_true());
}

void nsx_stamp_policy(struct sim_nsx *sim, json_t *object, const json_t *old, const char *type,
                      const char *parent, const char *segment, const char *id)
{
    nsx_stamp(sim, object, old);
    cleanup_free char *path = text_format("%s/%s/%s", parent, segment, id);
    if (json_text(object, "display_name") == NULL)
        json_put_text(object, "display_name", id);
    json_put_text(object, "id", id);
    json_put_text(object, "resource_type", type);
    json_put_text(object, "path", path);
    json_put_text(object, "relative_path", id);
    json_put_text(object, "parent_path", parent);
    cleanup_free char *unique =
        old == NULL ? nsx_uuid(sim) : text_copy(json_text(old, "unique_id"));
    json_put_text(object, "unique_id", unique);
    json_put_text(object, "realization_id", unique);
    json_put(object, "marked_for_delete", json_false());
    json_put(object, "overridden", json_false());
}

static int is_own(const struct nsx_request *request, const json_t *object)
{
    const char *creator = json_text(object, "_create_user");
    return creator != NULL && request->caller.name != NULL &&
           strcmp(creator, request->caller.name) == 0;
}

const char *nsx_protection(const struct sim_nsx *sim, const struct nsx_request *request,
                           const json_t *object)
{
    (void)sim;
    if (!json_flag(object, "_sim_protected") || is_own(request, object))
        return "NOT_PROTECTED";
    return text_equal(request->caller.role, "enterprise_admin") ? "REQUIRE_OVERRIDE" : "PROTECTED";
}

int nsx_refuse_protected(const struct sim_nsx *sim, const struct nsx_request *request,
                         const json_t *object, struct nsx_answer *answer)
{
    const char *protection = nsx_protection(sim, request, object);
    int overwrites = request->overwrite != NULL && strcasecmp(request->overwrite, "true") == 0;
    if (strcmp(protection, "NOT_PROTECTED") == 0 ||
        (overwrites && strcmp(protection, "REQUIRE_OVERRIDE") == 0))
        return 0;
    const char *type = json_text(object, "resource_type");
    nsx_error(answer, 400, 289, "common-services",
              "Principal '%s' with role '[%s]' attempts to delete or modify an object of type %s "
              "it doesn't own. (createUser=%s, allowOverwrite=%s)",
              request->caller.name, request->caller.role, type == NULL ? "object" : type,
              json_text(object, "_create_user"),
              request->overwrite == NULL ? "null" : request->overwrite);
    return -1;
}

/* What the simulator keeps beside an object begins with "_sim_". */
json_t *nsx_shown(const struct sim_nsx *sim, const struct nsx_request *request, json_t *object)
{
    const char *key;
    json_t *value;
    void *next;
    json_put_text(object, "_protection", nsx_protection(sim, request, object));
    json_object_foreach_safe(object, next, key, value)
    {
        if (text_starts(key, "_sim_"))
            json_object_del(object, key);
    }
    return object;
}
