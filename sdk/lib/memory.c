/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <salvor/memory.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static struct salvor_memory memory = {malloc, realloc, free};

void salvor_memory_use(const struct salvor_memory *functions)
{
    static const struct salvor_memory standard = {malloc, realloc, free};
    memory = functions != NULL ? *functions : standard;
}

void *salvor_allocate(size_t size)
{
    return memory.allocate(size);
}

void *salvor_allocate_zeroed(size_t size)
{
    void *fresh = memory.allocate(size);
    if (fresh != NULL)
        memset(fresh, 0, size);
    return fresh;
}

void *salvor_resize(void *old, size_t size)
{
    return memory.resize(old, size);
}

void salvor_release(void *old)
{
    memory.release(old);
}

char *salvor_copy_bytes(const char *data, size_t size)
{
    if (data == NULL || size == SIZE_MAX)
        return NULL;
    char *copy = salvor_allocate(size + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

char *salvor_copy_text(const char *text)
{
    return text != NULL ? salvor_copy_bytes(text, strlen(text)) : NULL;
}
