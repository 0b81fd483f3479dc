/*
 * What a shim is told by the worker that starts it: a JSON object in a memory file on descriptor
 * SHIM_SPEC_FD. Both shims (one for commands that die with the worker, one for jobs that outlive
 * it) start the command in the same way from it. Secrets never stand in it: they come as memory
 * files on further descriptors.
 *
 *   {"path": program, "argv":[…], "env":["NAME=value",…], "folder": working directory,
 *    "keep":[3,…]       descriptors that the command inherits,
 *    "limits": those of before the worker's own (worker/limits.h), absent when it has none,
 *    "files":[{"name","fd"}]   secrets that become 0600 files; "{secret:NAME}" in argv and env
 *                              is replaced by the path,
 *    "remove": folder that an exec shim removes when the command has ended, or absent}
 */
#ifndef SALVOR_SERVICES_SHIM_SPEC_H
#define SALVOR_SERVICES_SHIM_SPEC_H

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum {
    SHIM_SPEC_FD = 10,
    SHIM_TALK_FD = 11,  /* socket to the worker; its end is the worker's end */
    SHIM_FILES_FD = 12, /* first of the secrets that become files */
    SHIM_SECRETS = 16
};

enum shim_event {
    SHIM_STARTED = 1, /* value: process id */
    SHIM_NOT_STARTED, /* value: errno; what could not be done is in the text */
    SHIM_EXITED,      /* value: exit status */
    SHIM_SIGNALLED,   /* value: signal */
    SHIM_TAKEN        /* a job: another shim has it, or had it */
};

/* One message from a shim. */
struct shim_report {
    int32_t event;
    int32_t value;
    char text[120];
};

void shim_report(int32_t event, int32_t value, const char *text);

/* Reads the spec; owned by the caller. */
int shim_spec_read(json_t **ret_spec, struct error *reterr);

/* The memory-backed folder of this user, made if need be: $XDG_RUNTIME_DIR/salvor or
 * /dev/shm/salvor-UID. Fails when it is on a disk or somebody else's. */
int memory_folder_base(char **ret_path, struct error *reterr);

/* Writes the secrets of the spec as files into a new folder `name` of the memory-backed one (whose
 * leftovers of that name are removed first). *ret_folder is NULL when the spec has none. */
int shim_secrets_write(const json_t *spec, const char *name, char **ret_folder,
                       struct error *reterr);

/*
 * Starts the command in its own process group, ending with this process. Standard descriptors are
 * taken as they are; all others but the kept ones are closed in it. 0 and *ret_pid once the program
 * runs; -1 with errno and *ret_what (static text) when it does not.
 */
int shim_start(const json_t *spec, const char *secret_folder, pid_t *ret_pid,
               const char **ret_what);

/* Resets the process for its work as a shim: descriptors it does not need closed, SIGCHLD and
 * SIGTERM taken through *ret_signal_fd. */
int shim_prepare(int *ret_signal_fd, struct error *reterr);

#endif
