/*
 * A plugin for tests of the whole program: a secret goes every way that a plugin has for one, then
 * a job runs on a host. What it says and keeps would hold the secrets if nobody left them out.
 */
#include <salvor/helpers.h>
#include <stdio.h>
#include <string.h>

static const struct salvor_option options[] = {
    {"host", "NAME", NULL, "host to work on", NULL, "0.1", SALVOR_OPTION_STRING,
     SALVOR_OPTION_REQUIRED, SALVOR_ON_ALL, 0},
    {"port", "NUMBER", "22", "its port", NULL, "0.1", SALVOR_OPTION_INTEGER, 0, SALVOR_ON_ALL, 0},
    {"user", "NAME", NULL, "user there", NULL, "0.1", SALVOR_OPTION_STRING, 0, SALVOR_ON_ALL, 0},
    {"known-hosts", "FILE", NULL, "its key", NULL, "0.1", SALVOR_OPTION_PATH, 0, SALVOR_ON_ALL, 0},
    {"ssh-key", NULL, NULL, "private key for it", NULL, "0.1", SALVOR_OPTION_STRING,
     SALVOR_OPTION_SECRET, SALVOR_ON_ALL, 0},
    {"token", NULL, NULL, "a secret", NULL, "0.1", SALVOR_OPTION_STRING, SALVOR_OPTION_SECRET,
     SALVOR_ON_ALL, 0},
    {"issued", "FILE", NULL, "file with a secret that comes in an answer", NULL, "0.1",
     SALVOR_OPTION_PATH, 0, SALVOR_ON_ALL, 0},
    {"script", "TEXT", "exit 0", "what the job does", NULL, "0.1", SALVOR_OPTION_STRING, 0,
     SALVOR_ON_ALL, 0},
    {"crash", NULL, "false", "abort with the secrets in memory", NULL, "0.1", SALVOR_OPTION_BOOLEAN,
     0, SALVOR_ON_ALL, 0},
};

static const struct salvor_row work_rows[] = {
    {.id = "keep",
     .title = "use the secrets and seal them",
     .statements = "REMOTE-001",
     .effect = SALVOR_EFFECT_CHANGE,
     .flags = SALVOR_ROW_IDEMPOTENT,
     .deadline_ms = 60000,
     .attempts = 1},
    {.id = "job",
     .title = "run a job on the host",
     .statements = "REMOTE-002",
     .effect = SALVOR_EFFECT_CHANGE,
     .flags = SALVOR_ROW_JOB,
     .deadline_ms = 60000,
     .attempts = 3,
     .backoff_ms = 100,
     .check_every_ms = 100},
    {.id = "use-kept",
     .title = "use what was sealed",
     .statements = "REMOTE-003",
     .effect = SALVOR_EFFECT_CHANGE,
     .flags = SALVOR_ROW_IDEMPOTENT,
     .deadline_ms = 60000,
     .attempts = 1},
};

static const struct salvor_stage stages[] = {
    {"work", "work on the host", work_rows, SALVOR_ARRAY(work_rows)},
};

static const struct salvor_procedure procedures[] = {
    {"work", "work on the host", "this file", "1", stages, SALVOR_ARRAY(stages),
     SALVOR_PROCEDURE_RESTORE, 0},
};

static const struct salvor_need needs[] = {
    {SALVOR_SSH, 1, 1},    {SALVOR_EXEC, 1, 1}, {SALVOR_SECRET, 1, 1},
    {SALVOR_STREAM, 1, 1}, {SALVOR_PLAN, 1, 1}, {SALVOR_INVENTORY, 1, 1},
};

/* ---- the host and the secrets ---------------------------------------------------------------- */

static salvor_status open_host(salvor_call *call, salvor_ssh_host **ret_host)
{
    const char *host = NULL;
    int64_t port = 22;
    salvor_secret *key = NULL;
    salvor_auto_json json_t *where = NULL;
    salvor_auto_release char *text = NULL;
    SALVOR_TRY(salvor_option_need(call, "host", &host));
    SALVOR_TRY(call->host->option_integer(call, "port", &port));
    SALVOR_TRY(salvor_secrets_of(call)->open(call, "ssh-key", &key));
    where = salvor_json_build(call, "{s:s,s:I,s:s*,s:s*}", "host", host, "port", (json_int_t)port,
                              "user", salvor_option_text(call, "user", NULL), "known_hosts",
                              salvor_option_text(call, "known-hosts", NULL));
    text = where != NULL ? salvor_json_write(where) : NULL;
    if (text == NULL)
        return salvor_fail_memory(call, "the address of the host");
    return salvor_ssh_of(call)->host_open(call, text, key, ret_host);
}

/* A secret that comes in an answer, and is known as one from then on. */
static salvor_status take_issued(salvor_call *call, salvor_secret **ret_secret)
{
    const char *path = salvor_option_text(call, "issued", "/dev/null");
    const char *const argv[] = {"cat", "--", path};
    const struct salvor_exec_request request = {
        .struct_size = sizeof request, .argc = 3, .argv = argv};
    struct salvor_exec_result result = {.struct_size = sizeof result};
    SALVOR_TRY(salvor_exec_of(call)->run(call, &request, &result));
    return salvor_secrets_of(call)->adopt(call, result.out.data, result.out.size, ret_secret);
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* Everything that a careless plugin could do with a secret's text. */
static salvor_status babble(salvor_call *call, const char *text)
{
    char line[2048];
    (void)snprintf(line, sizeof line, "the secret is %s", text);
    call->host->log(call, SALVOR_LOG_WARNING, line);
    call->host->progress(call, 1, 2, text);
    fprintf(stderr, "plugin: %s\n", text);
    return salvor_note(call, "noted: %s", text);
}

static salvor_status meet_mishap(salvor_call *call, const char *text)
{
    const char *mishap = salvor_option_text(call, "mishap", "none");
    if (strcmp(mishap, "crash") == 0)
        __builtin_trap();
    if (strcmp(mishap, "result") == 0)
        return salvor_result(call, salvor_json_build(call, "{s:s}", "said", text));
    if (strcmp(mishap, "checkpoint") == 0)
        return salvor_checkpoint(call, SALVOR_CHECKPOINT_CURSOR,
                                 salvor_json_build(call, "{s:s}", "cursor", text));
    if (strcmp(mishap, "error") == 0)
        return salvor_fail_detail(call, SALVOR_FAILED, text, text, "it failed with '%s'", text);
    return SALVOR_OK;
}

static salvor_status keep(salvor_call *call, const struct salvor_step *step, json_t *parameters)
{
    const struct salvor_secrets *secrets = salvor_secrets_of(call);
    salvor_secret *token = NULL;
    salvor_secret *issued = NULL;
    salvor_ssh_host *host = NULL;
    (void)step, (void)parameters;
    SALVOR_TRY(salvor_nothing_before(call));
    SALVOR_TRY(secrets->open(call, "token", &token));
    SALVOR_TRY(take_issued(call, &issued));
    /* By descriptor, by file, and on the standard input of a host. */
    const char *const local[] = {"sh", "-c", "cat <&5; cat \"$1\"; cat \"$1\" >&2", "sh",
                                 "{secret:issued}"};
    const struct salvor_exec_secret both[] = {
        {.secret = token, .how = SALVOR_EXEC_SECRET_FD, .number = 5},
        {.secret = issued, .name = "issued", .how = SALVOR_EXEC_SECRET_FILE}};
    const struct salvor_exec_request here = {
        .struct_size = sizeof here, .argc = 5, .argv = local, .secrets = both, .secret_count = 2};
    struct salvor_exec_result result = {.struct_size = sizeof result};
    SALVOR_TRY(salvor_exec_of(call)->run(call, &here, &result));
    SALVOR_TRY(babble(call, result.out.data));
    SALVOR_TRY(open_host(call, &host));
    const char *const far[] = {"sh", "-c", "tee /dev/stderr"};
    const struct salvor_exec_request there = {
        .struct_size = sizeof there, .argc = 3, .argv = far, .secrets = both, .secret_count = 2};
    SALVOR_TRY(salvor_ssh_of(call)->run(call, host, &there, &result));
    SALVOR_TRY(babble(call, result.err.data));
    SALVOR_TRY(secrets->seal(call, "token", token));
    SALVOR_TRY(secrets->seal(call, "issued", issued));
    return meet_mishap(call, result.err.data);
}

static salvor_status is_kept(salvor_call *call, const struct salvor_step *step, json_t *parameters,
                             uint32_t *ret_answer)
{
    salvor_secret *secret = NULL;
    (void)step, (void)parameters;
    const salvor_status status = salvor_secrets_of(call)->unseal(call, "issued", &secret);
    *ret_answer = status == SALVOR_OK ? SALVOR_CHECK_DONE : SALVOR_CHECK_NOT_STARTED;
    return status == SALVOR_NOT_FOUND ? SALVOR_OK : status;
}

static salvor_status run_job(salvor_call *call, const struct salvor_step *step, json_t *parameters)
{
    salvor_secret *token = NULL;
    salvor_ssh_host *host = NULL;
    const char *const argv[] = {"sh", "-c", salvor_json_text(parameters, "/script", "exit 0")};
    SALVOR_TRY(salvor_secrets_of(call)->open(call, "token", &token));
    SALVOR_TRY(salvor_nothing_before(call));
    SALVOR_TRY(open_host(call, &host));
    const struct salvor_exec_secret secrets[] = {{.secret = token}};
    const struct salvor_exec_request request = {.struct_size = sizeof request,
                                                .argc = 3,
                                                .argv = argv,
                                                .secrets = secrets,
                                                .secret_count = 1};
    return salvor_ssh_of(call)->job_start(call, host, step->job_id, &request);
}

static salvor_status check_job(salvor_call *call, const struct salvor_step *step,
                               json_t *parameters, uint32_t *ret_answer)
{
    struct salvor_job_state job = {.struct_size = sizeof job};
    salvor_ssh_host *host = NULL;
    (void)parameters;
    SALVOR_TRY(open_host(call, &host));
    SALVOR_TRY(salvor_ssh_of(call)->job_poll(call, host, step->job_id, &job));
    *ret_answer = salvor_job_answer(&job, SALVOR_CHECK_DONE);
    if (job.state == SALVOR_JOB_ENDED)
        return salvor_note(call, "the job printed '%.*s'", (int)strcspn(job.out.data, "\n"),
                           job.out.data);
    return SALVOR_OK;
}

static salvor_status use_kept(salvor_call *call, const struct salvor_step *step, json_t *parameters)
{
    salvor_secret *token = NULL;
    struct salvor_span value = {NULL, 0};
    (void)step, (void)parameters;
    SALVOR_TRY(salvor_nothing_before(call));
    SALVOR_TRY(salvor_secrets_of(call)->unseal(call, "token", &token));
    SALVOR_TRY(salvor_secrets_of(call)->reveal(call, token, &value));
    SALVOR_TRY(babble(call, value.data));
    return salvor_checkpoint(call, SALVOR_CHECKPOINT_CURSOR, json_true());
}

static salvor_status is_used(salvor_call *call, const struct salvor_step *step, json_t *parameters,
                             uint32_t *ret_answer)
{
    (void)step, (void)parameters;
    *ret_answer = call->host->last_checkpoint(call, SALVOR_CHECKPOINT_CURSOR) != NULL
                      ? SALVOR_CHECK_DONE
                      : SALVOR_CHECK_NOT_STARTED;
    return SALVOR_OK;
}

static const struct salvor_row_code code[] = {
    {"keep", keep, is_kept},
    {"job", run_job, check_job},
    {"use-kept", use_kept, is_used},
};

/* ---- hooks ----------------------------------------------------------------------------------- */

static salvor_status observe(salvor_call *call, const char *names)
{
    const char *host = NULL;
    (void)names;
    SALVOR_TRY(salvor_option_need(call, "host", &host));
    return salvor_observed(call, "host", SALVOR_FACT_IDENTITY, json_string(host));
}

static salvor_status discover(salvor_call *call)
{
    return observe(call, NULL);
}

static salvor_status restore(salvor_call *call, const struct salvor_request *request)
{
    const char *host = NULL;
    (void)request;
    SALVOR_TRY(salvor_option_need(call, "host", &host));
    SALVOR_TRY(salvor_plan_of(call)->decide(call, "work", "there is nothing else"));
    for (size_t i = 0; i < sizeof code / sizeof *code; i++)
        SALVOR_TRY(salvor_plan_step(
            call,
            &(struct salvor_step_plan){
                .row = code[i].row,
                .target = host,
                .parameters = salvor_json_build(call, "{s:s}", "script",
                                                salvor_option_text(call, "script", "exit 0"))},
            NULL));
    return SALVOR_OK;
}

static salvor_status run_step(salvor_call *call, const struct salvor_step *step)
{
    return salvor_rows_run(code, sizeof code / sizeof *code, call, step);
}

static salvor_status check_step(salvor_call *call, const struct salvor_step *step,
                                uint32_t *ret_answer)
{
    return salvor_rows_check(code, sizeof code / sizeof *code, call, step, ret_answer);
}

static const struct salvor_hooks hooks = {.struct_size = sizeof hooks,
                                          .discover = discover,
                                          .restore = restore,
                                          .run_step = run_step,
                                          .check_step = check_step,
                                          .observe = observe};

static const struct salvor_plugin plugin = {
    SALVOR_PLUGIN_HEAD,
    .name = "remote",
    .version = "0.1.0",
    .summary = "a host, for tests",
    .maintainer = "Nobody <nobody@example.org>",
    .license = "Apache-2.0",
    SALVOR_WITH(option, options),
    SALVOR_WITH(procedure, procedures),
    SALVOR_WITH(need, needs),
    .hooks = &hooks,
};

SALVOR_REGISTER_PLUGIN(plugin)
