/* Answers with a status that is none of a hook's. */
#define MOCK_NAME "pending-status"
#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    return SALVOR_PENDING;
}
