/*
 * A call without a worker: what services ask of core/worker/call.h, answered within the test. Sent
 * frames are kept for inspection; REQUESTs are answered by `answer`.
 */
#ifndef SALVOR_TESTS_PRACTICE_CALL_H
#define SALVOR_TESTS_PRACTICE_CALL_H

#include "worker/call.h"

struct practice {
    struct worker_session session;
    struct worker_call call;
    char *folder; /* everything of the run lies below it */
    char *scratch;
    json_t *frames; /* [{"type","body"}] in the order they were sent */
    /* Answers a REQUEST; NULL: refused. */
    json_t *(*answer)(struct practice *practice, const json_t *request);
    /* How the next waits end before anything is ready: 0 as they would. */
    salvor_status interrupt;
    int interrupt_after; /* waits that still work */
};

/* A run folder, effect change, a step "restore/stage/1" with job id "job-1", 60 s left. */
void practice_begin(struct practice *practice);
/* Closes the handles, keeps the run: the next call of the same run in another worker. */
void practice_next_call(struct practice *practice, uint32_t effect);
/* Closes the handles and removes the run. */
void practice_end(struct practice *practice);

/* The newest frame of that type, or NULL; borrowed. */
const json_t *practice_frame(const struct practice *practice, enum frame_type type);
size_t practice_frame_count(const struct practice *practice, enum frame_type type);
void practice_forget_frames(struct practice *practice);

static inline salvor_call *practice_call(struct practice *practice)
{
    return &practice->call.public;
}

/* setup and teardown of cmocka with a struct practice as state. */
int practice_setup(void **state);
int practice_teardown(void **state);

#endif
