#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"
#include "wire/frame.h"

/* JSON text inside a JSON string at most doubles: only quotes and backslashes are escaped again. */
enum { PIECE_SIZE = FRAME_PAYLOAD_LIMIT / 2 - 64 };

static int64_t encode_pieces(struct buffer *out, uint32_t call, const char *text, size_t size,
                             struct error *reterr)
{
    int64_t count = 0;
    while (size > 0) {
        const size_t piece = utf8_cut(text, size < PIECE_SIZE ? size : PIECE_SIZE);
        cleanup_json json_t *body = json_make("{s:s%}", "text", text, piece);
        if (frame_encode(out, FRAME_PART, call, body, reterr) != 0)
            return -1;
        text += piece;
        size -= piece;
        count++;
    }
    return count;
}

int frame_encode_parts(struct buffer *out, enum frame_type type, uint32_t call, const json_t *body,
                       struct error *reterr)
{
    cleanup_error struct error err = ERROR_INIT;
    const size_t start = out->size;
    if (frame_encode(out, type, call, body, &err) == 0)
        return 0;
    cleanup_free char *text = json_canonical(body);
    const size_t size = strlen(text);
    if (size > FRAME_PARTS_LIMIT)
        return error_set(reterr, EXIT_FAILED, "cannot send a '%s' frame: %zu bytes pass %d",
                         frame_type_name(type), size, (int)FRAME_PARTS_LIMIT);
    const int64_t count = encode_pieces(out, call, text, size, reterr);
    cleanup_json json_t *last = json_make("{s:I}", "parts", (json_int_t)count);
    if (count < 0 || frame_encode(out, type, call, last, reterr) != 0) {
        out->size = start;
        return -1;
    }
    return 0;
}

static int add_piece(struct frame_parts *parts, const struct frame *frame, struct error *reterr)
{
    const json_t *text = json_object_get(frame->body, "text");
    if (!json_is_string(text))
        return error_set(reterr, EXIT_FAILED, "a 'part' frame without a text");
    if (buffer_append(&parts->text, json_string_value(text), json_string_length(text)) != 0)
        return error_set(reterr, EXIT_FAILED, "more parts of a frame than %d bytes",
                         (int)FRAME_PARTS_LIMIT);
    parts->count++;
    return 0;
}

int frame_join(struct frame_parts *parts, struct frame *frame, struct error *reterr)
{
    json_error_t problem;
    if (frame->type == FRAME_PART) {
        const int added = add_piece(parts, frame, reterr);
        frame_clear(frame);
        return added;
    }
    if (parts->count == 0)
        return 1;
    const int64_t announced = json_whole(frame->body, "parts", -1);
    const int64_t count = parts->count;
    json_t *whole =
        json_loadb(parts->text.data, parts->text.size, JSON_REJECT_DUPLICATES, &problem);
    buffer_clear(&parts->text);
    parts->count = 0;
    frame_clear(frame);
    if (announced != count || !json_is_object(whole)) {
        json_decref(whole);
        return error_set(reterr, EXIT_FAILED, "a '%s' frame whose parts do not fit together",
                         frame_type_name(frame->type));
    }
    frame->body = whole;
    return 1;
}
