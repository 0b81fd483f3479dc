/*
 * gzip in a thread of its own: one side gives bytes and takes compressed ones, and never waits
 * unless it wants to. The header is the operator's: no name, no time, no system.
 */
#ifndef SALVOR_RANCHER_GZIP_THREAD_H
#define SALVOR_RANCHER_GZIP_THREAD_H

#include <salvor/types.h>
#include <stddef.h>

struct gzip_thread;

/* NULL: no memory, or no thread. */
struct gzip_thread *gzip_thread_start(void);

/* 1: the bytes were taken (a copy); at most 128 KiB at once. 0: no room, take results first. */
int gzip_thread_give(struct gzip_thread *gzip, const void *data, size_t size);

/* Nothing more will be given. */
void gzip_thread_end(struct gzip_thread *gzip);

/* The next compressed block, until the next take. PENDING: none is ready (with `wait` 1: and
 * nothing is left to compress). END: after the last. FAILED: zlib failed. */
salvor_status gzip_thread_take(struct gzip_thread *gzip, int wait, const void **ret_data,
                               size_t *ret_size);

/* Joins the thread, whatever it was at. NULL is fine. */
void gzip_thread_stop(struct gzip_thread *gzip);

#endif
