/*
 * A command that a plugin asked for, checked against the contract of salvor.exec and against what
 * the running row may do, and ready to be started.
 */
#ifndef SALVOR_SERVICES_EXEC_COMMAND_H
#define SALVOR_SERVICES_EXEC_COMMAND_H

#include <jansson.h>
#include <stdint.h>

#include "services/shim-spawn.h"
#include "services/shim-spec.h"
#include "worker/call.h"

enum { EXEC_OUTPUT_DEFAULT = 1 << 20, EXEC_OUTPUT_MOST = 1 << 30, EXEC_ERROR_KEPT = 65536 };

struct exec_command {
    json_t *argv;      /* as asked for: without paths of secrets; for evidence and messages */
    char *text;        /* argv in one line, cut to a readable length */
    json_t *spec;      /* for the shim */
    char *output_path; /* relative to the scratch folder, or NULL */
    const char *scratch;
    const char *declared; /* id of the declared read that it is, or NULL; borrowed */
    uint64_t output_limit;
    int64_t timeout_ms; /* 0: what the call has left */
    /* What the shim is given beside spec and socket; owned. */
    struct shim_fd fds[SHIM_SECRETS + 4];
    size_t fd_count;
    json_t *key; /* the canonical request, without secrets and without this run's paths */
};

#define EXEC_COMMAND_INIT                                             \
    {                                                                 \
        NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, {{-1, -1}}, 0, NULL \
    }

/*
 * Checks `request` and fills `command` (EXEC_COMMAND_INIT; clear it in any case). `job`: for a job,
 * which is never a read. BUG for a request that breaks the contract, REFUSED by the effect gate,
 * FAILED when the program is not there.
 */
salvor_status exec_command_make(struct worker_call *call, const struct salvor_exec_request *request,
                                int job, struct exec_command *command);

/* Opens descriptors for input and secrets; after the gate and only when it is really started. */
salvor_status exec_command_attach(struct worker_call *call,
                                  const struct salvor_exec_request *request,
                                  struct exec_command *command);

void exec_command_clear(struct exec_command *command);

/* The absolute path of a program, looked up in `path` (NULL or "": the usual folders) unless `name`
 * begins with a slash; NULL when it is not there. Owned by the caller. */
char *exec_find_program(const char *name, const char *path);

#define cleanup_exec_command __attribute__((cleanup(exec_command_clear)))

/* EVIDENCE of `what` ("run") about the command; `members` (object) is stolen. */
void exec_evidence(struct worker_call *call, const struct exec_command *command, const char *what,
                   json_t *members, int64_t duration_ms);

#endif
