/* The vendor's page as tables: one row a documented step, in the documented order. */
#include "procedures.h"

#include <string.h>

#include "controllers.h"
#include "installation.h"
#include "prune.h"
#include "restore-steps.h"

#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

#define READ SALVOR_EFFECT_READ
#define CHANGE SALVOR_EFFECT_CHANGE
#define DESTRUCTIVE SALVOR_EFFECT_DESTRUCTIVE
#define IDEMPOTENT SALVOR_ROW_IDEMPOTENT

/* Rows: id, title, statements, instructions, undo, deadline, effect, flags, attempts, back-off,
 * check interval. */

/* ---- backup ------------------------------------------------------------------------------------
 */

static const struct salvor_row gather_rows[] = {
    {"native-gather",
     "Collect the resources that the ResourceSet captures, and save them as manifests in one "
     "compressed tar",
     "RANCHER-003 RANCHER-004 RANCHER-014 RANCHER-015 RANCHER-016 RANCHER-025 RANCHER-026 "
     "RANCHER-027",
     NULL, NULL, HOUR, READ, IDEMPOTENT, 3, 5000, 0, 0},
    {"native-verify", "Read the archive back to its end", NULL, NULL, NULL, 30 * MINUTE, READ,
     IDEMPOTENT, 1, 0, 0, 0},
};

static const struct salvor_stage native_backup_stages[] = {
    {"gather", "Gather the resources and prove the archive", gather_rows,
     SALVOR_ARRAY(gather_rows)},
};

/* ---- restore: rows that the paths share, with the path's name in front
 * --------------------------- */

#define SECURE_ROWS(path)                                                                     \
    {                                                                                         \
        path "-gather-present", "Back up what stands now, so that there is a way back", NULL, \
            NULL, NULL, HOUR, READ, IDEMPOTENT, 3, 5000, 0, 0                                 \
    }

#define STOP_ROW(path)                                                                  \
    {                                                                                   \
        path "-stop-rancher", "Scale Rancher to 0, and wait until its pods are gone",   \
            "RANCHER-071", NULL, NULL, 15 * MINUTE, CHANGE, IDEMPOTENT, 3, 2000, 500, 0 \
    }

#define RESTORE_ROWS(path)                                                                 \
    {path "-definitions",                                                                  \
     "Restore the custom resource definitions, and wait until they are established",       \
     "RANCHER-013",                                                                        \
     NULL,                                                                                 \
     NULL,                                                                                 \
     30 * MINUTE,                                                                          \
     DESTRUCTIVE,                                                                          \
     IDEMPOTENT,                                                                           \
     3,                                                                                    \
     5000,                                                                                 \
     500,                                                                                  \
     0},                                                                                   \
        {path "-cluster-scoped",                                                           \
         "Restore the cluster-scoped resources",                                           \
         "RANCHER-013",                                                                    \
         NULL,                                                                             \
         NULL,                                                                             \
         4 * HOUR,                                                                         \
         DESTRUCTIVE,                                                                      \
         IDEMPOTENT,                                                                       \
         3,                                                                                \
         5000,                                                                             \
         0,                                                                                \
         0},                                                                               \
    {                                                                                      \
        path "-namespaced", "Restore the namespaced resources", "RANCHER-013", NULL, NULL, \
            4 * HOUR, DESTRUCTIVE, IDEMPOTENT, 3, 5000, 0, 0                               \
    }

#define PRUNE_ROW(path)                                                                          \
    {                                                                                            \
        path "-prune", "Delete what the backup does not have",                                   \
            "RANCHER-011 RANCHER-029 RANCHER-072", NULL, NULL, HOUR, DESTRUCTIVE, IDEMPOTENT, 3, \
            5000, 500, 0                                                                         \
    }

#define RELEASE_ROW(path)                                                                       \
    {                                                                                           \
        path "-release", "Remove the finalizers of what is still being deleted", "RANCHER-072", \
            NULL, NULL, HOUR, DESTRUCTIVE, IDEMPOTENT, 3, 5000, 500, 0                          \
    }

#define START_ROW(path)                                                                 \
    {                                                                                   \
        path "-start-rancher", "Scale Rancher up again, and wait until it is ready",    \
            "RANCHER-071", NULL, NULL, 30 * MINUTE, CHANGE, IDEMPOTENT, 3, 2000, 500, 0 \
    }

#define SECURE_STAGE(rows)                                         \
    {                                                              \
        "secure", "Keep what stands now", rows, SALVOR_ARRAY(rows) \
    }
#define RESTORE_STAGE(rows)                                                         \
    {                                                                               \
        "restore", "Restore the resources of the archive", rows, SALVOR_ARRAY(rows) \
    }
#define PRUNE_STAGE(rows)                                                         \
    {                                                                             \
        "prune", "Delete what the backup does not have", rows, SALVOR_ARRAY(rows) \
    }
#define RELEASE_STAGE(rows)                                                    \
    {                                                                          \
        "release", "Finish deletions that are stuck", rows, SALVOR_ARRAY(rows) \
    }

static const struct salvor_row in_place_secure[] = {SECURE_ROWS("in-place")};
static const struct salvor_row in_place_restore[] = {STOP_ROW("in-place"),
                                                     RESTORE_ROWS("in-place")};
static const struct salvor_row in_place_prune[] = {PRUNE_ROW("in-place")};
static const struct salvor_row in_place_release[] = {RELEASE_ROW("in-place")};
static const struct salvor_row in_place_start[] = {START_ROW("in-place")};

static const struct salvor_stage in_place_stages[] = {
    SECURE_STAGE(in_place_secure),
    RESTORE_STAGE(in_place_restore),
    PRUNE_STAGE(in_place_prune),
    RELEASE_STAGE(in_place_release),
    {"start", "Start Rancher again", in_place_start, SALVOR_ARRAY(in_place_start)},
};

static const struct salvor_row fresh_secure[] = {SECURE_ROWS("fresh")};
static const struct salvor_row fresh_restore[] = {STOP_ROW("fresh"), RESTORE_ROWS("fresh")};
static const struct salvor_row fresh_prune[] = {PRUNE_ROW("fresh")};
static const struct salvor_row fresh_release[] = {RELEASE_ROW("fresh")};
static const struct salvor_row fresh_start[] = {START_ROW("fresh")};

static const struct salvor_stage fresh_stages[] = {
    SECURE_STAGE(fresh_secure),
    RESTORE_STAGE(fresh_restore),
    PRUNE_STAGE(fresh_prune),
    RELEASE_STAGE(fresh_release),
    {"start", "Start Rancher again", fresh_start, SALVOR_ARRAY(fresh_start)},
};

#define MIGRATION_INSTRUCTIONS                                                                     \
    "do this on the cluster that was restored to, in this order: 1. if its Kubernetes is another " \
    "distribution than the old cluster's, edit clusters.management.cattle.io 'local' (driver, "    \
    "provider, version, label and annotation provider.cattle.io, rke2Config or k3sConfig) before " \
    "Rancher starts; 2. install cert-manager, if the certificate option of the installation "      \
    "needs it; 3. install Rancher with helm into namespace cattle-system: version {version}, the " \
    "hostname of {server_url}, and the values of the old installation. Then point the domain at "  \
    "this cluster, and scale Rancher on the old one to 0"

static const struct salvor_row migration_secure[] = {SECURE_ROWS("migration")};
static const struct salvor_row migration_restore[] = {STOP_ROW("migration"),
                                                      RESTORE_ROWS("migration")};
static const struct salvor_row migration_install[] = {
    {"migration-install-rancher",
     "Install cert-manager, then Rancher in the same version with the same hostname",
     "RANCHER-034 RANCHER-035 RANCHER-037 RANCHER-038 RANCHER-074 RANCHER-075 RANCHER-076 "
     "RANCHER-077 "
     "RANCHER-079 RANCHER-080",
     MIGRATION_INSTRUCTIONS, NULL, 72 * HOUR, CHANGE, SALVOR_ROW_MANUAL, 1, 0, 5000, 0},
};

static const struct salvor_stage migration_stages[] = {
    SECURE_STAGE(migration_secure),
    RESTORE_STAGE(migration_restore),
    {"install", "Install Rancher", migration_install, SALVOR_ARRAY(migration_install)},
};

/* ---- procedures ---------------------------------------------------------------------------------
 */

#define GUIDE "Rancher: Backup Restore Usage Guide"
#define VERSIONS "Rancher 2.5 and later"

const struct salvor_procedure rancher_procedures[RANCHER_PROCEDURES] = {
    {PROCEDURE_NATIVE_BACKUP, "Backup without the operator", GUIDE, VERSIONS, native_backup_stages,
     SALVOR_ARRAY(native_backup_stages), SALVOR_PROCEDURE_BACKUP, 0},
    {"in-place", "Restore on the cluster of the backup, with Rancher running", GUIDE, VERSIONS,
     in_place_stages, SALVOR_ARRAY(in_place_stages), SALVOR_PROCEDURE_RESTORE, 0},
    {"fresh", "Restore on the cluster of the backup, without Rancher", GUIDE, VERSIONS,
     fresh_stages, SALVOR_ARRAY(fresh_stages), SALVOR_PROCEDURE_RESTORE, 0},
    {"migration", "Restore onto another cluster, without Rancher on it", GUIDE, VERSIONS,
     migration_stages, SALVOR_ARRAY(migration_stages), SALVOR_PROCEDURE_RESTORE, 0},
};

int procedure_exists(const char *id)
{
    for (uint32_t i = 0; i < RANCHER_PROCEDURES; i++) {
        if (strcmp(rancher_procedures[i].id, id) == 0)
            return 1;
    }
    return 0;
}

/* ---- code of the rows ---------------------------------------------------------------------------
 */

/* By the row's id without the path in front, where it has one. */
static const struct salvor_row_code code[] = {
    {"native-gather", native_gather, native_is_gathered},
    {"native-verify", native_verify, native_is_verified},
    {"gather-present", present_gather, present_is_gathered},
    {"stop-rancher", controllers_stop, controllers_are_stopped},
    {"definitions", restore_definitions, definitions_are_restored},
    {"cluster-scoped", restore_cluster_scoped, cluster_scoped_are_restored},
    {"namespaced", restore_namespaced, namespaced_are_restored},
    {"prune", prune_delete, prune_is_deleted},
    {"release", prune_release, prune_is_released},
    {"start-rancher", controllers_start, controllers_are_started},
    {"install-rancher", NULL, rancher_is_installed},
};

/* The step with the row's name as the table has it. */
static struct salvor_step plain_step(const struct salvor_step *step)
{
    struct salvor_step plain = *step;
    const size_t size = strlen(step->procedure);
    if (strncmp(step->row, step->procedure, size) == 0 && step->row[size] == '-')
        plain.row = step->row + size + 1;
    return plain;
}

salvor_status rancher_run_step(salvor_call *call, const struct salvor_step *step)
{
    const struct salvor_step plain = plain_step(step);
    return salvor_rows_run(code, sizeof code / sizeof *code, call, &plain);
}

salvor_status rancher_check_step(salvor_call *call, const struct salvor_step *step,
                                 uint32_t *ret_answer)
{
    const struct salvor_step plain = plain_step(step);
    return salvor_rows_check(code, sizeof code / sizeof *code, call, &plain, ret_answer);
}
