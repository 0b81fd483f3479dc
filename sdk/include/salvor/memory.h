/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * salvor/memory.h - where the helper library gets its memory.
 *
 * All of libsalvor-plugin allocates through these functions and survives their failure: the
 * function that needed the memory says so, and nothing is left half done. A plugin may use them for
 * its own memory, to have the same tests find its own unhandled failures.
 */
#ifndef SALVOR_MEMORY_H
#define SALVOR_MEMORY_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct salvor_memory {
    void *(*allocate)(size_t size);
    void *(*resize)(void *memory, size_t size);
    void (*release)(void *memory);
};

/* Replaces the functions for the whole process (tests). NULL: malloc, realloc and free again. Not
 * while anything allocated before is still in use. */
void salvor_memory_use(const struct salvor_memory *functions);

/* As malloc, calloc, realloc, free; NULL when there is no memory. `size` is never 0. */
void *salvor_allocate(size_t size);
void *salvor_allocate_zeroed(size_t size);
void *salvor_resize(void *memory, size_t size);
void salvor_release(void *memory);

/* A copy of a text (or of its first `size` bytes, with a NUL added); NULL when there is no memory
 * or `text` is NULL. Released with salvor_release(). */
char *salvor_copy_text(const char *text);
char *salvor_copy_bytes(const char *data, size_t size);

#if defined(__GNUC__)
/* Owned locals release themselves: `salvor_auto_release char *name = salvor_copy_text(...);` */
static inline void salvor_auto_release_at(void *slot)
{
    salvor_release(*(void **)slot);
}
#define salvor_auto_release __attribute__((__cleanup__(salvor_auto_release_at)))
#define SALVOR_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))
#else
#define SALVOR_PRINTF(text, first)
#endif

#ifdef __cplusplus
}
#endif

#endif
