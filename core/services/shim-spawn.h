/* The worker's side of a shim: start it, hear from it, end it. */
#ifndef SALVOR_SERVICES_SHIM_SPAWN_H
#define SALVOR_SERVICES_SHIM_SPAWN_H

#include <jansson.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* A sealed file in memory that reads as `data`; -1 with errno. */
int memory_file(const char *name, const void *data, size_t size);

struct shim_fd {
    int from; /* of this process, borrowed */
    int to;   /* number in the shim */
};

struct shim {
    pid_t pid;
    int talk; /* socket of struct shim_report messages, close-on-exec; closing it ends an exec shim
               */
};

/* Which shim, and how it is started. */
struct shim_command {
    const char *name;     /* shims.h */
    const char *argument; /* or NULL */
    char *const *wrapper; /* words of a program that becomes the shim, ending with NULL; or NULL */
};

/*
 * Starts this program again as that shim, in a session of its own, with `spec` and the descriptors
 * given; what is not given of 0 to 2 is /dev/null.
 */
int shim_spawn(const struct shim_command *command, const json_t *spec, const struct shim_fd *fds,
               size_t fd_count, struct shim *ret_shim, struct error *reterr);

/* Closes the socket and waits for the process, killing it after `patience_ms`. */
void shim_end(struct shim *shim, int patience_ms);

#endif
