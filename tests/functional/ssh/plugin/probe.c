/*
 * A plugin that does with salvor.ssh what the parameters of its step say, for tests against real
 * hosts:
 *
 *   {"do":[{"op":"open","options":{…}}             hosts are numbered from 0
 *          {"op":"run|submit","host":N,"argv":[…]},
 *          {"op":"next"}                           of what was submitted
 *          {"op":"job_start","host":N,"id","argv"},
 * {"op":"job_wait|job_poll|job_kill","host":N,"id"},
 *          {"op":"artifact","name","text"},
 *          {"op":"put","host":N,"artifact","path"}, {"op":"get","host":N,"path","artifact"},
 *          {"op":"read","artifact"}]}
 *
 * Each is answered by a note, {"op","status",…,"error"}. Keys are those of the agent.
 */
#include <salvor/helpers.h>
#include <stdio.h>
#include <string.h>

enum { HOSTS = 16, WORDS = 16 };

struct probe {
    salvor_ssh_host *hosts[HOSTS];
    size_t host_count;
    salvor_batch *batch;
};

static salvor_status tell(salvor_call *call, const json_t *op, salvor_status status, json_t *answer)
{
    salvor_auto_json json_t *own = answer != NULL ? answer : json_object();
    (void)json_object_set(own, "op", salvor_json_at(op, "/op"));
    (void)json_object_set_new(own, "status", json_integer((json_int_t)status));
    if (status != SALVOR_OK && status != SALVOR_END)
        (void)json_object_set_new(own, "error", json_string(call->host->last_error(call)));
    salvor_auto_release char *line = salvor_json_write(own);
    return salvor_plan_of(call)->note(call, line);
}

static json_t *text_of(struct salvor_span span)
{
    json_t *text = json_stringn(span.data != NULL ? span.data : "", (size_t)span.size);
    return text != NULL ? text : json_string("(not text)");
}

static const char *text(const json_t *op, const char *path)
{
    return salvor_json_text(op, path, NULL);
}

static salvor_ssh_host *host_of(const struct probe *probe, const json_t *op)
{
    const size_t number = (size_t)json_integer_value(salvor_json_at(op, "/host"));
    return number < probe->host_count ? probe->hosts[number] : NULL;
}

static uint32_t words_of(const json_t *op, const char *words[WORDS])
{
    const json_t *argv = salvor_json_at(op, "/argv");
    uint32_t count = 0;
    while (count < WORDS && count < json_array_size(argv)) {
        words[count] = json_string_value(json_array_get(argv, count));
        count++;
    }
    return count;
}

static salvor_status do_open(salvor_call *call, struct probe *probe, const json_t *op)
{
    salvor_auto_release char *options = salvor_json_write(salvor_json_at(op, "/options"));
    if (probe->host_count == HOSTS)
        return salvor_fail(call, SALVOR_FAILED, NULL, "too many hosts");
    const salvor_status status =
        salvor_ssh_of(call)->host_open(call, options, NULL, &probe->hosts[probe->host_count]);
    if (status == SALVOR_OK)
        probe->host_count++;
    return tell(call, op, status, NULL);
}

static salvor_status do_run(salvor_call *call, struct probe *probe, const json_t *op)
{
    const char *words[WORDS];
    const struct salvor_exec_request request = {
        .struct_size = sizeof request, .argv = words, .argc = words_of(op, words)};
    struct salvor_exec_result result = {.struct_size = sizeof result};
    const salvor_status status =
        salvor_ssh_of(call)->run(call, host_of(probe, op), &request, &result);
    return tell(call, op, status,
                salvor_json_build(call, "{s:i,s:i,s:o,s:o}", "exit_status", result.exit_status,
                                  "certainty", (int)result.certainty, "out", text_of(result.out),
                                  "err", text_of(result.err)));
}

static salvor_status do_submit(salvor_call *call, struct probe *probe, const json_t *op)
{
    const char *words[WORDS];
    const struct salvor_exec_request request = {
        .struct_size = sizeof request, .argv = words, .argc = words_of(op, words)};
    salvor_status status = SALVOR_OK;
    if (probe->batch == NULL)
        status = salvor_batches_of(call)->open(
            call, "{\"in_flight\":16,\"retry\":{\"attempts\":2,\"backoff_ms\":50}}", &probe->batch);
    if (status == SALVOR_OK)
        status = salvor_ssh_of(call)->submit(
            call, probe->batch, host_of(probe, op),
            (uint64_t)json_integer_value(salvor_json_at(op, "/host")), &request);
    return tell(call, op, status, NULL);
}

static salvor_status do_next(salvor_call *call, struct probe *probe, const json_t *op)
{
    struct salvor_batch_result result = {.struct_size = sizeof result};
    const salvor_status status = salvor_batches_of(call)->next(call, probe->batch, &result);
    return tell(call, op, status,
                salvor_json_build(call, "{s:i,s:i,s:i,s:i,s:i,s:o}", "host", (int)result.tag,
                                  "result", (int)result.status, "code", result.code, "certainty",
                                  (int)result.certainty, "attempts", (int)result.attempts, "out",
                                  text_of(result.body)));
}

static salvor_status do_job_start(salvor_call *call, struct probe *probe, const json_t *op)
{
    const char *words[WORDS];
    const struct salvor_exec_request request = {
        .struct_size = sizeof request, .argv = words, .argc = words_of(op, words)};
    return tell(call, op,
                salvor_ssh_of(call)->job_start(call, host_of(probe, op), text(op, "/id"), &request),
                NULL);
}

static salvor_status do_job_look(salvor_call *call, struct probe *probe, const json_t *op)
{
    const struct salvor_ssh *ssh = salvor_ssh_of(call);
    struct salvor_job_state job = {.struct_size = sizeof job};
    const int waits = strcmp(text(op, "/op"), "job_wait") == 0;
    const salvor_status status =
        (waits ? ssh->job_wait : ssh->job_poll)(call, host_of(probe, op), text(op, "/id"), &job);
    return tell(call, op, status,
                salvor_json_build(call, "{s:i,s:i,s:o,s:o}", "state", (int)job.state, "exit_status",
                                  job.exit_status, "out", text_of(job.out), "err",
                                  text_of(job.err)));
}

static salvor_status do_job_kill(salvor_call *call, struct probe *probe, const json_t *op)
{
    return tell(call, op, salvor_ssh_of(call)->job_kill(call, host_of(probe, op), text(op, "/id")),
                NULL);
}

static salvor_status do_artifact(salvor_call *call, struct probe *probe, const json_t *op)
{
    const struct salvor_stream *stream = salvor_stream_of(call);
    salvor_stream_writer *writer = NULL;
    const char *content = text(op, "/text");
    (void)probe;
    salvor_status status = stream->create(call, text(op, "/name"), "text/plain", 0, &writer);
    if (status == SALVOR_OK)
        status = stream->write(call, writer, content, strlen(content));
    if (status == SALVOR_OK)
        status = stream->commit(call, writer, NULL);
    return tell(call, op, status, NULL);
}

static salvor_status do_put(salvor_call *call, struct probe *probe, const json_t *op)
{
    return tell(call, op,
                salvor_ssh_of(call)->put(call, host_of(probe, op), text(op, "/artifact"),
                                         text(op, "/path"), 0),
                NULL);
}

static salvor_status do_get(salvor_call *call, struct probe *probe, const json_t *op)
{
    return tell(call, op,
                salvor_ssh_of(call)->get(call, host_of(probe, op), text(op, "/path"),
                                         text(op, "/artifact"), "text/plain", 0),
                NULL);
}

static salvor_status do_read(salvor_call *call, struct probe *probe, const json_t *op)
{
    const struct salvor_stream *stream = salvor_stream_of(call);
    salvor_stream_reader *reader = NULL;
    char content[4096];
    uint64_t size = 0;
    (void)probe;
    salvor_status status = stream->open(call, text(op, "/artifact"), 0, &reader);
    if (status == SALVOR_OK)
        status = stream->read(call, reader, content, sizeof content, &size);
    return tell(
        call, op, status,
        salvor_json_build(call, "{s:o}", "text", text_of((struct salvor_span){content, size})));
}

static const struct {
    const char *op;
    salvor_status (*work)(salvor_call *call, struct probe *probe, const json_t *op);
} operations[] = {
    {"open", do_open},
    {"run", do_run},
    {"submit", do_submit},
    {"next", do_next},
    {"job_start", do_job_start},
    {"job_wait", do_job_look},
    {"job_poll", do_job_look},
    {"job_kill", do_job_kill},
    {"artifact", do_artifact},
    {"put", do_put},
    {"get", do_get},
    {"read", do_read},
};

static salvor_status work(salvor_call *call, const struct salvor_step *step, json_t *parameters)
{
    struct probe probe = {.host_count = 0};
    const json_t *list = salvor_json_at(parameters, "/do");
    (void)step;
    SALVOR_TRY(salvor_nothing_before(call));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *op = json_array_get(list, i);
        size_t k = 0;
        while (k < sizeof operations / sizeof *operations &&
               strcmp(operations[k].op, salvor_json_text(op, "/op", "")) != 0)
            k++;
        if (k == sizeof operations / sizeof *operations)
            return salvor_fail(call, SALVOR_FAILED, NULL, "no operation '%s'",
                               salvor_json_text(op, "/op", ""));
        SALVOR_TRY(operations[k].work(call, &probe, op));
    }
    return SALVOR_OK;
}

static salvor_status is_done(salvor_call *call, const struct salvor_step *step, json_t *parameters,
                             uint32_t *ret_answer)
{
    (void)call, (void)step, (void)parameters;
    *ret_answer = SALVOR_CHECK_NOT_STARTED;
    return SALVOR_OK;
}

static const struct salvor_row_code code[] = {{"work", work, is_done}};

static salvor_status run_step(salvor_call *call, const struct salvor_step *step)
{
    return salvor_rows_run(code, 1, call, step);
}

static salvor_status check_step(salvor_call *call, const struct salvor_step *step,
                                uint32_t *ret_answer)
{
    return salvor_rows_check(code, 1, call, step, ret_answer);
}

/* ---- the descriptor -------------------------------------------------------------------------- */

static const struct salvor_row rows[] = {
    {.id = "work",
     .title = "do what the parameters say",
     .statements = "PROBE-001",
     .effect = SALVOR_EFFECT_CHANGE,
     .flags = SALVOR_ROW_IDEMPOTENT,
     .deadline_ms = 120000,
     .attempts = 1},
};

static const struct salvor_stage stages[] = {{"only", "work", rows, SALVOR_ARRAY(rows)}};

static const struct salvor_procedure procedures[] = {
    {"probe", "work", "this file", "1", stages, SALVOR_ARRAY(stages), SALVOR_PROCEDURE_RESTORE, 0},
};

static const struct salvor_need needs[] = {
    {SALVOR_SSH, 1, 1},
    {SALVOR_BATCH, 1, 1},
    {SALVOR_STREAM, 1, 1},
    {SALVOR_PLAN, 1, 1},
};

static salvor_status discover(salvor_call *call)
{
    (void)call;
    return SALVOR_OK;
}

static salvor_status restore(salvor_call *call, const struct salvor_request *request)
{
    (void)request;
    return salvor_plan_of(call)->decide(call, "probe", "there is nothing else");
}

static const struct salvor_hooks hooks = {.struct_size = sizeof hooks,
                                          .discover = discover,
                                          .restore = restore,
                                          .run_step = run_step,
                                          .check_step = check_step};

static const struct salvor_plugin plugin = {
    SALVOR_PLUGIN_HEAD,
    .name = "ssh-probe",
    .version = "0.1.0",
    .summary = "what it is told, for tests",
    .maintainer = "Nobody <nobody@example.org>",
    .license = "Apache-2.0",
    SALVOR_WITH(procedure, procedures),
    SALVOR_WITH(need, needs),
    .hooks = &hooks,
};

SALVOR_REGISTER_PLUGIN(plugin)
