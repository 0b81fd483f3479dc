/* The hooks, and the code of each row, one file a procedure. */
#ifndef SALVOR_EXAMPLE_PROCEDURES_H
#define SALVOR_EXAMPLE_PROCEDURES_H

#include <salvor/helpers.h>

salvor_status example_discover(salvor_call *call);
salvor_status example_observe(salvor_call *call, const char *names);
salvor_status example_validate(salvor_call *call, const struct salvor_request *request);
salvor_status example_plan_backup(salvor_call *call, const struct salvor_request *request);
salvor_status example_plan_restore(salvor_call *call, const struct salvor_request *request);
salvor_status example_plan_post_resync(salvor_call *call, const struct salvor_request *request);

/* Tables of row code, each with its size. */
extern const struct salvor_row_code backup_rows[];
extern const size_t backup_row_count;
extern const struct salvor_row_code restore_rows[];
extern const size_t restore_row_count;
extern const struct salvor_row_code post_resync_rows[];
extern const size_t post_resync_row_count;

/* Facts of the site. */
#define FACT_DATA_DIR "data-dir"             /* identity: absolute path */
#define FACT_DATA_DIR_STATE "data-dir-state" /* guard: "absent", or device and inode */

#endif
