/* The container inventory: what adapters reported, and how much of it is there already. */
#ifndef SIM_NSX_INVENTORY_H
#define SIM_NSX_INVENTORY_H

#include "internal.h"

/* Collection names in the URL, in the order in which a full synchronisation brings them. */
extern const char *const nsx_inventory_kinds[NSX_INVENTORY_KINDS];

/*
 * Takes a report: {"cluster": {...}, "container-cluster-nodes": [{...}], ...} (borrowed). The first
 * one of a connection begins a full synchronisation, which becomes visible in batches.
 */
void nsx_inventory_report(struct sim_nsx *sim, const char *control_plane, const char *cluster_id,
                          const json_t *report, int is_full);

/* Number of visible items of that kind; and visible items, new array. */
size_t nsx_inventory_count(const struct sim_nsx *sim, const char *control_plane, const char *kind);
json_t *nsx_inventory_items(const struct sim_nsx *sim, const struct nsx_inventory *inventory,
                            const char *kind);

/* Forgets that of a control plane; of all; of all whose control plane is gone. */
void nsx_inventory_forget(struct sim_nsx *sim, const char *control_plane);
void nsx_inventory_clear(struct sim_nsx *sim);
void nsx_inventory_forget_orphans(struct sim_nsx *sim);

/* As a value that a backup can keep, and back: what is restored is stale. */
json_t *nsx_inventory_dump(const struct sim_nsx *sim);
void nsx_inventory_load(struct sim_nsx *sim, const json_t *dump);

/* The object that a fabric list shows. */
json_t *nsx_inventory_cluster(const struct sim_nsx *sim, const struct nsx_inventory *inventory);

#endif
