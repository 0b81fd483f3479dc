/*
 * A small but complete provider plugin: it backs up and restores a folder with text files.
 *
 * Copy this folder, rename 'text-folder' everywhere, and replace the site.
 */
#include <salvor/archive.h>
#include <string.h>

#include "text-folder.h"

/* ---- what the plugin declares --------------------------------------------------------------- */

static const struct salvor_option options[] = {
    {"folder", "DIR", NULL, "folder with the text files", NULL, "0.1", SALVOR_OPTION_PATH,
     SALVOR_OPTION_REQUIRED, SALVOR_ON_DISCOVER | SALVOR_ON_BACKUP | SALVOR_ON_RESTORE, 0},
};

#define MINUTES(count) ((uint64_t)(count)*60u * 1000u)

static const struct salvor_row save_rows[] = {
    {.id = "save-files",
     .title = "save all text files",
     .statements = "TEXT-001",
     .effect = SALVOR_EFFECT_DECLARED_READ,
     .flags = SALVOR_ROW_IDEMPOTENT,
     .deadline_ms = MINUTES(5),
     .attempts = 2,
     .backoff_ms = 1000},
};

static const struct salvor_row unpack_rows[] = {
    {.id = "unpack",
     .title = "unpack the backup beside the site",
     .statements = "TEXT-002",
     .effect = SALVOR_EFFECT_CHANGE,
     .flags = SALVOR_ROW_IDEMPOTENT | SALVOR_ROW_JOB,
     .deadline_ms = MINUTES(5),
     .attempts = 3,
     .backoff_ms = 500,
     .check_every_ms = 50},
};

static const struct salvor_row copy_rows[] = {
    {.id = "copy-files",
     .title = "copy the files of the backup into the folder",
     .statements = "TEXT-003",
     .effect = SALVOR_EFFECT_DESTRUCTIVE,
     .flags = SALVOR_ROW_IDEMPOTENT,
     .deadline_ms = MINUTES(5),
     .attempts = 3,
     .backoff_ms = 500},
};

static const struct salvor_stage save_stages[] = {
    {"save", "save the folder", save_rows, SALVOR_ARRAY(save_rows)},
};

static const struct salvor_stage copy_back_stages[] = {
    {"unpack", "unpack the backup", unpack_rows, SALVOR_ARRAY(unpack_rows)},
    {"copy", "copy the files back", copy_rows, SALVOR_ARRAY(copy_rows)},
};

static const struct salvor_procedure procedures[] = {
    {"save", "save the folder", "Manual of the text folder, chapter 1", "all", save_stages,
     SALVOR_ARRAY(save_stages), SALVOR_PROCEDURE_BACKUP, 0},
    {"copy-back", "copy the files back", "Manual of the text folder, chapter 2", "all",
     copy_back_stages, SALVOR_ARRAY(copy_back_stages), SALVOR_PROCEDURE_RESTORE, 0},
};

static const struct salvor_finding findings[] = {
    {"TEXT-ARCHIVE-DAMAGED", "the backup is damaged", "TEXT-002", "use another backup",
     SALVOR_SEVERITY_BLOCKER, 0},
    {"TEXT-ARCHIVE-EMPTY", "the backup holds no text file", NULL, "check what was backed up",
     SALVOR_SEVERITY_WARNING, SALVOR_FINDING_WAIVABLE},
};

static const struct salvor_declared_read declared_reads[] = {
    {"folder-test", "test -d *", "asks whether a folder exists", NULL},
    {"file-digests", "find * -maxdepth 1 -type f -name * -exec sha256sum --zero -- {} +",
     "reads the files of a folder and prints their digests", NULL},
    {"archive", "tar --create --directory * .", "reads a folder and writes to standard output",
     NULL},
};

static const struct salvor_need needs[] = {
    {SALVOR_EXEC, 1, 1}, {SALVOR_STREAM, 1, 1},   {SALVOR_INVENTORY, 1, 1},
    {SALVOR_PLAN, 1, 1}, {SALVOR_FINDINGS, 1, 1},
};

/* ---- looking -------------------------------------------------------------------------------- */

/* The site is its path: a run that was planned for one folder never goes on with another. */
static salvor_status observe(salvor_call *call, const char *names)
{
    const char *folder = NULL;
    (void)names;
    SALVOR_TRY(site_folder(call, &folder));
    return salvor_observed(call, "folder", SALVOR_FACT_IDENTITY, json_string(folder));
}

static salvor_status discover(salvor_call *call)
{
    const char *folder = NULL;
    const char *name;
    json_t *digest;
    salvor_auto_json json_t *files = NULL;
    SALVOR_TRY(observe(call, NULL));
    SALVOR_TRY(site_folder(call, &folder));
    SALVOR_TRY(list_files(call, folder, &files));
    json_object_foreach (files, name, digest) {
        salvor_auto_json json_t *details = salvor_json_build(call, "{s:O}", "sha256", digest);
        salvor_auto_release char *text = details != NULL ? salvor_json_write(details) : NULL;
        if (text == NULL)
            return salvor_fail_memory(call, "a file");
        SALVOR_TRY(salvor_inventory_of(call)->item(call, "file", name, text));
    }
    return SALVOR_OK;
}

/* Works offline on any source: reads the whole archive to its proven end. */
static salvor_status validate(salvor_call *call, const struct salvor_request *request)
{
    salvor_archive *archive = NULL;
    struct salvor_archive_member member;
    uint64_t files = 0;
    if (request->source == NULL)
        return SALVOR_OK;
    salvor_status status = salvor_archive_open(call, ARTIFACT, NULL, &archive);
    while (status == SALVOR_OK && (status = salvor_archive_next(archive, &member)) == SALVOR_OK)
        files += member.kind == SALVOR_MEMBER_FILE;
    if (status == SALVOR_FAILED && archive != NULL)
        status = salvor_raise(call, "TEXT-ARCHIVE-DAMAGED", ARTIFACT, "%s",
                              salvor_archive_problem(archive));
    else if (status == SALVOR_END)
        status = files > 0 ? SALVOR_OK
                           : salvor_raise(call, "TEXT-ARCHIVE-EMPTY", ARTIFACT, "it has no file");
    salvor_archive_close(archive);
    return status;
}

/* ---- hooks ---------------------------------------------------------------------------------- */

static int is_backup(const struct salvor_step *step)
{
    return strcmp(step->procedure, "save") == 0;
}

static salvor_status run_step(salvor_call *call, const struct salvor_step *step)
{
    return is_backup(step) ? salvor_rows_run(backup_code, backup_code_count, call, step)
                           : salvor_rows_run(restore_code, restore_code_count, call, step);
}

static salvor_status check_step(salvor_call *call, const struct salvor_step *step,
                                uint32_t *ret_answer)
{
    return is_backup(step)
               ? salvor_rows_check(backup_code, backup_code_count, call, step, ret_answer)
               : salvor_rows_check(restore_code, restore_code_count, call, step, ret_answer);
}

static const struct salvor_hooks hooks = {.struct_size = sizeof hooks,
                                          .discover = discover,
                                          .validate = validate,
                                          .backup = plan_backup,
                                          .restore = plan_restore,
                                          .run_step = run_step,
                                          .check_step = check_step,
                                          .observe = observe};

static const struct salvor_plugin plugin = {
    SALVOR_PLUGIN_HEAD,
    .name = "text-folder",
    .version = "0.1.0",
    .summary = "a folder with text files",
    .maintainer = "You <you@example.org>",
    .license = "Apache-2.0",
    SALVOR_WITH(option, options),
    SALVOR_WITH(procedure, procedures),
    SALVOR_WITH(finding, findings),
    SALVOR_WITH(declared_read, declared_reads),
    SALVOR_WITH(need, needs),
    .hooks = &hooks,
};

SALVOR_REGISTER_PLUGIN(plugin)
