/*
 * The worker as a process: the own program started anew, leader of its own process group, with a
 * socket, an eventfd for cancelling and a pipe for what it prints. Whatever the plugin does, the
 * whole group is gone and reaped after worker_process_end; detached jobs are in sessions of their
 * own and stay.
 */
#ifndef SALVOR_HOST_WORKER_PROCESS_H
#define SALVOR_HOST_WORKER_PROCESS_H

#include <sys/types.h>

#include "base/error.h"

struct worker_process {
    pid_t pid;     /* 0: none */
    int socket;    /* not blocking */
    int cancel_fd; /* eventfd */
    int output_fd; /* its stdout and stderr, not blocking */
};

#define WORKER_PROCESS_INIT \
    {                       \
        0, -1, -1, -1       \
    }

/* Neither core file nor ptrace unless `debug`. */
int worker_process_start(struct worker_process *process, int debug, struct error *reterr);

/* Makes the cancel descriptor readable, for good. */
void worker_process_cancel(const struct worker_process *process);

/* To the whole group. */
void worker_process_signal(const struct worker_process *process, int signal_number);

/* 1 when it has ended (it stays a zombie until worker_process_end). */
int worker_process_has_ended(const struct worker_process *process);

/* Kills what is left of the group, reaps all of it and closes the descriptors. Returns the wait
 * status of the worker itself. */
int worker_process_end(struct worker_process *process);

/*
 * Reaps what ended of the processes that this one inherited as a child subreaper: shims of commands
 * and detached jobs of workers that are gone. Not while this process awaits a child of its own that
 * is no worker: that one would be taken for an orphan.
 */
void worker_process_reap_orphans(void);

#endif
