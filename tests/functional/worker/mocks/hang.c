/* Hangs and does not look whether it shall stop. */
#define MOCK_NAME "hang"
#include <signal.h>
#include <unistd.h>

#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    for (;;)
        (void)pause();
    return SALVOR_OK;
}
