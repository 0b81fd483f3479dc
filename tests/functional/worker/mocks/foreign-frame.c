/* Sends a frame for a call that is not running. */
#define MOCK_NAME "foreign-frame"
#include "mock.h"
#include "raw-frame.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    const char log[] = "{\"level\":2000,\"text\":\"for somebody else\"}";
    return raw_frame(sizeof log - 1, 103, 4711, log) ? SALVOR_OK : SALVOR_FAILED;
}
