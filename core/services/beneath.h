/*
 * Files below a folder that a name may not leave: no "..", no absolute path, no symbolic link on
 * the way. Names come from plugins, manifests and vendor archives.
 */
#ifndef SALVOR_SERVICES_BENEATH_H
#define SALVOR_SERVICES_BENEATH_H

#include <sys/types.h>

#include "base/error.h"

enum { BENEATH_NAME_LIMIT = 1024 };

/* 0 when `name` is a relative path of parts that are neither empty, "." nor "..". `strict`: parts
 * of [A-Za-z0-9._-] only, not beginning with a dot. -1 with *reterr naming it. */
int beneath_check(const char *name, int strict, struct error *reterr);

/* The part of `path` below `folder`: `path` itself when it is relative, NULL when it is elsewhere.
 */
const char *beneath_relative(const char *folder, const char *path);

/* open() below `folder` (descriptor), close-on-exec added; -1 with errno, ELOOP or ENOTDIR for a
 * link on the way. */
int beneath_open(int folder, const char *name, int flags, mode_t mode);

/* Makes the folders that `name` stands in, mode 0700; -1 with errno. */
int beneath_make_parents(int folder, const char *name);

/* Descriptor of the folder that `name` stands in; *ret_last points at its last part. -1 with errno.
 */
int beneath_open_parent(int folder, const char *name, const char **ret_last);

#endif
