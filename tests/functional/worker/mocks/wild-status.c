/* Answers with a number that is no status. */
#define MOCK_NAME "wild-status"
#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    return 12345;
}
