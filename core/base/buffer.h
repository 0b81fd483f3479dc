/* A growable byte buffer that never passes the size it was made for. */
#ifndef SALVOR_BASE_BUFFER_H
#define SALVOR_BASE_BUFFER_H

#include <stdarg.h>
#include <stddef.h>

struct buffer {
    char *data;      /* NUL-terminated once anything was added; NULL before */
    size_t size;     /* bytes used, without the NUL */
    size_t capacity; /* bytes allocated */
    size_t limit;    /* most bytes that it may hold */
};

#define BUFFER_INIT(max_bytes)  \
    {                           \
        NULL, 0, 0, (max_bytes) \
    }

/* Append; -1 when the limit would be passed (nothing is appended then), else 0. */
int buffer_append(struct buffer *buffer, const void *data, size_t size);
int buffer_append_text(struct buffer *buffer, const char *text);
int buffer_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for `size` more bytes at data + size, or NULL past the limit; then add to ->size. */
void *buffer_reserve(struct buffer *buffer, size_t size);

/* Drops the first `size` bytes (at most all). */
void buffer_consume(struct buffer *buffer, size_t size);

/* The text, owned by the caller (never NULL); the buffer is empty afterwards. */
char *buffer_take(struct buffer *buffer);

/* Releases the memory; the buffer can be used again with the same limit. */
void buffer_clear(struct buffer *buffer);

#define cleanup_buffer __attribute__((cleanup(buffer_clear)))

#endif
