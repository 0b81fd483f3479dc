/* Kubeconfig files, and the choice of a context from them: whatever the bytes, an answer or an
 * error with a text, and no file is opened that the text does not name. */
#include <sodium.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "net/kube-access.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct kube_environment nowhere = {.account = "/nonexistent"};
    struct error err = ERROR_INIT;
    struct kube_access access = {0};
    json_t *config = NULL;
    if (sodium_init() < 0)
        abort();
    int failed = kube_config_read((const char *)data, size, "f", "/nonexistent", &config, &err);
    if (failed == 0)
        failed = kube_access_choose(config, &(struct kube_choice){.explicit = 1}, &nowhere, &access,
                                    &err);
    if ((failed != 0) != error_is_set(&err))
        abort();
    if (failed == 0 && (access.server == NULL || access.ns == NULL))
        abort();
    kube_access_clear(&access);
    kube_config_free(config);
    error_clear(&err);
    return 0;
}
