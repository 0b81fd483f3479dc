/* Archives made in memory for the tests of the reader. */
#ifndef SALVOR_TESTS_ARCHIVES_H
#define SALVOR_TESTS_ARCHIVES_H

#include <stddef.h>

struct made {
    char *data; /* malloc()ed */
    size_t size;
};

struct made_member {
    const char *path; /* NULL ends the list */
    const char *data; /* NULL: a folder */
    size_t size;
    const char *link; /* symbolic link target, or NULL */
};

/* A tar with its end mark, without padding beyond it. */
struct made make_tar(const struct made_member *members);

/* Compressed as one gzip member. */
struct made make_gzip(const void *data, size_t size);

struct made make_joined(struct made first, struct made second);

#endif
