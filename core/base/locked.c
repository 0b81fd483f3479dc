#include "base/locked.h"

#include <sodium.h>

#include "base/banned.h"
#include "base/text.h"

void *locked_new(size_t size)
{
    /* Idempotent; before it libsodium cannot tell the size of a page. */
    void *memory = sodium_init() >= 0 ? sodium_malloc(size > 0 ? size : 1) : NULL;
    if (memory == NULL)
        out_of_memory();
    return memory;
}

char *locked_copy(const void *data, size_t size)
{
    char *copy = locked_new(size + 1);
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}
