#include "clusters.h"

#include <stdlib.h>
#include <string.h>

#include "adapter.h"
#include "certificates.h"
#include "change.h"
#include "control-planes.h"
#include "groups.h"
#include "inventory.h"
#include "x509.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

enum { TEN_YEARS_S = 3650 * 24 * 3600 };

static struct nsx_cluster *find(const struct sim_nsx *sim, const char *name)
{
    for (size_t i = 0; i < sim->cluster_count; i++)
        if (strcmp(sim->clusters[i].name, name) == 0)
            return &sim->clusters[i];
    return NULL;
}

static int make_certificate(struct nsx_cluster *cluster)
{
    struct certificate_request request = {.common_name = cluster->name,
                                          .organization = "VMware",
                                          .valid_from_s = -3600,
                                          .valid_to_s = TEN_YEARS_S,
                                          .is_client = 1};
    struct certificate made = {NULL, NULL};
    if (certificate_make(&request, &made, NULL) != 0)
        return -1;
    certificate_clear(&cluster->certificate);
    cluster->certificate = made;
    return x509_fingerprint(made.pem, cluster->fingerprint);
}

/* --- what adapters report --------------------------------------------------------------------- */

static const char *const counted[NSX_INVENTORY_KINDS] = {"nodes",    "namespaces",      "services",
                                                         "pods",     "networkPolicies", "ingresses",
                                                         "egresses", "gateways",        "ipPools"};
static const char *const words[NSX_INVENTORY_KINDS] = {
    "node", "namespace", "service", "pod", "policy", "ingress", "egress", "gateway", "pool"};

static json_t *inventory_of(const struct nsx_cluster *cluster)
{
    json_t *report =
        json_make("{s:{s:s, s:s, s:{s:s}}}", "cluster", "display_name", cluster->name,
                  "cluster_type", "Kubernetes", "infrastructure", "infra_type", "vSphere");
    for (int k = 0; k < NSX_INVENTORY_KINDS; k++) {
        int64_t count = json_whole(cluster->counts, counted[k], k < 2 ? 3 : 0);
        json_t *items = json_array();
        for (int64_t i = 0; i < count; i++)
            json_add(
                items,
                json_make("{s:o, s:o, s:[{s:s, s:o}]}", "external_id",
                          json_sprintf("%.8s-%s-%lld", cluster->cluster_id, words[k], (long long)i),
                          "display_name", json_sprintf("%s-%lld", words[k], (long long)i), "tags",
                          "scope", "dis:k8s:app", "tag",
                          json_sprintf("app-%lld", (long long)(i % 3))));
        json_put(report, nsx_inventory_kinds[k], items);
    }
    return report;
}

static void try_to_connect(struct sim_nsx *sim, const struct nsx_cluster *cluster)
{
    struct nsx_adapter *adapter = nsx_adapter_find(sim, cluster->name);
    cleanup_free char *name = NULL;
    int is_mine = adapter != NULL && adapter->is_connected && adapter->stream == NULL &&
                  text_equal(adapter->cluster_id, cluster->cluster_id);
    int can = cluster->has_adapters && cluster->cluster_id != NULL &&
              sim->service == NSX_SERVICE_UP && !nsx_is_partitioned(sim, cluster->name) &&
              nsx_adapter_refusal(sim, cluster->fingerprint, cluster->cluster_id, &name) == NULL;
    if (can && !is_mine) {
        nsx_adapter_connect(sim, name, cluster->cluster_id, cluster->fingerprint, NULL);
        cleanup_json json_t *report = inventory_of(cluster);
        nsx_inventory_report(sim, name, cluster->cluster_id, report, 1);
    } else if (!can && is_mine) {
        nsx_adapter_disconnect(sim, adapter);
    }
}

void nsx_clusters_work(struct sim_nsx *sim)
{
    if (sim->worked_state == sim->world_state)
        return;
    for (size_t i = 0; i < sim->cluster_count; i++)
        try_to_connect(sim, &sim->clusters[i]);
    sim->worked_state = sim->world_state;
}

/* --- acts ------------------------------------------------------------------------------------- */

static void add_principal(struct sim_nsx *sim, const struct nsx_cluster *cluster)
{
    cleanup_json json_t *known =
        nsx_table_find(&sim->intent.tables[NSX_CERTIFICATES], "_sim_sha256", cluster->fingerprint);
    cleanup_free char *certificate_id =
        known != NULL ? text_copy(json_text(known, "id"))
                      : nsx_certificate_add(sim, cluster->name, cluster->certificate.pem, 0);
    cleanup_free char *id = nsx_uuid(sim);
    cleanup_json json_t *principal = json_make(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:[{s:s, s:[{s:s}]}], s:s}", "id", id, "name",
        cluster->name, "display_name", cluster->name, "node_id", cluster->name, "resource_type",
        "PrincipalIdentity", "certificate_id", certificate_id, "is_protected", 1, "roles_for_paths",
        "path", "/", "roles", "role", "enterprise_admin", "_sim_sha256", cluster->fingerprint);
    nsx_stamp(sim, principal, NULL);
    nsx_put(sim, NSX_PRINCIPALS, id, principal);
}

static const char *register_it(struct sim_nsx *sim, struct nsx_cluster *cluster)
{
    cleanup_json json_t *principal =
        nsx_table_find(&sim->intent.tables[NSX_PRINCIPALS], "name", cluster->name);
    if (principal == NULL)
        add_principal(sim, cluster);
    cleanup_free char *why = nsx_control_plane_misfit(sim, cluster->name, cluster->certificate.pem);
    if (why != NULL ||
        nsx_table_get(&sim->intent.tables[NSX_CONTROL_PLANES], cluster->name) != NULL)
        return "NSX has a control plane that does not fit";
    cleanup_json json_t *body = json_make("{s:s}", "certificate", cluster->certificate.pem);
    nsx_control_plane_write(sim, cluster->name, body);
    cleanup_json json_t *control_plane = nsx_control_plane(sim, cluster->name);
    /* As if the cluster's own identity had made it. */
    if (nsx_switch_is(sim, SW_CCP_CREATE_USER, "principal")) {
        json_put_text(control_plane, "_create_user", cluster->name);
        json_put(control_plane, "_sim_protected", json_true());
        nsx_put(sim, NSX_CONTROL_PLANES, cluster->name, control_plane);
    }
    free(cluster->cluster_id);
    cluster->cluster_id = text_copy(json_text(control_plane, "node_id"));
    cluster->has_adapters = 1;
    try_to_connect(sim, cluster);
    return NULL;
}

static void deregister(struct sim_nsx *sim, struct nsx_cluster *cluster)
{
    cluster->has_adapters = 0;
    try_to_connect(sim, cluster);
    nsx_groups_forget_cluster(sim, cluster->name, cluster->cluster_id);
    nsx_control_plane_remove_spans(sim, cluster->name);
    nsx_remove(sim, NSX_HEARTBEATS, cluster->name);
    nsx_remove(sim, NSX_CONTROL_PLANES, cluster->name);
    nsx_inventory_forget(sim, cluster->name);
}

static void forget(struct sim_nsx *sim, struct nsx_cluster *cluster)
{
    cluster->has_adapters = 0;
    try_to_connect(sim, cluster);
    free(cluster->name);
    free(cluster->cluster_id);
    free(cluster->antrea_uuid);
    certificate_clear(&cluster->certificate);
    json_decref(cluster->counts);
    *cluster = sim->clusters[--sim->cluster_count];
}

static struct nsx_cluster *create(struct sim_nsx *sim, const char *name, const json_t *wish)
{
    sim->clusters = memory_resize(sim->clusters, sim->cluster_count + 1, sizeof *sim->clusters);
    struct nsx_cluster *cluster = &sim->clusters[sim->cluster_count++];
    *cluster = (struct nsx_cluster){
        .name = text_copy(name), .antrea_uuid = nsx_uuid(sim), .counts = json_clone(wish)};
    return make_certificate(cluster) == 0 ? cluster : NULL;
}

const char *nsx_cluster_act(struct sim_nsx *sim, const json_t *wish)
{
    const char *name = json_text(wish, "name"), *op = json_text(wish, "op");
    struct nsx_cluster *cluster = name == NULL ? NULL : find(sim, name);
    if (name == NULL || op == NULL)
        return "name and op are missing";
    if (strcmp(op, "create") == 0) {
        if (cluster != NULL)
            return "there is one with this name";
        cluster = create(sim, name, wish);
        if (cluster == NULL)
            return "no certificate could be made";
        return json_flag(wish, "register") ? register_it(sim, cluster) : NULL;
    }
    if (cluster == NULL)
        return "there is no such cluster";
    if (strcmp(op, "register") == 0)
        return register_it(sim, cluster);
    if (strcmp(op, "deregister") == 0)
        deregister(sim, cluster);
    else if (strcmp(op, "destroy") == 0)
        forget(sim, cluster);
    else if (strcmp(op, "rotate") == 0)
        (void)make_certificate(cluster);
    else if (strcmp(op, "adapters") == 0)
        cluster->has_adapters = json_flag(wish, "up");
    else
        return "unknown op";
    nsx_world_changed(sim);
    nsx_clusters_work(sim);
    return NULL;
}

json_t *nsx_clusters_json(const struct sim_nsx *sim)
{
    json_t *list = json_array();
    for (size_t i = 0; i < sim->cluster_count; i++) {
        const struct nsx_cluster *cluster = &sim->clusters[i];
        json_add(list, json_make("{s:s, s:s?, s:s, s:s, s:b, s:s, s:s}", "name", cluster->name,
                                 "clusterId", cluster->cluster_id, "antreaUuid",
                                 cluster->antrea_uuid, "sha256", cluster->fingerprint, "adapters",
                                 cluster->has_adapters, "certificate", cluster->certificate.pem,
                                 "key", cluster->certificate.key_pem));
    }
    return list;
}

void nsx_clusters_clear(struct sim_nsx *sim)
{
    for (size_t i = 0; i < sim->cluster_count; i++) {
        free(sim->clusters[i].name);
        free(sim->clusters[i].cluster_id);
        free(sim->clusters[i].antrea_uuid);
        certificate_clear(&sim->clusters[i].certificate);
        json_decref(sim->clusters[i].counts);
    }
    free(sim->clusters);
    sim->clusters = NULL;
    sim->cluster_count = 0;
}
