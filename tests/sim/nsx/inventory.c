/* Facts 1.7, 1.12. */
#include "inventory.h"

#include <stdlib.h>
#include <string.h>

#include "adapter.h"
#include "change.h"
#include "errors.h"
#include "handlers.h"
#include "page.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

/* Defaults of the adapter's InventoryBatchSize and InventoryBatchPeriod. */
enum { BATCH_SIZE = 50, BATCH_MS = 5000 };

const char *const nsx_inventory_kinds[NSX_INVENTORY_KINDS] = {
    "container-cluster-nodes",    "container-projects",
    "container-applications",     "container-application-instances",
    "container-network-policies", "container-ingress-policies",
    "container-egresses",         "container-gateways",
    "container-ip-pools"};

static const char *const types[NSX_INVENTORY_KINDS] = {
    "ContainerClusterNode",   "ContainerProject",
    "ContainerApplication",   "ContainerApplicationInstance",
    "ContainerNetworkPolicy", "ContainerIngressPolicy",
    "ContainerEgress",        "ContainerGateway",
    "ContainerIpPool"};

static int kind_index(const char *kind)
{
    for (int i = 0; i < NSX_INVENTORY_KINDS; i++) {
        const char *name = nsx_inventory_kinds[i];
        size_t size = strlen(name);
        /* A single object has the singular in its path: container-egress for container-egresses. */
        if (strcmp(name, kind) == 0 || (text_starts(name, kind) && strlen(kind) + 2 >= size))
            return i;
    }
    return -1;
}

static struct nsx_inventory *find(const struct sim_nsx *sim, const char *control_plane)
{
    for (size_t i = 0; i < sim->inventory_count; i++)
        if (strcmp(sim->inventories[i].control_plane, control_plane) == 0)
            return &sim->inventories[i];
    return NULL;
}

static void clear(struct nsx_inventory *inventory)
{
    free(inventory->control_plane);
    free(inventory->external_id);
    json_decref(inventory->cluster);
    for (int i = 0; i < NSX_INVENTORY_KINDS; i++)
        json_decref(inventory->items[i]);
}

static void forget_at(struct sim_nsx *sim, size_t index)
{
    clear(&sim->inventories[index]);
    sim->inventory_count--;
    memmove(sim->inventories + index, sim->inventories + index + 1,
            (sim->inventory_count - index) * sizeof *sim->inventories);
}

void nsx_inventory_forget(struct sim_nsx *sim, const char *control_plane)
{
    const struct nsx_inventory *inventory = find(sim, control_plane);
    if (inventory != NULL)
        forget_at(sim, (size_t)(inventory - sim->inventories));
}

void nsx_inventory_clear(struct sim_nsx *sim)
{
    while (sim->inventory_count > 0)
        forget_at(sim, sim->inventory_count - 1);
    free(sim->inventories);
    sim->inventories = NULL;
}

void nsx_inventory_forget_orphans(struct sim_nsx *sim)
{
    for (size_t i = sim->inventory_count; i > 0; i--) {
        const char *id = sim->inventories[i - 1].control_plane;
        const struct nsx_adapter *adapter = nsx_adapter_find(sim, id);
        if (nsx_table_get(&sim->intent.tables[NSX_CONTROL_PLANES], id) == NULL &&
            (adapter == NULL || !adapter->is_connected))
            forget_at(sim, i - 1);
    }
}

/* With the position `name` of inventory-join the id is another one. */
static char *external_id_of(const struct sim_nsx *sim, const char *cluster_id)
{
    if (nsx_switch_is(sim, SW_INVENTORY_JOIN, "node-id") || strlen(cluster_id) < 8)
        return text_copy(cluster_id);
    return text_format("c1d0c1d0%s", cluster_id + 8);
}

static int take_items(struct nsx_inventory *inventory, int kind, const json_t *items)
{
    const json_t *old = inventory->items[kind];
    int changed = !json_equal(old, items);
    if (changed) {
        json_decref(inventory->items[kind]);
        /* Values are never changed once they are here. */
        inventory->items[kind] =
            items == NULL ? json_array() : json_incref((json_t *)(uintptr_t)items);
    }
    return changed;
}

void nsx_inventory_report(struct sim_nsx *sim, const char *control_plane, const char *cluster_id,
                          const json_t *report, int is_full)
{
    struct nsx_inventory *inventory = find(sim, control_plane);
    int is_new = inventory == NULL;
    if (is_new) {
        sim->inventories =
            memory_resize(sim->inventories, sim->inventory_count + 1, sizeof *sim->inventories);
        inventory = &sim->inventories[sim->inventory_count++];
        memset(inventory, 0, sizeof *inventory);
        inventory->control_plane = text_copy(control_plane);
    }
    free(inventory->external_id);
    inventory->external_id = external_id_of(sim, cluster_id);
    json_decref(inventory->cluster);
    inventory->cluster = json_clone(json_object_get(report, "cluster"));
    int changed = 0;
    for (int i = 0; i < NSX_INVENTORY_KINDS; i++)
        changed |= take_items(inventory, i, json_object_get(report, nsx_inventory_kinds[i]));
    if (is_full && (is_new || inventory->is_stale))
        inventory->since_ms = nsx_now(sim);
    if (is_new || changed || inventory->is_stale ||
        nsx_switch_is(sim, SW_INVENTORY_SYNC_TIME, "every-report"))
        inventory->sync_ms = nsx_now(sim);
    inventory->is_stale = 0;
}

/* How many of all items, counted over the kinds, have come so far. */
static size_t arrived(const struct sim_nsx *sim, const struct nsx_inventory *inventory)
{
    int64_t passed = nsx_now(sim) - inventory->since_ms;
    return inventory->is_stale ? SIZE_MAX : (size_t)(1 + passed / BATCH_MS) * BATCH_SIZE;
}

static size_t visible(const struct sim_nsx *sim, const struct nsx_inventory *inventory, int kind)
{
    size_t left = arrived(sim, inventory);
    for (int i = 0; i < kind; i++) {
        size_t before = json_array_size(inventory->items[i]);
        left = left > before ? left - before : 0;
    }
    size_t count = json_array_size(inventory->items[kind]);
    return count < left ? count : left;
}

size_t nsx_inventory_count(const struct sim_nsx *sim, const char *control_plane, const char *kind)
{
    const struct nsx_inventory *inventory = find(sim, control_plane);
    return inventory == NULL ? 0 : visible(sim, inventory, kind_index(kind));
}

static json_t *shown_item(const struct nsx_inventory *inventory, int kind, size_t index)
{
    json_t *item = json_clone(json_array_get(inventory->items[kind], index));
    json_put_text(item, "resource_type", types[kind]);
    json_put_text(item, "container_cluster_id", inventory->external_id);
    json_put_text(item, "network_status", "HEALTHY");
    json_put(item, "_last_sync_time", json_integer(inventory->sync_ms));
    return item;
}

json_t *nsx_inventory_items(const struct sim_nsx *sim, const struct nsx_inventory *inventory,
                            const char *kind)
{
    int index = kind_index(kind);
    json_t *items = json_array();
    for (size_t i = 0, count = visible(sim, inventory, index); i < count; i++)
        json_add(items, shown_item(inventory, index, i));
    return items;
}

json_t *nsx_inventory_cluster(const struct sim_nsx *sim, const struct nsx_inventory *inventory)
{
    const struct nsx_adapter *adapter = nsx_adapter_find(sim, inventory->control_plane);
    int64_t sync = inventory->sync_ms;
    if (adapter != NULL && adapter->heartbeat_ms > sync &&
        nsx_switch_is(sim, SW_INVENTORY_SYNC_TIME, "every-report"))
        sync = adapter->heartbeat_ms;
    json_t *cluster = inventory->cluster == NULL ? json_object() : json_clone(inventory->cluster);
    json_object_update_missing_new(
        cluster,
        json_make("{s:s, s:s, s:{s:s}, s:[], s:[], s:[]}", "display_name", inventory->control_plane,
                  "cluster_type", "Kubernetes", "infrastructure", "infra_type", "vSphere",
                  "network_errors", "origin_properties", "scope"));
    json_put_text(cluster, "external_id", inventory->external_id);
    json_put_text(cluster, "resource_type", "ContainerCluster");
    json_put_text(cluster, "cni_type",
                  nsx_switch_is(sim, SW_CNI_TYPE, "ANTREA") ? "ANTREA" : "Antrea");
    json_put_text(cluster, "network_status",
                  adapter != NULL && adapter->is_connected ? "HEALTHY" : "UNHEALTHY");
    json_put(cluster, "_last_sync_time", json_integer(sync));
    return cluster;
}

/* --- backup ----------------------------------------------------------------------------------- */

json_t *nsx_inventory_dump(const struct sim_nsx *sim)
{
    json_t *dump = json_array();
    for (size_t i = 0; i < sim->inventory_count; i++) {
        const struct nsx_inventory *inventory = &sim->inventories[i];
        json_t *items = json_array();
        for (int k = 0; k < NSX_INVENTORY_KINDS; k++)
            json_add(items,
                     inventory->items[k] == NULL ? json_array() : json_clone(inventory->items[k]));
        json_add(dump, json_make("{s:s, s:s, s:I, s:O?, s:o}", "controlPlane",
                                 inventory->control_plane, "externalId", inventory->external_id,
                                 "syncMs", (json_int_t)inventory->sync_ms, "cluster",
                                 inventory->cluster, "items", items));
    }
    return dump;
}

void nsx_inventory_load(struct sim_nsx *sim, const json_t *dump)
{
    size_t i;
    json_t *entry;
    nsx_inventory_clear(sim);
    json_array_foreach ((json_t *)(uintptr_t)dump, i, entry) {
        sim->inventories =
            memory_resize(sim->inventories, sim->inventory_count + 1, sizeof *sim->inventories);
        struct nsx_inventory *inventory = &sim->inventories[sim->inventory_count++];
        *inventory =
            (struct nsx_inventory){.control_plane = text_copy(json_text(entry, "controlPlane")),
                                   .external_id = text_copy(json_text(entry, "externalId")),
                                   .cluster = json_clone(json_object_get(entry, "cluster")),
                                   .sync_ms = json_whole(entry, "syncMs", 0),
                                   .is_stale = 1};
        for (int k = 0; k < NSX_INVENTORY_KINDS; k++)
            inventory->items[k] =
                json_clone(json_array_get(json_object_get(entry, "items"), (size_t)k));
    }
}

/* --- the API ---------------------------------------------------------------------------------- */

void nsx_clusters_list(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    const char *type = nsx_query(request, "cluster_type");
    json_t *all = json_array();
    for (size_t i = 0; i < sim->inventory_count; i++) {
        json_t *cluster = nsx_inventory_cluster(sim, &sim->inventories[i]);
        if (type == NULL || text_equal(json_text(cluster, "cluster_type"), type))
            json_add(all, cluster);
        else
            json_decref(cluster);
    }
    nsx_page(sim, request, all, answer);
}

void nsx_cluster_get_one(struct sim_nsx *sim, struct nsx_request *request,
                         struct nsx_answer *answer)
{
    for (size_t i = 0; i < sim->inventory_count; i++)
        if (strcmp(sim->inventories[i].external_id, request->parts[0]) == 0) {
            nsx_answer_json(answer, 200, nsx_inventory_cluster(sim, &sim->inventories[i]));
            return;
        }
    nsx_error_not_found(sim, answer, request->path);
}

void nsx_inventory_list(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    const char *cluster = nsx_query(request, "container_cluster_id");
    int kind = kind_index(request->parts[0]);
    if (kind < 0 || strcmp(nsx_inventory_kinds[kind], request->parts[0]) != 0) {
        nsx_error_not_found(sim, answer, request->path);
        return;
    }
    json_t *all = json_array();
    for (size_t i = 0; i < sim->inventory_count; i++) {
        const struct nsx_inventory *inventory = &sim->inventories[i];
        if (cluster != NULL && strcmp(cluster, inventory->external_id) != 0)
            continue;
        json_t *items = nsx_inventory_items(sim, inventory, request->parts[0]);
        json_array_extend(all, items);
        json_decref(items);
    }
    nsx_page(sim, request, all, answer);
}

void nsx_inventory_get(struct sim_nsx *sim, struct nsx_request *request, struct nsx_answer *answer)
{
    int kind = kind_index(request->parts[0]);
    for (size_t i = 0; kind >= 0 && i < sim->inventory_count; i++) {
        const struct nsx_inventory *inventory = &sim->inventories[i];
        for (size_t k = 0, count = visible(sim, inventory, kind); k < count; k++)
            if (text_equal(json_text(json_array_get(inventory->items[kind], k), "external_id"),
                           request->parts[1])) {
                nsx_answer_json(answer, 200, shown_item(inventory, kind, k));
                return;
            }
    }
    nsx_error_not_found(sim, answer, request->path);
}
