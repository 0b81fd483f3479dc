/* Answers of commands on hosts in recordings, of run and submit alike. */
#ifndef SALVOR_SERVICES_SSH_RUN_H
#define SALVOR_SERVICES_SSH_RUN_H

#include "services/ssh-command.h"

/* Keeps the answer when this run records; returns `status`, or FAILED when it cannot be kept. */
salvor_status ssh_run_record(struct worker_call *call, const char *method,
                             const struct ssh_command *command, salvor_status status,
                             const struct salvor_exec_result *answer);

/* What was recorded; spans of *ret live as long as the call. */
salvor_status ssh_run_replay(struct worker_call *call, const char *method,
                             const struct ssh_command *command, struct salvor_exec_result *ret);

#endif
