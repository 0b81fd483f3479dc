/*
 * Strings on the heap. Running out of memory ends the process (a half-written message is worse
 * than a run that can be resumed), so that these never return NULL.
 */
#ifndef SALVOR_BASE_TEXT_H
#define SALVOR_BASE_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Prints "out of memory" without allocating and aborts. */
_Noreturn void out_of_memory(void);

/* As malloc, calloc and reallocarray, but never NULL for a non-zero size. Free with free(). */
void *memory_new(size_t count, size_t size) __attribute__((returns_nonnull));
void *memory_resize(void *memory, size_t count, size_t size);

/* New string, owned by the caller. */
char *text_copy(const char *text) __attribute__((returns_nonnull));
char *text_copy_span(const char *data, size_t size) __attribute__((returns_nonnull));
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));
char *text_vformat(const char *format, va_list args)
    __attribute__((format(printf, 1, 0), returns_nonnull));

/* 1 when equal; NULL equals only NULL. */
int text_equal(const char *a, const char *b);
int text_starts(const char *text, const char *prefix);
int text_ends(const char *text, const char *suffix);

/*
 * The candidate nearest to `name` by edit distance, or NULL when none is near enough to be what
 * the author of `name` meant. `candidates` ends with NULL. For "did you mean" hints.
 */
const char *text_nearest(const char *name, const char *const *candidates);

/* Parses a whole decimal number into *ret; -1 on any other text or overflow. */
int text_parse_integer(const char *text, int64_t *ret);

/* Milliseconds of "250ms", "30s", "5m", "2h" or "1d"; -1 on any other text. */
int text_parse_duration(const char *text, int64_t *ret_ms);

/* Bytes of "512", "64KiB", "10MiB", "2GiB" (also KB, MB, GB by thousands); -1 on other text. */
int text_parse_size(const char *text, int64_t *ret_bytes);

#endif
