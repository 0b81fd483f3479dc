/* HTTP/1.1 messages as far as a proxy must know them: where the head ends and how the body does. */
#ifndef FAULT_PROXY_MESSAGE_H
#define FAULT_PROXY_MESSAGE_H

#include "fault-proxy/stream.h"

#include "base/buffer.h"

/* A message as it came: head, and as much of the body as was asked for. */
struct message {
    struct buffer head;  /* with the empty line at its end */
    struct buffer body;  /* raw: chunks with their sizes */
    struct buffer extra; /* read past the message's end: the next one's beginning */
};

#define MESSAGE_LIMIT ((size_t)256 << 20)
#define MESSAGE_INIT                                                                   \
    {                                                                                  \
        BUFFER_INIT(256 << 10), BUFFER_INIT(MESSAGE_LIMIT), BUFFER_INIT(MESSAGE_LIMIT) \
    }

/* Reads a head; 1, 0 when the stream ended before its first byte, or -1. */
int message_read_head(struct message *message, struct stream *stream);

/* Called with each piece of a body as it comes; non-zero ends the reading. */
typedef int message_sink(void *context, const char *data, size_t size);

/*
 * Reads the body. `is_answer`: without a length it lasts until the stream ends. `sink` NULL
 * collects it in message->body. 0, 1 when the stream's end was the body's, or -1.
 */
int message_read_body(struct message *message, struct stream *stream, int is_answer,
                      message_sink *sink, void *context);

/* A header's value, new; NULL when absent. */
char *message_header(const struct message *message, const char *name);

/* The body without chunk sizes, appended; -1 when it is malformed. */
int message_plain_body(const struct message *message, struct buffer *out);

/* Ready for the next message on the same stream: what was read too far becomes its beginning. */
void message_next(struct message *message);
void message_clear(struct message *message);

#endif
