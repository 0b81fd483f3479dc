#include "fault-proxy/message.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

enum { BLOCK_SIZE = 64 << 10 };

int message_read_head(struct message *message, struct stream *stream)
{
    char block[8192];
    for (;;) {
        struct buffer *from = &message->extra;
        const char *end = from->size < 4 ? NULL : memmem(from->data, from->size, "\r\n\r\n", 4);
        if (end != NULL) {
            size_t size = (size_t)(end - from->data) + 4;
            if (buffer_append(&message->head, from->data, size) != 0)
                return -1;
            buffer_consume(from, size);
            return 1;
        }
        if (from->size > message->head.limit)
            return -1;
        ssize_t got = stream_read(stream, block, sizeof block);
        if (got <= 0)
            return got == 0 && from->size == 0 ? 0 : -1;
        if (buffer_append(from, block, (size_t)got) != 0)
            return -1;
    }
}

char *message_header(const struct message *message, const char *name)
{
    size_t size = strlen(name);
    const char *at = strstr(message->head.data, "\r\n");
    while (at != NULL && at[2] != '\r') {
        at += 2;
        if (strncasecmp(at, name, size) == 0 && at[size] == ':') {
            at += size + 1;
            at += strspn(at, " \t");
            return text_copy_span(at, strcspn(at, "\r"));
        }
        at = strstr(at, "\r\n");
    }
    return NULL;
}

static int collect(void *context, const char *data, size_t size)
{
    return buffer_append(context, data, size);
}

/* Hands `size` bytes on, first from what is already there. */
static int pass(struct message *message, struct stream *stream, int64_t size, message_sink *sink,
                void *context)
{
    cleanup_free char *block = memory_new(BLOCK_SIZE, 1);
    while (size > 0) {
        if (message->extra.size == 0) {
            ssize_t got = stream_read(stream, block, BLOCK_SIZE);
            if (got <= 0 || buffer_append(&message->extra, block, (size_t)got) != 0)
                return -1;
        }
        size_t part = (int64_t)message->extra.size < size ? message->extra.size : (size_t)size;
        if (sink(context, message->extra.data, part) != 0)
            return -1;
        buffer_consume(&message->extra, part);
        size -= (int64_t)part;
    }
    return 0;
}

/* Hands a line with its end on and keeps its beginning in `line`. */
static int pass_line(struct message *message, struct stream *stream, char *line, size_t room,
                     message_sink *sink, void *context)
{
    char block[512];
    const char *end;
    while (message->extra.size == 0 ||
           (end = memchr(message->extra.data, '\n', message->extra.size)) == NULL) {
        ssize_t got = stream_read(stream, block, sizeof block);
        if (got <= 0 || buffer_append(&message->extra, block, (size_t)got) != 0)
            return -1;
    }
    size_t size = (size_t)(end - message->extra.data) + 1;
    size_t kept = size < room ? size : room - 1;
    memcpy(line, message->extra.data, kept);
    line[kept] = '\0';
    return pass(message, stream, (int64_t)size, sink, context);
}

static int pass_chunks(struct message *message, struct stream *stream, message_sink *sink,
                       void *context)
{
    char line[64];
    for (;;) {
        if (pass_line(message, stream, line, sizeof line, sink, context) != 0)
            return -1;
        char *end;
        long long size = strtoll(line, &end, 16);
        if (end == line || size < 0)
            return -1;
        if (size == 0)
            break;
        if (pass(message, stream, size + 2, sink, context) != 0)
            return -1;
    }
    do {
        if (pass_line(message, stream, line, sizeof line, sink, context) != 0)
            return -1;
    } while (line[0] != '\r' && line[0] != '\n');
    return 0;
}

static int pass_until_end(struct message *message, struct stream *stream, message_sink *sink,
                          void *context)
{
    cleanup_free char *block = memory_new(BLOCK_SIZE, 1);
    if (message->extra.size > 0 && sink(context, message->extra.data, message->extra.size) != 0)
        return -1;
    buffer_clear(&message->extra);
    ssize_t got;
    while ((got = stream_read(stream, block, BLOCK_SIZE)) > 0)
        if (sink(context, block, (size_t)got) != 0)
            return -1;
    return got < 0 ? -1 : 1;
}

int message_read_body(struct message *message, struct stream *stream, int is_answer,
                      message_sink *sink, void *context)
{
    if (sink == NULL) {
        sink = collect;
        context = &message->body;
    }
    cleanup_free char *coding = message_header(message, "Transfer-Encoding");
    if (coding != NULL && strcasecmp(coding, "chunked") == 0)
        return pass_chunks(message, stream, sink, context);
    cleanup_free char *length = message_header(message, "Content-Length");
    int64_t size;
    if (length != NULL)
        return text_parse_integer(length, &size) != 0 || size < 0
                   ? -1
                   : pass(message, stream, size, sink, context);
    return is_answer ? pass_until_end(message, stream, sink, context) : 0;
}

int message_plain_body(const struct message *message, struct buffer *out)
{
    cleanup_free char *coding = message_header(message, "Transfer-Encoding");
    if (message->body.size == 0)
        return 0;
    if (coding == NULL)
        return buffer_append(out, message->body.data, message->body.size);
    const char *at = message->body.data, *end = at + message->body.size;
    while (at < end) {
        char *number_end;
        long long size = strtoll(at, &number_end, 16);
        const char *line_end = memchr(number_end, '\n', (size_t)(end - number_end));
        if (size == 0 && line_end != NULL)
            return 0;
        if (line_end == NULL || size < 0 || size > end - line_end - 1 ||
            buffer_append(out, line_end + 1, (size_t)size) != 0)
            return -1;
        at = line_end + 1 + size + 2;
    }
    return -1;
}

void message_next(struct message *message)
{
    buffer_clear(&message->head);
    buffer_clear(&message->body);
}

void message_clear(struct message *message)
{
    message_next(message);
    buffer_clear(&message->extra);
}
