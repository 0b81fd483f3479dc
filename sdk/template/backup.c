/* Backup: all text files into one tar, which becomes an artifact of the set. */
#include "text-folder.h"

salvor_status plan_backup(salvor_call *call, const struct salvor_request *request)
{
    const char *folder = NULL;
    (void)request;
    SALVOR_TRY(site_folder(call, &folder));
    SALVOR_TRY(salvor_plan_of(call)->decide(call, "save", "there is one way to back up a folder"));
    return salvor_plan_step(call,
                            &(struct salvor_step_plan){
                                .row = "save-files",
                                .target = folder,
                                .parameters = salvor_json_build(call, "{s:s}", "folder", folder)},
                            NULL);
}

static salvor_status save_files(salvor_call *call, const struct salvor_step *step,
                                json_t *parameters)
{
    const char *const argv[] = {"tar", "--create", "--directory",
                                salvor_json_text(parameters, "/folder", ""), "."};
    const struct salvor_exec_request request = {.struct_size = sizeof request,
                                                .argc = sizeof argv / sizeof *argv,
                                                .argv = argv,
                                                .output_path = "saved.tar"};
    struct salvor_exec_result result = {.struct_size = sizeof result};
    struct salvor_artifact artifact = {.struct_size = sizeof artifact};
    salvor_auto_text struct salvor_text path = SALVOR_TEXT_INIT(PATH_SIZE);
    (void)step;
    SALVOR_TRY(salvor_exec_of(call)->run(call, &request, &result));
    if (result.exit_status != 0)
        return salvor_fail_detail(call, SALVOR_FAILED, result.err.size > 0 ? result.err.data : NULL,
                                  NULL, "'tar' ended with %d", (int)result.exit_status);
    salvor_text_format(&path, "%s/saved.tar", salvor_exec_of(call)->scratch_folder(call));
    SALVOR_TRY(salvor_text_check(call, &path, "a path"));
    SALVOR_TRY(salvor_stream_of(call)->adopt(call, salvor_text_get(&path), ARTIFACT,
                                             "application/x-tar", 0, &artifact));
    return salvor_note(call, "%llu bytes saved", (unsigned long long)artifact.size);
}

/* Answers by looking: the artifact can be opened, or it is not there. */
static salvor_status files_are_saved(salvor_call *call, const struct salvor_step *step,
                                     json_t *parameters, uint32_t *ret_answer)
{
    salvor_stream_reader *reader = NULL;
    (void)step, (void)parameters;
    const salvor_status status = salvor_stream_of(call)->open(call, ARTIFACT, 0, &reader);
    if (status == SALVOR_OK)
        salvor_stream_of(call)->close(call, reader);
    else if (status != SALVOR_NOT_FOUND)
        return status;
    *ret_answer = status == SALVOR_OK ? SALVOR_CHECK_DONE : SALVOR_CHECK_NOT_STARTED;
    return SALVOR_OK;
}

const struct salvor_row_code backup_code[] = {
    {"save-files", save_files, files_are_saved},
};
const size_t backup_code_count = sizeof backup_code / sizeof *backup_code;
