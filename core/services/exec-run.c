#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "services/command-request.h"
#include "services/exec-process.h"
#include "services/exec.h"
#include "services/recorder.h"
#include "services/run-paths.h"

/* ---- telling --------------------------------------------------------------------------------- */

void exec_evidence(struct worker_call *call, const struct exec_command *command, const char *what,
                   json_t *members, int64_t duration_ms)
{
    json_put_text(members, "service", "exec");
    json_put_text(members, "what", what);
    json_put(members, "argv", command_argv_evidence(command->argv));
    if (command->declared != NULL)
        json_put_text(members, "declared_read", command->declared);
    if (recorder_replays(call->session->recorder))
        json_put(members, "replayed", json_true());
    json_put(members, "duration_ms", json_integer(duration_ms));
    call_evidence(call, members);
}

static void tell(struct exec_process *process, uint32_t certainty, int64_t duration_ms)
{
    json_t *members = json_make("{s:s,s:I}", "certainty", command_certainty_word(certainty),
                                "out_bytes", (json_int_t)process->out_bytes);
    if (certainty == SALVOR_CERTAINTY_ANSWERED && process->signal_number == 0)
        json_put(members, "exit_status", json_integer(process->exit_status));
    if (process->signal_number != 0)
        json_put(members, "signal", json_integer(process->signal_number));
    exec_evidence(process->call, process->command, "run", members, duration_ms);
}

static void fill(struct exec_process *process, uint32_t certainty, int64_t duration_ms,
                 struct salvor_exec_result *ret)
{
    struct worker_call *call = process->call;
    size_t kept = process->err.size < EXEC_ERROR_KEPT ? process->err.size : EXEC_ERROR_KEPT;
    const char *tail =
        process->err.data != NULL ? process->err.data + process->err.size - kept : "";
    ret->exit_status = process->exit_status;
    ret->signal_number = process->signal_number;
    ret->certainty = certainty;
    ret->duration_ms = duration_ms;
    ret->out.size = process->out.size;
    ret->out.data = call_keep_text(call, process->out.data, process->out.size);
    ret->err.size = kept;
    ret->err.data = call_keep_text(call, tail, kept);
}

/* ---- recordings ------------------------------------------------------------------------------ */

static json_t *answer_of(const struct worker_call *call, const struct salvor_exec_result *result)
{
    return json_make("{s:i,s:i,s:i,s:o,s:o}", "exit_status", result->exit_status, "signal",
                     result->signal_number, "certainty", (int)result->certainty, "out",
                     run_paths_hide(call, result->out.data, (size_t)result->out.size), "err",
                     run_paths_hide(call, result->err.data, (size_t)result->err.size));
}

static void span_from(struct worker_call *call, const json_t *hidden, struct salvor_span *ret)
{
    size_t size = 0;
    cleanup_free char *data = run_paths_show(call, hidden, &size);
    ret->data = call_keep_text(call, data, size);
    ret->size = size;
}

static salvor_status replay(struct exec_process *process, struct salvor_exec_result *ret)
{
    struct exec_command *command = process->command;
    cleanup_json json_t *answer = NULL;
    cleanup_free char *path = command->output_path == NULL
                                  ? NULL
                                  : text_format("%s/%s", command->scratch, command->output_path);
    salvor_status status =
        recorder_replay(process->call, "exec", "run", command->key, path, &answer);
    if (answer != NULL) {
        ret->exit_status = process->exit_status = (int32_t)json_whole(answer, "exit_status", -1);
        ret->signal_number = process->signal_number = (int32_t)json_whole(answer, "signal", 0);
        ret->certainty = (uint32_t)json_whole(answer, "certainty", SALVOR_CERTAINTY_NOT_SENT);
        ret->duration_ms = 0;
        span_from(process->call, json_object_get(answer, "out"), &ret->out);
        span_from(process->call, json_object_get(answer, "err"), &ret->err);
        process->out_bytes = ret->out.size;
        tell(process, ret->certainty, 0);
    }
    return status;
}

static salvor_status record(struct exec_process *process, salvor_status status,
                            const struct salvor_exec_result *result)
{
    struct exec_command *command = process->command;
    struct worker_call *call = process->call;
    if (!recorder_records(call->session->recorder) || status == SALVOR_CANCELLED)
        return status;
    cleanup_free char *path = command->output_path == NULL
                                  ? NULL
                                  : text_format("%s/%s", command->scratch, command->output_path);
    return recorder_save(call, "exec", "run", command->key, status, answer_of(call, result), path);
}

/* ---- the service ----------------------------------------------------------------------------- */

salvor_status exec_run(salvor_call *public_call, const struct salvor_exec_request *request,
                       struct salvor_exec_result *ret_result)
{
    struct worker_call *call = call_of(public_call);
    cleanup_exec_command struct exec_command command = EXEC_COMMAND_INIT;
    if (ret_result == NULL || ret_result->struct_size < sizeof *ret_result)
        return call_fail(call, SALVOR_BUG, "run: struct_size of the result is not set");
    *ret_result = (struct salvor_exec_result){.struct_size = sizeof *ret_result,
                                              .exit_status = -1,
                                              .certainty = SALVOR_CERTAINTY_NOT_SENT};
    salvor_status status = exec_command_make(call, request, 0, &command);
    if (status != SALVOR_OK)
        return status;
    if (command.output_limit == 0 && command.output_path == NULL)
        command.output_limit = EXEC_OUTPUT_DEFAULT;
    cleanup_exec_process struct exec_process process;
    exec_process_begin(&process, call, &command);
    status = call_wait(call, NULL, 0, 0);
    if (status != SALVOR_PENDING)
        return status;
    if (recorder_replays(call->session->recorder))
        return replay(&process, ret_result);
    status = exec_command_attach(call, request, &command);
    if (status != SALVOR_OK)
        return record(&process, status, ret_result);
    uint32_t certainty = SALVOR_CERTAINTY_NOT_SENT;
    status = exec_process_run(&process, &certainty);
    int64_t duration_ms = clock_monotonic_ms() - process.began;
    fill(&process, certainty, duration_ms, ret_result);
    tell(&process, certainty, duration_ms);
    return record(&process, status, ret_result);
}

static const char *exec_scratch_folder(salvor_call *call)
{
    return run_scratch_folder(call_of(call));
}

const struct salvor_exec exec_table = {
    .struct_size = sizeof(struct salvor_exec),
    .version = 1,
    .run = exec_run,
    .job_start = exec_job_start,
    .job_poll = exec_job_poll,
    .job_wait = exec_job_wait,
    .job_kill = exec_job_kill,
    .scratch_folder = exec_scratch_folder,
};
