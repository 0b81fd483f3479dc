/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "paths.h"

#include <salvor/memory.h>

#include <string.h>

#include "pointer.h"

salvor_status paths_make(struct paths *paths, const char *const *pointers, size_t count)
{
    memset(paths, 0, sizeof *paths);
    if (count > PATHS_LIMIT)
        return SALVOR_REFUSED;
    size_t size = 1;
    for (size_t i = 0; i < count; i++)
        size += strlen(pointers[i]) + 1;
    paths->memory = salvor_allocate(size);
    if (paths->memory == NULL)
        return SALVOR_FAILED;
    char *room = paths->memory;
    for (size_t i = 0; i < count; i++) {
        const char *path = pointers[i];
        uint32_t length = 0;
        do {
            char word[POINTER_WORD_LIMIT];
            if (length == PATHS_WORDS || pointer_next(&path, word) != 0) {
                paths_free(paths);
                return SALVOR_REFUSED;
            }
            const size_t word_size = strlen(word) + 1;
            memcpy(room, word, word_size);
            paths->paths[i].words[length++] = room;
            room += word_size;
        } while (*path != '\0');
        paths->paths[i].length = length;
        paths->all |= UINT32_C(1) << i;
    }
    paths->count = (uint32_t)count;
    return SALVOR_OK;
}

void paths_free(struct paths *paths)
{
    salvor_release(paths->memory);
    memset(paths, 0, sizeof *paths);
}
