/* Sends a frame that passes the limit. */
#define MOCK_NAME "oversized-frame"
#include "mock.h"
#include "raw-frame.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    return raw_frame((1u << 20) + 1, 103, 1, "{}") ? SALVOR_OK : SALVOR_FAILED;
}
