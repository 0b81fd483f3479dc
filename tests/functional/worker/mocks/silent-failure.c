/* Fails without a word. */
#define MOCK_NAME "silent-failure"
#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    return SALVOR_FAILED;
}
