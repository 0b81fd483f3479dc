#include "services/ssh-run.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "services/command-request.h"
#include "services/recorder.h"
#include "services/run-paths.h"
#include "services/ssh-command.h"
#include "services/ssh-output.h"
#include "services/ssh-session.h"
#include "services/ssh.h"

struct running {
    struct worker_call *call;
    const struct ssh_host *host;
    struct ssh_command *command;
    struct ssh_output output;
};

static void release(struct running *running)
{
    ssh_output_clear(&running->output);
}

#define cleanup_running __attribute__((cleanup(release)))

static void fill(const struct running *running, const struct ssh_outcome *outcome,
                 int64_t duration_ms, struct salvor_exec_result *ret)
{
    struct worker_call *call = running->call;
    ret->exit_status = outcome->exit_status;
    ret->certainty = outcome->certainty;
    ret->duration_ms = duration_ms;
    ret->out.size = running->output.kept.size;
    ret->out.data = call_keep_text(call, running->output.kept.data, running->output.kept.size);
    ret->err.size = outcome->err.size;
    ret->err.data = call_keep_text(call, outcome->err.data, (size_t)outcome->err.size);
}

static void tell(const struct running *running, const struct salvor_exec_result *result)
{
    json_t *members = json_make("{s:s,s:I}", "certainty", command_certainty_word(result->certainty),
                                "out_bytes", (json_int_t)running->output.bytes);
    if (result->certainty == SALVOR_CERTAINTY_ANSWERED)
        json_put(members, "exit_status", json_integer(result->exit_status));
    ssh_command_evidence(running->call, running->host->target, running->command, "run", members,
                         result->duration_ms);
}

/* ---- recordings ------------------------------------------------------------------------------ */

static char *output_file(const struct ssh_command *command)
{
    return command->output_path == NULL
               ? NULL
               : text_format("%s/%s", command->scratch, command->output_path);
}

static void span_from(struct worker_call *call, const json_t *hidden, struct salvor_span *ret)
{
    size_t size = 0;
    cleanup_free char *data = run_paths_show(call, hidden, &size);
    ret->data = call_keep_text(call, data, size);
    ret->size = size;
}

salvor_status ssh_run_record(struct worker_call *call, const char *method,
                             const struct ssh_command *command, salvor_status status,
                             const struct salvor_exec_result *answer)
{
    if (!recorder_records(call->session->recorder) || status == SALVOR_CANCELLED)
        return status;
    cleanup_free char *path = output_file(command);
    json_t *kept =
        json_make("{s:i,s:i,s:o,s:o}", "exit_status", answer->exit_status, "certainty",
                  (int)answer->certainty, "out",
                  run_paths_hide(call, answer->out.data, (size_t)answer->out.size), "err",
                  run_paths_hide(call, answer->err.data, (size_t)answer->err.size));
    return recorder_save(call, "ssh", method, command->key, status, kept, path);
}

salvor_status ssh_run_replay(struct worker_call *call, const char *method,
                             const struct ssh_command *command, struct salvor_exec_result *ret)
{
    cleanup_json json_t *answer = NULL;
    cleanup_free char *path = output_file(command);
    salvor_status status = recorder_replay(call, "ssh", method, command->key, path, &answer);
    if (answer == NULL)
        return status;
    ret->exit_status = (int32_t)json_whole(answer, "exit_status", -1);
    ret->certainty = (uint32_t)json_whole(answer, "certainty", SALVOR_CERTAINTY_NOT_SENT);
    span_from(call, json_object_get(answer, "out"), &ret->out);
    span_from(call, json_object_get(answer, "err"), &ret->err);
    return status;
}

/* ---- the service ----------------------------------------------------------------------------- */

static salvor_status run_it(struct running *running, struct salvor_exec_result *ret)
{
    struct worker_call *call = running->call;
    struct ssh_command *command = running->command;
    cleanup_error struct error err = ERROR_INIT;
    salvor_status status = SALVOR_OK;
    const int64_t began = clock_monotonic_ms();
    cleanup_ssh_script char *script =
        ssh_command_script(call, running->host->target, command, &status);
    if (script == NULL)
        return status;
    if (ssh_output_open(&running->output, command, &err) != 0)
        return call_fail_error(call, SALVOR_FAILED, &err);
    cleanup_ssh_session struct ssh_session *session =
        ssh_session_start(&(struct ssh_session_request){
            .target = running->host->target,
            .key = running->host->key,
            .row = call->row,
            .script = script,
            .input = command->input,
            .input_count = command->script.input_count,
            .take = ssh_output_take,
            .data = &running->output,
            .timeout_ms = command->timeout_ms,
        });
    status = ssh_session_wait(call, session);
    if (status != SALVOR_OK && error_is_set(&call->error))
        (void)error_prefix(&call->error, "command '%s'", command->text);
    fill(running, ssh_session_outcome(session), clock_monotonic_ms() - began, ret);
    tell(running, ret);
    return status;
}

salvor_status ssh_run(salvor_call *public_call, salvor_ssh_host *handle,
                      const struct salvor_exec_request *request,
                      struct salvor_exec_result *ret_result)
{
    struct worker_call *call = call_of(public_call);
    cleanup_ssh_command struct ssh_command command = {0};
    const struct ssh_host *host = ssh_host_of(call, handle);
    if (host == NULL)
        return SALVOR_BUG;
    if (ret_result == NULL || ret_result->struct_size < sizeof *ret_result)
        return call_fail(call, SALVOR_BUG, "ssh.run: struct_size of the result is not set");
    *ret_result = (struct salvor_exec_result){.struct_size = sizeof *ret_result,
                                              .exit_status = -1,
                                              .certainty = SALVOR_CERTAINTY_NOT_SENT,
                                              .out = {"", 0},
                                              .err = {"", 0}};
    salvor_status status = ssh_command_make(call, host->target, request, 0, &command);
    if (status != SALVOR_OK)
        return status;
    cleanup_running struct running running = {
        .call = call, .host = host, .command = &command, .output = SSH_OUTPUT_INIT};
    status = call_wait(call, NULL, 0, 0);
    if (status != SALVOR_PENDING)
        return status;
    if (recorder_replays(call->session->recorder)) {
        status = ssh_run_replay(call, "run", &command, ret_result);
        running.output.bytes = ret_result->out.size;
        tell(&running, ret_result);
        return status;
    }
    status = run_it(&running, ret_result);
    return ssh_run_record(call, "run", &command, status, ret_result);
}
