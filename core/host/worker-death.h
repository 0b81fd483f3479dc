/* How the end of a worker by a signal is told: whose doing it was, as far as that can be known. */
#ifndef SALVOR_HOST_WORKER_DEATH_H
#define SALVOR_HOST_WORKER_DEATH_H

#include <stdint.h>

#include "base/error.h"
#include "host/client.h"

struct worker_death {
    int signal_number;
    int64_t oom_kills; /* by the kernel since the worker was started; 0 when it does not tell */
    struct client_limits limits;
};

/*
 * Message and hint into *reterr. `who`: "plugin 'x'", `place`: "'run_step' of row 'y'". 1 when it
 * was a fault of the plugin as far as can be told, 0 when something else ended it.
 */
int worker_death_tell(const struct worker_death *death, const char *who, const char *place,
                      struct error *reterr);

#endif
