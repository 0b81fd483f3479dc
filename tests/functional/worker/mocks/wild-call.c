/* Calls through a pointer to nowhere. */
#define MOCK_NAME "wild-call"
#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    salvor_status (*volatile nowhere)(void) = NULL;
    return nowhere();
}
