#include "generate.h"

#include <stdlib.h>

#include "change.h"
#include "clusters.h"
#include "policies.h"
#include "spans.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

static const char *const categories[] = {"Emergency", "Infrastructure", "Environment",
                                         "Application"};
static const char *const actions[] = {"ALLOW", "DROP", "REJECT"};

static int64_t below(struct sim_nsx *sim, int64_t limit)
{
    return (int64_t)(nsx_random(sim) % (uint64_t)limit);
}

static void add_clusters(struct sim_nsx *sim, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        cleanup_json json_t *wish =
            json_make("{s:s, s:o, s:b, s:I, s:i, s:I}", "op", "create", "name",
                      json_sprintf("cluster-%04lld", (long long)i), "register", 1, "nodes",
                      (json_int_t)3 + below(sim, 5), "namespaces", 8, "pods",
                      (json_int_t)20 + below(sim, 60));
        nsx_cluster_act(sim, wish);
    }
}

static void add_group(struct sim_nsx *sim, int64_t number, int64_t clusters)
{
    cleanup_free char *id = text_format("group-%05lld", (long long)number);
    cleanup_json json_t *group = json_make(
        "{s:[s], s:[{s:s, s:s, s:s, s:s, s:o}]}", "group_type", "ANTREA", "expression",
        "resource_type", "Condition", "member_type", "Pod", "key", "Tag", "operator", "EQUALS",
        "value", json_sprintf("dis:k8s:app|app-%lld", (long long)(number % 50)));
    /* Some are of one cluster. */
    if (clusters > 0 && number % 5 == 0) {
        json_t *expression = json_object_get(group, "expression");
        json_add(expression, json_make("{s:s, s:s}", "resource_type", "ConjunctionOperator",
                                       "conjunction_operator", "AND"));
        json_add(expression,
                 json_make("{s:s, s:s, s:s, s:s, s:o}", "resource_type", "Condition", "member_type",
                           "KubernetesCluster", "key", "Name", "operator", "EQUALS", "value",
                           json_sprintf("cluster-%04lld", (long long)below(sim, clusters))));
    }
    nsx_stamp_policy(sim, group, NULL, "Group", NSX_DOMAIN_PATH, "groups", id);
    nsx_put(sim, NSX_GROUPS, id, group);
}

static void add_policy(struct sim_nsx *sim, int64_t number, const struct nsx_size *size)
{
    cleanup_free char *id = text_format("policy-%05lld", (long long)number);
    cleanup_json json_t *policy =
        json_make("{s:s, s:I, s:s}", "category", categories[number % 4], "sequence_number",
                  (json_int_t)number, "target_type", "ANTREA");
    cleanup_json json_t *rules = json_array();
    for (int64_t r = 0; r < size->rules; r++) {
        json_t *rule =
            json_make("{s:o, s:s, s:I}", "id", json_sprintf("rule-%02lld", (long long)r), "action",
                      actions[below(sim, 3)], "sequence_number", (json_int_t)(r + 1) * 10);
        if (size->groups > 0)
            json_put(rule, r % 2 == 0 ? "source_groups" : "destination_groups",
                     json_make("[o]", json_sprintf(NSX_GROUPS_PATH "group-%05lld",
                                                   (long long)below(sim, size->groups))));
        json_add(rules, rule);
    }
    nsx_policy_write(sim, id, policy, rules);
    int64_t spans = size->clusters == 0 ? 0 : 1 + below(sim, 2);
    int64_t first = size->clusters == 0 ? 0 : below(sim, size->clusters);
    for (int64_t s = 0; s < spans && s < size->clusters; s++) {
        cleanup_free char *span = text_format("span-%lld", (long long)s);
        cleanup_free char *cluster =
            text_format("cluster-%04lld", (long long)((first + s) % size->clusters));
        nsx_span_write(sim, id, span, cluster);
    }
}

void nsx_generate(struct sim_nsx *sim, const struct nsx_size *size)
{
    add_clusters(sim, size->clusters);
    for (int64_t i = 0; i < size->groups; i++)
        add_group(sim, i, size->clusters);
    for (int64_t i = 0; i < size->policies; i++)
        add_policy(sim, i, size);
}
