/* Crashes in its entry function. */
#define MOCK_NAME "entry-crash"
#define MOCK_OWN_ENTRY
#include <signal.h>

#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    return SALVOR_OK;
}

SALVOR_EXTERN_C SALVOR_EXPORT const struct salvor_plugin *
salvor_plugin_v1(const struct salvor_host *host);

const struct salvor_plugin *salvor_plugin_v1(const struct salvor_host *host)
{
    host->log(NULL, SALVOR_LOG_INFO, "about to fall");
    (void)raise(SIGSEGV);
    return &mock_plugin;
}
