/* The end of what a worker wrote to its stdout and stderr: all that a crash report needs of it. */
#ifndef SALVOR_HOST_TAIL_H
#define SALVOR_HOST_TAIL_H

#include <stddef.h>

enum { TAIL_SIZE = 65536 };

struct tail {
    char *data; /* NULL until something came */
    size_t size;
};

void tail_add(struct tail *tail, const char *data, size_t size);

/* The last `lines` lines, at most `limit` bytes, as valid UTF-8; NULL when nothing came. Owned by
 * the caller. */
char *tail_lines(const struct tail *tail, int lines, size_t limit);

void tail_clear(struct tail *tail);

#endif
