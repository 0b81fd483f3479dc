/*
 * One command under its shim, from start to end: what salvor.exec runs for plugins, and what
 * services run for themselves (a credential plugin, an ssh client), which is neither gated nor
 * recorded here.
 */
#ifndef SALVOR_SERVICES_EXEC_PROCESS_H
#define SALVOR_SERVICES_EXEC_PROCESS_H

#include "base/buffer.h"
#include "services/exec-command.h"

struct exec_process {
    struct worker_call *call;
    struct exec_command *command;
    struct shim shim;
    struct buffer out;
    struct buffer err; /* up to twice what is kept, to move it rarely */
    int out_fd;        /* read end, or -1 at its end */
    int err_fd;
    int file_fd; /* output file, or -1 */
    uint64_t out_bytes;
    int started;
    int ended;
    int32_t exit_status;
    int32_t signal_number;
    char not_started[200];
    int64_t began;
};

/* `command` stays the caller's: path, argv, env and folder in its spec, descriptors, limits. */
void exec_process_begin(struct exec_process *process, struct worker_call *call,
                        struct exec_command *command);

/* Starts it and waits for its end: OK whatever its exit status. TIMEOUT or CANCELLED: it was ended.
 * FAILED: it was not started, is lost, or printed too much. */
salvor_status exec_process_run(struct exec_process *process, uint32_t *ret_certainty);

/* Ends it if need be and frees what was read. */
void exec_process_end(struct exec_process *process);

#define cleanup_exec_process __attribute__((cleanup(exec_process_end)))

#endif
