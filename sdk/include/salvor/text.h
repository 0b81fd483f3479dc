/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * salvor/text.h - a growing text with a limit, for request bodies, messages and argument lists.
 *
 * A failure (no memory, limit reached) sticks: later additions do nothing, and it is enough to ask
 * once at the end, with salvor_text_get() or salvor_text_check().
 */
#ifndef SALVOR_TEXT_H
#define SALVOR_TEXT_H

#include <salvor/memory.h>
#include <salvor/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct salvor_text {
    char *data; /* NUL-terminated once something was added */
    size_t size;
    size_t capacity;
    size_t limit;    /* most bytes it may hold */
    uint32_t failed; /* SALVOR_OK, SALVOR_REFUSED (limit) or SALVOR_FAILED (no memory) */
};

#define SALVOR_TEXT_INIT(limit_bytes)  \
    {                                  \
        NULL, 0, 0, (limit_bytes), 0u, \
    }

void salvor_text_add(struct salvor_text *text, const void *data, size_t size);
void salvor_text_put(struct salvor_text *text, const char *string);
void salvor_text_span(struct salvor_text *text, struct salvor_span span);
void salvor_text_format(struct salvor_text *text, const char *format, ...) SALVOR_PRINTF(2, 3);

/* Adds `data` as a JSON string, quotes included. Bytes that are no UTF-8 become U+FFFD. */
void salvor_text_quote(struct salvor_text *text, const char *data, size_t size);

/* Adds `string` as one word of a URL path or query: all but [A-Za-z0-9._~-] percent-encoded. */
void salvor_text_encode(struct salvor_text *text, const char *string);

/* Room for `size` more bytes at data + size (to be followed by adding to ->size), or NULL. */
char *salvor_text_reserve(struct salvor_text *text, size_t size);

/* The text, "" when empty; NULL after a failure. */
const char *salvor_text_get(const struct salvor_text *text);
struct salvor_span salvor_text_as_span(const struct salvor_text *text);

/* SALVOR_OK, or the failure reported as being about `what`, and returned. */
salvor_status salvor_text_check(salvor_call *call, const struct salvor_text *text,
                                const char *what);

/* Empties it and forgets a failure; the memory is kept. */
void salvor_text_reset(struct salvor_text *text);

/* Releases the memory; the text can be used again. */
void salvor_text_clear(struct salvor_text *text);

#if defined(__GNUC__)
#define salvor_auto_text __attribute__((__cleanup__(salvor_text_clear)))
#endif

#ifdef __cplusplus
}
#endif

#endif
