/* Says that its descriptor is shorter than any ever was. */
#define MOCK_NAME "short-struct"
#define MOCK_OWN_DESCRIPTOR
#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    return SALVOR_OK;
}

static const struct salvor_plugin mock_plugin = {SALVOR_ABI_MAGIC,
                                                 SALVOR_ABI_MAJOR,
                                                 SALVOR_ABI_MINOR,
                                                 24,
                                                 SALVOR_ABI_MINOR,
                                                 0,
                                                 SALVOR_ABI_TAG,
                                                 0,
                                                 MOCK_BODY(MOCK_NAME, &mock_hooks)};

SALVOR_REGISTER_PLUGIN(mock_plugin)
