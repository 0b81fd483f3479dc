#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/kill-point.h"
#include "base/text.h"
#include "services/beneath.h"
#include "services/exec-command.h"
#include "services/exec.h"
#include "services/recorder.h"
#include "services/run-paths.h"
#include "services/shims.h"

enum { STOP_PATIENCE_MS = 1500, SIZE_CHECK_MS = 100, CHUNK = 65536, EVIDENCE_WORD = 1000 };

/* One command while it runs. */
struct running {
    struct worker_call *call;
    struct exec_command *command;
    struct shim shim;
    struct buffer out;
    struct buffer err; /* up to twice what is kept, to move it rarely */
    int out_fd;        /* read end, or -1 at its end */
    int err_fd;
    int file_fd; /* output file, or -1 */
    uint64_t out_bytes;
    int started;
    int ended;
    int32_t exit_status;
    int32_t signal_number;
    char not_started[200];
    int64_t began;
};

/* ---- hearing from it ------------------------------------------------------------------------- */

static int out_limit_passed(const struct running *running)
{
    uint64_t limit = running->command->output_limit;
    return limit != 0 && running->out_bytes > limit;
}

static void take_error_text(struct running *running, const char *data, size_t size)
{
    if (running->err.size + size > running->err.limit)
        buffer_consume(&running->err, running->err.size + size - EXEC_ERROR_KEPT);
    (void)buffer_append(&running->err, data, size);
}

/* Reads what is there now. */
static void drain(struct running *running, int *fd, int is_out)
{
    char chunk[CHUNK];
    while (*fd >= 0) {
        ssize_t got = read(*fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            (void)close(take_fd(fd));
            return;
        }
        if (!is_out) {
            take_error_text(running, chunk, (size_t)got);
            continue;
        }
        running->out_bytes += (uint64_t)got;
        if (!out_limit_passed(running))
            (void)buffer_append(&running->out, chunk, (size_t)got);
        else
            return;
    }
}

static void hear(struct running *running)
{
    struct shim_report report = {0};
    ssize_t got = recv(running->shim.talk, &report, sizeof report, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    report.text[sizeof report.text - 1] = '\0';
    if (got != (ssize_t)sizeof report) {
        running->ended = 1; /* the shim is gone without a word */
        running->exit_status = -1;
    } else if (report.event == SHIM_STARTED) {
        running->started = 1;
        kill_point(running->call->row, "request-sent");
    } else if (report.event == SHIM_NOT_STARTED) {
        running->ended = 1;
        (void)snprintf(running->not_started, sizeof running->not_started, "%s%s%s", report.text,
                       report.value != 0 ? ": " : "",
                       report.value != 0 ? strerror(report.value) : "");
    } else {
        running->ended = 2;
        running->exit_status = report.event == SHIM_EXITED ? report.value : -1;
        running->signal_number = report.event == SHIM_SIGNALLED ? report.value : 0;
    }
}

static void check_file_size(struct running *running)
{
    struct stat status;
    if (running->file_fd >= 0 && fstat(running->file_fd, &status) == 0)
        running->out_bytes = (uint64_t)status.st_size;
}

/* One round of waiting; `wait` is either call_wait or plain poll when the call is being stopped. */
static salvor_status step(struct running *running, int64_t timeout_ms, int stopping)
{
    struct pollfd fds[3] = {{running->shim.talk, POLLIN, 0},
                            {running->out_fd, POLLIN, 0},
                            {running->err_fd, POLLIN, 0}};
    salvor_status status = SALVOR_OK;
    if (stopping)
        status = poll(fds, 3, (int)timeout_ms) > 0 ? SALVOR_OK : SALVOR_PENDING;
    else
        status = call_wait(running->call, fds, 3, timeout_ms);
    /* Everything it said before its end is in the pipes before the report of its end is read. */
    hear(running);
    drain(running, &running->out_fd, 1);
    drain(running, &running->err_fd, 0);
    check_file_size(running);
    return status;
}

static void stop(struct running *running)
{
    const int64_t give_up = clock_monotonic_ms() + STOP_PATIENCE_MS;
    (void)send(running->shim.talk, "T", 1, MSG_NOSIGNAL);
    for (int64_t left = STOP_PATIENCE_MS; !running->ended && left > 0;
         left = give_up - clock_monotonic_ms()) {
        running->out_bytes = 0; /* drained, no longer kept */
        buffer_clear(&running->out);
        (void)step(running, left, 1);
    }
}

static salvor_status watch(struct running *running)
{
    struct worker_call *call = running->call;
    struct exec_command *command = running->command;
    const int64_t own_end =
        command->timeout_ms > 0 ? running->began + command->timeout_ms : INT64_MAX;
    while (!running->ended) {
        int64_t left = own_end - clock_monotonic_ms();
        if (left <= 0) {
            stop(running);
            (void)call_fail(call, SALVOR_TIMEOUT, "command '%s' did not end within %lld ms",
                            command->text, (long long)command->timeout_ms);
            return SALVOR_TIMEOUT;
        }
        int check_size = running->file_fd >= 0 && command->output_limit != 0;
        int64_t wait = check_size && left > SIZE_CHECK_MS ? SIZE_CHECK_MS : left;
        salvor_status status = step(running, own_end == INT64_MAX && !check_size ? -1 : wait, 0);
        if (status != SALVOR_OK && status != SALVOR_PENDING && !running->ended) {
            stop(running);
            return status;
        }
        if (out_limit_passed(running)) {
            stop(running);
            (void)call_fail(call, SALVOR_FAILED, "command '%s' printed more than %llu bytes",
                            command->text, (unsigned long long)command->output_limit);
            return call_hint(call, SALVOR_FAILED,
                             "the plugin raises output_limit or uses output_path");
        }
    }
    return SALVOR_OK;
}

/* ---- starting it ----------------------------------------------------------------------------- */

static int open_output(struct running *running, int *ret_fd, struct error *reterr)
{
    struct exec_command *command = running->command;
    cleanup_close int scratch = open(command->scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *ret_fd = scratch < 0
                  ? -1
                  : beneath_open(scratch, command->output_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (*ret_fd < 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot create output file '%s/%s'",
                           command->scratch, command->output_path);
    return 0;
}

static int pipe_to(int *ret_read, int *ret_write)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    *ret_read = ends[0];
    *ret_write = ends[1];
    return fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

static int start(struct running *running, struct error *reterr)
{
    struct exec_command *command = running->command;
    cleanup_close int out = -1;
    cleanup_close int err = -1;
    if (command->output_path != NULL) {
        if (open_output(running, &out, reterr) != 0)
            return -1;
        running->file_fd = fcntl(out, F_DUPFD_CLOEXEC, 3);
    } else if (pipe_to(&running->out_fd, &out) != 0) {
        return error_errno(reterr, EXIT_FAILED, errno, "cannot prepare command '%s'",
                           command->text);
    }
    if (pipe_to(&running->err_fd, &err) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot prepare command '%s'",
                           command->text);
    struct shim_fd fds[SHIM_SECRETS + 4];
    memcpy(fds, command->fds, sizeof *fds * command->fd_count);
    fds[command->fd_count] = (struct shim_fd){out, 1};
    fds[command->fd_count + 1] = (struct shim_fd){err, 2};
    return shim_spawn(EXEC_SHIM_COMMAND, NULL, command->spec, fds, command->fd_count + 2,
                      &running->shim, reterr);
}

static void release(struct running *running)
{
    shim_end(&running->shim, running->ended ? STOP_PATIENCE_MS : 0);
    if (running->out_fd >= 0)
        (void)close(running->out_fd);
    if (running->err_fd >= 0)
        (void)close(running->err_fd);
    if (running->file_fd >= 0)
        (void)close(running->file_fd);
    buffer_clear(&running->out);
    buffer_clear(&running->err);
}

#define cleanup_running __attribute__((cleanup(release)))

/* ---- telling -----------------------------------------------------------------------------------
 */

static const char *certainty_word(uint32_t certainty)
{
    return certainty == SALVOR_CERTAINTY_ANSWERED ? "answered"
           : certainty == SALVOR_CERTAINTY_SENT   ? "sent"
                                                  : "not-sent";
}

static json_t *argv_for_evidence(const json_t *argv)
{
    json_t *shown = json_make("[]");
    size_t index = 0;
    json_t *word = NULL;
    json_array_foreach (argv, index, word) {
        size_t size = json_string_length(word);
        if (index >= 200) {
            json_add(shown, json_string("..."));
            break;
        }
        if (size <= EVIDENCE_WORD) {
            json_add(shown, json_incref(word));
            continue;
        }
        char digest[DIGEST_TEXT_SIZE];
        digest_text_of(json_string_value(word), size, digest);
        cleanup_free char *cut = text_format("... (%zu bytes, sha256 %s)", size, digest);
        json_add(shown, json_string(cut));
    }
    return shown;
}

void exec_evidence(struct worker_call *call, const struct exec_command *command, const char *what,
                   json_t *members, int64_t duration_ms)
{
    json_put_text(members, "service", "exec");
    json_put_text(members, "what", what);
    json_put(members, "argv", argv_for_evidence(command->argv));
    if (command->declared != NULL)
        json_put_text(members, "declared_read", command->declared);
    if (recorder_replays(call->session->recorder))
        json_put(members, "replayed", json_true());
    json_put(members, "duration_ms", json_integer(duration_ms));
    call_evidence(call, members);
}

static void tell(struct running *running, uint32_t certainty, int64_t duration_ms)
{
    json_t *members = json_make("{s:s,s:I}", "certainty", certainty_word(certainty), "out_bytes",
                                (json_int_t)running->out_bytes);
    if (certainty == SALVOR_CERTAINTY_ANSWERED && running->signal_number == 0)
        json_put(members, "exit_status", json_integer(running->exit_status));
    if (running->signal_number != 0)
        json_put(members, "signal", json_integer(running->signal_number));
    exec_evidence(running->call, running->command, "run", members, duration_ms);
}

static void fill(struct running *running, uint32_t certainty, int64_t duration_ms,
                 struct salvor_exec_result *ret)
{
    struct worker_call *call = running->call;
    size_t kept = running->err.size < EXEC_ERROR_KEPT ? running->err.size : EXEC_ERROR_KEPT;
    const char *tail =
        running->err.data != NULL ? running->err.data + running->err.size - kept : "";
    ret->exit_status = running->exit_status;
    ret->signal_number = running->signal_number;
    ret->certainty = certainty;
    ret->duration_ms = duration_ms;
    ret->out.size = running->out.size;
    ret->out.data = call_keep_text(call, running->out.data, running->out.size);
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

static salvor_status replay(struct running *running, struct salvor_exec_result *ret)
{
    struct exec_command *command = running->command;
    cleanup_json json_t *answer = NULL;
    cleanup_free char *path = command->output_path == NULL
                                  ? NULL
                                  : text_format("%s/%s", command->scratch, command->output_path);
    salvor_status status =
        recorder_replay(running->call, "exec", "run", command->key, path, &answer);
    if (answer != NULL) {
        ret->exit_status = running->exit_status = (int32_t)json_whole(answer, "exit_status", -1);
        ret->signal_number = running->signal_number = (int32_t)json_whole(answer, "signal", 0);
        ret->certainty = (uint32_t)json_whole(answer, "certainty", SALVOR_CERTAINTY_NOT_SENT);
        ret->duration_ms = 0;
        span_from(running->call, json_object_get(answer, "out"), &ret->out);
        span_from(running->call, json_object_get(answer, "err"), &ret->err);
        running->out_bytes = ret->out.size;
        tell(running, ret->certainty, 0);
    }
    return status;
}

static salvor_status record(struct running *running, salvor_status status,
                            const struct salvor_exec_result *result)
{
    struct exec_command *command = running->command;
    struct worker_call *call = running->call;
    if (!recorder_records(call->session->recorder) || status == SALVOR_CANCELLED)
        return status;
    cleanup_free char *path = command->output_path == NULL
                                  ? NULL
                                  : text_format("%s/%s", command->scratch, command->output_path);
    return recorder_save(call, "exec", "run", command->key, status, answer_of(call, result), path);
}

/* ---- the service ----------------------------------------------------------------------------- */

static salvor_status run_it(struct running *running, uint32_t *ret_certainty)
{
    struct worker_call *call = running->call;
    cleanup_error struct error err = ERROR_INIT;
    *ret_certainty = SALVOR_CERTAINTY_NOT_SENT;
    if (start(running, &err) != 0)
        return call_fail_error(call, SALVOR_FAILED, &err);
    salvor_status status = watch(running);
    if (running->started)
        *ret_certainty = running->ended == 2 ? SALVOR_CERTAINTY_ANSWERED : SALVOR_CERTAINTY_SENT;
    if (running->started && running->ended == 2)
        kill_point(call->row, "answer-received");
    if (status != SALVOR_OK) {
        /* It was stopped: what its end says is salvor's doing, not its answer. */
        if (running->started)
            *ret_certainty = SALVOR_CERTAINTY_SENT;
        return status;
    }
    if (running->not_started[0] != '\0')
        return call_fail(call, SALVOR_FAILED, "command '%s' cannot be started: %s",
                         running->command->text, running->not_started);
    if (running->ended != 2)
        return call_fail(call, SALVOR_FAILED,
                         "command '%s' was lost: the process that watches it was killed",
                         running->command->text);
    /* The last words may still have been in the pipes. */
    drain(running, &running->out_fd, 1);
    drain(running, &running->err_fd, 0);
    if (out_limit_passed(running)) {
        (void)call_fail(call, SALVOR_FAILED, "command '%s' printed more than %llu bytes",
                        running->command->text, (unsigned long long)running->command->output_limit);
        return call_hint(call, SALVOR_FAILED, "the plugin raises output_limit or uses output_path");
    }
    return SALVOR_OK;
}

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
    cleanup_running struct running running = {
        .call = call,
        .command = &command,
        .shim = {0, -1},
        .out = BUFFER_INIT((size_t)command.output_limit),
        .err = BUFFER_INIT((size_t)2 * EXEC_ERROR_KEPT + CHUNK),
        .out_fd = -1,
        .err_fd = -1,
        .file_fd = -1,
        .exit_status = -1,
        .began = clock_monotonic_ms(),
    };
    status = call_wait(call, NULL, 0, 0);
    if (status != SALVOR_PENDING)
        return status;
    if (recorder_replays(call->session->recorder))
        return replay(&running, ret_result);
    status = exec_command_attach(call, request, &command);
    if (status != SALVOR_OK)
        return record(&running, status, ret_result);
    uint32_t certainty = SALVOR_CERTAINTY_NOT_SENT;
    status = run_it(&running, &certainty);
    int64_t duration_ms = clock_monotonic_ms() - running.began;
    fill(&running, certainty, duration_ms, ret_result);
    tell(&running, certainty, duration_ms);
    return record(&running, status, ret_result);
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
