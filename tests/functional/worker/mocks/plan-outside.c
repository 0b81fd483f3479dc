/* Plans where nothing is planned. */
#define MOCK_NAME "plan-outside"
#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    return mock_plan(call)->decide(call, "mend", "it comes to mind");
}
