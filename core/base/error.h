/*
 * What went wrong, for the person who reads it: one short line naming the thing and the cause,
 * an optional detail, an optional hint with the next step, and the exit code that it leads to.
 *
 * Functions that can fail take `struct error *reterr` last, return 0 or a value on success and
 * -1 or NULL on failure, and fill *reterr on failure only. A function returns its error or prints
 * it, never both.
 */
#ifndef SALVOR_BASE_ERROR_H
#define SALVOR_BASE_ERROR_H

#include <stdarg.h>
#include <stddef.h>

#include "base/exit-code.h"

struct error {
    enum exit_code code;
    char *message; /* lower case, subject in single quotes, no full stop; NULL: no error */
    char *detail;  /* or NULL */
    char *hint;    /* or NULL */
};

#define ERROR_INIT                  \
    {                               \
        EXIT_DONE, NULL, NULL, NULL \
    }

/* Fills `err` (which may be NULL: the error is dropped). Always returns -1. errno is kept. */
int error_set(struct error *err, enum exit_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As error_set, with ": " and the text of `errnum` appended. Always returns -1. */
int error_errno(struct error *err, enum exit_code code, int errnum, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Adds or replaces the detail or hint line of an error already set. Always returns -1. */
int error_detail(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
int error_hint(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "PREFIX: " before the message. Always returns -1. */
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Moves `from` into `to` (NULL: dropped) and leaves `from` empty. Always returns -1. */
int error_move(struct error *to, struct error *from);

/* Releases the texts and empties the error; usable on a zeroed one. */
void error_clear(struct error *err);

static inline int error_is_set(const struct error *err)
{
    return err->message != NULL;
}

/* What the analyzer cannot see from another file. */
#ifdef __clang_analyzer__
static inline int error_returned(int result)
{
    (void)result;
    return -1;
}
#define error_set(...) error_returned((error_set)(__VA_ARGS__))
#define error_errno(...) error_returned((error_errno)(__VA_ARGS__))
#define error_detail(...) error_returned((error_detail)(__VA_ARGS__))
#define error_hint(...) error_returned((error_hint)(__VA_ARGS__))
#define error_prefix(...) error_returned((error_prefix)(__VA_ARGS__))
#define error_move(...) error_returned((error_move)(__VA_ARGS__))
#endif

#define cleanup_error __attribute__((cleanup(error_clear)))

#endif
