/*
 * The provider for Rancher: backups and restores of the vendor's chart Rancher Backups, with its
 * operator and without it.
 */
#include <salvor/helpers.h>

#include "findings.h"
#include "validate.h"

static const struct salvor_option options[] = {
    {"archive", "NAME", NULL, "which archive of the backup, when it holds several", NULL, "0.1",
     SALVOR_OPTION_STRING, 0, SALVOR_ON_VALIDATE | SALVOR_ON_RESTORE, 0},
    {"encryption-config", NULL, NULL,
     "EncryptionConfiguration that the backup was made with, usually file:NAME", NULL, "0.1",
     SALVOR_OPTION_STRING, SALVOR_OPTION_SECRET, SALVOR_ON_VALIDATE | SALVOR_ON_RESTORE, 0},
    {"rancher-version", "VERSION", NULL, "Rancher of the target, where it cannot be asked", NULL,
     "0.1", SALVOR_OPTION_STRING, 0, SALVOR_ON_VALIDATE, 0},
    {"kubernetes-version", "VERSION", NULL, "Kubernetes of the target, where it cannot be asked",
     NULL, "0.1", SALVOR_OPTION_STRING, 0, SALVOR_ON_VALIDATE, 0},
    {"all-objects", NULL, "false", "name each object of a finding, not only the first ones", NULL,
     "0.1", SALVOR_OPTION_BOOLEAN, 0, SALVOR_ON_VALIDATE, 0},
};

static const struct salvor_need needs[] = {{SALVOR_INVENTORY, 1, 1},
                                           {SALVOR_FINDINGS, 1, 1},
                                           {SALVOR_STREAM, 1, 1},
                                           {SALVOR_SECRET, 1, 1}};

static salvor_status discover(salvor_call *call)
{
    (void)call;
    return SALVOR_OK;
}

static const struct salvor_hooks hooks = {
    .struct_size = sizeof hooks,
    .discover = discover,
    .validate = rancher_validate,
};

static const struct salvor_plugin plugin = {
    SALVOR_PLUGIN_HEAD,
    .name = "rancher",
    .version = "0.1.0",
    .summary = "Rancher, from its backups",
    .maintainer = "the salvor developers",
    .license = "Apache-2.0",
    SALVOR_WITH(option, options),
    SALVOR_WITH(need, needs),
    SALVOR_WITH(finding, rancher_findings),
    .hooks = &hooks,
};

SALVOR_REGISTER_PLUGIN(plugin)
