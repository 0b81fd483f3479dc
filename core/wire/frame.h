/*
 * Frames between parent and worker: see docs/internals.md, "Frames". The parser trusts nothing.
 */
#ifndef SALVOR_WIRE_FRAME_H
#define SALVOR_WIRE_FRAME_H

#include <jansson.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

enum { FRAME_HEADER_SIZE = 12, FRAME_PAYLOAD_LIMIT = 1 << 20, FRAME_PARTS_LIMIT = 64 << 20 };

enum frame_type {
    /* parent to worker */
    FRAME_OPEN = 1,
    FRAME_CALL = 2,
    FRAME_REPLY = 3,
    FRAME_CLOSE = 4,
    FRAME_PART = 5, /* a piece of the next frame, see frame_encode_parts */
    FRAME_TELL = 6, /* to a service call under way */
    /* worker to parent */
    FRAME_READY = 101,
    FRAME_REFUSED = 102,
    FRAME_LOG = 103,
    FRAME_PROGRESS = 104,
    FRAME_ITEM = 105,
    FRAME_FACT = 106,
    FRAME_FINDING = 107,
    FRAME_PLAN = 108,
    FRAME_NOTE = 109,
    FRAME_RESULT = 110,
    FRAME_ARTIFACT = 111,
    FRAME_EVIDENCE = 112,
    FRAME_LEDGER = 113,
    FRAME_REQUEST = 114,
    FRAME_STATE = 115, /* how a service call under way stands */
    FRAME_DONE = 120
};

struct frame {
    enum frame_type type;
    uint32_t call; /* 0 outside a call */
    json_t *body;  /* a JSON object, owned by the holder of the frame */
};

/* "plan" for FRAME_PLAN; "unknown" for other numbers. */
const char *frame_type_name(unsigned type);

/* Appends header and payload to `out`; -1 when the payload passes the limit. `body` is borrowed. */
int frame_encode(struct buffer *out, enum frame_type type, uint32_t call, const json_t *body,
                 struct error *reterr);

/*
 * The same for what may not fit into one frame, up to FRAME_PARTS_LIMIT: PART frames with pieces of
 * the body's text ({"text"}), then a frame of `type` whose body is {"parts":how many}. Parent to
 * worker only: facts, results and lists of artifacts grow with the run.
 */
int frame_encode_parts(struct buffer *out, enum frame_type type, uint32_t call, const json_t *body,
                       struct error *reterr);

/*
 * The other end of it, fed with every frame in order. `parts` collects text and is the receiver's
 * (limit FRAME_PARTS_LIMIT); *frame is emptied when it was a part (returns 0) and gets its whole
 * body when it was the last (returns 1, as for frames that never were in parts); -1: not sound.
 */
struct frame_parts {
    struct buffer text;
    int64_t count;
};
int frame_join(struct frame_parts *parts, struct frame *frame, struct error *reterr);

/*
 * Takes the first whole frame from `in`. 1: *ret_frame is filled and its bytes are consumed;
 * 0: more bytes are needed; -1: not a frame (unknown type, flags set, too large, not a JSON object,
 * duplicate keys, nesting deeper than jansson's limit): the stream is lost.
 */
int frame_decode(struct buffer *in, struct frame *ret_frame, struct error *reterr);

void frame_clear(struct frame *frame);

#endif
