/* The parts that the descriptor joins: hooks, and the code of the rows of each procedure. */
#ifndef NSX_ANTREA_PROCEDURES_H
#define NSX_ANTREA_PROCEDURES_H

#include <salvor/steps.h>

salvor_status nsx_discover(salvor_call *call);

salvor_status nsx_plan_backup(salvor_call *call, const struct salvor_request *request);

extern const struct salvor_row_code backup_rows[];
extern const size_t backup_row_count;

#endif
