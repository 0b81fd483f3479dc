/* What jobs have in common, wherever they run: their ids, and their states in recordings. */
#ifndef SALVOR_SERVICES_JOB_STATE_H
#define SALVOR_SERVICES_JOB_STATE_H

#include <jansson.h>

#include "worker/call.h"

enum {
    JOB_TAIL = 65536,       /* of its outputs, in a state */
    JOB_KEPT_LEAST = 65536, /* of its outputs, on disk */
    /* Before the parent's own deadline for the call, so that PENDING still gets there. */
    JOB_DEADLINE_MARGIN_MS = 200
};

/* OK for an id that may be asked for; BUG recorded otherwise. `own`: it must be one of the running
 * step. */
salvor_status job_check_id(struct worker_call *call, const char *id, int own);

/* What recordings and replays call the job, since its id changes from run to run; owned by the
 * caller. */
json_t *job_key(const struct worker_call *call, const char *id);

/* "absent", "running", "ended", "lost" */
const char *job_state_word(uint32_t state);

/* 1 when the caller of a service has prepared it. */
int job_state_is_usable(const struct salvor_job_state *state);

/* For recordings and back; spans of *ret live as long as the call. */
json_t *job_state_answer(const struct worker_call *call, const struct salvor_job_state *state);
void job_state_from(struct worker_call *call, const json_t *answer, struct salvor_job_state *ret);

/* Adds how it ended to evidence about it. */
void job_state_evidence(const struct salvor_job_state *state, json_t *members);

#endif
