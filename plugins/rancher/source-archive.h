/* Which artifact of the source is the archive, and with which configuration it opens. */
#ifndef SALVOR_RANCHER_SOURCE_ARCHIVE_H
#define SALVOR_RANCHER_SOURCE_ARCHIVE_H

#include <salvor/plugin.h>

#include "encryption-config.h"

#define ARTIFACT_NAME_SIZE 512u

/*
 * The archive named by the option 'archive', or the only one of the source. SALVOR_NOT_FOUND:
 * `problem` says why there is none.
 */
salvor_status source_archive_name(salvor_call *call, char name[ARTIFACT_NAME_SIZE],
                                  char problem[512]);

/* The configuration of the option 'encryption-config'; *ret_config is NULL when it is not given.
 * Its keys are redacted from now on. */
salvor_status source_encryption_config(salvor_call *call, struct encryption_config **ret_config);

#endif
