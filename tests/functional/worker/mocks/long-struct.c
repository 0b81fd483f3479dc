/* A later descriptor with something set that this host does not know. */
#define MOCK_NAME "long-struct"
#define MOCK_OWN_DESCRIPTOR
#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    (void)call;
    (void)hook;
    return SALVOR_OK;
}

static const struct {
    struct salvor_plugin known;
    uint64_t unknown;
} mock_plugin = {{SALVOR_ABI_MAGIC, SALVOR_ABI_MAJOR, SALVOR_ABI_MINOR, sizeof mock_plugin,
                  SALVOR_ABI_MINOR, 0, SALVOR_ABI_TAG, 0, MOCK_BODY(MOCK_NAME, &mock_hooks)},
                 7};

SALVOR_REGISTER_PLUGIN(mock_plugin.known)
