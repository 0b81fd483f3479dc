/* Which members each frame must have (docs/internals.md, "Frames"). */
#ifndef SALVOR_WIRE_FRAME_RULES_H
#define SALVOR_WIRE_FRAME_RULES_H

#include "wire/frame.h"

/* 0 when `body` is what a worker may send as `type`; -1 with *reterr naming the member. Members
 * beyond the required ones are let through. */
int frame_check(enum frame_type type, const json_t *body, struct error *reterr);

#endif
