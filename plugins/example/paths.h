/*
 * What stands at a path of the member's machine, asked with `stat`: so it is evidence, and a
 * recording answers it as it was.
 */
#ifndef SALVOR_EXAMPLE_PATHS_H
#define SALVOR_EXAMPLE_PATHS_H

#include <salvor/helpers.h>
#include <stddef.h>

/* "absent" or "DEVICE:INODE" of the path itself, whatever a link leads to, into `buffer`. */
salvor_status path_state(salvor_call *call, const char *path, char *buffer, size_t size);

/* 1 in *ret_there when something is at the path, also a link that leads nowhere. */
salvor_status path_exists(salvor_call *call, const char *path, int *ret_there);

#endif
