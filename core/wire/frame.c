#include "wire/frame.h"

#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"

static const struct {
    enum frame_type type;
    const char *name;
} frame_names[] = {
    {FRAME_OPEN, "open"},         {FRAME_CALL, "call"},         {FRAME_REPLY, "reply"},
    {FRAME_CLOSE, "close"},       {FRAME_PART, "part"},         {FRAME_READY, "ready"},
    {FRAME_REFUSED, "refused"},   {FRAME_LOG, "log"},           {FRAME_PROGRESS, "progress"},
    {FRAME_ITEM, "item"},         {FRAME_FACT, "fact"},         {FRAME_FINDING, "finding"},
    {FRAME_PLAN, "plan"},         {FRAME_NOTE, "note"},         {FRAME_RESULT, "result"},
    {FRAME_ARTIFACT, "artifact"}, {FRAME_EVIDENCE, "evidence"}, {FRAME_LEDGER, "ledger"},
    {FRAME_REQUEST, "request"},   {FRAME_DONE, "done"},         {FRAME_TELL, "tell"},
    {FRAME_STATE, "state"},
};

enum { FRAME_NAME_COUNT = sizeof frame_names / sizeof frame_names[0] };

static const char *known_name(unsigned type)
{
    for (size_t i = 0; i < FRAME_NAME_COUNT; i++) {
        if (frame_names[i].type == type)
            return frame_names[i].name;
    }
    return NULL;
}

const char *frame_type_name(unsigned type)
{
    const char *name = known_name(type);
    return name != NULL ? name : "unknown";
}

static void store_u16(unsigned char *bytes, unsigned value)
{
    bytes[0] = (unsigned char)(value & 0xff);
    bytes[1] = (unsigned char)(value >> 8 & 0xff);
}

static void store_u32(unsigned char *bytes, uint32_t value)
{
    store_u16(bytes, value & 0xffff);
    store_u16(bytes + 2, value >> 16);
}

static unsigned load_u16(const unsigned char *bytes)
{
    return (unsigned)bytes[0] | (unsigned)bytes[1] << 8;
}

static uint32_t load_u32(const unsigned char *bytes)
{
    return (uint32_t)load_u16(bytes) | (uint32_t)load_u16(bytes + 2) << 16;
}

struct sink {
    struct buffer *out;
    size_t size; /* payload bytes so far */
};

static int append_payload(const char *data, size_t size, void *context)
{
    struct sink *sink = context;
    if (size > FRAME_PAYLOAD_LIMIT - sink->size || buffer_append(sink->out, data, size) != 0)
        return -1;
    sink->size += size;
    return 0;
}

int frame_encode(struct buffer *out, enum frame_type type, uint32_t call, const json_t *body,
                 struct error *reterr)
{
    const size_t start = out->size;
    unsigned char header[FRAME_HEADER_SIZE] = {0};
    struct sink sink = {out, 0};
    if (buffer_append(out, header, sizeof header) != 0 ||
        json_dump_callback(body, append_payload, &sink, JSON_COMPACT) != 0) {
        out->size = start;
        if (out->data != NULL)
            out->data[start] = '\0';
        return error_set(reterr, EXIT_FAILED, "cannot send a '%s' frame: it passes %d bytes",
                         frame_type_name(type), (int)FRAME_PAYLOAD_LIMIT);
    }
    unsigned char *bytes = (unsigned char *)out->data + start;
    store_u32(bytes, (uint32_t)sink.size);
    store_u16(bytes + 4, type);
    store_u32(bytes + 8, call);
    return 0;
}

int frame_decode(struct buffer *in, struct frame *ret_frame, struct error *reterr)
{
    if (in->size < FRAME_HEADER_SIZE)
        return 0;
    const unsigned char *bytes = (const unsigned char *)in->data;
    const uint32_t size = load_u32(bytes);
    const unsigned type = load_u16(bytes + 4);
    const unsigned flags = load_u16(bytes + 6);
    const uint32_t call = load_u32(bytes + 8);
    const char *name = known_name(type);
    if (name == NULL)
        return error_set(reterr, EXIT_FAILED, "not a frame: unknown type %u", type);
    if (flags != 0)
        return error_set(reterr, EXIT_FAILED, "not a '%s' frame: unknown flags 0x%x", name, flags);
    if (size > FRAME_PAYLOAD_LIMIT)
        return error_set(reterr, EXIT_FAILED,
                         "not a '%s' frame: a payload of %u bytes passes the limit of %d", name,
                         size, (int)FRAME_PAYLOAD_LIMIT);
    if (in->size - FRAME_HEADER_SIZE < size)
        return 0;
    json_error_t problem;
    cleanup_json json_t *body =
        json_loadb(in->data + FRAME_HEADER_SIZE, size, JSON_REJECT_DUPLICATES, &problem);
    if (body == NULL)
        return error_set(reterr, EXIT_FAILED, "not a '%s' frame: payload is not JSON: %s", name,
                         problem.text);
    if (!json_is_object(body))
        return error_set(reterr, EXIT_FAILED, "not a '%s' frame: payload is not a JSON object",
                         name);
    buffer_consume(in, FRAME_HEADER_SIZE + (size_t)size);
    *ret_frame = (struct frame){(enum frame_type)type, call, take_pointer(body)};
    return 1;
}

void frame_clear(struct frame *frame)
{
    json_decref(frame->body);
    frame->body = NULL;
}
