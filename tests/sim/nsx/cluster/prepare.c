/* A cluster with Antrea and some workload, as it is before anybody registers it. */
#include <stdlib.h>
#include <string.h>

#include "player.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

static uint64_t next(uint64_t *state)
{
    uint64_t value = (*state += 0x9e3779b97f4a7c15ULL);
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
    return value ^ (value >> 31);
}

static char *uuid(uint64_t *state)
{
    uint64_t high = next(state), low = next(state);
    return text_format("%08x-%04x-4%03x-%04x-%012llx", (unsigned)(high >> 32),
                       (unsigned)(high >> 16) & 0xffff, (unsigned)high & 0xfff,
                       ((unsigned)(low >> 48) & 0x3fff) | 0x8000,
                       (unsigned long long)(low & 0xffffffffffffULL));
}

/* Into the cluster, or onto standard output for a server that loads it. -1 when it was refused;
 * that it is there already is fine. */
static int create(struct player *player, const char *collection, const char *version,
                  const char *kind, json_t *object)
{
    json_put_text(object, "apiVersion", version);
    json_put_text(object, "kind", kind);
    if (player->kube.url == NULL) {
        json_dumpf(object, stdout, JSON_COMPACT);
        printf("\n");
        json_decref(object);
        return 0;
    }
    int status = http_request(&player->kube, "POST", collection, NULL, object, NULL);
    if (status != 200 && status != 201 && status != 409)
        fprintf(stderr, "sim-antrea-cluster: creating in '%s' gave %d\n", collection, status);
    json_decref(object);
    return status == 200 || status == 201 || status == 409 ? 0 : -1;
}

static const struct {
    const char *kind, *plural, *short_name, *old_version, *version;
} definitions[] = {
    {"ClusterNetworkPolicy", "clusternetworkpolicies", "acnp", "v1alpha1", "v1beta1"},
    {"ClusterGroup", "clustergroups", "cg", "v1alpha3", "v1beta1"},
    {"Tier", "tiers", "tr", "v1alpha1", "v1beta1"},
    {"Traceflow", "traceflows", "tf", "v1alpha1", "v1beta1"},
    {"Egress", "egresses", "eg", "v1beta1", "v1beta1"},
    {"AntreaControllerInfo", "antreacontrollerinfos", "aci", "v1beta1", "v1beta1"},
    {"AntreaAgentInfo", "antreaagentinfos", "aai", "v1beta1", "v1beta1"},
};

static int add_definitions(struct player *player, int is_old)
{
    int failed = 0;
    for (size_t i = 0; i < sizeof definitions / sizeof *definitions; i++) {
        const char *kind = definitions[i].kind, *plural = definitions[i].plural;
        cleanup_free char *singular = text_copy(kind);
        for (char *at = singular; *at != '\0'; at++)
            *at = (char)(*at >= 'A' && *at <= 'Z' ? *at + ('a' - 'A') : *at);
        json_t *version = json_make("{s:s, s:b, s:b, s:{s:{s:s, s:b}}}", "name",
                                    is_old ? definitions[i].old_version : definitions[i].version,
                                    "served", 1, "storage", 1, "schema", "openAPIV3Schema", "type",
                                    "object", "x-kubernetes-preserve-unknown-fields", 1);
        if (strstr(plural, "infos") == NULL)
            json_put(version, "subresources", json_make("{s:{}}", "status"));
        failed |= create(player, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                         "apiextensions.k8s.io/v1", "CustomResourceDefinition",
                         json_make("{s:{s:o}, s:{s:s, s:s, s:{s:s, s:s, s:s, s:o, s:[s]}, s:[o]}}",
                                   "metadata", "name", json_sprintf("%s.crd.antrea.io", plural),
                                   "spec", "group", "crd.antrea.io", "scope", "Cluster", "names",
                                   "kind", kind, "plural", plural, "singular", singular, "listKind",
                                   json_sprintf("%sList", kind), "shortNames",
                                   definitions[i].short_name, "versions", version));
    }
    return failed;
}

static json_t *named(const char *name, const char *space)
{
    json_t *object = json_make("{s:{s:s}}", "metadata", "name", name);
    if (space != NULL)
        json_put_text(json_object_get(object, "metadata"), "namespace", space);
    return object;
}

static json_t *pod(const char *name, const char *space, const char *label, const char *value)
{
    return json_make("{s:{s:s, s:s, s:{s:s}}, s:{s:[{s:s, s:s}]}}", "metadata", "name", name,
                     "namespace", space, "labels", label, value, "spec", "containers", "name",
                     "main", "image", "example.invalid/app:1");
}

/* A custom type is served a moment after its definition came. */
static int await(struct player *player, const char *path)
{
    for (int i = 0; i < 200; i++) {
        if (player->kube.url == NULL)
            return 0;
        cleanup_json json_t *list = kube_get(player, path);
        if (list != NULL)
            return 0;
        struct timespec moment = {.tv_nsec = 50000000};
        nanosleep(&moment, NULL);
    }
    return -1;
}

static int add_antrea(struct player *player, const struct prepare_options *options, uint64_t *state)
{
    cleanup_free char *id = uuid(state);
    json_t *identity = named("antrea-cluster-identity", "kube-system");
    json_t *controller = named("antrea-controller", NULL);
    json_put(identity, "data", json_make("{s:s}", "uuid", id));
    json_put_text(controller, "version", options->antrea_version);
    json_put(controller, "connectedAgentNum", json_integer(options->nodes));
    json_put(controller, "controllerConditions",
             json_make("[{s:s, s:s}]", "type", "ControllerHealthy", "status", "True"));
    return create(player, "/api/v1/namespaces/kube-system/configmaps", "v1", "ConfigMap",
                  identity) |
           create(player, "/api/v1/namespaces/kube-system/pods", "v1", "Pod",
                  pod("antrea-controller-0", "kube-system", "component", "antrea-controller")) |
           create(player, "/apis/crd.antrea.io/v1beta1/antreacontrollerinfos",
                  "crd.antrea.io/v1beta1", "AntreaControllerInfo", controller);
}

static int add_workload(struct player *player, const struct prepare_options *options)
{
    int failed = 0;
    for (int i = 0; i < options->nodes; i++) {
        cleanup_free char *name = text_format("node-%d", i);
        json_t *agent = named(name, NULL);
        json_put_text(agent, "version", options->antrea_version);
        json_put(agent, "agentConditions",
                 json_make("[{s:s, s:s}]", "type", "AgentHealthy", "status", "True"));
        failed |= create(player, "/api/v1/nodes", "v1", "Node", named(name, NULL)) |
                  create(player, "/apis/crd.antrea.io/v1beta1/antreaagentinfos",
                         "crd.antrea.io/v1beta1", "AntreaAgentInfo", agent);
    }
    for (int i = 0; i < options->namespaces; i++) {
        cleanup_free char *space = text_format("team-%d", i);
        cleanup_free char *pods = text_format("/api/v1/namespaces/%s/pods", space);
        cleanup_free char *services = text_format("/api/v1/namespaces/%s/services", space);
        failed |= create(player, "/api/v1/namespaces", "v1", "Namespace", named(space, NULL));
        for (int k = 0; k < options->pods; k++) {
            cleanup_free char *name = text_format("web-%d", k);
            failed |= create(player, pods, "v1", "Pod",
                             pod(name, space, "app", k % 2 == 0 ? "web" : "db"));
        }
        json_t *service = named("web", space);
        json_put(service, "spec",
                 json_make("{s:{s:s}, s:[{s:i}]}", "selector", "app", "web", "ports", "port", 80));
        failed |= create(player, services, "v1", "Service", service);
    }
    return failed;
}

int prepare_cluster(struct player *player, const struct prepare_options *options)
{
    uint64_t state = options->seed;
    int is_old =
        text_starts(options->antrea_version, "v1.") || text_starts(options->antrea_version, "1.");
    return add_definitions(player, is_old) |
           await(player, "/apis/crd.antrea.io/v1beta1/antreacontrollerinfos") |
           await(player, "/apis/crd.antrea.io/v1beta1/antreaagentinfos") |
           add_antrea(player, options, &state) | add_workload(player, options);
}
