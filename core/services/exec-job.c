#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/kill-point.h"
#include "base/text.h"
#include "base/utf8.h"
#include "services/command-request.h"
#include "services/exec-command.h"
#include "services/exec.h"
#include "services/job-folder.h"
#include "services/job-state.h"
#include "services/job-unit.h"
#include "services/recorder.h"
#include "services/run-paths.h"
#include "services/shims.h"

enum { POLL_FIRST_MS = 20, POLL_MOST_MS = 500 };

/* The job's folder, owned by the caller; NULL with the failure recorded. `own`: it must be one of
 * the running step. */
static char *folder_of(struct worker_call *call, const char *id, int own, salvor_status *ret_status)
{
    *ret_status = job_check_id(call, id, own);
    if (*ret_status != SALVOR_OK)
        return NULL;
    const char *jobs = run_folder(call, "jobs_folder");
    *ret_status = SALVOR_FAILED;
    return jobs != NULL ? text_format("%s/%s", jobs, id) : NULL;
}

/* ---- start ----------------------------------------------------------------------------------- */

static salvor_status compare(struct worker_call *call, const char *folder, const char *id,
                             const struct exec_command *command, const char *digest)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *request = NULL;
    if (job_folder_request(folder, &request, &err) != 0)
        return call_fail_error(call, SALVOR_FAILED, &err);
    if (text_equal(json_text(request, "digest"), digest))
        return SALVOR_OK;
    (void)call_fail(call, SALVOR_REFUSED, "job '%s' was begun as another command than '%s'", id,
                    command->text);
    return call_hint(call, SALVOR_REFUSED,
                     "the plugin must ask for the same command each time it starts a job id; see "
                     "'%s/request.json'",
                     folder);
}

static salvor_status prepare(struct worker_call *call, const char *folder, const char *id,
                             const struct exec_command *command)
{
    cleanup_error struct error err = ERROR_INIT;
    char digest[DIGEST_TEXT_SIZE];
    char now[CLOCK_TEXT_SIZE];
    json_digest(command->key, digest);
    clock_format(clock_realtime_ms(), now);
    cleanup_json json_t *request = json_make("{s:s,s:s,s:s,s:O}", "id", id, "digest", digest,
                                             "prepared", now, "argv", command->argv);
    if (job_folder_prepare(folder, request, &err) != 0)
        return call_fail_error(call, SALVOR_FAILED, &err);
    return compare(call, folder, id, command, digest);
}

/* NOT_FOUND, with nothing recorded: what was started ended without a word. */
static salvor_status hear_start(struct worker_call *call, const struct shim *shim, const char *id,
                                const struct exec_command *command, uint32_t *ret_certainty)
{
    struct pollfd fd = {shim->talk, POLLIN, 0};
    struct shim_report report = {0};
    salvor_status status = call_wait(call, &fd, 1, -1);
    *ret_certainty = SALVOR_CERTAINTY_SENT;
    if (status != SALVOR_OK)
        return status;
    ssize_t got = recv(shim->talk, &report, sizeof report, 0);
    report.text[sizeof report.text - 1] = '\0';
    if (got != (ssize_t)sizeof report)
        return SALVOR_NOT_FOUND;
    kill_point(call->row, "answer-received");
    *ret_certainty = SALVOR_CERTAINTY_ANSWERED;
    if (report.event != SHIM_NOT_STARTED)
        return SALVOR_OK;
    *ret_certainty = SALVOR_CERTAINTY_NOT_SENT;
    return call_fail(call, SALVOR_FAILED, "job '%s' ('%s') cannot be started: %s%s%s", id,
                     command->text, report.text, report.value != 0 ? ": " : "",
                     report.value != 0 ? strerror(report.value) : "");
}

static void complete_spec(const struct salvor_exec_request *request, struct exec_command *command)
{
    uint64_t kept = command->output_limit != 0 ? command->output_limit : EXEC_OUTPUT_DEFAULT;
    if (kept < JOB_KEPT_LEAST)
        kept = JOB_KEPT_LEAST;
    json_put(command->spec, "kept", json_integer((json_int_t)kept));
    json_put(command->spec, "timeout_ms", json_integer(request->timeout_ms));
    json_put_text(command->spec, "scratch", command->scratch);
    if (command->output_path != NULL)
        json_put_text(command->spec, "output_path", command->output_path);
}

/* How a job was begun. */
struct job_start {
    int begun; /* by this call */
    uint32_t certainty;
    const char
        *unit; /* "own": outside of the unit that salvor runs in; NULL: salvor runs in none */
};

static salvor_status start_shim(struct worker_call *call, const struct shim_command *shim_command,
                                const char *id, const struct exec_command *command, int words_fd,
                                struct job_start *ret_start)
{
    cleanup_error struct error err = ERROR_INIT;
    struct shim shim = {0, -1};
    struct shim_fd fds[SHIM_SECRETS + 5];
    size_t count = command->fd_count;
    memcpy(fds, command->fds, count * sizeof *fds);
    if (words_fd >= 0)
        fds[count++] = (struct shim_fd){words_fd, 2};
    if (shim_spawn(shim_command, command->spec, fds, count, &shim, &err) != 0)
        return call_fail_error(call, SALVOR_FAILED, &err);
    ret_start->begun = 1;
    kill_point(call->row, "request-sent");
    salvor_status status = hear_start(call, &shim, id, command, &ret_start->certainty);
    shim_end(&shim, 1000);
    return status;
}

/* First line of what systemd-run had to say; owned by the caller. */
static char *first_words(int fd)
{
    char text[512];
    ssize_t got = fd >= 0 ? pread(fd, text, sizeof text - 1, 0) : -1;
    text[got > 0 ? got : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return utf8_clean(text, strlen(text));
}

static void warn_of_unit(struct worker_call *call, const char *id, const char *unit,
                         const char *why)
{
    cleanup_free char *text = text_format(
        "job '%s' will end with '%s', the unit of systemd that salvor runs in: it could not be "
        "started outside of it (%s); 'KillMode=process' in that unit keeps it alive",
        id, unit, *why != '\0' ? why : "systemd-run ended without a word");
    call_send(call, FRAME_LOG,
              json_make("{s:i, s:s}", "level", (int)SALVOR_LOG_WARNING, "text", text));
}

/* Whether or not the first one ran: a shim that finds the job begun leaves it alone. */
static salvor_status start_anywhere(struct worker_call *call, const char *folder, const char *id,
                                    const struct exec_command *command, struct job_start *ret_start)
{
    cleanup_job_unit struct job_unit unit = {NULL, NULL, NULL};
    cleanup_free char *description = text_format("salvor job %s", id);
    job_unit_find(description, &unit);
    ret_start->unit = unit.inside == NULL ? NULL : "shared";
    if (unit.wrapper != NULL) {
        const struct shim_command outside = {JOB_SHIM_COMMAND, folder, unit.wrapper};
        cleanup_close int words_fd = memfd_create("salvor-words", MFD_CLOEXEC);
        salvor_status status = start_shim(call, &outside, id, command, words_fd, ret_start);
        ret_start->unit = "own";
        if (status != SALVOR_NOT_FOUND)
            return status;
        ret_start->unit = "shared";
        cleanup_free char *why = first_words(words_fd);
        warn_of_unit(call, id, unit.inside, why);
    } else if (unit.why_not != NULL) {
        warn_of_unit(call, id, unit.inside, unit.why_not);
    }
    const struct shim_command here = {JOB_SHIM_COMMAND, folder, NULL};
    salvor_status status = start_shim(call, &here, id, command, -1, ret_start);
    return status != SALVOR_NOT_FOUND
               ? status
               : call_fail(call, SALVOR_FAILED,
                           "job '%s' was lost: its shim ended while it started", id);
}

/* Begins the job unless it was begun. */
static salvor_status begin(struct worker_call *call, const char *folder, const char *id,
                           const struct salvor_exec_request *request, struct exec_command *command,
                           struct job_start *ret_start)
{
    cleanup_error struct error err = ERROR_INIT;
    struct job_look look;
    salvor_status status = prepare(call, folder, id, command);
    if (status != SALVOR_OK)
        return status;
    if (job_folder_look(folder, &look, &err) != 0)
        return call_fail_error(call, SALVOR_FAILED, &err);
    if (look.phase != JOB_PHASE_PREPARED)
        return SALVOR_OK;
    status = exec_command_attach(call, request, command);
    if (status != SALVOR_OK)
        return status;
    complete_spec(request, command);
    return start_anywhere(call, folder, id, command, ret_start);
}

static salvor_status finish_start(struct worker_call *call, const char *id,
                                  const struct exec_command *command, salvor_status status)
{
    if (!recorder_records(call->session->recorder) || status == SALVOR_CANCELLED)
        return status;
    cleanup_json json_t *key = job_key(call, id);
    (void)json_object_update(key, command->key);
    return recorder_save(call, "exec", "job_start", key, status, NULL, NULL);
}

salvor_status exec_job_start(salvor_call *public_call, const char *id,
                             const struct salvor_exec_request *request)
{
    struct worker_call *call = call_of(public_call);
    cleanup_exec_command struct exec_command command = EXEC_COMMAND_INIT;
    salvor_status status = SALVOR_BUG;
    cleanup_free char *folder = folder_of(call, id, 1, &status);
    if (folder == NULL)
        return status;
    status = exec_command_make(call, request, 1, &command);
    if (status != SALVOR_OK)
        return status;
    status = call_wait(call, NULL, 0, 0);
    if (status != SALVOR_PENDING)
        return status;
    if (recorder_replays(call->session->recorder)) {
        cleanup_json json_t *key = job_key(call, id);
        cleanup_json json_t *answer = NULL;
        (void)json_object_update(key, command.key);
        return recorder_replay(call, "exec", "job_start", key, NULL, &answer);
    }
    struct job_start start = {0, SALVOR_CERTAINTY_NOT_SENT, NULL};
    const int64_t before = clock_monotonic_ms();
    status = begin(call, folder, id, request, &command, &start);
    if (start.begun) {
        json_t *evidence =
            json_make("{s:s,s:s,s:b}", "job", id, "certainty",
                      command_certainty_word(start.certainty), "started", status == SALVOR_OK);
        if (start.unit != NULL)
            json_put_text(evidence, "unit", start.unit);
        exec_evidence(call, &command, "job_start", evidence, clock_monotonic_ms() - before);
    }
    return finish_start(call, id, &command, status);
}

/* ---- poll ------------------------------------------------------------------------------------ */

static uint32_t state_of(enum job_phase phase)
{
    switch (phase) {
    case JOB_PHASE_RUNNING:
        return SALVOR_JOB_RUNNING;
    case JOB_PHASE_ENDED:
        return SALVOR_JOB_ENDED;
    case JOB_PHASE_LOST:
        return SALVOR_JOB_LOST;
    default:
        return SALVOR_JOB_ABSENT;
    }
}

static int tail(struct worker_call *call, const char *folder, const char *name, const char *more,
                struct salvor_span *ret, struct error *reterr)
{
    cleanup_free char *text = NULL;
    size_t size = 0;
    if (job_folder_tail(folder, name, JOB_TAIL, &text, &size, reterr) != 0)
        return -1;
    size_t extra = strlen(more);
    char *kept = call_keep(call, size + extra + 2);
    if (size > 0)
        memcpy(kept, text, size);
    if (extra > 0) {
        (void)snprintf(kept + size, extra + 2, "%s\n", more);
        size += extra + 1;
    }
    kept[size] = '\0';
    *ret = (struct salvor_span){kept, size};
    return 0;
}

static int look(struct worker_call *call, const char *folder, struct salvor_job_state *ret,
                struct error *reterr)
{
    struct job_look found;
    if (job_folder_look(folder, &found, reterr) != 0)
        return -1;
    *ret = (struct salvor_job_state){
        .struct_size = sizeof *ret,
        .state = state_of(found.phase),
        .exit_status = found.exit_status,
        .signal_number = found.signal_number,
        .out = {"", 0},
        .err = {"", 0},
        .started_ms = found.started_ms,
        .ended_ms = found.phase == JOB_PHASE_ENDED ? found.ended_ms : 0,
    };
    if (ret->state == SALVOR_JOB_ABSENT)
        return 0;
    return tail(call, folder, "stdout", "", &ret->out, reterr) != 0 ||
                   tail(call, folder, "stderr", found.error, &ret->err, reterr) != 0
               ? -1
               : 0;
}

static void tell_state(struct worker_call *call, const char *id,
                       const struct salvor_job_state *state, const char *what, int64_t duration_ms)
{
    json_t *body = json_make("{s:s,s:s,s:s,s:I}", "service", "exec", "what", what, "job", id,
                             "duration_ms", (json_int_t)duration_ms);
    job_state_evidence(state, body);
    if (recorder_replays(call->session->recorder))
        json_put(body, "replayed", json_true());
    call_evidence(call, body);
}

static salvor_status replay_state(struct worker_call *call, const char *method, const char *id,
                                  struct salvor_job_state *ret)
{
    cleanup_json json_t *key = job_key(call, id);
    cleanup_json json_t *answer = NULL;
    salvor_status status = recorder_replay(call, "exec", method, key, NULL, &answer);
    if (answer != NULL) {
        job_state_from(call, answer, ret);
        tell_state(call, id, ret, method, 0);
    }
    return status;
}

static salvor_status record_state(struct worker_call *call, const char *method, const char *id,
                                  salvor_status status, const struct salvor_job_state *state)
{
    if (!recorder_records(call->session->recorder) || status == SALVOR_CANCELLED)
        return status;
    cleanup_json json_t *key = job_key(call, id);
    return recorder_save(call, "exec", method, key, status, job_state_answer(call, state), NULL);
}

salvor_status exec_job_poll(salvor_call *public_call, const char *id,
                            struct salvor_job_state *ret_state)
{
    struct worker_call *call = call_of(public_call);
    cleanup_error struct error err = ERROR_INIT;
    salvor_status status = SALVOR_BUG;
    if (!job_state_is_usable(ret_state))
        return call_fail(call, SALVOR_BUG, "job_poll: struct_size of the state is not set");
    cleanup_free char *folder = folder_of(call, id, 0, &status);
    if (folder == NULL)
        return status;
    if (recorder_replays(call->session->recorder))
        return replay_state(call, "job_poll", id, ret_state);
    if (look(call, folder, ret_state, &err) != 0)
        return call_fail_error(call, SALVOR_FAILED, &err);
    if (ret_state->state == SALVOR_JOB_ENDED || ret_state->state == SALVOR_JOB_LOST)
        tell_state(call, id, ret_state, "job_poll", 0);
    return record_state(call, "job_poll", id, SALVOR_OK, ret_state);
}

/* ---- wait ------------------------------------------------------------------------------------ */

static salvor_status wait_for_end(struct worker_call *call, const char *folder,
                                  struct salvor_job_state *ret)
{
    cleanup_error struct error err = ERROR_INIT;
    int64_t pause = POLL_FIRST_MS;
    for (;;) {
        struct job_look found;
        if (job_folder_look(folder, &found, &err) != 0)
            return call_fail_error(call, SALVOR_FAILED, &err);
        salvor_status status = SALVOR_OK;
        int64_t left = call_time_left(call) - JOB_DEADLINE_MARGIN_MS;
        if (found.phase == JOB_PHASE_RUNNING) {
            status =
                left <= 0 ? SALVOR_TIMEOUT : call_wait(call, NULL, 0, pause < left ? pause : left);
            if (status == SALVOR_PENDING) {
                pause = pause * 2 < POLL_MOST_MS ? pause * 2 : POLL_MOST_MS;
                continue;
            }
        }
        if (look(call, folder, ret, &err) != 0)
            return call_fail_error(call, SALVOR_FAILED, &err);
        if (ret->state != SALVOR_JOB_RUNNING)
            return SALVOR_OK;
        return status == SALVOR_TIMEOUT ? SALVOR_PENDING : status;
    }
}

salvor_status exec_job_wait(salvor_call *public_call, const char *id,
                            struct salvor_job_state *ret_state)
{
    struct worker_call *call = call_of(public_call);
    salvor_status status = SALVOR_BUG;
    const int64_t before = clock_monotonic_ms();
    if (!job_state_is_usable(ret_state))
        return call_fail(call, SALVOR_BUG, "job_wait: struct_size of the state is not set");
    cleanup_free char *folder = folder_of(call, id, 0, &status);
    if (folder == NULL)
        return status;
    if (recorder_replays(call->session->recorder))
        return replay_state(call, "job_wait", id, ret_state);
    status = wait_for_end(call, folder, ret_state);
    if (status == SALVOR_OK || status == SALVOR_PENDING)
        tell_state(call, id, ret_state, "job_wait", clock_monotonic_ms() - before);
    else
        return status;
    return record_state(call, "job_wait", id, status, ret_state);
}

/* ---- kill ------------------------------------------------------------------------------------ */

static salvor_status kill_job(struct worker_call *call, const char *id, const char *folder)
{
    cleanup_error struct error err = ERROR_INIT;
    struct job_look found;
    if (job_folder_look(folder, &found, &err) != 0)
        return call_fail_error(call, SALVOR_FAILED, &err);
    if (found.phase == JOB_PHASE_ABSENT)
        return call_fail(call, SALVOR_NOT_FOUND, "job '%s' was never started", id);
    if (found.phase == JOB_PHASE_ENDED || found.phase == JOB_PHASE_LOST)
        return SALVOR_OK;
    if (job_folder_ask_kill(folder, &err) != 0)
        return call_fail_error(call, SALVOR_FAILED, &err);
    kill_point(call->row, "request-sent");
    /* A prepared job that nobody began is ended by never beginning it. */
    while (found.phase == JOB_PHASE_RUNNING) {
        salvor_status status = call_wait(call, NULL, 0, POLL_FIRST_MS);
        if (status != SALVOR_PENDING)
            return status;
        if (job_folder_look(folder, &found, &err) != 0)
            return call_fail_error(call, SALVOR_FAILED, &err);
    }
    kill_point(call->row, "answer-received");
    return SALVOR_OK;
}

salvor_status exec_job_kill(salvor_call *public_call, const char *id)
{
    struct worker_call *call = call_of(public_call);
    salvor_status status = SALVOR_BUG;
    const int64_t before = clock_monotonic_ms();
    cleanup_free char *folder = folder_of(call, id, 1, &status);
    if (folder == NULL)
        return status;
    cleanup_free char *what = text_format("kill job '%s'", id);
    status = call_may_change(call, what);
    if (status != SALVOR_OK)
        return status;
    cleanup_json json_t *key = job_key(call, id);
    if (recorder_replays(call->session->recorder)) {
        cleanup_json json_t *answer = NULL;
        return recorder_replay(call, "exec", "job_kill", key, NULL, &answer);
    }
    status = kill_job(call, id, folder);
    call_evidence(call, json_make("{s:s,s:s,s:s,s:b,s:I}", "service", "exec", "what", "job_kill",
                                  "job", id, "killed", status == SALVOR_OK, "duration_ms",
                                  (json_int_t)(clock_monotonic_ms() - before)));
    if (!recorder_records(call->session->recorder) || status == SALVOR_CANCELLED)
        return status;
    return recorder_save(call, "exec", "job_kill", key, status, NULL, NULL);
}
