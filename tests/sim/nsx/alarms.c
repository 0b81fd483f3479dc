/* Alarms of policies that could not be realized, and of the system. Facts 1.9. */
#include <stdlib.h>
#include <string.h>

#include "adapter.h"
#include "handlers.h"
#include "page.h"
#include "policies.h"
#include "realization.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

enum { SILENT_INTERVALS = 3 };

void nsx_policy_alarms(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    const struct nsx_table *policies = &sim->intent.tables[NSX_POLICIES];
    json_t *all = json_array();
    for (size_t i = 0; i < policies->count; i++) {
        cleanup_free char *message = NULL;
        const char *id = policies->items[i]->key;
        if (strcmp(nsx_realization_state(sim, id, &message), "ERROR") != 0)
            continue;
        json_add(all, json_make("{s:s, s:s, s:o, s:s, s:{s:s}}", "id", id, "resource_type",
                                "PolicyAlarmResource", "source_reference",
                                json_sprintf(NSX_POLICIES_PATH "%s", id), "message",
                                message == NULL ? "" : message, "error_details", "error_message",
                                message == NULL ? "" : message));
    }
    nsx_page(sim, request, all, answer);
}

/* A cluster of which nothing was heard, where that raises an alarm at all. */
static void add_silent(const struct sim_nsx *sim, json_t *all)
{
    const struct nsx_table *table = &sim->intent.tables[NSX_CONTROL_PLANES];
    for (size_t i = 0; i < table->count; i++) {
        const char *id = table->items[i]->key;
        const struct nsx_adapter *adapter = nsx_adapter_find(sim, id);
        int64_t heard = adapter == NULL ? 0 : adapter->heartbeat_ms;
        if (nsx_now(sim) - heard <= SILENT_INTERVALS * nsx_heartbeat_interval(sim, id))
            continue;
        cleanup_json json_t *control_plane = nsx_record_tree(table->items[i]);
        json_add(all, json_make("{s:o, s:s, s:s, s:s, s:s, s:O, s:[s]}", "id",
                                json_sprintf("alarm-%s", id), "status", "OPEN", "severity", "HIGH",
                                "feature_name", "antrea", "event_type", "antrea_cluster_down",
                                "entity_id", json_object_get(control_plane, "node_id"),
                                "alarm_source", json_text(control_plane, "path")));
    }
}

static int fits(const struct nsx_request *request, const json_t *alarm, const char *field)
{
    const char *wanted = nsx_query(request, field);
    return wanted == NULL || text_equal(json_text(alarm, field), wanted);
}

void nsx_alarms_list(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    cleanup_json json_t *present = json_clone(sim->alarms);
    json_t *all = json_array(), *alarm;
    size_t i;
    if (nsx_switch_is(sim, SW_ANTREA_ALARMS, "present"))
        add_silent(sim, present);
    json_array_foreach (present, i, alarm)
        if (fits(request, alarm, "status") && fits(request, alarm, "feature_name") &&
            fits(request, alarm, "event_type"))
            json_add(all, json_incref(alarm));
    nsx_page(sim, request, all, answer);
}
