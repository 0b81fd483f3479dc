/* What the Management Plane adapter reports: the cluster's resources. */
#include <stdlib.h>
#include <string.h>

#include "player.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

#include "json-tree.h"

static const struct {
    const char *path, *kind;
} sources[] = {
    {"/api/v1/nodes", "container-cluster-nodes"},
    {"/api/v1/namespaces", "container-projects"},
    {"/api/v1/services", "container-applications"},
    {"/api/v1/pods", "container-application-instances"},
    {"/apis/networking.k8s.io/v1/networkpolicies", "container-network-policies"},
    {"/apis/networking.k8s.io/v1/ingresses", "container-ingress-policies"},
    {"/apis/crd.antrea.io/v1beta1/egresses", "container-egresses"},
};

static json_t *tags_of(const json_t *object)
{
    json_t *tags = json_array(), *value;
    const char *key;
    json_object_foreach (tree_at(object, "metadata.labels"), key, value)
        json_add(tags,
                 json_make("{s:o, s:O}", "scope", json_sprintf("dis:k8s:%s", key), "tag", value));
    return tags;
}

static json_t *item_of(const json_t *object, const char *kind)
{
    const char *space = kube_text(object, "metadata.namespace");
    json_t *item =
        json_make("{s:O, s:O, s:o}", "external_id", tree_at(object, "metadata.uid"), "display_name",
                  tree_at(object, "metadata.name"), "tags", tags_of(object));
    if (space != NULL)
        json_put_text(item, "container_project_id", space);
    if (strcmp(kind, "container-network-policies") == 0)
        json_put_text(item, "policy_type", "NETWORK_POLICY");
    return item;
}

static json_t *collect(struct player *player)
{
    json_t *report =
        json_make("{s:{s:s, s:s, s:{s:s}}}", "cluster", "display_name", player->identity.name,
                  "cluster_type", "Kubernetes", "infrastructure", "infra_type", "vSphere");
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        cleanup_json json_t *list = kube_get(player, sources[i].path);
        json_t *items = json_array(), *object;
        size_t k;
        json_array_foreach (tree_at(list, "items"), k, object)
            json_add(items, item_of(object, sources[i].kind));
        json_put(report, sources[i].kind, items);
    }
    return report;
}

void report_send(struct player *player)
{
    char digest[DIGEST_TEXT_SIZE];
    cleanup_json json_t *report = collect(player);
    json_digest(report, digest);
    player->must_report = 0;
    if (!player->is_full && text_equal(player->last_report, digest))
        return;
    cleanup_free char *path =
        text_format("/sim-adapter/v1/inventory%s", player->is_full ? "?full=true" : "");
    if (http_request(&player->nsx, "POST", path, NULL, report, NULL) != 200)
        return;
    player->is_full = 0;
    free(player->last_report);
    player->last_report = text_copy(digest);
}
