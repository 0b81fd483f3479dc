#include "adapter.h"

#include <stdlib.h>
#include <string.h>

#include "clusters.h"
#include "control-planes.h"
#include "identity.h"
#include "realization.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

enum { DEFAULT_INTERVAL_S = 60 };

struct nsx_adapter *nsx_adapter_find(const struct sim_nsx *sim, const char *name)
{
    for (size_t i = 0; i < sim->adapter_count; i++)
        if (strcmp(sim->adapters[i].name, name) == 0)
            return &sim->adapters[i];
    return NULL;
}

struct nsx_adapter *nsx_adapter_of(struct sim_nsx *sim, const char *name)
{
    struct nsx_adapter *found = nsx_adapter_find(sim, name);
    if (found != NULL)
        return found;
    sim->adapters = memory_resize(sim->adapters, sim->adapter_count + 1, sizeof *sim->adapters);
    struct nsx_adapter *adapter = &sim->adapters[sim->adapter_count++];
    *adapter = (struct nsx_adapter){.name = text_copy(name), .acks = json_object()};
    return adapter;
}

int nsx_is_partitioned(const struct sim_nsx *sim, const char *name)
{
    return json_object_get(sim->partitioned, name) != NULL;
}

const char *nsx_adapter_refusal(struct sim_nsx *sim, const char *fingerprint,
                                const char *cluster_id, char **ret_name)
{
    cleanup_json json_t *principal = nsx_principal_of(sim, fingerprint);
    const char *name = json_text(principal, "name");
    cleanup_json json_t *control_plane = name == NULL ? NULL : nsx_control_plane(sim, name);
    if (principal == NULL)
        return "no principal identity has this certificate";
    if (control_plane == NULL)
        return "there is no cluster control plane of this name";
    if (!text_equal(json_text(control_plane, "_sim_sha256"), fingerprint))
        return "the cluster control plane has another certificate";
    if (!text_equal(json_text(control_plane, "node_id"), cluster_id))
        return "the cluster control plane has another id";
    *ret_name = text_copy(name);
    return NULL;
}

struct nsx_adapter *nsx_adapter_connect(struct sim_nsx *sim, const char *name,
                                        const char *cluster_id, const char *fingerprint,
                                        struct nsx_stream *stream)
{
    struct nsx_adapter *adapter = nsx_adapter_of(sim, name);
    nsx_adapter_disconnect(sim, adapter);
    if (!text_equal(adapter->cluster_id, cluster_id)) {
        adapter->heartbeat_ms = 0;
        free(adapter->cluster_id);
        adapter->cluster_id = text_copy(cluster_id);
    }
    memcpy(adapter->fingerprint, fingerprint, DIGEST_TEXT_SIZE);
    adapter->stream = stream;
    adapter->is_connected = 1;
    adapter->is_dirty = 1;
    adapter->connected_ms = nsx_now(sim);
    adapter->beats = 0;
    return adapter;
}

void nsx_adapter_disconnect(struct sim_nsx *sim, struct nsx_adapter *adapter)
{
    nsx_world_changed(sim);
    adapter->is_connected = 0;
    if (adapter->stream != NULL) {
        struct nsx_stream *stream = adapter->stream;
        adapter->stream = NULL;
        nsx_stream_end(stream);
    }
}

void nsx_adapters_disconnect(struct sim_nsx *sim)
{
    for (size_t i = 0; i < sim->adapter_count; i++)
        nsx_adapter_disconnect(sim, &sim->adapters[i]);
}

void nsx_adapters_check(struct sim_nsx *sim)
{
    sim->must_check = 0;
    for (size_t i = 0; i < sim->adapter_count; i++) {
        struct nsx_adapter *adapter = &sim->adapters[i];
        cleanup_free char *name = NULL;
        if (!adapter->is_connected)
            continue;
        if (nsx_is_partitioned(sim, adapter->name) ||
            nsx_adapter_refusal(sim, adapter->fingerprint, adapter->cluster_id, &name) != NULL)
            nsx_adapter_disconnect(sim, adapter);
    }
}

void nsx_world_changed(struct sim_nsx *sim)
{
    sim->world_state++;
}

void nsx_adapters_dirty(struct sim_nsx *sim)
{
    for (size_t i = 0; i < sim->adapter_count; i++)
        sim->adapters[i].is_dirty = 1;
}

void nsx_adapters_send(struct sim_nsx *sim)
{
    for (size_t i = 0; i < sim->adapter_count; i++) {
        struct nsx_adapter *adapter = &sim->adapters[i];
        if (!adapter->is_dirty || adapter->stream == NULL)
            continue;
        cleanup_json json_t *line = json_make("{s:s, s:o}", "type", "policies", "policies",
                                              nsx_realization_wanted(sim, adapter->name));
        nsx_stream_send(adapter->stream, line);
        adapter->is_dirty = 0;
    }
}

void nsx_adapters_forget(struct sim_nsx *sim)
{
    nsx_adapters_disconnect(sim);
    for (size_t i = 0; i < sim->adapter_count; i++) {
        sim->adapters[i].heartbeat_ms = 0;
        sim->adapters[i].beats = 0;
        json_object_clear(sim->adapters[i].acks);
    }
}

void nsx_adapters_clear(struct sim_nsx *sim)
{
    nsx_adapters_disconnect(sim);
    for (size_t i = 0; i < sim->adapter_count; i++) {
        free(sim->adapters[i].name);
        free(sim->adapters[i].cluster_id);
        json_decref(sim->adapters[i].acks);
        json_decref(sim->adapters[i].overrides);
    }
    free(sim->adapters);
    sim->adapters = NULL;
    sim->adapter_count = 0;
}

int64_t nsx_heartbeat_interval(const struct sim_nsx *sim, const char *id)
{
    cleanup_json json_t *config = nsx_table_tree(&sim->intent.tables[NSX_HEARTBEATS], id);
    return json_whole(config, "report_interval", DEFAULT_INTERVAL_S) * 1000;
}

static void beat(struct sim_nsx *sim, struct nsx_adapter *adapter)
{
    int64_t now = nsx_now(sim);
    if (adapter->heartbeat_ms >= adapter->connected_ms && adapter->beats > 0 &&
        now - adapter->heartbeat_ms < nsx_heartbeat_interval(sim, adapter->name))
        return;
    adapter->heartbeat_ms = now;
    adapter->beats++;
}

void nsx_tick(struct sim_nsx *sim, void *argument)
{
    (void)argument;
    nsx_clusters_work(sim);
    for (size_t i = 0; i < sim->adapter_count; i++)
        if (sim->adapters[i].is_connected)
            beat(sim, &sim->adapters[i]);
    nsx_timer_set(&sim->clock, nsx_now(sim) + sim->tick_ms, nsx_tick, NULL);
}
