/* Has no name. */
#define MOCK_NAME "null-name"
#define MOCK_OWN_DESCRIPTOR
#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    return SALVOR_OK;
}

static const struct salvor_plugin mock_plugin = {SALVOR_PLUGIN_HEAD, MOCK_BODY(NULL, &mock_hooks)};

SALVOR_REGISTER_PLUGIN(mock_plugin)
