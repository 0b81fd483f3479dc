/* Rules of security policies, one by one. Facts 1.8. */
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

enum { SEQUENCE_STEP = 10 };

void nsx_rule_write(struct sim_nsx *sim, const char *policy, const json_t *body, size_t index)
{
    const char *id = json_text(body, "id");
    cleanup_free char *key = nsx_child_key(policy, id);
    cleanup_free char *parent = text_format(NSX_POLICIES_PATH "%s", policy);
    cleanup_json json_t *old = nsx_table_tree(&sim->intent.tables[NSX_RULES], key);
    cleanup_json json_t *rule = json_clone(body);
    json_object_update_missing_new(
        rule,
        json_make("{s:s, s:s, s:b, s:b, s:s, s:[s], s:[s], s:[s], s:[s], s:I}", "action", "ALLOW",
                  "direction", "IN_OUT", "disabled", 0, "logged", 0, "ip_protocol", "IPV4_IPV6",
                  "source_groups", "ANY", "destination_groups", "ANY", "services", "ANY", "scope",
                  "ANY", "sequence_number", (json_int_t)(index + 1) * SEQUENCE_STEP));
    if (old != NULL && nsx_switch_is(sim, SW_RULE_ORDER, "sticky"))
        json_put(rule, "sequence_number",
                 json_integer(json_whole(old, "sequence_number", SEQUENCE_STEP)));
    nsx_stamp_policy(sim, rule, old, "Rule", parent, "rules", id);
    json_put(rule, "rule_id",
             json_integer(old != NULL ? json_whole(old, "rule_id", 0) : sim->next_rule_id++));
    nsx_put(sim, NSX_RULES, key, rule);
}

static json_t *need(const struct sim_nsx *sim, const struct nsx_request *request,
                    struct nsx_answer *answer)
{
    cleanup_json json_t *policy = nsx_policy_need(sim, request, answer);
    if (policy == NULL)
        return NULL;
    cleanup_free char *key = nsx_child_key(request->parts[1], request->parts[2]);
    json_t *rule = nsx_table_tree(&sim->intent.tables[NSX_RULES], key);
    if (rule == NULL)
        nsx_error_not_found(sim, answer, request->path);
    return rule;
}

void nsx_rules_list(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    size_t count;
    cleanup_json json_t *policy = nsx_policy_need(sim, request, answer);
    if (policy == NULL)
        return;
    cleanup_free const struct nsx_record **rules = nsx_policy_rules(sim, request->parts[1], &count);
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++)
        json_add(all, nsx_shown(sim, request, nsx_record_tree(rules[i])));
    nsx_page(sim, request, all, answer);
}

void nsx_rule_get(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    json_t *rule = need(sim, request, answer);
    if (rule != NULL)
        nsx_answer_json(answer, 200, nsx_shown(sim, request, rule));
}

void nsx_rule_put(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    const char *policy_id = request->parts[1], *id = request->parts[2];
    const json_t *body = nsx_body(request, answer);
    int is_put = strcmp(request->method, "PUT") == 0;
    cleanup_json json_t *policy = body == NULL ? NULL : nsx_policy_need(sim, request, answer);
    if (policy == NULL || nsx_refuse_policy_change(sim, request, policy, answer) != 0)
        return;
    cleanup_free char *key = nsx_child_key(policy_id, id);
    cleanup_json json_t *old = nsx_table_tree(&sim->intent.tables[NSX_RULES], key);
    cleanup_json json_t *rule = json_clone(body);
    const char *dangling = nsx_dangling_path(sim, rule);
    if (is_put && old != NULL && nsx_refuse_revision(sim, body, old, request->path, answer) != 0)
        return;
    if (dangling != NULL) {
        nsx_error(answer, 400, 500060, "policy", "The path=[%s] is invalid.", dangling);
        return;
    }
    if (!is_put && old != NULL)
        json_object_update_missing(rule, old);
    json_put_text(rule, "id", id);
    size_t count;
    free(nsx_policy_rules(sim, policy_id, &count));
    nsx_rule_write(sim, policy_id, rule, count);
    if (is_put)
        nsx_rule_get(sim, request, answer);
    else
        nsx_answer_empty(answer, 200);
}

void nsx_rule_delete(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    cleanup_free char *key = nsx_child_key(request->parts[1], request->parts[2]);
    if (!nsx_is_domain(sim, request, answer))
        return;
    cleanup_json json_t *policy =
        nsx_table_tree(&sim->intent.tables[NSX_POLICIES], request->parts[1]);
    int exists = nsx_table_get(&sim->intent.tables[NSX_RULES], key) != NULL;
    if (!exists && nsx_switch_is(sim, SW_DELETE_MISSING, "404")) {
        nsx_error_not_found(sim, answer, request->path);
        return;
    }
    if (exists && nsx_refuse_policy_change(sim, request, policy, answer) != 0)
        return;
    nsx_remove(sim, NSX_RULES, key);
    nsx_answer_deleted(sim, answer);
}
