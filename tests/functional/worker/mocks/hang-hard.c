/* Hangs and does not die of TERM either. */
#define MOCK_NAME "hang-hard"
#include <signal.h>
#include <unistd.h>

#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    (void)signal(SIGTERM, SIG_IGN);
    for (;;)
        (void)pause();
    return SALVOR_OK;
}
