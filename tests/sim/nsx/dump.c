#include "dump.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inventory.h"
#include "realization.h"
#include "restore.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

static json_t *intent_of(const struct nsx_intent *intent)
{
    json_t *tables = json_object();
    for (int t = 0; t < NSX_TABLES; t++) {
        json_t *objects = json_object();
        for (size_t i = 0; i < intent->tables[t].count; i++)
            json_put(objects, intent->tables[t].items[i]->key,
                     nsx_record_tree(intent->tables[t].items[i]));
        json_put(tables, nsx_table_name((enum nsx_table_id)t), objects);
    }
    return tables;
}

/* Policies that adapters outside of the simulator have not acknowledged as they are now. */
static int unacknowledged(const struct sim_nsx *sim, const struct nsx_adapter *adapter)
{
    int count = 0;
    if (adapter->stream == NULL)
        return 0;
    cleanup_json json_t *wanted = nsx_realization_wanted(sim, adapter->name);
    size_t i;
    json_t *policy;
    json_array_foreach (wanted, i, policy) {
        const json_t *ack = json_object_get(adapter->acks, json_text(policy, "policy"));
        const char *version = json_text(ack, "version");
        count += !text_equal(version, json_text(policy, "version")) && !text_equal(version, "*");
    }
    return count;
}

json_t *nsx_adapters_json(const struct sim_nsx *sim)
{
    json_t *adapters = json_object();
    for (size_t i = 0; i < sim->adapter_count; i++) {
        const struct nsx_adapter *adapter = &sim->adapters[i];
        json_put(adapters, adapter->name,
                 json_make("{s:b, s:b, s:s?, s:s, s:I, s:i, s:i, s:O}", "connected",
                           adapter->is_connected, "external", adapter->stream != NULL, "clusterId",
                           adapter->cluster_id, "sha256", adapter->fingerprint, "heartbeatMs",
                           (json_int_t)adapter->heartbeat_ms, "beats", adapter->beats, "waiting",
                           unacknowledged(sim, adapter), "acks", adapter->acks));
    }
    return adapters;
}

static json_t *realization_of(const struct sim_nsx *sim)
{
    const struct nsx_table *policies = &sim->intent.tables[NSX_POLICIES];
    json_t *states = json_object();
    for (size_t i = 0; i < policies->count; i++)
        json_put_text(states, policies->items[i]->key,
                      nsx_realization_state(sim, policies->items[i]->key, NULL));
    return states;
}

static json_t *inventory_of(const struct sim_nsx *sim)
{
    json_t *clusters = json_object();
    for (size_t i = 0; i < sim->inventory_count; i++) {
        const struct nsx_inventory *inventory = &sim->inventories[i];
        json_t *counts = json_object();
        for (int k = 0; k < NSX_INVENTORY_KINDS; k++)
            json_put(counts, nsx_inventory_kinds[k],
                     json_integer((json_int_t)nsx_inventory_count(sim, inventory->control_plane,
                                                                  nsx_inventory_kinds[k])));
        json_put(clusters, inventory->control_plane,
                 json_make("{s:s, s:b, s:o}", "externalId", inventory->external_id, "stale",
                           inventory->is_stale, "visible", counts));
    }
    return clusters;
}

static json_t *backups_of(const struct sim_nsx *sim)
{
    json_t *backups = json_array();
    for (size_t i = 0; i < sim->backup_count; i++)
        json_add(backups, json_make("{s:I, s:s, s:s, s:s}", "timestamp",
                                    (json_int_t)sim->backups[i].timestamp_ms, "nodeId",
                                    sim->backups[i].node_id, "address", sim->backups[i].address,
                                    "version", sim->backups[i].version));
    return backups;
}

json_t *nsx_state(const struct sim_nsx *sim)
{
    json_t *counts = json_object();
    int connected = 0;
    for (int t = 0; t < NSX_TABLES; t++)
        json_put(counts, nsx_table_name((enum nsx_table_id)t),
                 json_integer((json_int_t)sim->intent.tables[t].count));
    for (size_t i = 0; i < sim->adapter_count; i++)
        connected += sim->adapters[i].is_connected;
    return json_make("{s:i, s:I, s:I, s:o, s:i, s:i, s:i, s:i, s:s, s:O}", "pid", (int)getpid(),
                     "nowMs", (json_int_t)nsx_now(sim), "version", (json_int_t)sim->version_state,
                     "objects", counts, "connectedAdapters", connected, "sessions",
                     (int)sim->session_count, "markedForDelete", (int)sim->marked_count, "service",
                     (int)sim->service, "restore", sim->restore.value, "violations",
                     sim->violations);
}

json_t *nsx_dump(const struct sim_nsx *sim)
{
    json_t *dump = nsx_state(sim);
    json_put(dump, "intent", intent_of(&sim->intent));
    json_put(dump, "adapters", nsx_adapters_json(sim));
    json_put(dump, "realization", realization_of(sim));
    json_put(dump, "inventory", inventory_of(sim));
    json_put(dump, "restoreStatus", nsx_restore_json(sim));
    json_put(dump, "backups", backups_of(sim));
    json_put(dump, "partitioned", json_incref(sim->partitioned));
    return dump;
}
