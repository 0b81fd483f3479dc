/* Leaves with exit(0), as if all were well. */
#define MOCK_NAME "exit-zero"
#include <stdlib.h>

#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    exit(0);
}
