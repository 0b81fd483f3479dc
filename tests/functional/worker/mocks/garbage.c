/* Prints to the connection what is no frame at all. */
#define MOCK_NAME "garbage"
#include <unistd.h>

#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    return write(3, "hello, is anybody there?\n", 25) == 25 ? SALVOR_OK : SALVOR_FAILED;
}
