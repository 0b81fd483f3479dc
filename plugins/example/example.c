/*
 * The example provider: one etcd member on this machine, backed up and restored as etcd's page
 * "Disaster recovery" says. It shows plugin authors every part of the SDK on something real.
 */
#include <salvor/helpers.h>
#include <string.h>

#include "procedures.h"

#define MINUTE UINT64_C(60000)

static const struct salvor_option options[] = {
    {"endpoint", "URL", "http://127.0.0.1:2379", "client URL of the etcd member", NULL, "0.1",
     SALVOR_OPTION_URL, 0, SALVOR_ON_ALL, 0},
    {"member", "NAME", "default", "name of the etcd member", NULL, "0.1", SALVOR_OPTION_STRING, 0,
     SALVOR_ON_RESTORE, 0},
    {"peer-url", "URL", "http://127.0.0.1:2380", "peer URL of the etcd member", NULL, "0.1",
     SALVOR_OPTION_URL, 0, SALVOR_ON_RESTORE, 0},
    {"data-dir", "FOLDER", NULL, "data dir of the etcd member", NULL, "0.1", SALVOR_OPTION_PATH,
     SALVOR_OPTION_REQUIRED, SALVOR_ON_RESTORE | SALVOR_ON_POST_RESYNC, 0},
    {"stop", "WORD", NULL, "command that stops the member, a flag a word", NULL, "0.1",
     SALVOR_OPTION_LIST, SALVOR_OPTION_REQUIRED, SALVOR_ON_RESTORE, 0},
    {"start", "WORD", NULL, "command that starts the member on '{data-dir}', a flag a word", NULL,
     "0.1", SALVOR_OPTION_LIST, SALVOR_OPTION_REQUIRED, SALVOR_ON_RESTORE, 0},
    {"etcdctl", "PROGRAM", "etcdctl", "the etcdctl to use", NULL, "0.1", SALVOR_OPTION_STRING, 0,
     SALVOR_ON_ALL, 0},
};

/* ---- procedures: id, title, statements, instructions, undo, deadline, effect, flags, attempts,
 *      back-off, check interval ---------------------------------------------------------------- */

static const struct salvor_row save_rows[] = {
    {"save-snapshot", "Save a snapshot of the keyspace from the live member", "ETCD-001", NULL,
     NULL, 10 * MINUTE, SALVOR_EFFECT_DECLARED_READ, SALVOR_ROW_IDEMPOTENT, 3, 2000, 200, 0},
    {"record-keys", "Record every key by digest at the snapshot's revision", NULL, NULL, NULL,
     10 * MINUTE, SALVOR_EFFECT_DECLARED_READ, SALVOR_ROW_IDEMPOTENT, 3, 2000, 200, 0},
};

static const struct salvor_row restore_stage_rows[] = {
    {"stop-member", "Stop the member, so that nothing writes to its data dir", "ETCD-002", NULL,
     NULL, 2 * MINUTE, SALVOR_EFFECT_CHANGE, SALVOR_ROW_IDEMPOTENT, 2, 1000, 200, 0},
    {"restore-snapshot", "Restore the snapshot to a new data dir", "ETCD-003 ETCD-004", NULL, NULL,
     30 * MINUTE, SALVOR_EFFECT_CHANGE, SALVOR_ROW_JOB, 2, 1000, 200, 0},
    {"switch-data-dir", "Put the new data dir in the place of the old one, which is kept",
     "ETCD-003", NULL, NULL, MINUTE, SALVOR_EFFECT_CHANGE, 0, 1, 0, 200, 0},
    {"start-member", "Start the member on the new data dir", "ETCD-005", NULL, NULL, 2 * MINUTE,
     SALVOR_EFFECT_CHANGE, SALVOR_ROW_IDEMPOTENT, 2, 1000, 200, 0},
    {"verify-keys", "Compare revision and every key with the backup", NULL, NULL, NULL, 10 * MINUTE,
     SALVOR_EFFECT_DECLARED_READ, SALVOR_ROW_IDEMPOTENT, 5, 1000, 200, 0},
};

static const struct salvor_row compact_rows[] = {
    {"compact-history", "Compact the history, so that watches from before notice the restore",
     "ETCD-006", NULL, NULL, 5 * MINUTE, SALVOR_EFFECT_DESTRUCTIVE, SALVOR_ROW_IDEMPOTENT, 2, 1000,
     200, 0},
};

static const struct salvor_row health_rows[] = {
    {"member-health", "See that the member serves reads and writes", "ETCD-005", NULL, NULL,
     2 * MINUTE, SALVOR_EFFECT_DECLARED_READ, SALVOR_ROW_IDEMPOTENT, 1, 0, 500, 0},
};

static const struct salvor_row old_data_rows[] = {
    {"remove-old-data-dir", "Remove the data dir of before the restore", NULL, NULL, NULL,
     10 * MINUTE, SALVOR_EFFECT_IRREVERSIBLE, SALVOR_ROW_IDEMPOTENT, 1, 0, 200, 0},
};

static const struct salvor_stage save_stages[] = {
    {"save", "Save the snapshot", save_rows, SALVOR_ARRAY(save_rows)},
};
static const struct salvor_stage restore_stages[] = {
    {"restore", "Restore the snapshot and prove the keys", restore_stage_rows,
     SALVOR_ARRAY(restore_stage_rows)},
    {"compact", "Tell the clients of before", compact_rows, SALVOR_ARRAY(compact_rows)},
};
static const struct salvor_stage after_stages[] = {
    {"health", "See that the member serves", health_rows, SALVOR_ARRAY(health_rows)},
    {"old-data", "Remove what was kept", old_data_rows, SALVOR_ARRAY(old_data_rows)},
};

#define DOCUMENT "etcd: Disaster recovery"

static const struct salvor_procedure procedures[] = {
    {"snapshot-save", "Snapshot of the keyspace", DOCUMENT, "etcd 3.4 and newer", save_stages,
     SALVOR_ARRAY(save_stages), SALVOR_PROCEDURE_BACKUP, 0},
    {"snapshot-restore", "Restore a cluster of one member", DOCUMENT, "etcd 3.4 and newer",
     restore_stages, SALVOR_ARRAY(restore_stages), SALVOR_PROCEDURE_RESTORE, 0},
    {"after-restore", "What is left to do after a restore", DOCUMENT, "etcd 3.4 and newer",
     after_stages, SALVOR_ARRAY(after_stages), SALVOR_PROCEDURE_POST_RESYNC, 0},
};

static const struct salvor_finding findings[] = {
    {"ETCD-SNAPSHOT-ABSENT", "the backup holds no snapshot", NULL,
     "name a set that 'salvor backup' made, or the snapshot file itself", SALVOR_SEVERITY_BLOCKER,
     0},
    {"ETCD-NO-SNAPSHOT", "the file is no etcd snapshot", NULL, "take another backup",
     SALVOR_SEVERITY_BLOCKER, 0},
    {"ETCD-HASH-MISMATCH", "the snapshot is damaged", "ETCD-004", "take another backup",
     SALVOR_SEVERITY_BLOCKER, 0},
    {"ETCD-HASH-MISSING", "the snapshot has no digest, or its end was cut off", "ETCD-004",
     "prefer a snapshot made by 'etcdctl snapshot save'", SALVOR_SEVERITY_BLOCKER,
     SALVOR_FINDING_WAIVABLE},
    {"ETCD-PAGES-DAMAGED", "the database in the snapshot cannot be read", "ETCD-004",
     "take another backup", SALVOR_SEVERITY_BLOCKER, 0},
    {"ETCD-KEYS-UNRECORDED", "the backup has no list of keys", NULL,
     "make backups with 'salvor backup'", SALVOR_SEVERITY_INFO, 0},
    {"ETCD-SNAPSHOT-READ", "what the snapshot holds", NULL, "nothing to do", SALVOR_SEVERITY_INFO,
     0},
};

static const struct salvor_declared_read declared_reads[] = {
    {"endpoint", "etcdctl --endpoints * endpoint **", "asks a member for its state", NULL},
    {"members", "etcdctl --endpoints * member list **", "lists the members", NULL},
    {"get", "etcdctl --endpoints * get **", "reads keys", NULL},
    {"snapshot-save", "etcdctl --endpoints * snapshot save *",
     "streams the database to a local file", NULL},
    {"path", "stat --format=%D:%i -- *", "tells what is at a path", NULL},
    {"snapshot-status", "etcdctl snapshot status **", "reads a local file", NULL},
};

static const struct salvor_need needs[] = {
    {SALVOR_INVENTORY, 1, 1}, {SALVOR_FINDINGS, 1, 1}, {SALVOR_PLAN, 1, 1},
    {SALVOR_EXEC, 1, 1},      {SALVOR_STREAM, 1, 1},
};

/* Row ids are unique in the plugin: the first table that has the row runs it. */
static const struct {
    const struct salvor_row_code *rows;
    const size_t *count;
} tables[] = {
    {backup_rows, &backup_row_count},
    {restore_rows, &restore_row_count},
    {post_resync_rows, &post_resync_row_count},
};

static size_t table_of(const struct salvor_step *step)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        for (size_t row = 0; row < *tables[i].count; row++) {
            if (strcmp(tables[i].rows[row].row, step->row) == 0)
                return i;
        }
    }
    return 0; /* the helper library reports the unknown row */
}

static salvor_status run_step(salvor_call *call, const struct salvor_step *step)
{
    size_t table = table_of(step);
    return salvor_rows_run(tables[table].rows, *tables[table].count, call, step);
}

static salvor_status check_step(salvor_call *call, const struct salvor_step *step,
                                uint32_t *ret_answer)
{
    size_t table = table_of(step);
    return salvor_rows_check(tables[table].rows, *tables[table].count, call, step, ret_answer);
}

static const struct salvor_hooks hooks = {
    .struct_size = sizeof hooks,
    .discover = example_discover,
    .validate = example_validate,
    .backup = example_plan_backup,
    .restore = example_plan_restore,
    .post_resync = example_plan_post_resync,
    .run_step = run_step,
    .check_step = check_step,
    .observe = example_observe,
};

static const struct salvor_plugin plugin = {
    SALVOR_PLUGIN_HEAD,
    "example",
    "0.1.0",
    "one etcd member, from its snapshot",
    "the salvor developers",
    NULL,
    "Apache-2.0",
    options,
    procedures,
    findings,
    declared_reads,
    needs,
    &hooks,
    SALVOR_ARRAY(options),
    SALVOR_ARRAY(procedures),
    SALVOR_ARRAY(findings),
    SALVOR_ARRAY(declared_reads),
    SALVOR_ARRAY(needs),
};

SALVOR_REGISTER_PLUGIN(plugin)
