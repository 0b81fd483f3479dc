/* Gives up with abort(). */
#define MOCK_NAME "abort"
#include <stdlib.h>

#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    (void)fputs("mock: something cannot be\n", stderr);
    abort();
}
