/* Owned locals release themselves: cleanup attributes for the types that everybody uses. */
#ifndef SALVOR_BASE_CLEANUP_H
#define SALVOR_BASE_CLEANUP_H

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_at(void *slot)
{
    free(*(void **)slot);
}

static inline void cleanup_close_at(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static inline void cleanup_json_at(json_t **json)
{
    json_decref(*json);
}

static inline void cleanup_file_at(FILE **file)
{
    if (*file != NULL)
        (void)fclose(*file);
}

static inline void cleanup_dir_at(DIR **dir)
{
    if (*dir != NULL)
        (void)closedir(*dir);
}

#define cleanup_free __attribute__((cleanup(cleanup_free_at)))
#define cleanup_close __attribute__((cleanup(cleanup_close_at)))
#define cleanup_json __attribute__((cleanup(cleanup_json_at)))
#define cleanup_file __attribute__((cleanup(cleanup_file_at)))
#define cleanup_dir __attribute__((cleanup(cleanup_dir_at)))

/* Hands an owned pointer on and clears the local, so that its cleanup does nothing. */
#define take_pointer(slot)                          \
    __extension__({                                 \
        __typeof__(slot) *take_slot_ = &(slot);     \
        __typeof__(slot) take_value_ = *take_slot_; \
        *take_slot_ = NULL;                         \
        take_value_;                                \
    })

static inline int take_fd(int *fd)
{
    int value = *fd;
    *fd = -1;
    return value;
}

#endif
