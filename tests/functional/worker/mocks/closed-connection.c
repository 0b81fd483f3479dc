/* Closes the worker's connection and says that all is well. */
#define MOCK_NAME "closed-connection"
#include <unistd.h>

#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    return close(3) == 0 ? SALVOR_OK : SALVOR_FAILED;
}
