/*
 * The adapters of registered clusters, as their manager sees them: who may connect, heartbeats,
 * what is sent to them. What really runs between them (REST of the Management Plane adapter, ports
 * 1234 and 1235) is not documented; one connection below /sim-adapter/ stands in for all of it.
 */
#ifndef SIM_NSX_ADAPTER_H
#define SIM_NSX_ADAPTER_H

#include "internal.h"

/* The record of that name, made when absent; and only looked up, NULL when absent. */
struct nsx_adapter *nsx_adapter_of(struct sim_nsx *sim, const char *name);
struct nsx_adapter *nsx_adapter_find(const struct sim_nsx *sim, const char *name);

/*
 * Why adapters with that certificate and cluster id may not connect; NULL when they may, with the
 * name of their identity in *ret_name (new).
 */
const char *nsx_adapter_refusal(struct sim_nsx *sim, const char *fingerprint,
                                const char *cluster_id, char **ret_name);

/* `stream` NULL: a cluster inside the simulator. A connection of the same name is replaced. */
struct nsx_adapter *nsx_adapter_connect(struct sim_nsx *sim, const char *name,
                                        const char *cluster_id, const char *fingerprint,
                                        struct nsx_stream *stream);
void nsx_adapter_disconnect(struct sim_nsx *sim, struct nsx_adapter *adapter);
void nsx_adapters_disconnect(struct sim_nsx *sim);

/* Drops connections that are not allowed any more. */
void nsx_adapters_check(struct sim_nsx *sim);

/* Policies, groups or spans changed; and: sends what changed to those that are connected. */
void nsx_adapters_dirty(struct sim_nsx *sim);
void nsx_adapters_send(struct sim_nsx *sim);

/* Something decides anew who can connect. */
void nsx_world_changed(struct sim_nsx *sim);

/* Forgets all that adapters reported: a restored manager knows nothing of them. */
void nsx_adapters_forget(struct sim_nsx *sim);
void nsx_adapters_clear(struct sim_nsx *sim);

/* 1 when a partition keeps the adapters of that name from every manager. */
int nsx_is_partitioned(const struct sim_nsx *sim, const char *name);

/* The periodic work: heartbeats, clusters inside the simulator that connect. */
void nsx_tick(struct sim_nsx *sim, void *argument);

/* report_interval of a control plane, in ms. */
int64_t nsx_heartbeat_interval(const struct sim_nsx *sim, const char *id);

/* --- one connection, in adapter-door.c and server.c --------------------------------------------
 */

/* Queues one line. */
void nsx_stream_send(struct nsx_stream *stream, const json_t *line);
/* Ends the connection; the adapter's record must not point to it any more. */
void nsx_stream_end(struct nsx_stream *stream);

#endif
