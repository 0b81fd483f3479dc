/* Where the configuration file is, and whether it may be trusted. */
#ifndef SALVOR_CONFIG_CONFIG_FILE_H
#define SALVOR_CONFIG_CONFIG_FILE_H

#include <stddef.h>

#include "base/error.h"

/*
 * Reads the file as config_load describes. *ret_path and *ret_text are NULL when there is no file;
 * both are owned by the caller.
 */
int config_file_read(const char *path, char **ret_path, char **ret_text, size_t *ret_size,
                     struct error *reterr);

#endif
