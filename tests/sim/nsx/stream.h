/* The connection of one cluster's adapters: lines that wait to be sent. */
#ifndef SIM_NSX_STREAM_H
#define SIM_NSX_STREAM_H

#include "adapter.h"

struct exchange;

/* Called when a session was accepted (answer outcome NSX_STREAM): makes the connection known. */
struct nsx_stream *nsx_stream_bind(struct sim_nsx *sim, struct exchange *exchange);
/* The connection is gone. */
void nsx_stream_unbind(struct sim_nsx *sim, struct nsx_stream *stream);

/* Copies waiting bytes; 0 when there are none now, -1 at the end. */
ssize_t nsx_stream_take(struct nsx_stream *stream, char *room, size_t size);
int nsx_stream_is_ready(const struct nsx_stream *stream);

/* --- in server.c ------------------------------------------------------------------------------ */

void nsx_server_wake(struct exchange *exchange);
struct nsx_request *nsx_server_request(struct exchange *exchange);

#endif
