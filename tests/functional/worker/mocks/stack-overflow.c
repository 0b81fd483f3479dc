/* Recurses without end. */
#define MOCK_NAME "stack-overflow"
#include "mock.h"

static int dig(volatile char *above, int depth)
{
    volatile char hole[4096];
    hole[0] = above[0];
    return depth + dig(hole, depth + 1) + hole[0];
}

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    volatile char start[1] = {0};
    (void)call;
    (void)hook;
    return dig(start, 0) == 42 ? SALVOR_FAILED : SALVOR_OK;
}
