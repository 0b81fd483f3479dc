/* Groups, services, drafts, the whole tree. Facts 1.8, 7.9. */
#include "groups.h"

#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "errors.h"
#include "handlers.h"
#include "page.h"
#include "policies.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

/* --- who uses a path -------------------------------------------------------------------------- */

int nsx_record_names(const struct nsx_record *record, const char *path)
{
    cleanup_free char *quoted = text_format("\"%s\"", path);
    const char *at = strstr(record->text, quoted);
    /* Its own path does not count. */
    while (at != NULL && at - record->text >= 7 && strncmp(at - 7, "\"path\":", 7) == 0)
        at = strstr(at + 1, quoted);
    return at != NULL;
}

json_t *nsx_users_of(const struct sim_nsx *sim, const char *path)
{
    static const enum nsx_table_id tables[] = {NSX_RULES, NSX_POLICIES, NSX_GROUPS};
    json_t *users = json_array();
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        const struct nsx_table *table = &sim->intent.tables[tables[t]];
        for (size_t i = 0; i < table->count; i++) {
            if (!nsx_record_names(table->items[i], path))
                continue;
            cleanup_json json_t *user = nsx_record_tree(table->items[i]);
            json_add(users, json_incref(json_object_get(user, "path")));
        }
    }
    return users;
}

void nsx_group_services(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    const char *path = nsx_query(request, "intent_path");
    cleanup_json json_t *users = path == NULL ? json_array() : nsx_users_of(sim, path);
    json_t *all = json_array();
    size_t i;
    json_t *user;
    /* Users of parent groups count as well; groups nest only once here. */
    for (size_t k = json_array_size(users); k > 0; k--) {
        const char *name = json_string_value(json_array_get(users, k - 1));
        if (text_starts(name, NSX_GROUPS_PATH)) {
            cleanup_json json_t *above = nsx_users_of(sim, name);
            json_array_extend(users, above);
        }
    }
    json_array_foreach (users, i, user) {
        const char *name = json_string_value(user);
        if (text_starts(name, NSX_POLICIES_PATH))
            json_add(all, json_make("{s:s, s:s, s:s}", "path", name, "target_type",
                                    strstr(name, "/rules/") == NULL ? "SecurityPolicy" : "Rule",
                                    "target_display_name", strrchr(name, '/') + 1));
    }
    nsx_page(sim, request, all, answer);
}

/* --- criteria that name a cluster ------------------------------------------------------------- */

static int names_cluster(const json_t *criterion, const char *name, const char *cluster_id)
{
    const char *type = json_text(criterion, "resource_type");
    const char *value = json_text(criterion, "value");
    if (!text_equal(json_text(criterion, "member_type"), "KubernetesCluster"))
        return 0;
    if (text_equal(type, "Condition"))
        return text_equal(value, name) || text_equal(value, cluster_id);
    size_t i;
    json_t *id;
    json_array_foreach (json_object_get(criterion, "external_ids"), i, id)
        if (text_equal(json_string_value(id), cluster_id))
            return 1;
    return 0;
}

int nsx_group_names_cluster(const json_t *expression, const char *name, const char *cluster_id)
{
    size_t i;
    json_t *criterion;
    json_array_foreach ((json_t *)(uintptr_t)expression, i, criterion) {
        if (names_cluster(criterion, name, cluster_id) ||
            nsx_group_names_cluster(json_object_get(criterion, "expressions"), name, cluster_id))
            return 1;
    }
    return 0;
}

/* What stays, with the operators between; 1 when something went. */
static int without_cluster(json_t *expression, const char *name, const char *cluster_id)
{
    int changed = 0;
    for (size_t i = json_array_size(expression); i > 0; i--) {
        json_t *criterion = json_array_get(expression, i - 1);
        json_t *nested = json_object_get(criterion, "expressions");
        changed |= nested != NULL && without_cluster(nested, name, cluster_id);
        int is_empty = nested != NULL && json_array_size(nested) == 0;
        if (!names_cluster(criterion, name, cluster_id) && !is_empty)
            continue;
        changed = 1;
        json_array_remove(expression, i - 1);
        /* The operator before it, or after it when it was the first. */
        if (json_array_size(expression) > 0)
            json_array_remove(expression, i > 1 ? i - 2 : 0);
    }
    return changed;
}

void nsx_groups_forget_cluster(struct sim_nsx *sim, const char *name, const char *cluster_id)
{
    const struct nsx_table *table = &sim->intent.tables[NSX_GROUPS];
    for (size_t i = 0; i < table->count; i++) {
        if (strstr(table->items[i]->text, "KubernetesCluster") == NULL)
            continue;
        cleanup_json json_t *old = nsx_record_tree(table->items[i]), *group = json_clone(old);
        if (!without_cluster(json_object_get(group, "expression"), name, cluster_id))
            continue;
        cleanup_free char *key = text_copy(table->items[i]->key);
        nsx_stamp(sim, group, old);
        nsx_put(sim, NSX_GROUPS, key, group);
    }
}

/* --- groups and services ---------------------------------------------------------------------- */

struct kind {
    enum nsx_table_id table;
    const char *type, *parent, *segment;
    int part; /* of the path that is the id */
};

static const struct kind groups = {NSX_GROUPS, "Group", NSX_DOMAIN_PATH, "groups", 1};
static const struct kind services = {NSX_SERVICES, "Service", "/infra", "services", 0};

static json_t *element(const struct sim_nsx *sim, const struct nsx_request *request, size_t index,
                       const void *context)
{
    const struct nsx_table *table = context;
    return nsx_shown(sim, request, nsx_record_tree(table->items[index]));
}

static int has_member_type(const json_t *group, const char *types)
{
    cleanup_free char *text = json_dumps(json_object_get(group, "expression"), JSON_ENCODE_ANY);
    while (text != NULL && types[0] != '\0') {
        size_t size = strcspn(types, ",");
        cleanup_free char *type = text_format("\"%.*s\"", (int)size, types);
        if (strstr(text, type) != NULL)
            return 1;
        types += size + (types[size] == ',');
    }
    return 0;
}

static void list(struct sim_nsx *sim, struct nsx_request *request, const struct kind *kind,
                 struct nsx_answer *answer)
{
    const struct nsx_table *table = &sim->intent.tables[kind->table];
    const char *types = nsx_query(request, "member_types");
    if (types == NULL && nsx_query(request, "sort_by") == NULL &&
        !nsx_query_is(request, "include_mark_for_delete_objects", "true")) {
        nsx_page_of(sim, request, table->count, element, table, answer);
        return;
    }
    json_t *all = json_array();
    for (size_t i = 0; i < table->count; i++) {
        json_t *object = element(sim, request, i, table);
        if (types == NULL || has_member_type(object, types))
            json_add(all, object);
        else
            json_decref(object);
    }
    for (size_t i = 0; i < sim->marked_count; i++)
        if (sim->marked[i].table == kind->table &&
            nsx_query_is(request, "include_mark_for_delete_objects", "true"))
            json_add(all, nsx_shown(sim, request, json_clone(sim->marked[i].object)));
    nsx_page(sim, request, all, answer);
}

static void get(struct sim_nsx *sim, struct nsx_request *request, const struct kind *kind,
                struct nsx_answer *answer)
{
    json_t *object = nsx_table_tree(&sim->intent.tables[kind->table], request->parts[kind->part]);
    if (object == NULL)
        nsx_error_not_found(sim, answer, request->path);
    else
        nsx_answer_json(answer, 200, nsx_shown(sim, request, object));
}

/* The group that a PathExpression names must exist. */
static const char *dangling_group(const struct sim_nsx *sim, const json_t *expression)
{
    size_t i, k;
    json_t *criterion, *path;
    json_array_foreach ((json_t *)(uintptr_t)expression, i, criterion)
        json_array_foreach (json_object_get(criterion, "paths"), k, path) {
            const char *name = json_string_value(path);
            if (name != NULL && text_starts(name, NSX_GROUPS_PATH) &&
                nsx_table_get(&sim->intent.tables[NSX_GROUPS], name + strlen(NSX_GROUPS_PATH)) ==
                    NULL)
                return name;
        }
    return NULL;
}

static int check_group(const struct sim_nsx *sim, const json_t *old, const json_t *group,
                       const char *path, struct nsx_answer *answer)
{
    const json_t *type = json_object_get(group, "group_type");
    const char *dangling = dangling_group(sim, json_object_get(group, "expression"));
    if (old != NULL && type != NULL && !json_equal(type, json_object_get(old, "group_type")))
        nsx_error(answer, 400, 500013, "policy", "group_type of path=[%s] cannot be changed.",
                  path);
    else if (dangling != NULL)
        nsx_error(answer, 400, 500060, "policy", "The path=[%s] is invalid.", dangling);
    else
        return 0;
    return -1;
}

static void put(struct sim_nsx *sim, struct nsx_request *request, const struct kind *kind,
                struct nsx_answer *answer)
{
    const char *id = request->parts[kind->part];
    const json_t *body = nsx_body(request, answer);
    int is_put = strcmp(request->method, "PUT") == 0;
    if (body == NULL)
        return;
    cleanup_json json_t *old = nsx_table_tree(&sim->intent.tables[kind->table], id);
    cleanup_json json_t *object = json_clone(body);
    cleanup_free char *path = text_format("%s/%s/%s", kind->parent, kind->segment, id);
    if (nsx_refuse_policy_change(sim, request, old, answer) != 0 ||
        nsx_refuse_marked(sim, kind->table, id, path, answer) != 0 ||
        (is_put && old != NULL && nsx_refuse_revision(sim, body, old, path, answer) != 0) ||
        (kind == &groups && check_group(sim, old, object, path, answer) != 0))
        return;
    if (!is_put && old != NULL)
        json_object_update_missing(object, old);
    nsx_stamp_policy(sim, object, old, kind->type, kind->parent, kind->segment, id);
    nsx_put(sim, kind->table, id, object);
    if (is_put)
        get(sim, request, kind, answer);
    else
        nsx_answer_empty(answer, 200);
}

static void delete (struct sim_nsx *sim, struct nsx_request *request, const struct kind *kind,
                    struct nsx_answer *answer)
{
    const char *id = request->parts[kind->part];
    cleanup_json json_t *object = nsx_table_tree(&sim->intent.tables[kind->table], id);
    if (object == NULL) {
        if (nsx_switch_is(sim, SW_DELETE_MISSING, "404"))
            nsx_error_not_found(sim, answer, request->path);
        else
            nsx_answer_deleted(sim, answer);
        return;
    }
    cleanup_json json_t *users = nsx_users_of(sim, json_text(object, "path"));
    if (nsx_refuse_policy_change(sim, request, object, answer) != 0)
        return;
    if (json_array_size(users) > 0) {
        nsx_error_referenced(answer, 500030, json_text(object, "path"), users);
        return;
    }
    nsx_remove_marked(sim, kind->table, id);
    nsx_answer_deleted(sim, answer);
}

void nsx_groups_list(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    if (nsx_is_domain(sim, request, answer))
        list(sim, request, &groups, answer);
}

void nsx_group_get(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    if (nsx_is_domain(sim, request, answer))
        get(sim, request, &groups, answer);
}

void nsx_group_put(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    if (nsx_is_domain(sim, request, answer))
        put(sim, request, &groups, answer);
}

void nsx_group_delete(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    if (nsx_is_domain(sim, request, answer))
        delete (sim, request, &groups, answer);
}

void nsx_services_list(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    list(sim, request, &services, answer);
}

void nsx_service_get(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    get(sim, request, &services, answer);
}

void nsx_service_put(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    put(sim, request, &services, answer);
}

void nsx_service_delete(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    delete (sim, request, &services, answer);
}

/* --- drafts and the whole tree ---------------------------------------------------------------- */

void nsx_drafts_list(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    const struct nsx_table *table = &sim->intent.tables[NSX_DRAFTS];
    const char *wanted = nsx_query(request, "auto_drafts");
    json_t *all = json_array();
    for (size_t i = 0; i < table->count; i++) {
        json_t *draft = element(sim, request, i, table);
        int is_auto = json_flag(draft, "is_auto_draft");
        if (wanted == NULL || nsx_query_is(request, "auto_drafts", is_auto ? "true" : "false"))
            json_add(all, draft);
        else
            json_decref(draft);
    }
    nsx_page(sim, request, all, answer);
}

static void add_children(const struct sim_nsx *sim, const struct nsx_request *request,
                         json_t *children, enum nsx_table_id table_id, const char *type)
{
    const struct nsx_table *table = &sim->intent.tables[table_id];
    for (size_t i = 0; i < table->count; i++) {
        cleanup_free char *child = text_format("Child%s", type);
        json_add(children, json_make("{s:s, s:o}", "resource_type", child, type,
                                     element(sim, request, i, table)));
    }
}

/* "SecurityPolicy;Group" as type_filter, or "Type-SecurityPolicy|Group" as filter. */
void nsx_infra_get(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    const char *filter = NULL;
    if (nsx_switch_is(sim, SW_INFRA_FILTER, "type_filter"))
        filter = nsx_query(request, "type_filter");
    else if (nsx_switch_is(sim, SW_INFRA_FILTER, "filter"))
        filter = nsx_query(request, "filter");
    if (filter == NULL) {
        nsx_error(answer, 400, 500012, "policy", "The filter of %s is not understood.",
                  request->path);
        return;
    }
    json_t *children = json_array();
    if (strstr(filter, "SecurityPolicy") != NULL)
        add_children(sim, request, children, NSX_POLICIES, "SecurityPolicy");
    if (strstr(filter, "Group") != NULL)
        add_children(sim, request, children, NSX_GROUPS, "Group");
    nsx_answer_json(answer, 200,
                    json_make("{s:s, s:s, s:[{s:s, s:{s:s, s:s, s:o}}]}", "resource_type", "Infra",
                              "id", "infra", "children", "resource_type", "ChildDomain", "Domain",
                              "resource_type", "Domain", "id", "default", "children", children));
}
