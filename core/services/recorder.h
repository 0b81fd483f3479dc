/*
 * Record and replay of what services were answered (--record DIR, --replay DIR), so that a plugin
 * can be tested on the real worker without the platform. One JSON file an answer, named after
 * service, method, the digest of the canonical request, and how many times it was asked:
 *
 *   exec.run-0f3a52c1b7de-1.json
 *   {"recording":1,"sequence",  the place among all answers of the run, for people
 *    "service","method","request":{…},"status":number,"answer":{…}|null,
 *    "error":{"message","detail","hint"}|null,
 *    "file":{"name","size","sha256"}   beside it, what the command wrote to its output_path}
 *
 * How many times something was asked survives the worker in the run's folder, so that a replayed
 * run can be killed and resumed like any other. Values of secrets are redacted.
 */
#ifndef SALVOR_SERVICES_RECORDER_H
#define SALVOR_SERVICES_RECORDER_H

#include <jansson.h>

#include "base/error.h"
#include "worker/call.h"

/* From the body of OPEN: *ret_recorder is NULL when it names neither "record" nor "replay". */
int recorder_open(const json_t *open, struct recorder **ret_recorder, struct error *reterr);
void recorder_close(struct recorder *recorder);

/* NULL is neither. */
int recorder_records(const struct recorder *recorder);
int recorder_replays(const struct recorder *recorder);

/* A value was only now told to be secret (redact_add): takes it out of what is recorded already. -1
 * when a recording that may hold it cannot be written again. NULL does nothing. */
int recorder_hide_again(const struct recorder *recorder, struct error *reterr);

/*
 * Writes one answer: `status` with the failure recorded in `call` unless it is OK, `answer`
 * (stolen, may be NULL), and the file at `path` (NULL: none). `request` is borrowed. Returns
 * `status`, or FAILED when the recording cannot be written.
 */
salvor_status recorder_save(struct worker_call *call, const char *service, const char *method,
                            const json_t *request, salvor_status status, json_t *answer,
                            const char *path);

/*
 * The recorded answer to the same request. Returns the recorded status with its error recorded in
 * `call`; *ret_answer (may come back NULL) is the caller's. A file is copied to `path` when that is
 * not NULL. FAILED, naming the request and the nearest recorded one, when there is none.
 */
salvor_status recorder_replay(struct worker_call *call, const char *service, const char *method,
                              const json_t *request, const char *path, json_t **ret_answer);

#endif
