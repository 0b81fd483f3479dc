/* Says that it is done by ending its process with status 0, without the last frame. */
#define MOCK_NAME "silent-exit"
#include <unistd.h>

#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    (void)mock_inventory(call)->item(call, "member", "last", "{}");
    _exit(0);
}
