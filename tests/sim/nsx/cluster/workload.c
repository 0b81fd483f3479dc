/* The interworking deployment: its pod with four containers, and what adapters tell in CRs. */
#include <stdlib.h>
#include <string.h>

#include "player.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

#include "json-tree.h"

#define DEPLOYMENTS "/apis/apps/v1" IN_SPACE "/deployments"
#define PODS "/api/v1" IN_SPACE "/pods"
#define SELECTED "?labelSelector=component%3Dinterworking"
#define INFO "/apis/clusterinformation.antrea-interworking.tanzu.vmware.com/v1alpha1"

static const char *const containers[] = {"election-runner", "mp-adapter", "tn-proxy",
                                         "ccp-adapter"};

/* tn-proxy is ready once it has its connection, and restarted until then. */
static json_t *container_statuses(const struct player *player)
{
    json_t *statuses = json_array();
    for (size_t i = 0; i < 4; i++) {
        int is_proxy = strcmp(containers[i], "tn-proxy") == 0;
        json_add(statuses, json_make("{s:s, s:b, s:i, s:s, s:s, s:b}", "name", containers[i],
                                     "ready", !is_proxy || player->is_connected, "restartCount",
                                     is_proxy ? player->restarts : 0, "image", "interworking",
                                     "imageID", "", "started", 1));
    }
    return statuses;
}

static void make_pod(struct player *player, const json_t *deployment)
{
    cleanup_json json_t *pod =
        json_make("{s:s, s:s, s:{s:s, s:s, s:O}, s:O}", "apiVersion", "v1", "kind", "Pod",
                  "metadata", "name", "interworking-0", "namespace", SPACE, "labels",
                  tree_at(deployment, "spec.template.metadata.labels"), "spec",
                  tree_at(deployment, "spec.template.spec"));
    http_request(&player->kube, "POST", PODS, NULL, pod, NULL);
}

static void show_pods(struct player *player)
{
    cleanup_json json_t *pods = kube_get(player, PODS SELECTED);
    size_t i;
    json_t *pod;
    json_array_foreach (tree_at(pods, "items"), i, pod) {
        cleanup_json json_t *statuses = container_statuses(player);
        if (json_equal(statuses, tree_at(pod, "status.containerStatuses")))
            continue;
        cleanup_free char *path = text_format(PODS "/%s", kube_text(pod, "metadata.name"));
        const char *ready = player->is_connected ? "True" : "False";
        kube_patch_status(player, path,
                          json_make("{s:s, s:O, s:[{s:s, s:s}]}", "phase", "Running",
                                    "containerStatuses", statuses, "conditions", "type", "Ready",
                                    "status", ready));
    }
}

static void show_deployment(struct player *player, const json_t *deployment)
{
    json_int_t ready = player->is_connected;
    if (player->has_controllers || (tree_integer(deployment, "status.readyReplicas", -1) == ready &&
                                    tree_integer(deployment, "status.observedGeneration", -1) ==
                                        tree_integer(deployment, "metadata.generation", 0)))
        return;
    cleanup_free char *path =
        text_format(DEPLOYMENTS "/%s", kube_text(deployment, "metadata.name"));
    kube_patch_status(player, path,
                      json_make("{s:I, s:i, s:I, s:I, s:i}", "observedGeneration",
                                tree_integer(deployment, "metadata.generation", 0), "replicas", 1,
                                "readyReplicas", ready, "availableReplicas", ready,
                                "updatedReplicas", 1));
}

/* The first deployment of interworking that wants to run, new; NULL: none. */
static json_t *wanted_deployment(struct player *player)
{
    cleanup_json json_t *list = kube_get(player, DEPLOYMENTS SELECTED);
    size_t i;
    json_t *deployment;
    json_array_foreach (tree_at(list, "items"), i, deployment)
        if (kube_text(deployment, "metadata.deletionTimestamp") == NULL &&
            tree_integer(deployment, "spec.replicas", 1) > 0)
            return json_incref(deployment);
    return NULL;
}

static void delete_pods(struct player *player)
{
    cleanup_json json_t *pods = kube_get(player, PODS SELECTED);
    size_t i;
    json_t *pod;
    json_array_foreach (tree_at(pods, "items"), i, pod) {
        cleanup_free char *path =
            text_format(PODS "/%s?gracePeriodSeconds=0", kube_text(pod, "metadata.name"));
        http_request(&player->kube, "DELETE", path, NULL, NULL, NULL);
    }
}

int workload_work(struct player *player)
{
    cleanup_json json_t *deployment = wanted_deployment(player);
    if (deployment == NULL) {
        if (!player->has_controllers)
            delete_pods(player);
        return 0;
    }
    if (!player->has_controllers) {
        cleanup_json json_t *pods = kube_get(player, PODS SELECTED);
        if (json_array_size(tree_at(pods, "items")) == 0)
            make_pod(player, deployment);
    }
    return player->identity.cluster_id != NULL;
}

/* --- what adapters say of themselves ---------------------------------------------------------- */

static json_t *condition(struct player *player, const char *type, int is_good, const char *now)
{
    int snake = player_switch_is(player, "adapter-info", "snake-case", "antrea-form");
    return json_make(
        "{s:s, s:s, s:s, s:s, s:s}", "type", type, "status", is_good ? "True" : "False",
        snake ? "last_heartbeat_time" : "lastHeartbeatTime", now, "reason", "", "message", "");
}

static void show_info(struct player *player, const char *plural, const char *kind, const char *name,
                      const char *healthy, const char *connected)
{
    char text[CLOCK_TEXT_SIZE];
    cleanup_free char *collection = text_format(INFO "/%s", plural);
    clock_format(player_clock_ms(player), text);
    cleanup_json json_t *info =
        json_make("{s:s, s:s, s:{s:s}}", "apiVersion",
                  "clusterinformation.antrea-interworking.tanzu.vmware.com/v1alpha1", "kind", kind,
                  "metadata", "name", name);
    if (!player_switch_is(player, "adapter-info", "empty", "antrea-form")) {
        int snake = player_switch_is(player, "adapter-info", "snake-case", "antrea-form");
        json_put(info, snake ? "adapter_conditions" : "adapterConditions",
                 json_make("[o,o]", condition(player, healthy, 1, text),
                           condition(player, connected, player->is_connected, text)));
    }
    kube_apply(player, collection, info);
}

void workload_show(struct player *player)
{
    cleanup_json json_t *deployment = wanted_deployment(player);
    if (deployment == NULL)
        return;
    show_pods(player);
    show_deployment(player, deployment);
    show_info(player, "antreampadapterinfos", "AntreaMPAdapterInfo", "antrea-mp-adapter",
              "MPAdapterHealthy", "MPConnected");
    show_info(player, "antreaccpadapterinfos", "AntreaCCPAdapterInfo", "antrea-ccp-adapter",
              "CCPAdapterHealthy", "CCPSessionStateUp");
}
