#include "services/exec-process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/kill-point.h"
#include "services/beneath.h"
#include "services/shims.h"

enum { STOP_PATIENCE_MS = 1500, SIZE_CHECK_MS = 100, CHUNK = 65536 };

/* ---- hearing from it ------------------------------------------------------------------------- */

static int out_limit_passed(const struct exec_process *process)
{
    uint64_t limit = process->command->output_limit;
    return limit != 0 && process->out_bytes > limit;
}

static void take_error_text(struct exec_process *process, const char *data, size_t size)
{
    if (process->err.size + size > process->err.limit)
        buffer_consume(&process->err, process->err.size + size - EXEC_ERROR_KEPT);
    (void)buffer_append(&process->err, data, size);
}

/* Reads what is there now. */
static void drain(struct exec_process *process, int *fd, int is_out)
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
            take_error_text(process, chunk, (size_t)got);
            continue;
        }
        process->out_bytes += (uint64_t)got;
        if (!out_limit_passed(process))
            (void)buffer_append(&process->out, chunk, (size_t)got);
        else
            return;
    }
}

static void hear(struct exec_process *process)
{
    struct shim_report report = {0};
    ssize_t got = recv(process->shim.talk, &report, sizeof report, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    report.text[sizeof report.text - 1] = '\0';
    if (got != (ssize_t)sizeof report) {
        process->ended = 1; /* the shim is gone without a word */
        process->exit_status = -1;
    } else if (report.event == SHIM_STARTED) {
        process->started = 1;
        kill_point(process->call->row, "request-sent");
    } else if (report.event == SHIM_NOT_STARTED) {
        process->ended = 1;
        (void)snprintf(process->not_started, sizeof process->not_started, "%s%s%s", report.text,
                       report.value != 0 ? ": " : "",
                       report.value != 0 ? strerror(report.value) : "");
    } else {
        process->ended = 2;
        process->exit_status = report.event == SHIM_EXITED ? report.value : -1;
        process->signal_number = report.event == SHIM_SIGNALLED ? report.value : 0;
    }
}

static void check_file_size(struct exec_process *process)
{
    struct stat status;
    if (process->file_fd >= 0 && fstat(process->file_fd, &status) == 0)
        process->out_bytes = (uint64_t)status.st_size;
}

/* One round of waiting; `wait` is either call_wait or plain poll when the call is being stopped. */
static salvor_status step(struct exec_process *process, int64_t timeout_ms, int stopping)
{
    struct pollfd fds[3] = {{process->shim.talk, POLLIN, 0},
                            {process->out_fd, POLLIN, 0},
                            {process->err_fd, POLLIN, 0}};
    salvor_status status = SALVOR_OK;
    if (stopping)
        status = poll(fds, 3, (int)timeout_ms) > 0 ? SALVOR_OK : SALVOR_PENDING;
    else
        status = call_wait(process->call, fds, 3, timeout_ms);
    /* Everything it said before its end is in the pipes before the report of its end is read. */
    hear(process);
    drain(process, &process->out_fd, 1);
    drain(process, &process->err_fd, 0);
    check_file_size(process);
    return status;
}

static void stop(struct exec_process *process)
{
    const int64_t give_up = clock_monotonic_ms() + STOP_PATIENCE_MS;
    (void)send(process->shim.talk, "T", 1, MSG_NOSIGNAL);
    for (int64_t left = STOP_PATIENCE_MS; !process->ended && left > 0;
         left = give_up - clock_monotonic_ms()) {
        process->out_bytes = 0; /* drained, no longer kept */
        buffer_clear(&process->out);
        (void)step(process, left, 1);
    }
}

static salvor_status watch(struct exec_process *process)
{
    struct worker_call *call = process->call;
    struct exec_command *command = process->command;
    const int64_t own_end =
        command->timeout_ms > 0 ? process->began + command->timeout_ms : INT64_MAX;
    while (!process->ended) {
        int64_t left = own_end - clock_monotonic_ms();
        if (left <= 0) {
            stop(process);
            (void)call_fail(call, SALVOR_TIMEOUT, "command '%s' did not end within %lld ms",
                            command->text, (long long)command->timeout_ms);
            return SALVOR_TIMEOUT;
        }
        int check_size = process->file_fd >= 0 && command->output_limit != 0;
        int64_t wait = check_size && left > SIZE_CHECK_MS ? SIZE_CHECK_MS : left;
        salvor_status status = step(process, own_end == INT64_MAX && !check_size ? -1 : wait, 0);
        if (status != SALVOR_OK && status != SALVOR_PENDING && !process->ended) {
            stop(process);
            return status;
        }
        if (out_limit_passed(process)) {
            stop(process);
            (void)call_fail(call, SALVOR_FAILED, "command '%s' printed more than %llu bytes",
                            command->text, (unsigned long long)command->output_limit);
            return call_hint(call, SALVOR_FAILED,
                             "the plugin raises output_limit or uses output_path");
        }
    }
    return SALVOR_OK;
}

/* ---- starting it ----------------------------------------------------------------------------- */

static int open_output(struct exec_process *process, int *ret_fd, struct error *reterr)
{
    struct exec_command *command = process->command;
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

static int start(struct exec_process *process, struct error *reterr)
{
    struct exec_command *command = process->command;
    cleanup_close int out = -1;
    cleanup_close int err = -1;
    if (command->output_path != NULL) {
        if (open_output(process, &out, reterr) != 0)
            return -1;
        process->file_fd = fcntl(out, F_DUPFD_CLOEXEC, 3);
    } else if (pipe_to(&process->out_fd, &out) != 0) {
        return error_errno(reterr, EXIT_FAILED, errno, "cannot prepare command '%s'",
                           command->text);
    }
    if (pipe_to(&process->err_fd, &err) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot prepare command '%s'",
                           command->text);
    struct shim_fd fds[SHIM_SECRETS + 4];
    memcpy(fds, command->fds, sizeof *fds * command->fd_count);
    fds[command->fd_count] = (struct shim_fd){out, 1};
    fds[command->fd_count + 1] = (struct shim_fd){err, 2};
    const struct shim_command shim = {EXEC_SHIM_COMMAND, NULL, NULL};
    return shim_spawn(&shim, command->spec, fds, command->fd_count + 2, &process->shim, reterr);
}

void exec_process_end(struct exec_process *process)
{
    shim_end(&process->shim, process->ended ? STOP_PATIENCE_MS : 0);
    if (process->out_fd >= 0)
        (void)close(process->out_fd);
    if (process->err_fd >= 0)
        (void)close(process->err_fd);
    if (process->file_fd >= 0)
        (void)close(process->file_fd);
    buffer_clear(&process->out);
    buffer_clear(&process->err);
}

void exec_process_begin(struct exec_process *process, struct worker_call *call,
                        struct exec_command *command)
{
    *process = (struct exec_process){
        .call = call,
        .command = command,
        .shim = {0, -1},
        .out = BUFFER_INIT((size_t)command->output_limit),
        .err = BUFFER_INIT((size_t)2 * EXEC_ERROR_KEPT + CHUNK),
        .out_fd = -1,
        .err_fd = -1,
        .file_fd = -1,
        .exit_status = -1,
        .began = clock_monotonic_ms(),
    };
}

salvor_status exec_process_run(struct exec_process *process, uint32_t *ret_certainty)
{
    struct worker_call *call = process->call;
    cleanup_error struct error err = ERROR_INIT;
    *ret_certainty = SALVOR_CERTAINTY_NOT_SENT;
    if (start(process, &err) != 0)
        return call_fail_error(call, SALVOR_FAILED, &err);
    salvor_status status = watch(process);
    if (process->started)
        *ret_certainty = process->ended == 2 ? SALVOR_CERTAINTY_ANSWERED : SALVOR_CERTAINTY_SENT;
    if (process->started && process->ended == 2)
        kill_point(call->row, "answer-received");
    if (status != SALVOR_OK) {
        /* It was stopped: what its end says is salvor's doing, not its answer. */
        if (process->started)
            *ret_certainty = SALVOR_CERTAINTY_SENT;
        return status;
    }
    if (process->not_started[0] != '\0')
        return call_fail(call, SALVOR_FAILED, "command '%s' cannot be started: %s",
                         process->command->text, process->not_started);
    if (process->ended != 2)
        return call_fail(call, SALVOR_FAILED,
                         "command '%s' was lost: the process that watches it was killed",
                         process->command->text);
    /* The last words may still have been in the pipes. */
    drain(process, &process->out_fd, 1);
    drain(process, &process->err_fd, 0);
    if (out_limit_passed(process)) {
        (void)call_fail(call, SALVOR_FAILED, "command '%s' printed more than %llu bytes",
                        process->command->text, (unsigned long long)process->command->output_limit);
        return call_hint(call, SALVOR_FAILED, "the plugin raises output_limit or uses output_path");
    }
    return SALVOR_OK;
}
