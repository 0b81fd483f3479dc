/* Where the standard output of a command on a host goes: memory, or a file below the scratch
 * folder; more than its limit is an error, never cut. */
#ifndef SALVOR_SERVICES_SSH_OUTPUT_H
#define SALVOR_SERVICES_SSH_OUTPUT_H

#include "base/buffer.h"
#include "services/ssh-command.h"

struct ssh_output {
    const struct ssh_command *command;
    int file; /* -1: kept in memory */
    struct buffer kept;
    uint64_t bytes;
};

#define SSH_OUTPUT_INIT                        \
    {                                          \
        NULL, -1, BUFFER_INIT(SIZE_MAX / 2), 0 \
    }

int ssh_output_open(struct ssh_output *output, const struct ssh_command *command,
                    struct error *reterr);

/* For struct ssh_session_request; data: the output. */
int ssh_output_take(void *data, const char *bytes, size_t size, struct error *reterr);

void ssh_output_clear(struct ssh_output *output);

#define cleanup_ssh_output __attribute__((cleanup(ssh_output_clear)))

#endif
