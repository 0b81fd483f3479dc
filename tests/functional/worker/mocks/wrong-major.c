/* Built for an ABI that does not exist yet. */
#define MOCK_NAME "wrong-major"
#define MOCK_OWN_DESCRIPTOR
#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    return SALVOR_OK;
}

static const struct salvor_plugin mock_plugin = {SALVOR_ABI_MAGIC,
                                                 SALVOR_ABI_MAJOR + 7,
                                                 SALVOR_ABI_MINOR,
                                                 sizeof(struct salvor_plugin),
                                                 SALVOR_ABI_MINOR,
                                                 0,
                                                 SALVOR_ABI_TAG,
                                                 0,
                                                 MOCK_BODY(MOCK_NAME, &mock_hooks)};

SALVOR_REGISTER_PLUGIN(mock_plugin)
