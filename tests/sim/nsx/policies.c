/* Security policies. Facts 1.8, 7.9. */
#include "policies.h"

#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "control-planes.h"
#include "errors.h"
#include "handlers.h"
#include "page.h"
#include "realization.h"
#include "spans.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

int nsx_is_domain(const struct sim_nsx *sim, const struct nsx_request *request,
                  struct nsx_answer *answer)
{
    if (strcmp(request->parts[0], "default") == 0)
        return 1;
    nsx_error_not_found(sim, answer, request->path);
    return 0;
}

json_t *nsx_policy_need(const struct sim_nsx *sim, const struct nsx_request *request,
                        struct nsx_answer *answer)
{
    if (!nsx_is_domain(sim, request, answer))
        return NULL;
    json_t *policy = nsx_table_tree(&sim->intent.tables[NSX_POLICIES], request->parts[1]);
    if (policy == NULL)
        nsx_error_not_found(sim, answer, request->path);
    return policy;
}

char *nsx_child_key(const char *parent, const char *child)
{
    return text_format("%s/%s", parent, child);
}

static int by_order(const void *a, const void *b)
{
    const struct nsx_record *one = *(const struct nsx_record *const *)a;
    const struct nsx_record *two = *(const struct nsx_record *const *)b;
    if (one->order != two->order)
        return one->order < two->order ? -1 : 1;
    return strcmp(one->key, two->key);
}

const struct nsx_record **nsx_policy_rules(const struct sim_nsx *sim, const char *policy,
                                           size_t *ret_count)
{
    const struct nsx_table *rules = &sim->intent.tables[NSX_RULES];
    cleanup_free char *prefix = nsx_child_key(policy, "");
    size_t begin = nsx_table_from(rules, prefix), count = 0;
    while (nsx_table_at(rules, begin + count, prefix) != NULL)
        count++;
    const struct nsx_record **list = memory_new(count + 1, sizeof(void *));
    for (size_t i = 0; i < count; i++)
        list[i] = rules->items[begin + i];
    if (count > 1)
        qsort(list, count, sizeof(void *), by_order);
    *ret_count = count;
    return list;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* The object with _protection, left open for further members; most need no parsing. */
static void append_open(const struct sim_nsx *sim, const struct nsx_request *request,
                        const struct nsx_record *record, struct buffer *out)
{
    if (strstr(record->text, "\"_sim_") == NULL) {
        buffer_append(out, record->text, record->size - 1);
        buffer_append_text(out, ",\"_protection\":\"NOT_PROTECTED\"");
        return;
    }
    cleanup_json json_t *object = nsx_shown(sim, request, nsx_record_tree(record));
    cleanup_free char *text = json_dumps(object, JSON_COMPACT);
    buffer_append(out, text, strlen(text) - 1);
}

void nsx_policy_get(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    const char *id = request->parts[1];
    size_t count;
    if (!nsx_is_domain(sim, request, answer))
        return;
    const struct nsx_record *policy = nsx_table_get(&sim->intent.tables[NSX_POLICIES], id);
    if (policy == NULL) {
        nsx_error_not_found(sim, answer, request->path);
        return;
    }
    cleanup_free const struct nsx_record **rules = nsx_policy_rules(sim, id, &count);
    append_open(sim, request, policy, &answer->body);
    buffer_format(&answer->body, ",\"rule_count\":%zu,\"rules\":[", count);
    for (size_t i = 0; i < count; i++) {
        append_open(sim, request, rules[i], &answer->body);
        buffer_append_text(&answer->body, i + 1 < count ? "}," : "}");
    }
    buffer_append_text(&answer->body, "]}");
    answer->status = 200;
    answer->content_type = "application/json";
}

static json_t *rules_tree(const struct sim_nsx *sim, const struct nsx_request *request,
                          const char *policy)
{
    size_t count;
    cleanup_free const struct nsx_record **rules = nsx_policy_rules(sim, policy, &count);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_add(list, nsx_shown(sim, request, nsx_record_tree(rules[i])));
    return list;
}

static json_t *element(const struct sim_nsx *sim, const struct nsx_request *request, size_t index,
                       const void *context)
{
    const struct nsx_table *table = context;
    const struct nsx_record *record = table->items[index];
    json_t *policy = nsx_shown(sim, request, nsx_record_tree(record));
    if (nsx_query_is(request, "include_rule_count", "true")) {
        size_t count;
        free(nsx_policy_rules(sim, record->key, &count));
        json_put(policy, "rule_count", json_integer((json_int_t)count));
    }
    if (nsx_switch_is(sim, SW_POLICY_LIST_RULES, "embedded"))
        json_put(policy, "rules", rules_tree(sim, request, record->key));
    return policy;
}

void nsx_policies_list(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    const struct nsx_table *table = &sim->intent.tables[NSX_POLICIES];
    int marked = nsx_query_is(request, "include_mark_for_delete_objects", "true");
    if (!nsx_is_domain(sim, request, answer))
        return;
    if (!marked && nsx_query(request, "sort_by") == NULL) {
        nsx_page_of(sim, request, table->count, element, table, answer);
        return;
    }
    json_t *all = json_array();
    for (size_t i = 0; i < table->count; i++)
        json_add(all, element(sim, request, i, table));
    for (size_t i = 0; marked && i < sim->marked_count; i++)
        if (sim->marked[i].table == NSX_POLICIES)
            json_add(all, nsx_shown(sim, request, json_clone(sim->marked[i].object)));
    nsx_page(sim, request, all, answer);
}

/* Clusters report on the policies that they enforce. */
void nsx_policy_statistics(struct sim_nsx *sim, struct nsx_request *request,
                           struct nsx_answer *answer)
{
    const char *path = nsx_query(request, "container_cluster_path");
    cleanup_json json_t *policy = nsx_policy_need(sim, request, answer);
    if (policy == NULL)
        return;
    const char *cluster = nsx_control_plane_of_path(path);
    json_t *results = json_array();
    if (cluster != NULL && nsx_realization_is_enforced(sim, request->parts[1], cluster)) {
        size_t count;
        cleanup_free const struct nsx_record **rules =
            nsx_policy_rules(sim, request->parts[1], &count);
        for (size_t i = 0; i < count; i++) {
            cleanup_json json_t *rule = nsx_record_tree(rules[i]);
            json_add(results,
                     json_make("{s:s, s:O, s:i, s:i, s:i}", "rule", json_text(rule, "path"),
                               "internal_rule_id", json_object_get(rule, "rule_id"), "packet_count",
                               0, "byte_count", 0, "session_count", 0));
        }
    }
    nsx_answer_json(answer, 200,
                    json_make("{s:[{s:s, s:{s:i, s:o}}]}", "results", "container_cluster_path",
                              path == NULL ? "" : path, "statistics", "result_count",
                              (int)json_array_size(results), "results", results));
}

/* --- writing ---------------------------------------------------------------------------------- */

int nsx_refuse_policy_change(const struct sim_nsx *sim, const struct nsx_request *request,
                             const json_t *policy, struct nsx_answer *answer)
{
    if (sim->is_unlicensed) {
        nsx_error(answer, 403, 505, "license",
                  "The feature distributed firewall is not supported by the license.");
        return -1;
    }
    if (policy == NULL)
        return 0;
    if (json_flag(policy, "locked") && !text_equal(request->caller.role, "enterprise_admin") &&
        !text_equal(request->caller.name, json_text(policy, "lock_modified_by"))) {
        nsx_error(answer, 400, 500165, "policy", "The security policy %s is locked by %s.",
                  json_text(policy, "path"), json_text(policy, "lock_modified_by"));
        return -1;
    }
    return nsx_refuse_protected(sim, request, policy, answer);
}

const char *nsx_dangling_path(const struct sim_nsx *sim, const json_t *object)
{
    static const char *const fields[] = {"source_groups", "destination_groups", "scope",
                                         "services"};
    for (size_t f = 0; f < sizeof fields / sizeof *fields; f++) {
        size_t i;
        json_t *value;
        json_array_foreach (json_object_get(object, fields[f]), i, value) {
            const char *path = json_string_value(value);
            if (path == NULL)
                return "null";
            if (text_starts(path, NSX_GROUPS_PATH) &&
                nsx_table_get(&sim->intent.tables[NSX_GROUPS], path + strlen(NSX_GROUPS_PATH)) ==
                    NULL)
                return path;
            if (text_starts(path, NSX_SERVICES_PATH) &&
                nsx_table_get(&sim->intent.tables[NSX_SERVICES],
                              path + strlen(NSX_SERVICES_PATH)) == NULL)
                return path;
        }
    }
    return NULL;
}

/* The cause is beside the error, as it is for children. */
static void refuse_child(struct nsx_answer *answer, const char *path, const char *dangling)
{
    nsx_answer_json(
        answer, 400,
        json_make("{s:s, s:i, s:s, s:o, s:[{s:s, s:i, s:s, s:o}]}", "httpStatus", "BAD_REQUEST",
                  "error_code", 500157, "module_name", "policy", "error_message",
                  json_sprintf("Found errors in the request for path=[%s]. Please refer to the "
                               "related errors for details.",
                               path),
                  "related_errors", "httpStatus", "BAD_REQUEST", "error_code", 500060,
                  "module_name", "policy", "error_message",
                  json_sprintf("The path=[%s] is invalid.", dangling)));
    answer->error_code = 500157;
}

/* Rules that exist need their own revision in a PUT; -1 after answering. */
static int check_rules(const struct sim_nsx *sim, const struct nsx_request *request,
                       const json_t *rules, struct nsx_answer *answer)
{
    int is_put = strcmp(request->method, "PUT") == 0;
    size_t i;
    json_t *rule;
    json_array_foreach ((json_t *)(uintptr_t)rules, i, rule) {
        const char *id = json_text(rule, "id");
        if (id == NULL || id[0] == '\0') {
            nsx_error(answer, 400, 500012, "policy", "A rule of %s has no id.", request->path);
            return -1;
        }
        cleanup_free char *key = nsx_child_key(request->parts[1], id);
        cleanup_free char *path =
            text_format(NSX_POLICIES_PATH "%s/rules/%s", request->parts[1], id);
        cleanup_json json_t *old = nsx_table_tree(&sim->intent.tables[NSX_RULES], key);
        if (is_put && old != NULL && nsx_refuse_revision(sim, rule, old, path, answer) != 0)
            return -1;
        const char *dangling = nsx_dangling_path(sim, rule);
        if (dangling != NULL) {
            refuse_child(answer, path, dangling);
            return -1;
        }
    }
    return 0;
}

static void note_draft(struct sim_nsx *sim)
{
    cleanup_free char *id = text_format("auto-%lld", (long long)nsx_now(sim));
    cleanup_json json_t *draft = json_make("{s:b, s:b}", "is_auto_draft", 1, "locked", 0);
    nsx_stamp_policy(sim, draft, NULL, "PolicyDraft", "/infra", "drafts", id);
    /* No effect of the request: NSX does it by itself. */
    nsx_table_put(&sim->intent.tables[NSX_DRAFTS], id, draft, 0);
}

void nsx_policy_write(struct sim_nsx *sim, const char *id, const json_t *body, const json_t *rules)
{
    cleanup_json json_t *old = nsx_table_tree(&sim->intent.tables[NSX_POLICIES], id);
    cleanup_json json_t *policy = json_clone(body);
    json_object_del(policy, "rules");
    json_object_del(policy, "rule_count");
    json_object_update_missing_new(policy, json_make("{s:i, s:b, s:b, s:[s], s:b}",
                                                     "sequence_number", 0, "stateful", 1, "locked",
                                                     0, "scope", "ANY", "is_default", 0));
    nsx_stamp_policy(sim, policy, old, "SecurityPolicy", NSX_DOMAIN_PATH, "security-policies", id);
    json_put(policy, "internal_sequence_number",
             json_integer(json_whole(policy, "sequence_number", 0)));
    nsx_put(sim, NSX_POLICIES, id, policy);
    note_draft(sim);
    if (rules == NULL)
        return;
    size_t count, i;
    json_t *rule;
    cleanup_free const struct nsx_record **present = nsx_policy_rules(sim, id, &count);
    cleanup_json json_t *gone = json_array();
    for (size_t k = 0; k < count; k++)
        json_add(gone, json_string(present[k]->key));
    json_array_foreach ((json_t *)(uintptr_t)rules, i, rule) {
        cleanup_free char *key = nsx_child_key(id, json_text(rule, "id"));
        nsx_rule_write(sim, id, rule, i);
        for (size_t k = json_array_size(gone); k > 0; k--)
            if (text_equal(json_string_value(json_array_get(gone, k - 1)), key))
                json_array_remove(gone, k - 1);
    }
    json_array_foreach (gone, i, rule)
        nsx_remove(sim, NSX_RULES, json_string_value(rule));
}

static int is_category(const char *category)
{
    static const char *const known[] = {"Ethernet", "Emergency", "Infrastructure", "Environment",
                                        "Application"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (text_equal(category, known[i]))
            return 1;
    return 0;
}

void nsx_policy_put(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    const char *id = request->parts[1];
    const json_t *body = nsx_body(request, answer);
    int is_put = strcmp(request->method, "PUT") == 0;
    if (body == NULL || !nsx_is_domain(sim, request, answer))
        return;
    cleanup_json json_t *old = nsx_table_tree(&sim->intent.tables[NSX_POLICIES], id);
    cleanup_free char *path = text_format(NSX_POLICIES_PATH "%s", id);
    const json_t *rules = json_object_get(body, "rules");
    if (nsx_refuse_policy_change(sim, request, old, answer) != 0 ||
        nsx_refuse_marked(sim, NSX_POLICIES, id, path, answer) != 0 ||
        (is_put && old != NULL && nsx_refuse_revision(sim, body, old, path, answer) != 0) ||
        check_rules(sim, request, rules, answer) != 0)
        return;
    cleanup_json json_t *policy = json_clone(body);
    if (!is_put && old != NULL)
        json_object_update_missing(policy, old);
    const char *dangling = nsx_dangling_path(sim, policy);
    if (!is_category(json_text(policy, "category"))) {
        nsx_error(answer, 400, 500012, "policy", "category of %s is missing or unknown.", path);
        return;
    }
    if (dangling != NULL) {
        nsx_error(answer, 400, 500060, "policy", "The path=[%s] is invalid.", dangling);
        return;
    }
    cleanup_json json_t *none = json_array();
    nsx_policy_write(sim, id, policy, rules == NULL && is_put ? none : rules);
    if (is_put)
        nsx_policy_get(sim, request, answer);
    else
        nsx_answer_empty(answer, 200);
}

void nsx_policy_delete(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    const char *id = request->parts[1];
    if (!nsx_is_domain(sim, request, answer))
        return;
    cleanup_json json_t *policy = nsx_table_tree(&sim->intent.tables[NSX_POLICIES], id);
    if (policy == NULL) {
        if (nsx_switch_is(sim, SW_DELETE_MISSING, "404"))
            nsx_error_not_found(sim, answer, request->path);
        else
            nsx_answer_deleted(sim, answer);
        return;
    }
    if (nsx_refuse_policy_change(sim, request, policy, answer) != 0)
        return;
    if (json_flag(policy, "is_default")) {
        nsx_error(answer, 400, 500014, "policy", "The default policy %s cannot be deleted.",
                  json_text(policy, "path"));
        return;
    }
    nsx_policy_remove(sim, id);
    nsx_answer_deleted(sim, answer);
}
