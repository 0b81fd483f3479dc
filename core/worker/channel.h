/* The worker's end of the socket. The parent being gone, or no longer speaking our frames, ends the
 * process: nothing that it could still do would be seen. */
#ifndef SALVOR_WORKER_CHANNEL_H
#define SALVOR_WORKER_CHANNEL_H

#include <jansson.h>
#include <stdint.h>

#include "wire/frame.h"

/* Remembers which socket it is, so that a descriptor that a plugin closed and something else took
 * over is never written to. */
void channel_open(int socket);

/* One whole frame; `body` is borrowed. Not for two threads at once. */
void channel_send(enum frame_type type, uint32_t call, const json_t *body);

/* Waits for the next frame; 0 at the end of the stream. */
int channel_receive(struct frame *ret_frame);

/* 1 when a whole frame was received along with an earlier one; reads nothing. */
int channel_take(struct frame *ret_frame);

/* 1 when a small frame can be sent without waiting for salvor to read earlier ones. */
int channel_has_room(void);

/* Ends the process; the parent finds `reason` in its stderr. */
_Noreturn void channel_lost(const char *reason);

#endif
