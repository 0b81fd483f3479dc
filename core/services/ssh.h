/* salvor.ssh: see sdk/include/salvor/services.h. */
#ifndef SALVOR_SERVICES_SSH_H
#define SALVOR_SERVICES_SSH_H

#include <salvor/services.h>

#include "services/ssh-key.h"
#include "services/ssh-target.h"
#include "worker/call.h"

extern const struct salvor_ssh ssh_table;

/* What a host handle of this call stands for; NULL with BUG recorded for any other pointer. */
struct ssh_host {
    struct ssh_target *target;
    struct ssh_key *key; /* NULL: the agent */
};
const struct ssh_host *ssh_host_of(struct worker_call *call, salvor_ssh_host *handle);

salvor_status ssh_run(salvor_call *call, salvor_ssh_host *host,
                      const struct salvor_exec_request *request,
                      struct salvor_exec_result *ret_result);
salvor_status ssh_submit(salvor_call *call, salvor_batch *batch, salvor_ssh_host *host,
                         uint64_t tag, const struct salvor_exec_request *request);
salvor_status ssh_job_start(salvor_call *call, salvor_ssh_host *host, const char *id,
                            const struct salvor_exec_request *request);
salvor_status ssh_job_poll(salvor_call *call, salvor_ssh_host *host, const char *id,
                           struct salvor_job_state *ret_state);
salvor_status ssh_job_wait(salvor_call *call, salvor_ssh_host *host, const char *id,
                           struct salvor_job_state *ret_state);
salvor_status ssh_job_kill(salvor_call *call, salvor_ssh_host *host, const char *id);
salvor_status ssh_put(salvor_call *call, salvor_ssh_host *host, const char *artifact,
                      const char *path, uint32_t mode);
salvor_status ssh_get(salvor_call *call, salvor_ssh_host *host, const char *path,
                      const char *artifact, const char *media_type, uint32_t flags);

#endif
