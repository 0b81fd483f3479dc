/* Bytes of unknown origin as text that JSON and terminals can hold. */
#ifndef SALVOR_BASE_UTF8_H
#define SALVOR_BASE_UTF8_H

#include <stddef.h>

/* 1 when `data` is UTF-8 without NUL (surrogates and overlong forms are not). */
int utf8_valid(const char *data, size_t size);

/* New text, owned by the caller: every byte that is not part of valid UTF-8, and every control
 * character except newline and tab, becomes U+FFFD. */
char *utf8_clean(const char *data, size_t size);

/* The largest n <= size that does not end inside a character of `data`. */
size_t utf8_cut(const char *data, size_t size);

#endif
