#include "read-rules.h"

#include <salvor/helpers.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"

#define TREE "/policy/api/v1"

static salvor_status no_memory(struct manager *manager)
{
    return salvor_fail_memory(manager->call, "the rule set");
}

/* ---- what one answer means
 * ----------------------------------------------------------------------- */

/* Puts the answer of ".../container-cluster-span" into the policy as "spans" and "span_objects". */
static int take_spans(json_t *policy, const json_t *results)
{
    json_t *spans = json_array();
    json_t *objects = json_object();
    int failed = json_object_set_new(policy, "spans", spans) != 0;
    failed |= json_object_set_new(policy, "span_objects", objects) != 0;
    for (size_t i = 0; !failed && i < json_array_size(results); i++) {
        const json_t *span = json_array_get(results, i);
        const char *control_plane = text_at(span, "/container_cluster_path");
        const char *path = text_at(span, "/path");
        if (control_plane == NULL || path == NULL)
            continue;
        failed = json_array_append_new(spans, json_string(control_plane)) != 0 ||
                 json_object_set_new(objects, control_plane, json_string(path)) != 0;
    }
    return failed ? -1 : 0;
}

/* Puts the answer of ".../associated-kubernetes-clusters" into the group as "clusters". */
static int take_clusters(json_t *group, const json_t *answer)
{
    const json_t *results = json_object_get(answer, "results");
    json_t *ids = answer != NULL ? json_array() : json_null();
    if (json_object_set_new(group, "clusters", ids) != 0)
        return -1;
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *clusters = json_object_get(json_array_get(results, i), "clusters");
        for (size_t k = 0; k < json_array_size(clusters); k++) {
            const char *id = text_at(json_array_get(clusters, k), "/external_id");
            if (id != NULL && json_array_append_new(ids, json_string(id)) != 0)
                return -1;
        }
    }
    return 0;
}

/* ---- many at once
 * -------------------------------------------------------------------------------- */

struct filling {
    struct manager *manager;
    json_t *objects; /* array, in the order of the paths that are asked for */
    int (*take)(json_t *object, const json_t *answer);
};

static salvor_status fill_one(void *data, size_t index, json_t *json)
{
    const struct filling *filling = data;
    json_t *object = json_array_get(filling->objects, index);
    return filling->take(object, json) == 0 ? SALVOR_OK : no_memory(filling->manager);
}

static int take_span_answer(json_t *policy, const json_t *answer)
{
    return take_spans(policy, json_object_get(answer, "results"));
}

/* A policy that went away meanwhile keeps what the list said of it. */
static int take_policy_answer(json_t *policy, const json_t *answer)
{
    json_t *rules = json_object_get(answer, "rules");
    if (json_is_array(rules))
        return json_object_set(policy, "rules", rules);
    return json_is_array(json_object_get(policy, "rules"))
               ? 0
               : json_object_set_new(policy, "rules", json_array());
}

/* Asks TREE + path of each object + `suffix` and takes the answers in. */
static salvor_status fill(struct manager *manager, const char *site, json_t *objects,
                          const char *suffix, int (*take)(json_t *object, const json_t *answer))
{
    salvor_auto_json json_t *paths = json_array();
    struct filling filling = {manager, objects, take};
    for (size_t i = 0; i < json_array_size(objects); i++) {
        salvor_auto_text struct salvor_text path = SALVOR_TEXT_INIT(4000);
        salvor_text_put(&path, TREE);
        salvor_text_put(&path, salvor_json_text(json_array_get(objects, i), "/path", ""));
        salvor_text_put(&path, suffix);
        SALVOR_TRY(salvor_text_check(manager->call, &path, "a path"));
        if (json_array_append_new(paths, json_string(salvor_text_get(&path))) != 0)
            return no_memory(manager);
    }
    return manager_get_each(manager, site, paths, fill_one, &filling);
}

/* ---- policies
 * ------------------------------------------------------------------------------------ */

/* Those whose rules the list left out. */
static int lacks_rules(const json_t *policy)
{
    const json_t *rules = json_object_get(policy, "rules");
    const int64_t count = salvor_json_integer(policy, "/rule_count", -1);
    return !json_is_array(rules) || (count >= 0 && (int64_t)json_array_size(rules) != count);
}

static salvor_status add_rules(struct manager *manager, const json_t *policies)
{
    salvor_auto_json json_t *lacking = json_array();
    for (size_t i = 0; i < json_array_size(policies); i++) {
        json_t *policy = json_array_get(policies, i);
        if (!lacks_rules(policy))
            continue;
        if (salvor_json_integer(policy, "/rule_count", -1) == 0) {
            if (json_object_set_new(policy, "rules", json_array()) != 0)
                return no_memory(manager);
            continue;
        }
        if (json_array_append(lacking, policy) != 0)
            return no_memory(manager);
    }
    return fill(manager, "policies.read", lacking, "", take_policy_answer);
}

/* What is marked for deletion is gone already as far as anybody is concerned. */
static salvor_status living(struct manager *manager, const json_t *list, json_t **ret_living)
{
    salvor_auto_json json_t *kept = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *entry = json_array_get(list, i);
        if (!salvor_json_flag(entry, "/marked_for_delete", 0) && text_at(entry, "/path") != NULL &&
            json_array_append(kept, entry) != 0)
            return no_memory(manager);
    }
    *ret_living = json_incref(kept);
    return SALVOR_OK;
}

static int by_path(const void *one, const void *other)
{
    return strcmp(salvor_json_text(*(json_t *const *)one, "/path", ""),
                  salvor_json_text(*(json_t *const *)other, "/path", ""));
}

/* path -> object, in the order of the paths, so that the same state gives the same plan. */
static json_t *keyed_by_path(const json_t *objects)
{
    const size_t count = json_array_size(objects);
    json_t *keyed = json_object();
    json_t **sorted = salvor_allocate((count + 1) * sizeof *sorted);
    int failed = keyed == NULL || sorted == NULL;
    for (size_t i = 0; !failed && i < count; i++)
        sorted[i] = json_array_get(objects, i);
    if (!failed)
        qsort(sorted, count, sizeof *sorted, by_path);
    for (size_t i = 0; !failed && i < count; i++)
        failed = json_object_set(keyed, salvor_json_text(sorted[i], "/path", ""), sorted[i]) != 0;
    salvor_release(sorted);
    if (!failed)
        return keyed;
    json_decref(keyed);
    return NULL;
}

static salvor_status read_policies(struct manager *manager, json_t **ret_policies)
{
    salvor_auto_json json_t *list = NULL;
    salvor_auto_json json_t *policies = NULL;
    SALVOR_TRY(manager_list(manager, "policies.list",
                            DOMAIN_TREE "/security-policies?include_rule_count=true", &list));
    SALVOR_TRY(living(manager, list, &policies));
    SALVOR_TRY(add_rules(manager, policies));
    SALVOR_TRY(
        fill(manager, "policies.spans", policies, "/container-cluster-span", take_span_answer));
    *ret_policies = keyed_by_path(policies);
    return *ret_policies != NULL ? SALVOR_OK : no_memory(manager);
}

static salvor_status read_groups(struct manager *manager, json_t **ret_groups)
{
    salvor_auto_json json_t *list = NULL;
    salvor_auto_json json_t *groups = NULL;
    SALVOR_TRY(manager_list(manager, "groups.list", DOMAIN_TREE "/groups", &list));
    SALVOR_TRY(living(manager, list, &groups));
    SALVOR_TRY(
        fill(manager, "groups.clusters", groups, "/associated-kubernetes-clusters", take_clusters));
    *ret_groups = keyed_by_path(groups);
    return *ret_groups != NULL ? SALVOR_OK : no_memory(manager);
}

salvor_status read_rule_set(struct manager *manager, json_t **ret_rule_set)
{
    salvor_auto_json json_t *policies = NULL;
    salvor_auto_json json_t *groups = NULL;
    SALVOR_TRY(read_policies(manager, &policies));
    SALVOR_TRY(read_groups(manager, &groups));
    *ret_rule_set = json_pack("{s:O, s:O}", "policies", policies, "groups", groups);
    return *ret_rule_set != NULL ? SALVOR_OK : no_memory(manager);
}

/* ---- one
 * ----------------------------------------------------------------------------------------- */

static salvor_status read_below(struct manager *manager, const char *site, const char *path,
                                const char *suffix, json_t **ret_json)
{
    salvor_auto_text struct salvor_text text = SALVOR_TEXT_INIT(4000);
    salvor_text_put(&text, TREE);
    salvor_text_put(&text, path);
    salvor_text_put(&text, suffix);
    SALVOR_TRY(salvor_text_check(manager->call, &text, "a path"));
    return manager_get(manager, site, salvor_text_get(&text), ret_json);
}

salvor_status read_policy(struct manager *manager, const char *path, json_t **ret_policy)
{
    salvor_auto_json json_t *policy = NULL;
    salvor_auto_json json_t *spans = NULL;
    SALVOR_TRY(read_below(manager, "policies.read", path, "", &policy));
    const salvor_status status =
        read_below(manager, "policies.spans", path, "/container-cluster-span", &spans);
    if (status != SALVOR_OK && status != SALVOR_NOT_FOUND)
        return status;
    if (take_span_answer(policy, spans) != 0)
        return no_memory(manager);
    *ret_policy = json_incref(policy);
    return SALVOR_OK;
}

salvor_status read_group(struct manager *manager, const char *path, json_t **ret_group)
{
    salvor_auto_json json_t *group = NULL;
    salvor_auto_json json_t *clusters = NULL;
    SALVOR_TRY(read_below(manager, "groups.read", path, "", &group));
    const salvor_status status =
        read_below(manager, "groups.clusters", path, "/associated-kubernetes-clusters", &clusters);
    if (status != SALVOR_OK && status != SALVOR_NOT_FOUND)
        return status;
    if (take_clusters(group, clusters) != 0)
        return no_memory(manager);
    *ret_group = json_incref(group);
    return SALVOR_OK;
}
