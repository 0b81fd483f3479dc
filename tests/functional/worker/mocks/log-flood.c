/* Logs a gibibyte. */
#define MOCK_NAME "log-flood"
#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    static char line[8192];
    memset(line, 'x', sizeof line - 1);
    for (int i = 0; i < 131072; i++)
        call->host->log(call, SALVOR_LOG_INFO, line);
    return SALVOR_OK;
}
