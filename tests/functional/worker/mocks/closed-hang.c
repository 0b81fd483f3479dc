/* Closes the worker's connection and hangs. */
#define MOCK_NAME "closed-hang"
#include <unistd.h>

#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    (void)close(3);
    for (;;)
        (void)pause();
    return SALVOR_OK;
}
