/* Does nothing wrong; tells how many bytes of facts it was given. */
#define MOCK_NAME "good"
#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    char line[64];
    (void)hook;
    (void)snprintf(line, sizeof line, "%zu bytes of facts", strlen(call->host->facts(call)));
    call->host->log(call, SALVOR_LOG_INFO, line);
    return SALVOR_OK;
}
