#include "paths.h"

#include <stdio.h>
#include <string.h>

static salvor_status ask(salvor_call *call, const char *path, struct salvor_exec_result *ret)
{
    static const char *const env[] = {"LC_ALL=C"}; /* its words are looked at */
    const char *const argv[] = {"stat", "--format=%D:%i", "--", path};
    const struct salvor_exec_request request = {
        .struct_size = sizeof request, .argc = 4, .argv = argv, .env = env, .env_count = 1};
    memset(ret, 0, sizeof *ret);
    ret->struct_size = sizeof *ret;
    return salvor_exec_of(call)->run(call, &request, ret);
}

salvor_status path_state(salvor_call *call, const char *path, char *buffer, size_t size)
{
    struct salvor_exec_result result;
    SALVOR_TRY(ask(call, path, &result));
    const char *words = result.err.size > 0 ? result.err.data : "";
    if (result.exit_status == 0 && result.out.size > 0) {
        (void)snprintf(buffer, size, "%.*s", (int)strcspn(result.out.data, "\n"), result.out.data);
        return SALVOR_OK;
    }
    if (result.exit_status != 1 || strstr(words, "No such file or directory") == NULL)
        return salvor_fail_detail(call, SALVOR_FAILED, words, NULL, "cannot look at '%s'", path);
    (void)snprintf(buffer, size, "absent");
    return SALVOR_OK;
}

salvor_status path_exists(salvor_call *call, const char *path, int *ret_there)
{
    char state[64];
    SALVOR_TRY(path_state(call, path, state, sizeof state));
    *ret_there = strcmp(state, "absent") != 0;
    return SALVOR_OK;
}
