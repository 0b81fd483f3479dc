/* What a group's criteria select out of the inventory. Facts 1.8. */
#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "groups.h"
#include "handlers.h"
#include "inventory.h"
#include "page.h"
#include "policies.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

static const struct {
    const char *member_type, *other_name, *kind, *url;
} members[] = {
    {"Pod", "Pod", "container-application-instances", "pods"},
    {"KubernetesService", "Service", "container-applications", "kubernetes-services"},
    {"KubernetesIngress", "KubernetesIngress", "container-ingress-policies",
     "kubernetes-ingresses"},
    {"KubernetesNode", "KubernetesNode", "container-cluster-nodes", "kubernetes-node-ips"},
    {"KubernetesNode", "KubernetesNode", "container-cluster-nodes", "kubernetes-node-pod-cidrs"},
    {"KubernetesNamespace", "Namespace", "container-projects", "kubernetes-namespaces"},
    {"KubernetesGateway", "KubernetesGateway", "container-gateways", "kubernetes-gateways"},
    {"AntreaEgress", "AntreaEgress", "container-egresses", "antrea-egresses"},
    {"AntreaIPPool", "AntreaIPPool", "container-ip-pools", "antrea-ip-pools"},
};
enum { MEMBERS = sizeof members / sizeof *members };

static int compare(const char *operator, const char * have, const char *want)
{
    if (have == NULL || want == NULL)
        return 0;
    if (operator== NULL || strcmp(operator, "EQUALS") == 0)
        return strcmp(have, want) == 0;
    if (strcmp(operator, "CONTAINS") == 0)
        return strstr(have, want) != NULL;
    if (strcmp(operator, "STARTSWITH") == 0)
        return text_starts(have, want);
    if (strcmp(operator, "ENDSWITH") == 0)
        return text_ends(have, want);
    return strcmp(operator, "NOTEQUALS") == 0 && strcmp(have, want) != 0;
}

/* "scope|tag" against the tags of an item. */
static int has_tag(const json_t *item, const char *value)
{
    const char *bar = value == NULL ? NULL : strchr(value, '|');
    size_t i;
    json_t *tag;
    json_array_foreach (json_object_get(item, "tags"), i, tag) {
        const char *scope = json_text(tag, "scope");
        if (bar == NULL
                ? text_equal(json_text(tag, "tag"), value)
                : scope != NULL && strlen(scope) == (size_t)(bar - value) &&
                      text_starts(value, scope) && text_equal(json_text(tag, "tag"), bar + 1))
            return 1;
    }
    return 0;
}

static int selects_kind(const char *member_type, const char *kind)
{
    for (size_t i = 0; i < MEMBERS; i++)
        if ((text_equal(members[i].member_type, member_type) ||
             text_equal(members[i].other_name, member_type)) &&
            strcmp(members[i].kind, kind) == 0)
            return 1;
    return 0;
}

/* By its id, which a condition or a list of ids can hold. */
static int names_this(const json_t *criterion, const struct nsx_inventory *inventory)
{
    cleanup_json json_t *alone = json_make("[O]", criterion);
    return nsx_group_names_cluster(alone, inventory->control_plane, inventory->external_id);
}

static int matches_one(const json_t *criterion, const struct nsx_inventory *inventory,
                       const char *kind, const json_t *item)
{
    const char *type = json_text(criterion, "resource_type");
    const char *member_type = json_text(criterion, "member_type");
    const char *operator= json_text(criterion, "operator"), *value = json_text(criterion, "value");
    if (text_equal(type, "NestedExpression"))
        return nsx_group_matches(json_object_get(criterion, "expressions"), inventory, kind, item);
    if (text_equal(member_type, "KubernetesCluster"))
        return names_this(criterion, inventory) ||
               compare(operator, inventory->control_plane, value);
    if (!text_equal(type, "Condition") || !selects_kind(member_type, kind))
        return 0;
    if (text_equal(json_text(criterion, "key"), "Tag"))
        return has_tag(item, value);
    return compare(operator, json_text(item, "display_name"), value);
}

int nsx_group_matches(const json_t *expression, const struct nsx_inventory *inventory,
                      const char *kind, const json_t *item)
{
    int result = 0, is_and = 0;
    size_t i;
    json_t *criterion;
    json_array_foreach ((json_t *)(uintptr_t)expression, i, criterion) {
        const char *conjunction = json_text(criterion, "conjunction_operator");
        if (conjunction != NULL) {
            is_and = strcmp(conjunction, "AND") == 0;
            continue;
        }
        int fits = matches_one(criterion, inventory, kind, item);
        result = i == 0 ? fits : is_and ? result && fits : result || fits;
    }
    return result;
}

static json_t *need(const struct sim_nsx *sim, const struct nsx_request *request,
                    struct nsx_answer *answer)
{
    if (!nsx_is_domain(sim, request, answer))
        return NULL;
    json_t *group = nsx_table_tree(&sim->intent.tables[NSX_GROUPS], request->parts[1]);
    if (group == NULL)
        nsx_error_not_found(sim, answer, request->path);
    return group;
}

static int has_members(const struct sim_nsx *sim, const json_t *expression,
                       const struct nsx_inventory *inventory)
{
    for (int k = 0; k < NSX_INVENTORY_KINDS; k++) {
        cleanup_json json_t *items = nsx_inventory_items(sim, inventory, nsx_inventory_kinds[k]);
        size_t i;
        json_t *item;
        json_array_foreach (items, i, item)
            if (nsx_group_matches(expression, inventory, nsx_inventory_kinds[k], item))
                return 1;
    }
    return 0;
}

void nsx_group_clusters(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    cleanup_json json_t *group = need(sim, request, answer);
    if (group == NULL)
        return;
    const json_t *expression = json_object_get(group, "expression");
    json_t *clusters = json_array();
    for (size_t i = 0; i < sim->inventory_count; i++) {
        const struct nsx_inventory *inventory = &sim->inventories[i];
        if (nsx_group_names_cluster(expression, inventory->control_plane, inventory->external_id) ||
            has_members(sim, expression, inventory))
            json_add(clusters, json_make("{s:s, s:s}", "external_id", inventory->external_id,
                                         "display_name", inventory->control_plane));
    }
    nsx_answer_json(
        answer, 200,
        json_make("{s:[{s:o}], s:i}", "results", "clusters", clusters, "result_count", 1));
}

void nsx_group_members(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    const char *kind = NULL, *cluster = nsx_query(request, "cluster_id");
    for (size_t i = 0; i < MEMBERS; i++)
        if (strcmp(members[i].url, request->parts[2]) == 0)
            kind = members[i].kind;
    cleanup_json json_t *group = need(sim, request, answer);
    if (group == NULL)
        return;
    if (kind == NULL) {
        nsx_error_not_found(sim, answer, request->path);
        return;
    }
    json_t *all = json_array();
    for (size_t i = 0; i < sim->inventory_count; i++) {
        const struct nsx_inventory *inventory = &sim->inventories[i];
        size_t k;
        json_t *item;
        if (cluster != NULL && strcmp(cluster, inventory->external_id) != 0)
            continue;
        cleanup_json json_t *items = nsx_inventory_items(sim, inventory, kind);
        json_array_foreach (items, k, item)
            if (nsx_group_matches(json_object_get(group, "expression"), inventory, kind, item))
                json_add(all, json_incref(item));
    }
    nsx_page(sim, request, all, answer);
}
