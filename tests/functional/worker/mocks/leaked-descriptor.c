/* Leaves two descriptors open. */
#define MOCK_NAME "leaked-descriptor"
#include <fcntl.h>

#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    return open("/dev/null", O_RDONLY) >= 0 && open("/dev/zero", O_RDONLY) >= 0 ? SALVOR_OK
                                                                                : SALVOR_FAILED;
}
