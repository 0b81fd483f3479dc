/* The first record of a run: everything that a resume needs to know of the request. */
#ifndef SALVOR_ENGINE_RUN_RECORD_H
#define SALVOR_ENGINE_RUN_RECORD_H

#include <jansson.h>

#include "engine/engine.h"

/* Owned by the caller; members in docs/internals.md, "Journal records". */
json_t *run_record_make(const struct engine_request *request, const char *id);

#endif
