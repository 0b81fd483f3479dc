/* Lacks the one hook that every plugin must have. */
#define MOCK_NAME "missing-hook"
#define MOCK_OWN_DESCRIPTOR
#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    return SALVOR_OK;
}

static const struct salvor_hooks own_hooks = {
    sizeof(struct salvor_hooks),
    0,
    NULL,
    mock_validate,
    NULL,
    mock_restore,
    NULL,
    mock_run_step,
    mock_check_step,
    mock_observe,
};

/* both sets of hooks stay in use, so that the compiler has nothing to say */
static const struct salvor_plugin mock_plugin = {
    SALVOR_PLUGIN_HEAD, MOCK_BODY(MOCK_NAME, sizeof mock_hooks > 0 ? &own_hooks : NULL)};

SALVOR_REGISTER_PLUGIN(mock_plugin)
