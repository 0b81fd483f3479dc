/*
 * Restore, in two stages: the backup is unpacked beside the site by a job; then a stage planned
 * from what came out of it names every file that is overwritten, and copies them.
 */
#include <string.h>

#include "text-folder.h"

/* Where the backup is unpacked. Absolute, and the same in every call of the run. */
static salvor_status unpacked_folder(salvor_call *call, struct salvor_text *ret_path)
{
    salvor_text_format(ret_path, "%s/unpacked", salvor_exec_of(call)->scratch_folder(call));
    return salvor_text_check(call, ret_path, "a path");
}

/* ---- planning ------------------------------------------------------------------------------- */

static salvor_status plan_unpack(salvor_call *call, const struct salvor_request *request)
{
    const struct salvor_plan *plan = salvor_plan_of(call);
    if (request->source == NULL)
        return salvor_fail(call, SALVOR_REFUSED, "name it with '--from latest|SET|FILE'",
                           "there is no backup to restore from");
    SALVOR_TRY(plan->decide(call, "copy-back", "there is one way to restore a folder"));
    SALVOR_TRY(salvor_plan_step(call,
                                &(struct salvor_step_plan){.row = "unpack",
                                                           .target = ARTIFACT,
                                                           .parameters = SALVOR_NO_PARAMETERS},
                                NULL));
    return plan->next_stage(call, "copy");
}

/* The goal of each file is its digest: absolute, so that doing it twice changes nothing more. */
static salvor_status plan_copy(salvor_call *call)
{
    const char *folder = NULL;
    salvor_auto_text struct salvor_text unpacked = SALVOR_TEXT_INIT(PATH_SIZE);
    salvor_auto_json json_t *saved = NULL;
    salvor_auto_json json_t *live = NULL;
    const char *name;
    json_t *digest;
    uint32_t index = 0;
    SALVOR_TRY(site_folder(call, &folder));
    SALVOR_TRY(unpacked_folder(call, &unpacked));
    SALVOR_TRY(list_files(call, salvor_text_get(&unpacked), &saved));
    SALVOR_TRY(list_files(call, folder, &live));
    SALVOR_TRY(salvor_plan_step(
        call,
        &(struct salvor_step_plan){
            .row = "copy-files",
            .target = folder,
            .parameters = salvor_json_build(call, "{s:s,s:O,s:O}", "folder", folder, "files", saved,
                                            "before", live),
            .consequence = "the present content of files that the backup holds"},
        &index));
    json_object_foreach (saved, name, digest)
        SALVOR_TRY(salvor_plan_of(call)->object(call, index, name));
    return SALVOR_OK;
}

salvor_status plan_restore(salvor_call *call, const struct salvor_request *request)
{
    if (request->stage != NULL && strcmp(request->stage, "copy") == 0)
        return plan_copy(call);
    return plan_unpack(call, request);
}

/* ---- unpack: a job -------------------------------------------------------------------------- */

/* One job an attempt, so that a failed one is not mistaken for the one after it. */
static salvor_status job_id(salvor_call *call, const struct salvor_step *step,
                            struct salvor_text *ret_id)
{
    salvor_text_format(ret_id, "%s-%u", step->job_id, (unsigned)step->attempt);
    return salvor_text_check(call, ret_id, "the id of the job");
}

static salvor_status unpack(salvor_call *call, const struct salvor_step *step, json_t *parameters)
{
    salvor_auto_text struct salvor_text folder = SALVOR_TEXT_INIT(PATH_SIZE);
    salvor_auto_text struct salvor_text id = SALVOR_TEXT_INIT(PATH_SIZE);
    struct salvor_exec_result made;
    const char *archive = NULL;
    (void)parameters;
    SALVOR_TRY(job_id(call, step, &id));
    SALVOR_TRY(unpacked_folder(call, &folder));
    SALVOR_TRY(salvor_stream_of(call)->materialize(call, ARTIFACT, &archive));
    SALVOR_TRY(salvor_nothing_before(call));
    const char *const mkdir[] = {"mkdir", "-p", "--", salvor_text_get(&folder), NULL};
    SALVOR_TRY(run_command_well(call, mkdir, &made));
    const char *const argv[] = {"tar",   "--extract",   "--file",
                                archive, "--directory", salvor_text_get(&folder)};
    const struct salvor_exec_request request = {
        .struct_size = sizeof request, .argc = sizeof argv / sizeof *argv, .argv = argv};
    return salvor_exec_of(call)->job_start(call, salvor_text_get(&id), &request);
}

static salvor_status is_unpacked(salvor_call *call, const struct salvor_step *step,
                                 json_t *parameters, uint32_t *ret_answer)
{
    struct salvor_job_state job = {.struct_size = sizeof job};
    salvor_auto_text struct salvor_text id = SALVOR_TEXT_INIT(PATH_SIZE);
    (void)parameters;
    SALVOR_TRY(job_id(call, step, &id));
    SALVOR_TRY(salvor_exec_of(call)->job_poll(call, salvor_text_get(&id), &job));
    *ret_answer = salvor_job_answer(&job, SALVOR_CHECK_DONE);
    if (job.state == SALVOR_JOB_ENDED && job.exit_status != 0)
        return salvor_note(call, "'tar' ended with %d", (int)job.exit_status);
    return SALVOR_OK;
}

/* ---- copy-files ----------------------------------------------------------------------------- */

static int is_equal(const json_t *files, const char *name, const json_t *digest)
{
    return json_equal(json_object_get(files, name), digest);
}

static salvor_status copy_files(salvor_call *call, const struct salvor_step *step,
                                json_t *parameters)
{
    const char *folder = salvor_json_text(parameters, "/folder", "");
    salvor_auto_text struct salvor_text from = SALVOR_TEXT_INIT(PATH_SIZE);
    salvor_auto_json json_t *live = NULL;
    struct salvor_exec_result result;
    json_t *files = salvor_json_at(parameters, "/files");
    const char *name;
    json_t *digest;
    uint64_t done = 0;
    (void)step;
    SALVOR_TRY(unpacked_folder(call, &from));
    const size_t prefix = from.size;
    SALVOR_TRY(list_files(call, folder, &live));
    /* What stood there before; small here. More than 64 KiB would go into an artifact. */
    SALVOR_TRY(salvor_checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE, json_incref(live)));
    const char *const mkdir[] = {"mkdir", "-p", "--", folder, NULL};
    SALVOR_TRY(run_command_well(call, mkdir, &result));
    json_object_foreach (files, name, digest) {
        if (!is_equal(live, name, digest)) {
            from.size = prefix;
            salvor_text_format(&from, "/%s", name);
            SALVOR_TRY(salvor_text_check(call, &from, "a path"));
            const char *const argv[] = {"cp", "--", salvor_text_get(&from), folder, NULL};
            SALVOR_TRY(run_command_well(call, argv, &result));
        }
        call->host->progress(call, ++done, json_object_size(files), "files");
    }
    return salvor_result(call, salvor_json_build(call, "{s:I}", "files", (json_int_t)done));
}

/* Every file has the planned digest: done. A file that is neither as planned nor as it was when the
 * step was planned was changed by somebody else, or is half written by a copy that was killed; the
 * pre-image, which is there once we began, tells which. */
static salvor_status files_are_copied(salvor_call *call, const struct salvor_step *step,
                                      json_t *parameters, uint32_t *ret_answer)
{
    salvor_auto_json json_t *live = NULL;
    json_t *files = salvor_json_at(parameters, "/files");
    json_t *before = salvor_json_at(parameters, "/before");
    const int begun = call->host->last_checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE) != NULL;
    const char *name;
    json_t *digest;
    size_t equal = 0;
    (void)step;
    SALVOR_TRY(list_files(call, salvor_json_text(parameters, "/folder", ""), &live));
    json_object_foreach (files, name, digest) {
        if (is_equal(live, name, digest)) {
            equal++;
        } else if (!begun &&
                   !json_equal(json_object_get(live, name), json_object_get(before, name)) &&
                   json_object_get(live, name) != json_object_get(before, name)) {
            *ret_answer = SALVOR_CHECK_CONFLICT;
            return salvor_note(call, "file '%s' was changed since the plan", name);
        }
    }
    *ret_answer = equal == json_object_size(files) ? SALVOR_CHECK_DONE
                  : begun                          ? SALVOR_CHECK_PARTIAL
                                                   : SALVOR_CHECK_NOT_STARTED;
    return salvor_note(call, "%zu of %zu files are as in the backup", equal,
                       json_object_size(files));
}

const struct salvor_row_code restore_code[] = {
    {"unpack", unpack, is_unpacked},
    {"copy-files", copy_files, files_are_copied},
};
const size_t restore_code_count = sizeof restore_code / sizeof *restore_code;
