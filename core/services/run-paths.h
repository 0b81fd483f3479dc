/*
 * Where this run keeps its files, and how to speak of them in recordings, which must not name the
 * run: paths and the step's job id are hidden behind "{scratch}", "{artifacts}", "{run}", "{job}".
 */
#ifndef SALVOR_SERVICES_RUN_PATHS_H
#define SALVOR_SERVICES_RUN_PATHS_H

#include <jansson.h>
#include <stddef.h>

#include "worker/call.h"

/* The folder named by that member of OPEN, made if need be; NULL with the failure recorded. */
const char *run_folder(struct worker_call *call, const char *setting);

/* run_folder of "scratch_folder". */
const char *run_scratch_folder(struct worker_call *call);

/*
 * Bytes as JSON for a recording: a string with hidden paths; {"base64":…} when they are not UTF-8
 * text, {"verbatim":…} when they hold one of the marks already. run_paths_show undoes it: owned by
 * the caller, NUL-terminated.
 */
json_t *run_paths_hide(const struct worker_call *call, const char *data, size_t size);
char *run_paths_show(const struct worker_call *call, const json_t *hidden, size_t *ret_size);

/* The same for a word of a request; only ever compared, never shown. */
json_t *run_paths_hide_text(const struct worker_call *call, const char *text);

#endif
