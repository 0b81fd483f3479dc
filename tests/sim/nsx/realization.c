/* Facts 1.9, 7.9. */
#include "realization.h"

#include <stdlib.h>
#include <string.h>

#include "adapter.h"
#include "control-planes.h"
#include "errors.h"
#include "handlers.h"
#include "page.h"
#include "policies.h"
#include "spans.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

char *nsx_policy_version(const struct sim_nsx *sim, const char *policy)
{
    struct digest digest;
    unsigned char hash[DIGEST_SIZE];
    char text[DIGEST_TEXT_SIZE];
    size_t count;
    const struct nsx_record *record = nsx_table_get(&sim->intent.tables[NSX_POLICIES], policy);
    cleanup_free const struct nsx_record **rules = nsx_policy_rules(sim, policy, &count);
    digest_begin(&digest);
    if (record != NULL)
        digest_add(&digest, record->text, record->size);
    for (size_t i = 0; i < count; i++)
        digest_add(&digest, rules[i]->text, rules[i]->size);
    digest_end(&digest, hash);
    digest_text(hash, text);
    return text_copy_span(text, 16);
}

/* Control planes named by spans and by the policy's own scope. */
static json_t *targets_of(const struct sim_nsx *sim, const char *id, const json_t *policy)
{
    json_t *targets = nsx_spans_of_policy(sim, id);
    size_t i;
    json_t *path;
    json_array_foreach (json_object_get(policy, "scope"), i, path) {
        const char *name = nsx_control_plane_of_path(json_string_value(path));
        if (name != NULL)
            json_add(targets, json_string(name));
    }
    return targets;
}

static int names(const json_t *list, const char *name)
{
    size_t i;
    json_t *value;
    json_array_foreach ((json_t *)(uintptr_t)list, i, value)
        if (text_equal(json_string_value(value), name))
            return 1;
    return 0;
}

/* Not sent to Antrea clusters with that position. */
static int is_unsupported(const struct sim_nsx *sim, const json_t *policy)
{
    return text_equal(json_text(policy, "category"), "Ethernet") &&
           nsx_switch_is(sim, SW_ETHERNET_POLICIES, "unsupported");
}

static void add_groups(const struct sim_nsx *sim, json_t *groups, const json_t *rule)
{
    static const char *const fields[] = {"source_groups", "destination_groups", "scope"};
    for (size_t f = 0; f < 3; f++) {
        size_t i;
        json_t *value;
        json_array_foreach (json_object_get(rule, fields[f]), i, value) {
            const char *path = json_string_value(value);
            if (!text_starts(path, NSX_GROUPS_PATH) || json_object_get(groups, path) != NULL)
                continue;
            cleanup_json json_t *group =
                nsx_table_tree(&sim->intent.tables[NSX_GROUPS], path + strlen(NSX_GROUPS_PATH));
            if (group != NULL)
                json_put(groups, path,
                         json_make("{s:O, s:O}", "id", json_object_get(group, "unique_id"),
                                   "display_name", json_object_get(group, "display_name")));
        }
    }
}

static json_t *wanted(const struct sim_nsx *sim, const char *id, const json_t *policy)
{
    size_t count;
    cleanup_free const struct nsx_record **records = nsx_policy_rules(sim, id, &count);
    cleanup_free char *version = nsx_policy_version(sim, id);
    json_t *rules = json_array(), *groups = json_object();
    for (size_t i = 0; i < count; i++) {
        json_t *rule = nsx_record_tree(records[i]);
        add_groups(sim, groups, rule);
        json_add(rules, rule);
    }
    return json_make("{s:s, s:s, s:O, s:O, s:O, s:O, s:o, s:o}", "policy", id, "version", version,
                     "realization_id", json_object_get(policy, "realization_id"), "display_name",
                     json_object_get(policy, "display_name"), "category",
                     json_object_get(policy, "category"), "sequence_number",
                     json_object_get(policy, "sequence_number"), "rules", rules, "groups", groups);
}

json_t *nsx_realization_wanted(const struct sim_nsx *sim, const char *control_plane)
{
    const struct nsx_table *policies = &sim->intent.tables[NSX_POLICIES];
    json_t *list = json_array();
    for (size_t i = 0; i < policies->count; i++) {
        const char *id = policies->items[i]->key;
        cleanup_json json_t *policy = nsx_record_tree(policies->items[i]);
        cleanup_json json_t *targets = targets_of(sim, id, policy);
        if (names(targets, control_plane) && !is_unsupported(sim, policy))
            json_add(list, wanted(sim, id, policy));
    }
    return list;
}

/* --- state ------------------------------------------------------------------------------------ */

static int is_settled(const struct sim_nsx *sim, const json_t *policy, int64_t since_ms)
{
    int64_t changed = json_whole(policy, "_last_modified_time", 0);
    if (changed < since_ms)
        changed = since_ms;
    return nsx_now(sim) - changed >= sim->realize_ms;
}

static const char *state_in(const struct sim_nsx *sim, const char *id, const json_t *policy,
                            const char *control_plane, char **ret_message)
{
    const struct nsx_adapter *adapter = nsx_adapter_find(sim, control_plane);
    const json_t *ack = json_object_get(adapter == NULL ? NULL : adapter->acks, id);
    cleanup_free char *version = nsx_policy_version(sim, id);
    const char *acked = json_text(ack, "version");
    int is_current = text_equal(acked, version) || text_equal(acked, "*");
    if (is_current && text_equal(json_text(ack, "state"), "ERROR")) {
        const char *message = json_text(ack, "message");
        *ret_message = text_copy(message == NULL ? "realization failed" : message);
        return "ERROR";
    }
    if (adapter == NULL || !adapter->is_connected) {
        if (nsx_switch_is(sim, SW_ORPHAN_REALIZATION, "unrealized"))
            return "UNREALIZED";
        *ret_message = text_format("cluster %s is not connected", control_plane);
        return "ERROR";
    }
    if (is_unsupported(sim, policy))
        return "REALIZED";
    if (adapter->stream == NULL)
        return is_settled(sim, policy, adapter->connected_ms) ? "REALIZED" : "UNREALIZED";
    return is_current ? "REALIZED" : "UNREALIZED";
}

int nsx_realization_is_enforced(const struct sim_nsx *sim, const char *policy_id,
                                const char *control_plane)
{
    cleanup_json json_t *policy = nsx_table_tree(&sim->intent.tables[NSX_POLICIES], policy_id);
    cleanup_json json_t *targets = targets_of(sim, policy_id, policy);
    cleanup_free char *message = NULL;
    return policy != NULL && names(targets, control_plane) && !is_unsupported(sim, policy) &&
           strcmp(state_in(sim, policy_id, policy, control_plane, &message), "REALIZED") == 0;
}

const char *nsx_realization_state(const struct sim_nsx *sim, const char *policy_id,
                                  char **ret_message)
{
    cleanup_json json_t *policy = nsx_table_tree(&sim->intent.tables[NSX_POLICIES], policy_id);
    cleanup_json json_t *targets = targets_of(sim, policy_id, policy);
    const char *result = is_settled(sim, policy, 0) ? "REALIZED" : "UNREALIZED";
    size_t i;
    json_t *target;
    json_array_foreach (targets, i, target) {
        char *message = NULL;
        const char *state = state_in(sim, policy_id, policy, json_string_value(target), &message);
        if (strcmp(state, "ERROR") == 0 && ret_message != NULL && *ret_message == NULL)
            *ret_message = take_pointer(message);
        free(message);
        if (strcmp(state, "ERROR") == 0 || strcmp(result, "REALIZED") == 0)
            result = state;
    }
    return result;
}

/* --- the API ---------------------------------------------------------------------------------- */

/* The id of the policy that the intent path names, or NULL after answering. */
static const char *policy_of(const struct sim_nsx *sim, const struct nsx_request *request,
                             struct nsx_answer *answer)
{
    const char *path = nsx_query(request, "intent_path");
    if (path != NULL && text_starts(path, NSX_POLICIES_PATH)) {
        const char *id = path + strlen(NSX_POLICIES_PATH);
        if (nsx_table_get(&sim->intent.tables[NSX_POLICIES], id) != NULL)
            return id;
    }
    nsx_error_not_found(sim, answer, path == NULL ? "intent_path" : path);
    return NULL;
}

/* Objects of other kinds are realized as soon as they are there. */
static int is_other_intent(const struct sim_nsx *sim, const char *path)
{
    return path != NULL && text_starts(path, NSX_GROUPS_PATH) &&
           nsx_table_get(&sim->intent.tables[NSX_GROUPS], path + strlen(NSX_GROUPS_PATH)) != NULL;
}

void nsx_realized_status(struct sim_nsx *sim, struct nsx_request *request,
                         struct nsx_answer *answer)
{
    const char *path = nsx_query(request, "intent_path"), *state = "REALIZED", *id = NULL;
    if (!is_other_intent(sim, path)) {
        id = policy_of(sim, request, answer);
        if (id == NULL)
            return;
        state = nsx_realization_state(sim, id, NULL);
    }
    const char *consolidated = strcmp(state, "REALIZED") == 0 ? "SUCCESS"
                               : strcmp(state, "ERROR") == 0  ? "ERROR"
                                                              : "IN_PROGRESS";
    json_t *reply =
        json_make("{s:s, s:s, s:{s:s}, s:[], s:s}", "intent_path", path, "publish_status", state,
                  "consolidated_status", "consolidated_status", consolidated,
                  "consolidated_status_per_enforcement_point", "intent_version", "0");
    if (id != NULL && nsx_switch_is(sim, SW_REALIZATION_ANTREA_DETAILS, "present")) {
        cleanup_json json_t *policy = nsx_table_tree(&sim->intent.tables[NSX_POLICIES], id);
        cleanup_json json_t *targets = targets_of(sim, id, policy);
        size_t i;
        json_t *target;
        json_array_foreach (targets, i, target) {
            cleanup_free char *message = NULL;
            const char *name = json_string_value(target);
            json_add(json_object_get(reply, "consolidated_status_per_enforcement_point"),
                     json_make("{s:s, s:s, s:s}", "enforcement_point_id", "default",
                               "container_cluster", name, "consolidated_status",
                               state_in(sim, id, policy, name, &message)));
        }
    }
    nsx_answer_json(answer, 200, reply);
}

void nsx_realized_entities(struct sim_nsx *sim, struct nsx_request *request,
                           struct nsx_answer *answer)
{
    const char *path = nsx_query(request, "intent_path"), *state = "REALIZED", *id = "";
    cleanup_free char *message = NULL;
    if (!is_other_intent(sim, path)) {
        id = policy_of(sim, request, answer);
        if (id == NULL)
            return;
        state = nsx_realization_state(sim, id, &message);
    }
    json_t *alarms = json_array();
    if (message != NULL)
        json_add(alarms, json_make("{s:s, s:{s:s}}", "message", message, "error_details",
                                   "error_message", message));
    nsx_answer_json(answer, 200,
                    json_make("{s:[{s:s, s:s, s:s, s:[s], s:o}], s:i}", "results", "id",
                              id[0] == '\0' ? path : id, "state", state, "entity_type",
                              "RealizedSecurityPolicy", "intent_paths", path, "alarms", alarms,
                              "result_count", 1));
}

/* Asks the adapters for another look. */
void nsx_realized_refresh(struct sim_nsx *sim, struct nsx_request *request,
                          struct nsx_answer *answer)
{
    if (policy_of(sim, request, answer) == NULL)
        return;
    nsx_adapters_dirty(sim);
    nsx_answer_empty(answer, 200);
}
