/* Several mistakes of one input, told together: nobody likes to fix them one by one. */
#ifndef SALVOR_CONFIG_PROBLEMS_H
#define SALVOR_CONFIG_PROBLEMS_H

#include <stddef.h>

#include "base/error.h"

enum { PROBLEMS_LIMIT = 100 }; /* further ones are counted only */

struct problem {
    char *message;
    char *hint; /* or NULL */
};

struct problems {
    struct problem *list;
    size_t count; /* of `list` */
    size_t total; /* with those past the limit */
};

#define PROBLEMS_INIT \
    {                 \
        NULL, 0, 0    \
    }

/* Adds one; `hint` may be NULL. Always returns -1. */
int problems_add(struct problems *problems, const char *hint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds what `err` says (its detail is joined to the message) and clears it. Always returns -1. */
int problems_add_error(struct problems *problems, struct error *err);

/* 0 when there are none; else -1 with one usage error: the first as message, the others as detail
 * lines, all hints once. */
int problems_error(const struct problems *problems, struct error *reterr);

void problems_clear(struct problems *problems);

#define cleanup_problems __attribute__((cleanup(problems_clear)))

#endif
