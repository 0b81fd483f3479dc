/* One end of a connection, plain or TLS, with blocking reads and writes that end by a deadline. */
#ifndef FAULT_PROXY_STREAM_H
#define FAULT_PROXY_STREAM_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <sys/types.h>

struct stream {
    int fd;
    SSL *ssl;    /* NULL: plain */
    int stop_fd; /* readable when everything ends: reads fail then */
};

/* Bytes read, 0 at the end, -1 on failure. */
ssize_t stream_read(struct stream *stream, void *data, size_t size);
/* All or -1. */
int stream_write(struct stream *stream, const void *data, size_t size);

/* Waits `ms` (0: for ever) unless the other side leaves or everything ends before; 1 when the time
 * has passed. */
int stream_wait(const struct stream *stream, long ms);

/* Orderly end; or a TCP reset. */
void stream_close(struct stream *stream);
void stream_reset(struct stream *stream);

#endif
