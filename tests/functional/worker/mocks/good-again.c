/* The same plugin, built anew: another version of it. */
#define MOCK_NAME "good"
#define MOCK_OWN_DESCRIPTOR
#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    return SALVOR_OK;
}

static const struct salvor_plugin mock_plugin = {SALVOR_PLUGIN_HEAD,
                                                 MOCK_NAME,
                                                 "0.2",
                                                 "a mock",
                                                 "Nobody <nobody@example.org>",
                                                 NULL,
                                                 "Apache-2.0",
                                                 mock_options,
                                                 mock_procedures,
                                                 mock_findings,
                                                 NULL,
                                                 mock_needs,
                                                 &mock_hooks,
                                                 SALVOR_ARRAY(mock_options),
                                                 SALVOR_ARRAY(mock_procedures),
                                                 SALVOR_ARRAY(mock_findings),
                                                 SALVOR_NO_ARRAY,
                                                 SALVOR_ARRAY(mock_needs)};

SALVOR_REGISTER_PLUGIN(mock_plugin)
