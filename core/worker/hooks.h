/* One CALL frame: prepares the call, runs the hook, looks after what it left, answers DONE. */
#ifndef SALVOR_WORKER_HOOKS_H
#define SALVOR_WORKER_HOOKS_H

#include "wire/frame.h"
#include "worker/call.h"

/* Takes the frame's body. 1: the worker can take the next call; 0: it must end (a thread of the
 * plugin may still run). */
int hooks_run(struct worker_session *session, struct frame *frame);

#endif
