/*
 * The provider nsx-antrea: what the vendor leaves to hand work after an NSX Manager with registered
 * Antrea clusters was restored ("Restoring Antrea Kubernetes Clusters from an NSX Backup").
 */
#include <salvor/helpers.h>

#include "identity.h"
#include "procedures.h"

#define MINUTE UINT64_C(60000)

static const struct salvor_option options[] = {
    {"manager", "URL", NULL, "address of an NSX Manager, once a manager", NULL, "0.1",
     SALVOR_OPTION_LIST, SALVOR_OPTION_REQUIRED, SALVOR_ON_ALL, 0},
    {"login", NULL, "session", "how to log in", "session|basic|remote|certificate", "0.1",
     SALVOR_OPTION_CHOICE, 0, SALVOR_ON_ALL, 0},
    {"user", "NAME", "admin", "user with the Enterprise Admin role", NULL, "0.1",
     SALVOR_OPTION_STRING, 0, SALVOR_ON_ALL, 0},
    {"password", NULL, NULL, "the user's password", NULL, "0.1", SALVOR_OPTION_STRING,
     SALVOR_OPTION_SECRET, SALVOR_ON_ALL, 0},
    {"client-certificate", "FILE", NULL, "certificate (PEM) of a principal identity to log in as",
     NULL, "0.1", SALVOR_OPTION_PATH, 0, SALVOR_ON_ALL, 0},
    {"client-key", NULL, NULL, "private key (PEM) of that certificate", NULL, "0.1",
     SALVOR_OPTION_STRING, SALVOR_OPTION_SECRET, SALVOR_ON_ALL, 0},
    {"ca-file", "FILE", NULL, "authorities (PEM) that signed the managers' certificates", NULL,
     "0.1", SALVOR_OPTION_PATH, 0, SALVOR_ON_ALL, 0},
    {"fingerprint", "SHA256", NULL, "pinned fingerprint of the managers' certificate", NULL, "0.1",
     SALVOR_OPTION_STRING, 0, SALVOR_ON_ALL, 0},
    {"insecure-skip-verify", NULL, NULL,
     "trust whoever answers as the manager; shown in every report", NULL, "0.1",
     SALVOR_OPTION_BOOLEAN, 0, SALVOR_ON_ALL, 0},
    {"cluster", "CLUSTER", NULL,
     "a live Kubernetes cluster: CONTEXT, FILE or FILE#CONTEXT, once a cluster", NULL, "0.1",
     SALVOR_OPTION_LIST, 0, SALVOR_ON_ALL, 0},
    {"gone", "NAME", NULL, "a cluster that was deleted for good, once a cluster", NULL, "0.1",
     SALVOR_OPTION_LIST, 0, SALVOR_ON_DISCOVER | SALVOR_ON_POST_RESYNC, 0},
};

static const struct salvor_row capture_rows[] = {
    {"capture", "Capture policies, registrations and clusters as they are now", "NSX-003 NSX-005",
     NULL, NULL, 30 * MINUTE, SALVOR_EFFECT_DECLARED_READ, SALVOR_ROW_IDEMPOTENT, 3, 5000, 1000, 0},
};
static const struct salvor_stage capture_stages[] = {
    {"capture", "Capture what a restore would roll back", capture_rows, SALVOR_ARRAY(capture_rows)},
};

static const struct salvor_procedure procedures[] = {
    {"capture", "Capture of policies and registrations",
     "Restoring Antrea Kubernetes Clusters from an NSX Backup", "NSX 3.2 to 9.x", capture_stages,
     SALVOR_ARRAY(capture_stages), SALVOR_PROCEDURE_BACKUP, 0},
};

static const struct salvor_declared_read declared_reads[] = {
    {"login", "POST /api/session/create", "begins a session of the user, as the vendor asks for",
     NULL},
};

static const struct salvor_need needs[] = {
    {SALVOR_INVENTORY, 1, 1}, {SALVOR_FINDINGS, 1, 1}, {SALVOR_PLAN, 1, 1},   {SALVOR_HTTP, 1, 1},
    {SALVOR_KUBE, 1, 1},      {SALVOR_BATCH, 1, 1},    {SALVOR_SECRET, 1, 1}, {SALVOR_STREAM, 1, 1},
};

static salvor_status run_step(salvor_call *call, const struct salvor_step *step)
{
    return salvor_rows_run(backup_rows, backup_row_count, call, step);
}

static salvor_status check_step(salvor_call *call, const struct salvor_step *step,
                                uint32_t *ret_answer)
{
    return salvor_rows_check(backup_rows, backup_row_count, call, step, ret_answer);
}

static const struct salvor_hooks hooks = {
    .struct_size = sizeof hooks,
    .discover = nsx_discover,
    .backup = nsx_plan_backup,
    .run_step = run_step,
    .check_step = check_step,
    .observe = nsx_observe,
};

static const struct salvor_plugin plugin = {
    SALVOR_PLUGIN_HEAD,
    "nsx-antrea",
    "0.1.0",
    "Antrea clusters after an NSX Manager was restored",
    "the salvor developers",
    NULL,
    "Apache-2.0",
    options,
    procedures,
    NULL,
    declared_reads,
    needs,
    &hooks,
    SALVOR_ARRAY(options),
    SALVOR_ARRAY(procedures),
    SALVOR_NO_ARRAY,
    SALVOR_ARRAY(declared_reads),
    SALVOR_ARRAY(needs),
};

SALVOR_REGISTER_PLUGIN(plugin)
