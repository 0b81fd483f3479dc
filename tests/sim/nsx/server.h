/* HTTP in front of the managers: what libmicrohttpd calls, and what it is driven by. */
#ifndef SIM_NSX_SERVER_H
#define SIM_NSX_SERVER_H

#include "internal.h"

/* The door that a connection came through. */
struct nsx_door {
    struct sim_nsx *sim;
    int manager; /* -1: control */
};

/* Callbacks for MHD_start_daemon; `context` is a struct nsx_door. */
enum MHD_Result nsx_server_handle(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **slot);
void nsx_server_done(void *context, struct MHD_Connection *connection, void **slot,
                     enum MHD_RequestTerminationCode code);

/* Lets every waiting connection of that door end. */
void nsx_server_drop(struct sim_nsx *sim, int manager);

/* In a forked child: forgets all connections, which stay with the parent. */
void nsx_server_forget(struct sim_nsx *sim);

#endif
