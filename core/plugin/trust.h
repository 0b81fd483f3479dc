/*
 * May code be run from this file? It must belong to root or to the caller and nobody else may be
 * able to change it or to put another in its place.
 */
#ifndef SALVOR_PLUGIN_TRUST_H
#define SALVOR_PLUGIN_TRUST_H

#include "base/error.h"

/*
 * `path` is absolute without symbolic links (realpath). Looks at the file and at each folder above
 * it; a folder that others can write to is fine when it is sticky, as /tmp, because they cannot
 * rename what is not theirs. Refuses (exit code 2) as "refusing plugin 'NAME': ...".
 */
int trust_check(const char *name, const char *path, struct error *reterr);

#endif
