/* The managers themselves: health, version, cluster status. Facts 1.1, 1.11, 1.12. */
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "errors.h"
#include "handlers.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

static int is_serving(const struct sim_nsx *sim, int manager)
{
    return sim->managers[manager].daemon != NULL && !sim->managers[manager].is_unhealthy;
}

void nsx_node_health(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    int is_well = request->manager >= 0 && is_serving(sim, request->manager) &&
                  sim->service == NSX_SERVICE_UP;
    nsx_answer_json(answer, 200, json_make("{s:b}", "healthy", is_well));
}

/* "9.0.1.0.24952111" → node version and product version. */
void nsx_node_version(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    (void)request;
    nsx_answer_json(
        answer, 200,
        json_make("{s:s, s:s}", "node_version", sim->version, "product_version", sim->version));
}

void nsx_node_get(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    (void)request;
    nsx_answer_json(answer, 200,
                    json_make("{s:s, s:s, s:s, s:s, s:I}", "hostname", sim->address, "node_uuid",
                              sim->node_id, "node_version", sim->version, "kernel_version", "sim",
                              "system_datetime", (json_int_t)nsx_now(sim)));
}

static int online(const struct sim_nsx *sim)
{
    int count = 0;
    for (int i = 0; i < sim->manager_count; i++)
        count += is_serving(sim, i);
    return count;
}

/* A single restored node of three stays degraded until the others are there again. */
void nsx_cluster_status(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    (void)request;
    const char *management = sim->service != NSX_SERVICE_UP     ? "INITIALIZING"
                             : online(sim) < sim->manager_count ? "DEGRADED"
                                                                : "STABLE";
    const char *control = nsx_now(sim) < sim->control_stable_ms ? "INITIALIZING" : "STABLE";
    json_t *nodes = json_array(), *offline = json_array();
    for (int i = 0; i < sim->manager_count; i++)
        json_add(is_serving(sim, i) ? nodes : offline,
                 json_make("{s:o, s:s}", "uuid", json_sprintf("%s-%d", sim->node_id, i),
                           "mgmt_cluster_listen_ip_address", sim->address));
    nsx_answer_json(answer, 200,
                    json_make("{s:s, s:{s:s, s:o, s:o}, s:{s:s}}", "cluster_id", sim->cluster_uuid,
                              "mgmt_cluster_status", "status", management, "online_nodes", nodes,
                              "offline_nodes", offline, "control_cluster_status", "status",
                              control));
}

void nsx_cluster_get(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    json_t *nodes = json_array();
    (void)request;
    for (int i = 0; i < sim->manager_count; i++)
        json_add(nodes, json_make("{s:o, s:s, s:s}", "node_uuid",
                                  i == 0 ? json_string(sim->node_id)
                                         : json_sprintf("%s-%d", sim->node_id, i),
                                  "fqdn", sim->address, "status",
                                  sim->managers[i].is_off ? "REMOVED" : "JOINED"));
    nsx_answer_json(answer, 200,
                    json_make("{s:s, s:o}", "cluster_id", sim->cluster_uuid, "nodes", nodes));
}

#define MANAGEMENT "management"

void nsx_management_get(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    json_t *config = nsx_table_tree(&sim->intent.tables[NSX_SETTINGS], MANAGEMENT);
    if (config == NULL)
        config = json_make("{s:b, s:i}", "publish_fqdns", 0, "_revision", 0);
    nsx_answer_json(answer, 200, nsx_shown(sim, request, config));
}

void nsx_management_put(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    const json_t *body = nsx_body(request, answer);
    if (body == NULL)
        return;
    cleanup_json json_t *old = nsx_table_tree(&sim->intent.tables[NSX_SETTINGS], MANAGEMENT);
    if (old == NULL)
        old = json_make("{s:b, s:i}", "publish_fqdns", 0, "_revision", 0);
    if (nsx_refuse_revision(sim, body, old, request->path, answer) != 0)
        return;
    cleanup_json json_t *config =
        json_make("{s:b}", "publish_fqdns", json_flag(body, "publish_fqdns"));
    nsx_stamp(sim, config, old);
    nsx_put(sim, NSX_SETTINGS, MANAGEMENT, config);
    nsx_management_get(sim, request, answer);
}
