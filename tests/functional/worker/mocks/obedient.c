/* Waits for ever, but stops when it is asked to, after saving how far it came. */
#define MOCK_NAME "obedient"
#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    salvor_status status = call->host->sleep_ms(call, 3600000);
    if (call->host->cancelled(call) == 0)
        return SALVOR_FAILED;
    if (strcmp(hook, "run_step") == 0 &&
        call->host->checkpoint(call, SALVOR_CHECKPOINT_CURSOR, "{\"at\":7}") != SALVOR_OK)
        return SALVOR_FAILED;
    return status;
}
