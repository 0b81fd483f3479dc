/* The procedures, the hooks that plan them, and the code of their rows. */
#ifndef SALVOR_RANCHER_PROCEDURES_H
#define SALVOR_RANCHER_PROCEDURES_H

#include <salvor/helpers.h>

#define PROCEDURE_NATIVE_BACKUP "native-backup"

#define RANCHER_PROCEDURES 4u
extern const struct salvor_procedure rancher_procedures[RANCHER_PROCEDURES];

/* 1: there is a procedure of that id. */
int procedure_exists(const char *id);

salvor_status rancher_plan_backup(salvor_call *call, const struct salvor_request *request);
salvor_status rancher_plan_restore(salvor_call *call, const struct salvor_request *request);

/* What the hooks run_step and check_step come down to. */
salvor_status rancher_run_step(salvor_call *call, const struct salvor_step *step);
salvor_status rancher_check_step(salvor_call *call, const struct salvor_step *step,
                                 uint32_t *ret_answer);

/* Code of the rows of the native backup. */
salvor_status native_gather(salvor_call *call, const struct salvor_step *step, json_t *parameters);
salvor_status native_is_gathered(salvor_call *call, const struct salvor_step *step,
                                 json_t *parameters, uint32_t *ret_answer);
salvor_status native_verify(salvor_call *call, const struct salvor_step *step, json_t *parameters);
salvor_status native_is_verified(salvor_call *call, const struct salvor_step *step,
                                 json_t *parameters, uint32_t *ret_answer);

#endif
