/*
 * What a service worker can do for the parent: named calls, filled by whoever has them (the
 * services of the core at the start, the library of services with a network when it is opened). A
 * call is one CALL frame with hook "service"; it has deadline, cancellation, log, progress,
 * evidence and secrets like a hook of a plugin, and may do what the parent says ("effect"), no
 * further.
 */
#ifndef SALVOR_WORKER_SERVICE_CALLS_H
#define SALVOR_WORKER_SERVICE_CALLS_H

#include <jansson.h>

#include "worker/call.h"

struct service_command {
    const char *name; /* "backups.verify" */
    /*
     * `request` is the parent's (an object, borrowed). On OK *ret_result may hold an object, owned
     * by the caller: at most one frame large; what may be larger goes as ITEM frames or as a file.
     * On anything else the failure is what call_fail recorded.
     */
    salvor_status (*run)(struct worker_call *call, const json_t *request, json_t **ret_result);
};

/* Adds the commands of a table that ends with name NULL and lives as long as the process; the same
 * name again replaces the command. */
void service_commands_register(const struct service_command *commands);

/*
 * `open_more` is called once, when a name is asked for that nobody has registered: it registers
 * what takes time to load. -1 with *reterr: that call, and each later one of an unknown name,
 * fails with it. Several are asked in the order in which they came, as far as need be.
 */
void service_commands_open_later(int (*open_more)(struct error *reterr));

/* NULL with *reterr when there is none of that name. */
const struct service_command *service_command_find(const char *name, struct error *reterr);

/* Runs the call whose body is call->body; *ret_result is owned by the caller. */
salvor_status service_call_run(struct worker_call *call, json_t **ret_result);

#endif
