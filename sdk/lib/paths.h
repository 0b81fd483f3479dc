/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Sets of JSON pointers followed while a document passes: a mask of the pointers that lead through
 * the present container, so that the rest of the document costs nothing. Internal.
 */
#ifndef SALVOR_LIB_PATHS_H
#define SALVOR_LIB_PATHS_H

#include <salvor/scan.h>

#define PATHS_LIMIT 32u
#define PATHS_WORDS 16u

struct paths {
    uint32_t count;
    uint32_t all; /* mask of all of them */
    struct {
        uint32_t length;
        const char *words[PATHS_WORDS]; /* decoded, in `memory` */
    } paths[PATHS_LIMIT];
    char *memory;
};

/* SALVOR_REFUSED: a bad pointer, or too many. SALVOR_FAILED: no memory. */
salvor_status paths_make(struct paths *paths, const char *const *pointers, size_t count);
void paths_free(struct paths *paths);

/*
 * What becomes of `mask` at the member `key` of a container at `level` (the outermost is 0); key
 * NULL: an element of an array. *ret_ended: the pointers that end there.
 */
static inline uint32_t paths_step(const struct paths *paths, uint32_t mask, uint32_t level,
                                  const struct salvor_token *key, uint32_t *ret_ended)
{
    uint32_t through = 0;
    uint32_t ended = 0;
    for (uint32_t left = mask; left != 0; left &= left - 1) {
        const uint32_t i = (uint32_t)__builtin_ctz(left);
        if (level >= paths->paths[i].length)
            continue;
        const char *word = paths->paths[i].words[level];
        if (key != NULL ? !salvor_token_is(key, word) : word[0] != '*' || word[1] != '\0')
            continue;
        if (level + 1 == paths->paths[i].length)
            ended |= UINT32_C(1) << i;
        else
            through |= UINT32_C(1) << i;
    }
    *ret_ended = ended;
    return through;
}

#endif
