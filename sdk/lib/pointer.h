/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* JSON pointers word by word; internal to the helper library. */
#ifndef SALVOR_LIB_POINTER_H
#define SALVOR_LIB_POINTER_H

#include <stddef.h>

#define POINTER_WORD_LIMIT 512

/* Takes the next "/word" off *path, decoded, with a NUL. -1: no slash, a bad escape, too long. */
static inline int pointer_next(const char **path, char word[POINTER_WORD_LIMIT])
{
    const char *at = *path;
    size_t size = 0;
    if (*at++ != '/')
        return -1;
    while (*at != '\0' && *at != '/') {
        char c = *at++;
        if (c == '~') {
            if (*at != '0' && *at != '1')
                return -1;
            c = *at++ == '0' ? '~' : '/';
        }
        if (size + 1 >= POINTER_WORD_LIMIT)
            return -1;
        word[size++] = c;
    }
    word[size] = '\0';
    *path = at;
    return 0;
}

/* Is `word` the index `index` as RFC 6901 writes it? */
static inline int pointer_is_index(const char *word, unsigned long index)
{
    char digits[24];
    size_t size = sizeof digits;
    digits[--size] = '\0';
    do {
        digits[--size] = (char)('0' + index % 10);
        index /= 10;
    } while (index > 0);
    const char *expected = digits + size;
    while (*word != '\0' && *word == *expected) {
        word++;
        expected++;
    }
    return *word == *expected;
}

#endif
