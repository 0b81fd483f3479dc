/* The beginning and the end of a call, for the dispatcher alone. */
#ifndef SALVOR_WORKER_CALL_LIFE_H
#define SALVOR_WORKER_CALL_LIFE_H

#include "worker/call.h"

/* `call` is zeroed and ready; from now on call_send works. */
void call_begin(struct worker_call *call, struct worker_session *session, uint32_t id);

/* Closes what the hook left open, newest first, while the call still works. */
void call_close_handles(struct worker_call *call);

/* Sends `last` (stolen) as the DONE frame; nothing of this call can be sent after it. */
void call_finish(struct worker_call *call, json_t *last);

/* Releases what is left of the call. */
void call_end(struct worker_call *call);

#endif
