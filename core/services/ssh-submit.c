#include "services/ssh-submit.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "services/command-request.h"
#include "services/recorder.h"
#include "services/ssh-command.h"
#include "services/ssh-output.h"
#include "services/ssh-run.h"
#include "services/ssh-session.h"
#include "services/ssh.h"

struct ssh_task {
    struct batch_task task; /* first */
    struct worker_call *call;
    struct ssh_host host; /* own references */
    struct ssh_command command;
    char *script;
    struct buffer input; /* windows: standard input, since the request is gone by then */
    struct salvor_span input_span;
    struct ssh_output output;
    struct ssh_session *session; /* while an attempt is under way */
    struct net_watch watch;
    struct buffer err;
    int64_t began;
};

static const struct batch_access *queue;

void ssh_submit_use(const struct batch_access *access)
{
    queue = access;
}

static struct ssh_task *own(struct batch_task *task)
{
    return (struct ssh_task *)(void *)task;
}

/* ---- an attempt ------------------------------------------------------------------------------ */

static enum net_fault fault_of(const struct ssh_outcome *outcome)
{
    switch (outcome->status) {
    case SALVOR_OK:
        return NET_FAULT_NONE;
    case SALVOR_RETRY:
        return outcome->certainty == SALVOR_CERTAINTY_NOT_SENT ? NET_FAULT_CONNECT : NET_FAULT_CUT;
    case SALVOR_REFUSED:
        return NET_FAULT_TRUST;
    case SALVOR_TIMEOUT:
        return NET_FAULT_TIMEOUT;
    case SALVOR_CANCELLED:
        return NET_FAULT_CANCELLED;
    default:
        return NET_FAULT_LOCAL;
    }
}

static void tell(struct ssh_task *task, const struct ssh_outcome *outcome)
{
    json_t *members =
        json_make("{s:s,s:I}", "certainty", command_certainty_word(outcome->certainty), "out_bytes",
                  (json_int_t)task->output.bytes);
    if (outcome->certainty == SALVOR_CERTAINTY_ANSWERED)
        json_put(members, "exit_status", json_integer(outcome->exit_status));
    if (outcome->status != SALVOR_OK && outcome->error.message != NULL)
        json_put_text(members, "error", outcome->error.message);
    ssh_command_evidence(task->call, task->host.target, &task->command, "submit", members,
                         clock_monotonic_ms() - task->began);
}

static void end_attempt(struct ssh_task *task)
{
    struct ssh_outcome *outcome = ssh_session_outcome(task->session);
    queue->watch_remove(&task->watch);
    buffer_clear(&task->err);
    (void)buffer_append(&task->err, outcome->err.data, (size_t)outcome->err.size);
    tell(task, outcome);
    if (outcome->status != SALVOR_OK && error_is_set(&outcome->error))
        (void)error_prefix(&outcome->error, "command '%s'", task->command.text);
    task->task.outcome = (struct batch_outcome){
        .status = outcome->status,
        .certainty = outcome->certainty,
        .fault = fault_of(outcome),
        .code = outcome->exit_status,
        .repeatable = task->command.declared != NULL,
        .retry_after_ms = -1,
        .latency_ms = -1, /* that of the command, not of the host */
        .slow_down = outcome->busy,
    };
    (void)error_move(&task->task.outcome.error, &outcome->error);
    ssh_session_free(take_pointer(task->session));
    queue->ended(&task->task);
}

static void ready(struct net_watch *watch, short revents)
{
    struct ssh_task *task = watch->owner;
    (void)revents;
    if (ssh_session_step(task->session))
        end_attempt(task);
}

static void fail_attempt(struct ssh_task *task, struct error *err)
{
    task->task.outcome = (struct batch_outcome){.status = SALVOR_FAILED,
                                                .certainty = SALVOR_CERTAINTY_NOT_SENT,
                                                .fault = NET_FAULT_LOCAL,
                                                .code = -1,
                                                .retry_after_ms = -1,
                                                .latency_ms = -1};
    (void)error_move(&task->task.outcome.error, err);
    queue->ended(&task->task);
}

static void start(struct worker_call *call, struct batch_task *batch_task)
{
    struct ssh_task *task = own(batch_task);
    cleanup_error struct error err = ERROR_INIT;
    task->began = clock_monotonic_ms();
    ssh_output_clear(&task->output);
    task->output = (struct ssh_output)SSH_OUTPUT_INIT;
    if (ssh_output_open(&task->output, &task->command, &err) != 0) {
        fail_attempt(task, &err);
        return;
    }
    task->session = ssh_session_start(&(struct ssh_session_request){
        .target = task->host.target,
        .key = task->host.key,
        .row = call->row,
        .script = task->script,
        .input = &task->input_span,
        .input_count = 1,
        .take = ssh_output_take,
        .data = &task->output,
        .timeout_ms = task->command.timeout_ms,
    });
    task->watch = (struct net_watch){
        .fd = ssh_session_fd(task->session), .events = POLLIN, .ready = ready, .owner = task};
    if (queue->watch_add(&task->watch) == 0)
        return;
    (void)error_errno(&err, EXIT_FAILED, errno, "cannot wait for '%s'", task->host.target->name);
    ssh_session_free(take_pointer(task->session));
    fail_attempt(task, &err);
}

static void destroy(struct batch_task *batch_task)
{
    struct ssh_task *task = own(batch_task);
    if (task->session != NULL) {
        queue->watch_remove(&task->watch);
        ssh_session_free(task->session);
    }
    ssh_script_free(task->script);
    if (task->input.data != NULL)
        sodium_memzero(task->input.data, task->input.capacity);
    buffer_clear(&task->input);
    ssh_output_clear(&task->output);
    buffer_clear(&task->err);
    ssh_command_clear(&task->command);
    ssh_target_put(task->host.target);
    ssh_key_put(task->host.key);
    free(task);
}

/* ---- results --------------------------------------------------------------------------------- */

static void result(struct batch_task *batch_task, struct salvor_batch_result *ret)
{
    const struct ssh_task *task = own(batch_task);
    ret->body = (struct salvor_span){task->output.kept.data != NULL ? task->output.kept.data : "",
                                     task->output.kept.size};
    ret->err = (struct salvor_span){task->err.data != NULL ? task->err.data : "", task->err.size};
}

static struct salvor_exec_result as_run(struct ssh_task *task)
{
    struct salvor_batch_result spans = {0};
    result(&task->task, &spans);
    return (struct salvor_exec_result){.struct_size = sizeof(struct salvor_exec_result),
                                       .exit_status = task->task.outcome.code,
                                       .certainty = task->task.outcome.certainty,
                                       .out = spans.body,
                                       .err = spans.err};
}

static void record(struct worker_call *call, struct batch_task *batch_task)
{
    struct ssh_task *task = own(batch_task);
    struct batch_outcome *outcome = &batch_task->outcome;
    const struct salvor_exec_result answer = as_run(task);
    /* The recorder takes the error from the call. */
    if (outcome->status != SALVOR_OK && outcome->error.message != NULL)
        (void)call_fail(call, outcome->status, "%s", outcome->error.message);
    const salvor_status status =
        ssh_run_record(call, "submit", &task->command, outcome->status, &answer);
    if (status == outcome->status)
        return;
    /* What cannot be recorded is never handed out as an answer. */
    outcome->status = status;
    error_clear(&outcome->error);
    (void)error_move(&outcome->error, &call->error);
}

static void replay(struct worker_call *call, struct batch_task *batch_task)
{
    struct ssh_task *task = own(batch_task);
    struct salvor_exec_result answer = {.exit_status = -1, .certainty = SALVOR_CERTAINTY_NOT_SENT};
    const salvor_status status = ssh_run_replay(call, "submit", &task->command, &answer);
    (void)buffer_append(&task->output.kept, answer.out.data, (size_t)answer.out.size);
    (void)buffer_append(&task->err, answer.err.data, (size_t)answer.err.size);
    task->output.bytes = answer.out.size;
    batch_task->outcome = (struct batch_outcome){.status = status,
                                                 .certainty = answer.certainty,
                                                 .code = answer.exit_status,
                                                 .retry_after_ms = -1,
                                                 .latency_ms = -1};
    if (status != SALVOR_OK)
        (void)error_move(&batch_task->outcome.error, &call->error);
}

static const struct batch_kind kind = {.service = "ssh",
                                       .start = start,
                                       .record = record,
                                       .replay = replay,
                                       .result = result,
                                       .destroy = destroy};

/* ---- submit ---------------------------------------------------------------------------------- */

/* Everything that the request points to is gone when the first attempt begins. */
static salvor_status make_task(struct ssh_task *task, const struct salvor_exec_request *request)
{
    struct worker_call *call = task->call;
    struct ssh_command *command = &task->command;
    salvor_status status = ssh_command_make(call, task->host.target, request, 0, command);
    if (status != SALVOR_OK)
        return status;
    task->script = ssh_command_script(call, task->host.target, command, &status);
    if (task->script == NULL)
        return status;
    size_t total = 0;
    for (size_t i = 0; task->host.target->windows && i < command->script.input_count; i++)
        total += (size_t)command->input[i].size;
    task->input = (struct buffer)BUFFER_INIT(total);
    (void)buffer_reserve(&task->input, total);
    for (size_t i = 0; task->host.target->windows && i < command->script.input_count; i++)
        (void)buffer_append(&task->input, command->input[i].data, (size_t)command->input[i].size);
    task->input_span = (struct salvor_span){task->input.data, task->input.size};
    command->script = (struct ssh_script_command){0};
    return SALVOR_OK;
}

salvor_status ssh_submit(salvor_call *public_call, salvor_batch *batch, salvor_ssh_host *handle,
                         uint64_t tag, const struct salvor_exec_request *request)
{
    struct worker_call *call = call_of(public_call);
    const struct ssh_host *host = ssh_host_of(call, handle);
    if (host == NULL)
        return SALVOR_BUG;
    if (queue == NULL) /* then there is no batch either */
        return call_fail(call, SALVOR_BUG, "ssh.submit: the batch is not open in this call");
    salvor_status status = queue->room(call, batch);
    if (status != SALVOR_OK)
        return status;
    struct ssh_task *task = memory_new(1, sizeof *task);
    *task = (struct ssh_task){
        .call = call,
        .host = {ssh_target_ref(host->target), ssh_key_ref(host->key)},
        .output = SSH_OUTPUT_INIT,
        .err = BUFFER_INIT(SSH_ERROR_KEPT),
    };
    status = make_task(task, request);
    if (status != SALVOR_OK) {
        destroy(&task->task);
        return status;
    }
    task->task = (struct batch_task){
        .kind = &kind,
        .verb = "run",
        .type = json_string_value(json_array_get(task->command.argv, 0)),
    };
    queue->submit(call, batch, tag, &task->task);
    return SALVOR_OK;
}
