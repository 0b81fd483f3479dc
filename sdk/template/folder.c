/* The site: a folder with text files, looked at with commands that the descriptor declares as
 * reads. */
#include <string.h>

#include "text-folder.h"

salvor_status site_folder(salvor_call *call, const char **ret_folder)
{
    return salvor_option_need(call, "folder", ret_folder);
}

salvor_status run_command(salvor_call *call, const char *const *argv,
                          struct salvor_exec_result *ret_result)
{
    struct salvor_exec_request request = {
        .struct_size = sizeof request, .argv = argv, .output_limit = 16u << 20};
    while (argv[request.argc] != NULL)
        request.argc++;
    *ret_result = (struct salvor_exec_result){.struct_size = sizeof *ret_result};
    return salvor_exec_of(call)->run(call, &request, ret_result);
}

salvor_status run_command_well(salvor_call *call, const char *const *argv,
                               struct salvor_exec_result *ret_result)
{
    SALVOR_TRY(run_command(call, argv, ret_result));
    if (ret_result->exit_status == 0)
        return SALVOR_OK;
    return salvor_fail_detail(call, SALVOR_FAILED,
                              ret_result->err.size > 0 ? ret_result->err.data : NULL, NULL,
                              "'%s' ended with %d", argv[0], (int)ret_result->exit_status);
}

/* "<64 hexadecimal digits>  <name>\0" per file, as sha256sum --zero prints it. */
static salvor_status parse_digests(salvor_call *call, struct salvor_span out, json_t *files)
{
    const char *at = out.data;
    const char *end = at + out.size;
    while (at < end) {
        const char *stop = memchr(at, '\0', (size_t)(end - at));
        if (stop == NULL || stop - at < 67)
            return salvor_fail(call, SALVOR_FAILED, NULL, "'sha256sum' printed something else");
        const char *name = strrchr(at + 66, '/');
        name = name != NULL ? name + 1 : at + 66;
        if (json_object_set_new(files, name, json_stringn(at, 64)) != 0)
            return salvor_fail_memory(call, "the list of files");
        at = stop + 1;
    }
    return SALVOR_OK;
}

salvor_status list_files(salvor_call *call, const char *folder, json_t **ret_files)
{
    const char *const there[] = {"test", "-d", folder, NULL};
    const char *const digests[] = {"find",   folder,  "-maxdepth", "1",     "-type",
                                   "f",      "-name", "*.txt",     "-exec", "sha256sum",
                                   "--zero", "--",    "{}",        "+",     NULL};
    struct salvor_exec_result result;
    salvor_auto_json json_t *files = json_object();
    if (files == NULL)
        return salvor_fail_memory(call, "the list of files");
    SALVOR_TRY(run_command(call, there, &result));
    if (result.exit_status == 0) {
        SALVOR_TRY(run_command_well(call, digests, &result));
        SALVOR_TRY(parse_digests(call, result.out, files));
    }
    *ret_files = json_incref(files);
    return SALVOR_OK;
}
