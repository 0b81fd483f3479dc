/*
 * What the author of a plugin should know before anybody else does: everything that salvor would
 * refuse, and what is merely unwise. Nothing is run here; what the plugin says of itself when it is
 * loaded is brought by the caller.
 */
#ifndef SALVOR_PLUGIN_LINT_H
#define SALVOR_PLUGIN_LINT_H

#include <jansson.h>

#include "base/error.h"

struct lint_subject {
    const char *path;
    const json_t *descriptor;       /* as the loaded plugin gave it; NULL: it could not be loaded */
    const struct error *load_error; /* why; with `descriptor` NULL */
};

/*
 * All problems as a JSON array, owned by the caller: {"id","level":"error"|"warning","message",
 * "hint"}, in a fixed order. -1 only when the file is no shared object at all.
 */
int lint_file(const struct lint_subject *subject, json_t **ret_problems, struct error *reterr);

/* 1 when one of them is an error. */
int lint_failed(const json_t *problems);

#endif
