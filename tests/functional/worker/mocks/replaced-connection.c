/* Closes the worker's connection and gets its number for a file of its own. */
#define MOCK_NAME "replaced-connection"
#include <fcntl.h>
#include <unistd.h>

#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    const char *path = call->host->option_text(call, "mock-path");
    (void)close(3);
    return path != NULL && open(path, O_RDWR | O_CREAT, 0600) == 3 ? SALVOR_OK : SALVOR_FAILED;
}
