/* Any bytes as a worker's side of the socket, fed in two pieces; every frame taken is sent back. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "wire/frame-rules.h"
#include "wire/frame.h"

#include "base/banned.h"

enum { ROOM = 2 * (FRAME_PAYLOAD_LIMIT + FRAME_HEADER_SIZE) };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int drain(struct buffer *in, struct frame_parts *parts)
{
    for (;;) {
        struct frame frame = {0};
        cleanup_error struct error err = ERROR_INIT;
        const size_t before = in->size;
        int got = frame_decode(in, &frame, &err);
        if (got != 1) {
            if (in->size != before || frame.body != NULL || (got < 0) != error_is_set(&err))
                abort();
            return got;
        }
        if (in->size >= before || !json_is_object(frame.body))
            abort();
        (void)frame_check(frame.type, frame.body, NULL);
        cleanup_buffer struct buffer out = BUFFER_INIT(ROOM);
        struct frame again = {0};
        if (frame_encode(&out, frame.type, frame.call, frame.body, NULL) == 0) {
            if (frame_decode(&out, &again, NULL) != 1 || again.type != frame.type ||
                again.call != frame.call || !json_equal(again.body, frame.body))
                abort();
            frame_clear(&again);
        }
        const int joined = frame_join(parts, &frame, NULL);
        if ((joined == 1) != (frame.body != NULL) || (joined == 1 && !json_is_object(frame.body)))
            abort();
        frame_clear(&frame);
        if (joined < 0)
            return -1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_buffer struct buffer in = BUFFER_INIT(ROOM);
    struct frame_parts parts = {BUFFER_INIT(FRAME_PARTS_LIMIT), 0};
    const size_t half = size > 0 ? data[0] % size : 0;
    if (buffer_append(&in, data, half) == 0 && drain(&in, &parts) == 0 &&
        buffer_append(&in, data + half, size - half) == 0)
        (void)drain(&in, &parts);
    buffer_clear(&parts.text);
    return 0;
}
