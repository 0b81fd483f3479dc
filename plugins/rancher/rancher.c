/*
 * The provider for Rancher: backups and restores of the vendor's chart Rancher Backups, with its
 * operator and without it.
 */
#include <salvor/helpers.h>

#include "default-set.h"
#include "findings.h"
#include "procedures.h"
#include "site.h"
#include "validate.h"

#define LOOK (SALVOR_ON_DISCOVER | SALVOR_ON_VALIDATE)
#define WORK (SALVOR_ON_BACKUP | SALVOR_ON_RESTORE | SALVOR_ON_POST_RESYNC)

static const struct salvor_option options[] = {
    {"kubeconfig", "FILE", NULL, "kubeconfig of the cluster that Rancher runs on", NULL, "0.1",
     SALVOR_OPTION_PATH, 0, LOOK | WORK, 0},
    {"context", "NAME", NULL, "context of the kubeconfig", NULL, "0.1", SALVOR_OPTION_STRING, 0,
     LOOK | WORK, 0},
    {"archive", "NAME", NULL, "which archive of the backup, when it holds several", NULL, "0.1",
     SALVOR_OPTION_STRING, 0, SALVOR_ON_VALIDATE | SALVOR_ON_RESTORE, 0},
    {"encryption-config", NULL, NULL, "EncryptionConfiguration of the backup, usually file:NAME",
     NULL, "0.1", SALVOR_OPTION_STRING, SALVOR_OPTION_SECRET,
     SALVOR_ON_BACKUP | SALVOR_ON_VALIDATE | SALVOR_ON_RESTORE, 0},
    {"resource-set", "NAME", FULL_SET, "ResourceSet that says what a backup holds", NULL, "0.1",
     SALVOR_OPTION_STRING, 0, SALVOR_ON_BACKUP | SALVOR_ON_RESTORE, 0},
    {"backup-name", "NAME", "salvor", "beginning of the archive's file name", NULL, "0.1",
     SALVOR_OPTION_STRING, 0, SALVOR_ON_BACKUP, 0},
    {"prune", NULL, "auto", "whether a restore deletes what the backup does not have",
     "auto|yes|no", "0.1", SALVOR_OPTION_CHOICE, 0, SALVOR_ON_RESTORE, 0},
    {"delete-timeout", NULL, "10s", "time for what is pruned before its finalizers are removed",
     NULL, "0.1", SALVOR_OPTION_DURATION, 0, SALVOR_ON_RESTORE, 0},
    {"replicas", NULL, NULL, "replicas of Rancher after the restore, if not those of before", NULL,
     "0.1", SALVOR_OPTION_INTEGER, 0, SALVOR_ON_RESTORE, 0},
    {"in-flight", NULL, "32", "requests under way at once", NULL, "0.1", SALVOR_OPTION_INTEGER, 0,
     SALVOR_ON_RESTORE, 0},
    {"webhook-bypass", NULL, "false",
     "write as the service account that Rancher's webhook lets pass", NULL, "0.1",
     SALVOR_OPTION_BOOLEAN, 0, SALVOR_ON_RESTORE, 0},
    {"rancher-version", "VERSION", NULL, "Rancher of the target, where it cannot be asked", NULL,
     "0.1", SALVOR_OPTION_STRING, 0, SALVOR_ON_VALIDATE, 0},
    {"kubernetes-version", "VERSION", NULL, "Kubernetes of the target, where it cannot be asked",
     NULL, "0.1", SALVOR_OPTION_STRING, 0, SALVOR_ON_VALIDATE, 0},
    {"all-objects", NULL, "false", "name each object of a finding, not only the first ones", NULL,
     "0.1", SALVOR_OPTION_BOOLEAN, 0, SALVOR_ON_VALIDATE, 0},
};

static const struct salvor_need needs[] = {
    {SALVOR_INVENTORY, 1, 1}, {SALVOR_FINDINGS, 1, 1}, {SALVOR_PLAN, 1, 1},  {SALVOR_STREAM, 1, 1},
    {SALVOR_SECRET, 1, 1},    {SALVOR_KUBE, 1, 1},     {SALVOR_BATCH, 1, 1}, {SALVOR_LEDGER, 1, 1},
};

static const struct salvor_hooks hooks = {
    .struct_size = sizeof hooks,
    .discover = rancher_discover,
    .validate = rancher_validate,
    .backup = rancher_plan_backup,
    .restore = rancher_plan_restore,
    .run_step = rancher_run_step,
    .check_step = rancher_check_step,
    .observe = rancher_observe,
};

static const struct salvor_plugin plugin = {
    SALVOR_PLUGIN_HEAD,
    .name = "rancher",
    .version = "0.1.0",
    .summary = "Rancher, from its backups",
    .maintainer = "the salvor developers",
    .license = "Apache-2.0",
    SALVOR_WITH(option, options),
    SALVOR_WITH(procedure, rancher_procedures),
    SALVOR_WITH(need, needs),
    SALVOR_WITH(finding, rancher_findings),
    .hooks = &hooks,
};

SALVOR_REGISTER_PLUGIN(plugin)
