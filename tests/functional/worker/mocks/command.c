/* Runs a command that would go on for ever; in "validate" the worker dies meanwhile, in "run_step"
 * it would be a detached job. */
#define MOCK_NAME "command"
#define MOCK_OWN_DESCRIPTOR
#include <unistd.h>

#include "mock.h"

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    const struct salvor_exec *exec =
        (const struct salvor_exec *)call->host->get_interface(call, SALVOR_EXEC, 1);
    static const char *const argv[] = {"sleep", "3600"};
    struct salvor_exec_request request;
    struct salvor_exec_result result;
    memset(&request, 0, sizeof request);
    memset(&result, 0, sizeof result);
    request.struct_size = sizeof request;
    request.argv = argv;
    request.argc = 2;
    result.struct_size = sizeof result;
    if (strcmp(hook, "validate") == 0)
        (void)alarm(1);
    if (strcmp(hook, "run_step") == 0)
        return exec->job_start(call, "some-job", &request);
    return exec->run(call, &request, &result);
}

static const struct salvor_declared_read own_reads[] = {
    {"sleep", "sleep **", "it only waits", NULL},
};

static const struct salvor_need own_needs[] = {
    {SALVOR_EXEC, 1, 1},
};

static const struct salvor_plugin mock_plugin = {SALVOR_PLUGIN_HEAD,
                                                 MOCK_NAME,
                                                 "0.1",
                                                 "a mock",
                                                 "Nobody <nobody@example.org>",
                                                 NULL,
                                                 "Apache-2.0",
                                                 mock_options,
                                                 mock_procedures,
                                                 mock_findings,
                                                 own_reads,
                                                 own_needs,
                                                 &mock_hooks,
                                                 SALVOR_ARRAY(mock_options),
                                                 SALVOR_ARRAY(mock_procedures),
                                                 SALVOR_ARRAY(mock_findings),
                                                 SALVOR_ARRAY(own_reads),
                                                 SALVOR_ARRAY(own_needs)};

SALVOR_REGISTER_PLUGIN(mock_plugin)
