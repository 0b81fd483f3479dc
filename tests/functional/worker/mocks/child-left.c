/* Leaves a child process behind. */
#define MOCK_NAME "child-left"
#include <unistd.h>

#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    pid_t child = fork();
    if (child == 0) {
        for (;;)
            (void)pause();
    }
    return child > 0 ? SALVOR_OK : SALVOR_FAILED;
}
