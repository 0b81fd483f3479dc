#include "base/locked.h"

#include <sodium.h>
#include <sys/prctl.h>
#include <sys/resource.h>

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

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ADDRESS_SANITIZER 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define UNDER_ADDRESS_SANITIZER 1
#endif

void locked_hide_process(void)
{
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
#ifndef UNDER_ADDRESS_SANITIZER
    /* A handler that core files are piped to does not ask for the limit. */
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
}
