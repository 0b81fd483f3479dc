/*
 * A command that a plugin asked for on a host, checked against the contract of salvor.ssh and
 * against what the running row may do, and ready to be sent.
 */
#ifndef SALVOR_SERVICES_SSH_COMMAND_H
#define SALVOR_SERVICES_SSH_COMMAND_H

#include <jansson.h>
#include <stdint.h>

#include "services/ssh-script.h"
#include "services/ssh-target.h"
#include "worker/call.h"

enum { SSH_OUTPUT_DEFAULT = 1 << 20, SSH_OUTPUT_MOST = 1 << 30, SSH_WINDOWS_LINE = 8191 };

struct ssh_command {
    json_t *argv;         /* as asked for, for evidence and messages */
    char *text;           /* argv in one line, cut to a readable length */
    const char *declared; /* id of the declared read that it is, or NULL; borrowed */
    char *output_path;    /* relative to the scratch folder, or NULL */
    const char *scratch;  /* with output_path */
    uint64_t output_limit;
    int64_t timeout_ms;
    json_t *key; /* the canonical request, without secrets and without this run's paths */
    struct ssh_script_command script;
    char *script_text; /* owned; script points to it */
    char *script_name;
    struct salvor_span *input; /* secrets and input; script points to it */
};

/*
 * Checks `request` and fills `command` ({0}; clear it in any case). `job`: never a read. BUG for a
 * request that breaks the contract, REFUSED by the effect gate, UNSUPPORTED for what the host's
 * shell cannot do. The request must outlive the command.
 */
salvor_status ssh_command_make(struct worker_call *call, const struct ssh_target *target,
                               const struct salvor_exec_request *request, int job,
                               struct ssh_command *command);
void ssh_command_clear(struct ssh_command *command);

#define cleanup_ssh_command __attribute__((cleanup(ssh_command_clear)))

/* What the session is given: script or command line. Free with ssh_script_free. NULL with the
 * failure recorded. */
char *ssh_command_script(struct worker_call *call, const struct ssh_target *target,
                         const struct ssh_command *command, salvor_status *ret_status);

/* EVIDENCE of `what` ("run") on the host; `members` (object) is stolen. */
void ssh_evidence(struct worker_call *call, const struct ssh_target *target, const char *what,
                  json_t *members, int64_t duration_ms);
/* The same about a command. */
void ssh_command_evidence(struct worker_call *call, const struct ssh_target *target,
                          const struct ssh_command *command, const char *what, json_t *members,
                          int64_t duration_ms);

#endif
