/*
 * What the Central Control Plane adapter does: policies of NSX become tiers, ClusterGroups and
 * ClusterNetworkPolicies of Antrea, and what no policy of NSX stands for any more goes. Facts 4.
 */
#include <stdlib.h>
#include <string.h>

#include "player.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

#include "json-tree.h"

#define CRDS "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
#define MANAGED "?labelSelector=ccp-adapter.antrea.tanzu.vmware.com%2FmanagedBy%3Dccp-adapter"

static const struct {
    const char *category, *tier;
    int priority;
} tiers[] = {{"Ethernet", "ethernet", 0},
             {"Emergency", "emergency", 1},
             {"Infrastructure", "infrastructure", 2},
             {"Environment", "environment", 3},
             {"Application", "application", 4}};

/* "/apis/crd.antrea.io/VERSION/PLURAL" with the version that is stored, new. */
static char *collection_of(struct player *player, const char *plural)
{
    cleanup_free char *path = text_format(CRDS "%s.crd.antrea.io", plural);
    cleanup_json json_t *definition = kube_get(player, path);
    const char *version = "v1beta1";
    size_t i;
    json_t *one;
    json_array_foreach (tree_at(definition, "spec.versions"), i, one)
        if (json_flag(one, "storage"))
            version = json_text(one, "name");
    return text_format("/apis/crd.antrea.io/%s/%s", version, plural);
}

static json_t *object_of(const char *collection, const char *kind, const char *name,
                         const char *display_name)
{
    const char *version = collection + strlen("/apis/");
    json_t *object =
        json_make("{s:o, s:s, s:{s:s, s:{s:s}, s:{s:s}}}", "apiVersion",
                  json_stringn(version, (size_t)(strrchr(version, '/') - version)), "kind", kind,
                  "metadata", "name", name, "labels", MANAGED_LABEL, "ccp-adapter", "annotations",
                  ANNOTATION "display-name", display_name == NULL ? name : display_name);
    return object;
}

static char *tier_name(struct player *player, const char *category)
{
    const char *prefix = player_switch_is(player, "tier-names", "renamed", "nsx-category")
                             ? "nsx-tier"
                             : "nsx-category";
    for (size_t i = 0; i < sizeof tiers / sizeof *tiers; i++)
        if (text_equal(tiers[i].category, category))
            return text_format("%s-%s", prefix, tiers[i].tier);
    return text_format("%s-application", prefix);
}

static void apply_tiers(struct player *player)
{
    cleanup_free char *collection = collection_of(player, "tiers");
    for (size_t i = 0; i < sizeof tiers / sizeof *tiers; i++) {
        cleanup_free char *name = tier_name(player, tiers[i].category);
        cleanup_json json_t *tier = object_of(collection, "Tier", name, NULL);
        json_put(tier, "spec", json_make("{s:i}", "priority", tiers[i].priority));
        kube_apply(player, collection, tier);
    }
}

/* The name of the policy in the cluster: with one position a UUID that NSX does not know. */
static char *policy_name(struct player *player, const json_t *policy)
{
    const char *id = json_text(policy, "realization_id");
    if (player_switch_is(player, "acnp-name", "realization-id", "realization-id") || strlen(id) < 9)
        return text_copy(id);
    return text_format("a0a0a0a0%s", id + 8);
}

static json_t *peers_of(const json_t *policy, const json_t *rule, const char *field)
{
    json_t *peers = json_array(), *value;
    size_t i;
    json_array_foreach (json_object_get(rule, field), i, value) {
        const json_t *group =
            json_object_get(json_object_get(policy, "groups"), json_string_value(value));
        if (group != NULL)
            json_add(peers, json_make("{s:O}", "group", json_object_get(group, "id")));
    }
    return peers;
}

static void add_rule(const json_t *policy, json_t *ingress, json_t *egress, const json_t *rule)
{
    const char *action = json_text(rule, "action"), *direction = json_text(rule, "direction");
    const char *antrea = text_equal(action, "ALLOW")    ? "Allow"
                         : text_equal(action, "REJECT") ? "Reject"
                                                        : "Drop";
    if (json_flag(rule, "disabled"))
        return;
    json_t *made = json_make("{s:o, s:s, s:b}", "name",
                             json_sprintf("%lld", (long long)json_whole(rule, "rule_id", 0)),
                             "action", antrea, "enableLogging", json_flag(rule, "logged"));
    if (text_equal(direction, "OUT")) {
        json_put(made, "to", peers_of(policy, rule, "destination_groups"));
        json_add(egress, made);
    } else {
        json_put(made, "from", peers_of(policy, rule, "source_groups"));
        json_add(ingress, made);
    }
}

static void apply_policy(struct player *player, const char *collection, const json_t *policy,
                         const char *name)
{
    cleanup_free char *tier = tier_name(player, json_text(policy, "category"));
    json_t *ingress = json_array(), *egress = json_array(), *applied = json_array(), *rule;
    size_t i;
    json_array_foreach (json_object_get(policy, "rules"), i, rule) {
        add_rule(policy, ingress, egress, rule);
        cleanup_json json_t *scope = peers_of(policy, rule, "scope");
        json_array_extend(applied, scope);
    }
    double priority = 1 + (double)json_whole(policy, "sequence_number", 0) / 1e8;
    cleanup_json json_t *object =
        object_of(collection, "ClusterNetworkPolicy", name, json_text(policy, "display_name"));
    json_put(object, "spec",
             json_make("{s:s, s:f, s:o, s:o, s:o}", "tier", tier, "priority", priority, "appliedTo",
                       applied, "ingress", ingress, "egress", egress));
    kube_apply(player, collection, object);
    cleanup_free char *path = text_format("%s/%s", collection, name);
    cleanup_json json_t *made = kube_get(player, path);
    if (made != NULL)
        kube_patch_status(player, path,
                          json_make("{s:s, s:i, s:i, s:I}", "phase", "Realized",
                                    "currentNodesRealized", 1, "desiredNodesRealized", 1,
                                    "observedGeneration",
                                    tree_integer(made, "metadata.generation", 1)));
}

static void apply_groups(struct player *player, const char *collection, const json_t *policy,
                         json_t *names)
{
    const char *path;
    json_t *group;
    json_object_foreach (json_object_get(policy, "groups"), path, group) {
        const char *name = json_text(group, "id");
        cleanup_json json_t *object =
            object_of(collection, "ClusterGroup", name, json_text(group, "display_name"));
        json_put_text(tree_at(object, "metadata.annotations"), ANNOTATION "createdFrom",
                      "nestdbGroupMsg");
        json_put(object, "spec", json_object());
        kube_apply(player, collection, object);
        cleanup_free char *at = text_format("%s/%s", collection, name);
        kube_patch_status(player, at,
                          json_make("{s:[{s:s, s:s}]}", "conditions", "type",
                                    "GroupMembersComputed", "status", "True"));
        json_put(names, name, json_true());
    }
}

/* Removes managed objects that are not among `names`; NULL: all. */
static void remove_others(struct player *player, const char *collection, const json_t *names)
{
    cleanup_free char *path = text_format("%s%s", collection, MANAGED);
    cleanup_json json_t *list = kube_get(player, path);
    size_t i;
    json_t *object;
    json_array_foreach (tree_at(list, "items"), i, object) {
        const char *name = kube_text(object, "metadata.name");
        if (json_object_get(names, name) != NULL)
            continue;
        cleanup_free char *at = text_format("%s/%s", collection, name);
        kube_delete(player, at);
    }
}

static void acknowledge(struct player *player)
{
    json_t *acks = json_array(), *policy;
    size_t i;
    json_array_foreach (player->wanted, i, policy)
        json_add(acks,
                 json_make("{s:O, s:O, s:s}", "policy", json_object_get(policy, "policy"),
                           "version", json_object_get(policy, "version"), "state", "REALIZED"));
    cleanup_json json_t *body = json_make("{s:o}", "policies", acks);
    http_request(&player->nsx, "POST", "/sim-adapter/v1/realization", NULL, body, NULL);
}

void enforce_wanted(struct player *player)
{
    cleanup_free char *policies = collection_of(player, "clusternetworkpolicies");
    cleanup_free char *groups = collection_of(player, "clustergroups");
    cleanup_json json_t *policy_names = json_object(), *group_names = json_object();
    size_t i;
    json_t *policy;
    apply_tiers(player);
    json_array_foreach (player->wanted, i, policy) {
        cleanup_free char *name = policy_name(player, policy);
        apply_groups(player, groups, policy, group_names);
        apply_policy(player, policies, policy, name);
        json_put(policy_names, name, json_true());
    }
    remove_others(player, policies, policy_names);
    remove_others(player, groups, group_names);
    acknowledge(player);
    json_decref(player->wanted);
    player->wanted = NULL;
}

/* Antrea's own webhook, where the server is a simulated one: a tier in use cannot be deleted. */
void enforce_guard(struct player *player)
{
    int wanted = player_switch_is(player, "tier-delete", "refused-in-use", "allowed");
    if (player->has_controllers || wanted == player->guards)
        return;
    cleanup_json json_t *rule =
        json_make("{s:s, s:s, s:s, s:s}", "plural", "tiers", "referredBy", "clusternetworkpolicies",
                  "field", "spec.tier", "webhook", "tiervalidator.antrea.io");
    if (http_request(&player->kube, wanted ? "POST" : "DELETE", "/_sim/guards", NULL,
                     wanted ? rule : NULL, NULL) == 200)
        player->guards = wanted;
}

void enforce_remove_all(struct player *player)
{
    static const char *const plurals[] = {"traceflows", "clusternetworkpolicies", "clustergroups",
                                          "tiers"};
    for (size_t i = 0; i < sizeof plurals / sizeof *plurals; i++) {
        cleanup_free char *collection = collection_of(player, plurals[i]);
        remove_others(player, collection, NULL);
    }
}
