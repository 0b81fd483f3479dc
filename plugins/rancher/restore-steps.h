/* Code of the rows that the paths of a restore share; the rows have the path's name in front. */
#ifndef SALVOR_RANCHER_RESTORE_STEPS_H
#define SALVOR_RANCHER_RESTORE_STEPS_H

#include <salvor/helpers.h>

/* {"backup":NAME,"archive":NAME of the archive to restore}: a backup of what stands now. */
salvor_status present_gather(salvor_call *call, const struct salvor_step *step, json_t *parameters);
salvor_status present_is_gathered(salvor_call *call, const struct salvor_step *step,
                                  json_t *parameters, uint32_t *ret_answer);

/* {"archive":NAME,"present":{"archive","sha256"}}: one phase of the native restore each. */
salvor_status restore_definitions(salvor_call *call, const struct salvor_step *step,
                                  json_t *parameters);
salvor_status definitions_are_restored(salvor_call *call, const struct salvor_step *step,
                                       json_t *parameters, uint32_t *ret_answer);
salvor_status restore_cluster_scoped(salvor_call *call, const struct salvor_step *step,
                                     json_t *parameters);
salvor_status cluster_scoped_are_restored(salvor_call *call, const struct salvor_step *step,
                                          json_t *parameters, uint32_t *ret_answer);
salvor_status restore_namespaced(salvor_call *call, const struct salvor_step *step,
                                 json_t *parameters);
salvor_status namespaced_are_restored(salvor_call *call, const struct salvor_step *step,
                                      json_t *parameters, uint32_t *ret_answer);

#endif
