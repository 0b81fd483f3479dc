/* Status of clusters (AntreaClusterInfo) and how often it is reported. Facts 1.6, 7.8. */
#include <stdlib.h>
#include <string.h>

#include "adapter.h"
#include "change.h"
#include "control-planes.h"
#include "errors.h"
#include "handlers.h"
#include "inventory.h"
#include "page.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

enum { INTERVAL_LOW_S = 60, INTERVAL_HIGH_S = 600, SILENT_INTERVALS = 3 };

static json_t *condition(const char *type, int is_up, int64_t heartbeat_ms)
{
    return json_make("{s:s, s:s, s:s, s:s, s:I}", "condition_type", type, "status",
                     is_up ? "HEALTHY" : "UNHEALTHY", "reason", "", "message", "",
                     "last_heartbeat_time", (json_int_t)heartbeat_ms);
}

/* What was injected for a component or condition, or what it would be. */
static const char *overridden(const struct nsx_adapter *adapter, const char *name,
                              const char *otherwise)
{
    const char *value = json_text(adapter == NULL ? NULL : adapter->overrides, name);
    return value == NULL ? otherwise : value;
}

static int is_up(const struct nsx_adapter *adapter, const char *condition_type, int otherwise)
{
    return strcmp(overridden(adapter, condition_type, otherwise ? "HEALTHY" : "UNHEALTHY"),
                  "HEALTHY") == 0;
}

static json_t *known(const struct sim_nsx *sim, const char *id, const struct nsx_adapter *adapter)
{
    int64_t at = adapter->heartbeat_ms;
    int settled = adapter->beats >= sim->healthy_beats;
    int nodes = (int)nsx_inventory_count(sim, id, "container-cluster-nodes");
    const char *ccp = settled ? "HEALTHY" : "DEGRADED";
    return json_make(
        "{s:{s:i, s:i, s:i}, s:{s:s, s:i, s:[o]}, s:{s:s, s:[o,o]}, s:{s:s, s:[o,o]}}",
        "agent_info", "healthy_agent_num", nodes, "degraded_agent_num", 0, "failed_agent_num", 0,
        "controller_status", "status", overridden(adapter, "controller_status", "HEALTHY"),
        "connected_agent_num", nodes, "conditions",
        condition("CONTROLLER_HEALTHY", is_up(adapter, "CONTROLLER_HEALTHY", 1), at),
        "mp_adapter_status", "status", overridden(adapter, "mp_adapter_status", "HEALTHY"),
        "conditions", condition("MP_ADAPTER_HEALTHY", is_up(adapter, "MP_ADAPTER_HEALTHY", 1), at),
        condition("MP_CONNECTED", is_up(adapter, "MP_CONNECTED", 1), at), "ccp_adapter_status",
        "status", overridden(adapter, "ccp_adapter_status", ccp), "conditions",
        condition("CCP_ADAPTER_HEALTHY", is_up(adapter, "CCP_ADAPTER_HEALTHY", 1), at),
        condition("CCP_SESSION_STATE_UP", is_up(adapter, "CCP_SESSION_STATE_UP", settled), at));
}

/* The last thing that was heard stays beside the word UNKNOWN. */
static json_t *unknown(int64_t heartbeat_ms)
{
    json_t *status = json_make("{s:{s:i, s:i, s:i}}", "agent_info", "healthy_agent_num", 0,
                               "degraded_agent_num", 0, "failed_agent_num", 0);
    static const char *const components[] = {"controller_status", "mp_adapter_status",
                                             "ccp_adapter_status"};
    static const char *const types[] = {"CONTROLLER_HEALTHY", "MP_ADAPTER_HEALTHY",
                                        "CCP_ADAPTER_HEALTHY"};
    for (size_t i = 0; i < 3; i++) {
        json_t *component = json_make("{s:s, s:[]}", "status", "UNKNOWN", "conditions");
        if (heartbeat_ms > 0)
            json_add(json_object_get(component, "conditions"),
                     condition(types[i], 0, heartbeat_ms));
        json_put(status, components[i], component);
    }
    return status;
}

static json_t *status_of(const struct sim_nsx *sim, const json_t *control_plane)
{
    const char *id = json_text(control_plane, "id");
    const struct nsx_adapter *adapter = nsx_adapter_find(sim, id);
    int is_same =
        adapter != NULL && text_equal(adapter->cluster_id, json_text(control_plane, "node_id"));
    int64_t heartbeat = is_same ? adapter->heartbeat_ms : 0;
    int64_t limit = SILENT_INTERVALS * nsx_heartbeat_interval(sim, id);
    json_t *status = heartbeat == 0 || nsx_now(sim) - heartbeat > limit ? unknown(heartbeat)
                                                                        : known(sim, id, adapter);
    const char *path = json_text(control_plane, "path");
    json_put_text(status, "resource_type", "AntreaClusterInfo");
    if (nsx_switch_is(sim, SW_STATUS_LIST_KEY, "id")) {
        json_put_text(status, "id", id);
        json_put_text(status, "path", path);
    } else if (nsx_switch_is(sim, SW_STATUS_LIST_KEY, "parent-path")) {
        json_put_text(status, "id", json_text(control_plane, "unique_id"));
        json_put_text(status, "parent_path", path);
    } else {
        json_put_text(status, "id", "status");
        json_put(status, "path", json_sprintf("%s/status", path));
    }
    return status;
}

void nsx_status_get(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    if (!nsx_is_point(sim, request, answer))
        return;
    cleanup_json json_t *control_plane = nsx_control_plane(sim, request->parts[2]);
    if (control_plane == NULL)
        nsx_error_not_found(sim, answer, request->path);
    else
        nsx_answer_json(answer, 200, status_of(sim, control_plane));
}

void nsx_statuses_list(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    if (!nsx_is_point(sim, request, answer))
        return;
    const struct nsx_table *table = &sim->intent.tables[NSX_CONTROL_PLANES];
    json_t *all = json_array();
    for (size_t i = 0; i < table->count; i++) {
        cleanup_json json_t *control_plane = nsx_record_tree(table->items[i]);
        json_add(all, status_of(sim, control_plane));
    }
    nsx_page(sim, request, all, answer);
}

/* --- heartbeat configuration ------------------------------------------------------------------ */

static json_t *heartbeat_of(const struct sim_nsx *sim, const char *id)
{
    json_t *config = nsx_table_tree(&sim->intent.tables[NSX_HEARTBEATS], id);
    if (config != NULL)
        return config;
    cleanup_free char *path = nsx_control_plane_path(id);
    return json_make("{s:s, s:s, s:s, s:i, s:i}", "id", id, "resource_type",
                     "AntreaHeartbeatConfig", "parent_path", path, "report_interval",
                     INTERVAL_LOW_S, "_revision", 0);
}

void nsx_heartbeats_list(struct sim_nsx *sim, struct nsx_request *request,
                         struct nsx_answer *answer)
{
    if (!nsx_is_point(sim, request, answer))
        return;
    const struct nsx_table *table = &sim->intent.tables[NSX_CONTROL_PLANES];
    json_t *all = json_array();
    for (size_t i = 0; i < table->count; i++)
        json_add(all, nsx_shown(sim, request, heartbeat_of(sim, table->items[i]->key)));
    nsx_page(sim, request, all, answer);
}

void nsx_heartbeat_get(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    const char *id = request->parts[2];
    if (!nsx_is_point(sim, request, answer))
        return;
    if (nsx_table_get(&sim->intent.tables[NSX_CONTROL_PLANES], id) == NULL)
        nsx_error_not_found(sim, answer, request->path);
    else
        nsx_answer_json(answer, 200, nsx_shown(sim, request, heartbeat_of(sim, id)));
}

void nsx_heartbeat_put(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    const char *id = request->parts[2];
    const json_t *body = nsx_body(request, answer);
    if (body == NULL || !nsx_is_point(sim, request, answer))
        return;
    cleanup_json json_t *control_plane = nsx_control_plane(sim, id);
    if (control_plane == NULL) {
        nsx_error_not_found(sim, answer, request->path);
        return;
    }
    cleanup_json json_t *old = heartbeat_of(sim, id), *config = json_clone(old);
    if (strcmp(request->method, "PUT") == 0 &&
        nsx_refuse_revision(sim, body, old, request->path, answer) != 0)
        return;
    int64_t interval = json_whole(body, "report_interval", INTERVAL_LOW_S);
    if (interval < INTERVAL_LOW_S || interval > INTERVAL_HIGH_S) {
        nsx_error(answer, 400, 255, "policy", "report_interval must be between %d and %d.",
                  INTERVAL_LOW_S, INTERVAL_HIGH_S);
        return;
    }
    json_put(config, "report_interval", json_integer(interval));
    nsx_stamp(sim, config, old);
    nsx_put(sim, NSX_HEARTBEATS, id, config);
    nsx_answer_json(answer, 200, nsx_shown(sim, request, json_clone(config)));
}
