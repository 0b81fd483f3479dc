/* Uses what it should not, or is ended from outside; "mock-number" says which. */
#define MOCK_NAME "greedy"
#define MOCK_OWN_DESCRIPTOR
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "mock.h"

enum { SPIN = 1, SPIN_A_WHILE, EAT, SIGNAL_ITSELF = 100 };

static double processor_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void spin(double seconds)
{
    const double until = processor_seconds() + seconds;
    while (processor_seconds() < until)
        continue;
}

static salvor_status eat(void)
{
    enum { PIECE = 1 << 24, PIECES = 64 };
    for (int i = 0; i < PIECES; i++) {
        char *piece = malloc(PIECE);
        if (piece == NULL)
            abort();
        memset(piece, i, PIECE);
    }
    return SALVOR_OK;
}

/* The kernel counts, then kills: so does this, where the test lets it. */
static void count_kill(salvor_call *call)
{
    const char *path = call->host->option_text(call, "mock-path");
    FILE *file = path != NULL ? fopen(path, "w") : NULL;
    if (file == NULL)
        return;
    (void)fputs("nr_free_pages 1\noom_kill 8\n", file);
    (void)fclose(file);
}

static salvor_status show_limits(salvor_call *call)
{
    static const char *const argv[] = {"prlimit", "--raw", "--noheadings", "--output",
                                       "SOFT",    "--as",  "--cpu"};
    const struct salvor_exec *exec =
        (const struct salvor_exec *)call->host->get_interface(call, SALVOR_EXEC, 1);
    struct salvor_exec_request request;
    struct salvor_exec_result result;
    memset(&request, 0, sizeof request);
    memset(&result, 0, sizeof result);
    request.struct_size = sizeof request;
    request.argv = argv;
    request.argc = (uint32_t)(sizeof argv / sizeof *argv);
    result.struct_size = sizeof result;
    salvor_status status = exec->run(call, &request, &result);
    return status == SALVOR_OK ? mock_inventory(call)->item(call, "limits", result.out.data, "{}")
                               : status;
}

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    int64_t what = 0;
    (void)call->host->option_integer(call, "mock-number", &what);
    if (strcmp(hook, "validate") == 0)
        return show_limits(call);
    if (what == SPIN)
        spin(60);
    if (what == SPIN_A_WHILE)
        spin(0.8);
    if (what == EAT)
        return eat();
    if (what > SIGNAL_ITSELF) {
        count_kill(call);
        (void)kill(getpid(), (int)what - SIGNAL_ITSELF);
    }
    return SALVOR_OK;
}

static const struct salvor_declared_read own_reads[] = {
    {"prlimit", "prlimit --raw **", "shows its own limits", NULL},
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
