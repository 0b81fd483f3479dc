/* salvor.exec: see sdk/include/salvor/services.h. */
#ifndef SALVOR_SERVICES_EXEC_H
#define SALVOR_SERVICES_EXEC_H

#include <salvor/services.h>

extern const struct salvor_exec exec_table;

salvor_status exec_run(salvor_call *call, const struct salvor_exec_request *request,
                       struct salvor_exec_result *ret_result);
salvor_status exec_job_start(salvor_call *call, const char *id,
                             const struct salvor_exec_request *request);
salvor_status exec_job_poll(salvor_call *call, const char *id, struct salvor_job_state *ret_state);
salvor_status exec_job_wait(salvor_call *call, const char *id, struct salvor_job_state *ret_state);
salvor_status exec_job_kill(salvor_call *call, const char *id);

#endif
