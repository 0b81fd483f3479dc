/* Loads the one plugin of this process and keeps the host's own copy of its tables. */
#ifndef SALVOR_WORKER_PLUGIN_OPEN_H
#define SALVOR_WORKER_PLUGIN_OPEN_H

#include "base/error.h"
#include "worker/call.h"

/* Fills descriptor, plugin and hooks of `session`; *ret_build_id is owned by the caller. Each
 * refusal is its own error. */
int plugin_open(struct worker_session *session, const char *path, char **ret_build_id,
                struct error *reterr);

#endif
