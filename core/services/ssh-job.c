#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"
#include "services/command-request.h"
#include "services/job-state.h"
#include "services/recorder.h"
#include "services/ssh-command.h"
#include "services/ssh-job-note.h"
#include "services/ssh-session.h"
#include "services/ssh.h"

enum {
    KEPT_DEFAULT = 1 << 20,
    ANSWER_LIMIT = 1 << 20,
    START_TRIES = 3,
    TRY_PAUSE_MS = 500,
    POLL_FIRST_MS = 50,
    POLL_MOST_MS = 2000,
    DEAF_MOST_MS = 60000, /* a wait gives up a host that did not answer for so long */
    ANOTHER_COMMAND = 4   /* of remote/job-start.sh */
};

/* What is asked of a host about a job, and answered. */
struct talk {
    struct worker_call *call;
    const struct ssh_host *host;
    const char *id;
    struct buffer out;
    char *err; /* with err_size bytes */
    size_t err_size;
    int32_t exit_status;
    uint32_t certainty;
};

static void release(struct talk *talk)
{
    buffer_clear(&talk->out);
    free(talk->err);
}

#define cleanup_talk __attribute__((cleanup(release)))

static int take(void *data, const char *bytes, size_t size, struct error *reterr)
{
    struct talk *talk = data;
    return buffer_append(&talk->out, bytes, size) == 0
               ? 0
               : error_set(reterr, EXIT_FAILED, "the answer about the job is too long");
}

/* One session; OK when it was answered. */
static salvor_status ask(struct talk *talk, const char *script, int64_t timeout_ms)
{
    struct worker_call *call = talk->call;
    buffer_clear(&talk->out);
    talk->out.limit = ANSWER_LIMIT;
    cleanup_ssh_session struct ssh_session *session =
        ssh_session_start(&(struct ssh_session_request){.target = talk->host->target,
                                                        .key = talk->host->key,
                                                        .row = call->row,
                                                        .script = script,
                                                        .take = take,
                                                        .data = talk,
                                                        .timeout_ms = timeout_ms});
    salvor_status status = ssh_session_wait(call, session);
    const struct ssh_outcome *outcome = ssh_session_outcome(session);
    free(talk->err);
    talk->err_size = (size_t)outcome->err.size;
    talk->err = text_copy_span(outcome->err.data, talk->err_size);
    talk->exit_status = outcome->exit_status;
    talk->certainty = outcome->certainty;
    if (status != SALVOR_OK && error_is_set(&call->error))
        (void)error_prefix(&call->error, "job '%s'", talk->id);
    return status;
}

/* What the host said was wrong, in one line. */
static char *complaint(const struct talk *talk)
{
    cleanup_free char *clean = utf8_clean(talk->err, talk->err_size);
    size_t size = strlen(clean);
    while (size > 0 && clean[size - 1] == '\n')
        clean[--size] = '\0';
    for (char *at = clean; *at != '\0'; at++)
        if (*at == '\n')
            *at = ' ';
    return text_copy(*clean != '\0' ? clean : "no reason given");
}

static salvor_status did_not_work(struct talk *talk, const char *what)
{
    cleanup_free char *why = complaint(talk);
    return call_fail(talk->call, SALVOR_FAILED, "job '%s' cannot be %s on '%s': %s", talk->id, what,
                     talk->host->target->name, why);
}

static salvor_status begin(struct talk *talk, salvor_ssh_host *handle, int own)
{
    struct worker_call *call = talk->call;
    talk->host = ssh_host_of(call, handle);
    if (talk->host == NULL)
        return SALVOR_BUG;
    salvor_status status = job_check_id(call, talk->id, own);
    if (status == SALVOR_OK && talk->host->target->windows)
        status = call_fail(call, SALVOR_UNSUPPORTED, "'%s' has no jobs: its shell is 'windows'",
                           talk->host->target->name);
    return status;
}

/* ---- looking --------------------------------------------------------------------------------- */

struct seen {
    char state[16];
    char boot[100];
    struct salvor_job_state *ret; /* or NULL */
};

static uint32_t state_of(const char *word)
{
    return text_equal(word, "running") ? SALVOR_JOB_RUNNING
           : text_equal(word, "ended") ? SALVOR_JOB_ENDED
           : text_equal(word, "lost")  ? SALVOR_JOB_LOST
                                       : SALVOR_JOB_ABSENT;
}

/* "STATE EXIT BEGAN ENDED BOOT", then the output. */
static salvor_status understand(struct talk *talk, struct seen *seen)
{
    struct worker_call *call = talk->call;
    int exit_status = -1;
    long long began = 0;
    long long ended = 0;
    const char *newline = talk->out.size > 0 ? memchr(talk->out.data, '\n', talk->out.size) : NULL;
    if (talk->exit_status != 0)
        return did_not_work(talk, "looked at");
    if (newline == NULL || sscanf(talk->out.data, "%15s %d %lld %lld %99s", seen->state, // NOLINT
                                  &exit_status, &began, &ended, seen->boot) != 5)
        return call_fail(call, SALVOR_FAILED, "'%s' gave no usable answer about job '%s'",
                         talk->host->target->name, talk->id);
    struct salvor_job_state *ret = seen->ret;
    if (ret == NULL)
        return SALVOR_OK;
    const size_t head = (size_t)(newline + 1 - talk->out.data);
    *ret = (struct salvor_job_state){.struct_size = sizeof *ret,
                                     .state = state_of(seen->state),
                                     .exit_status = -1,
                                     .out = {"", 0},
                                     .err = {"", 0},
                                     .started_ms = began};
    if (ret->state == SALVOR_JOB_ENDED) {
        ret->exit_status = exit_status;
        ret->ended_ms = ended;
    }
    if (ret->state == SALVOR_JOB_ABSENT)
        return SALVOR_OK;
    ret->out.size = talk->out.size - head;
    ret->out.data = call_keep_text(call, newline + 1, talk->out.size - head);
    ret->err.size = talk->err_size;
    ret->err.data = call_keep_text(call, talk->err, talk->err_size);
    return SALVOR_OK;
}

static salvor_status look(struct talk *talk, int64_t timeout_ms, struct seen *seen)
{
    cleanup_free char *tail = text_format("%d", JOB_TAIL);
    const char *const parameters[] = {
        "id", talk->id, "folder_of_jobs", talk->host->target->job_folder, "tail", tail, NULL};
    cleanup_ssh_script char *script = ssh_script_make(SSH_SCRIPT_JOB_LOOK, parameters);
    salvor_status status = ask(talk, script, timeout_ms);
    /* Looking twice does no harm. */
    if (status == SALVOR_RETRY && talk->certainty == SALVOR_CERTAINTY_SENT)
        status = ask(talk, script, timeout_ms);
    return status == SALVOR_OK ? understand(talk, seen) : status;
}

/* The same, with what this run knows of it. */
static salvor_status look_wisely(struct talk *talk, int64_t timeout_ms,
                                 struct salvor_job_state *ret)
{
    struct ssh_job_note note;
    struct seen seen = {.ret = ret};
    salvor_status status = look(talk, timeout_ms, &seen);
    if (status != SALVOR_OK || ret->state != SALVOR_JOB_ABSENT)
        return status;
    status = ssh_job_note_read(talk->call, talk->host->target, talk->id, &note);
    if (status == SALVOR_OK && ssh_job_note_says_lost(&note, seen.boot)) {
        static const char why[] = "the host no longer knows this job: its state is gone\n";
        ret->state = SALVOR_JOB_LOST;
        ret->err = (struct salvor_span){why, sizeof why - 1};
    }
    return status;
}

/* ---- start ----------------------------------------------------------------------------------- */

static char *start_script(const struct talk *talk, const struct salvor_exec_request *request,
                          const struct ssh_command *command)
{
    char digest[DIGEST_TEXT_SIZE];
    uint64_t most = request->output_limit != 0 ? request->output_limit : (uint64_t)KEPT_DEFAULT;
    json_digest(command->key, digest);
    cleanup_free char *kept = text_format(
        "%llu", (unsigned long long)(most < JOB_KEPT_LEAST ? (uint64_t)JOB_KEPT_LEAST : most));
    cleanup_free char *limit = text_format("%lld", (long long)((request->timeout_ms + 999) / 1000));
    const char *folder = talk->host->target->job_folder;
    const char *const parameters[] = {"id",   talk->id, "folder_of_jobs", folder, "digest",
                                      digest, "words",  command->text,    NULL};
    const char *const shim[] = {"id",  talk->id, "folder_of_jobs", folder, "kept", kept, "limit",
                                limit, NULL};
    return ssh_script_job(&command->script, parameters, shim);
}

/* Asking again is safe, whatever became of the question before: the host starts it once. */
static salvor_status ask_to_start(struct talk *talk, const char *script)
{
    salvor_status status = SALVOR_RETRY;
    for (int i = 0; i < START_TRIES; i++) {
        if (i > 0) {
            salvor_status waited = call_wait(talk->call, NULL, 0, TRY_PAUSE_MS);
            if (waited != SALVOR_PENDING)
                return waited;
        }
        status = ask(talk, script, 0);
        if (status != SALVOR_RETRY)
            break;
    }
    return status;
}

static salvor_status start(struct talk *talk, const struct salvor_exec_request *request,
                           const struct ssh_command *command)
{
    struct worker_call *call = talk->call;
    const struct ssh_target *target = talk->host->target;
    struct ssh_job_note note;
    struct seen seen = {.ret = NULL};
    salvor_status status = ssh_job_note_read(call, target, talk->id, &note);
    if (status == SALVOR_OK)
        status = look(talk, 0, &seen);
    if (status != SALVOR_OK)
        return status;
    if (state_of(seen.state) == SALVOR_JOB_ABSENT && ssh_job_note_says_lost(&note, seen.boot))
        return SALVOR_OK; /* begun before, and lost: a poll says so */
    if (!note.known) {
        note.known = 1;
        memcpy(note.boot, seen.boot, sizeof note.boot);
        status = ssh_job_note_write(call, target, talk->id, &note);
    }
    if (status != SALVOR_OK)
        return status;
    cleanup_ssh_script char *script = start_script(talk, request, command);
    status = ask_to_start(talk, script);
    if (status != SALVOR_OK)
        return status;
    if (talk->exit_status == ANOTHER_COMMAND) {
        (void)call_fail(call, SALVOR_REFUSED,
                        "job '%s' was begun on '%s' as another command than '%s'", talk->id,
                        target->name, command->text);
        return call_hint(call, SALVOR_REFUSED,
                         "the plugin must ask for the same command each time it starts a job id");
    }
    if (talk->exit_status != 0)
        return did_not_work(talk, "started");
    if (sscanf(talk->out.data, "%15s %99s", seen.state, seen.boot) == 2) // NOLINT
        memcpy(note.boot, seen.boot, sizeof note.boot);
    note.answered = 1;
    return ssh_job_note_write(call, target, talk->id, &note);
}

static json_t *key_of(const struct talk *talk)
{
    json_t *key = job_key(talk->call, talk->id);
    json_put_text(key, "host", talk->host->target->name);
    return key;
}

static salvor_status check_start(struct talk *talk, const struct salvor_exec_request *request,
                                 struct ssh_command *command)
{
    salvor_status status = ssh_command_make(talk->call, talk->host->target, request, 1, command);
    if (status != SALVOR_OK)
        return status;
    if (command->output_path != NULL)
        return call_fail(talk->call, SALVOR_UNSUPPORTED,
                         "job '%s' on a host cannot write to a file here: get it when it has ended",
                         talk->id);
    if (command->script_text != NULL)
        return call_fail(talk->call, SALVOR_UNSUPPORTED,
                         "job '%s' on a host cannot be given a script: put it there before",
                         talk->id);
    status = call_wait(talk->call, NULL, 0, 0);
    return status == SALVOR_PENDING ? SALVOR_OK : status;
}

salvor_status ssh_job_start(salvor_call *public_call, salvor_ssh_host *handle, const char *id,
                            const struct salvor_exec_request *request)
{
    struct worker_call *call = call_of(public_call);
    cleanup_ssh_command struct ssh_command command = {0};
    cleanup_talk struct talk talk = {.call = call, .id = id};
    salvor_status status = begin(&talk, handle, 1);
    if (status == SALVOR_OK)
        status = check_start(&talk, request, &command);
    if (status != SALVOR_OK)
        return status;
    cleanup_json json_t *key = key_of(&talk);
    (void)json_object_update(key, command.key);
    if (recorder_replays(call->session->recorder)) {
        cleanup_json json_t *answer = NULL;
        return recorder_replay(call, "ssh", "job_start", key, NULL, &answer);
    }
    const int64_t before = clock_monotonic_ms();
    status = start(&talk, request, &command);
    ssh_command_evidence(call, talk.host->target, &command, "job_start",
                         json_make("{s:s,s:s,s:b}", "job", id, "certainty",
                                   command_certainty_word(talk.certainty), "started",
                                   status == SALVOR_OK),
                         clock_monotonic_ms() - before);
    if (!recorder_records(call->session->recorder) || status == SALVOR_CANCELLED)
        return status;
    return recorder_save(call, "ssh", "job_start", key, status, NULL, NULL);
}

/* ---- poll and wait --------------------------------------------------------------------------- */

static void tell_state(const struct talk *talk, const struct salvor_job_state *state,
                       const char *what, int64_t duration_ms)
{
    json_t *members = json_make("{s:s}", "job", talk->id);
    job_state_evidence(state, members);
    ssh_evidence(talk->call, talk->host->target, what, members, duration_ms);
}

static salvor_status replay_state(const struct talk *talk, const char *method,
                                  struct salvor_job_state *ret)
{
    cleanup_json json_t *key = key_of(talk);
    cleanup_json json_t *answer = NULL;
    salvor_status status = recorder_replay(talk->call, "ssh", method, key, NULL, &answer);
    if (answer != NULL) {
        job_state_from(talk->call, answer, ret);
        tell_state(talk, ret, method, 0);
    }
    return status;
}

static salvor_status record_state(const struct talk *talk, const char *method, salvor_status status,
                                  const struct salvor_job_state *state)
{
    struct worker_call *call = talk->call;
    if (!recorder_records(call->session->recorder) || status == SALVOR_CANCELLED)
        return status;
    cleanup_json json_t *key = key_of(talk);
    return recorder_save(call, "ssh", method, key, status, job_state_answer(call, state), NULL);
}

static salvor_status begin_state(struct talk *talk, salvor_ssh_host *handle,
                                 struct salvor_job_state *ret)
{
    if (!job_state_is_usable(ret))
        return call_fail(talk->call, SALVOR_BUG, "ssh: struct_size of the job's state is not set");
    return begin(talk, handle, 0);
}

salvor_status ssh_job_poll(salvor_call *public_call, salvor_ssh_host *handle, const char *id,
                           struct salvor_job_state *ret_state)
{
    struct worker_call *call = call_of(public_call);
    cleanup_talk struct talk talk = {.call = call, .id = id};
    const int64_t before = clock_monotonic_ms();
    salvor_status status = begin_state(&talk, handle, ret_state);
    if (status != SALVOR_OK)
        return status;
    if (recorder_replays(call->session->recorder))
        return replay_state(&talk, "job_poll", ret_state);
    status = look_wisely(&talk, 0, ret_state);
    if (status == SALVOR_OK &&
        (ret_state->state == SALVOR_JOB_ENDED || ret_state->state == SALVOR_JOB_LOST))
        tell_state(&talk, ret_state, "job_poll", clock_monotonic_ms() - before);
    return record_state(&talk, "job_poll", status, ret_state);
}

/* Until it is not running any more; a host that is away for a while is waited for. */
static salvor_status wait_for_end(struct talk *talk, struct salvor_job_state *ret)
{
    struct worker_call *call = talk->call;
    int64_t pause = POLL_FIRST_MS;
    int64_t heard = clock_monotonic_ms();
    for (;;) {
        struct salvor_job_state state = {.struct_size = sizeof state};
        int64_t left = call_time_left(call) - JOB_DEADLINE_MARGIN_MS;
        salvor_status status = left > 0 ? look_wisely(talk, left, &state) : SALVOR_TIMEOUT;
        if (status == SALVOR_OK) {
            *ret = state;
            heard = clock_monotonic_ms();
            if (state.state != SALVOR_JOB_RUNNING)
                return SALVOR_OK;
        } else if (status == SALVOR_TIMEOUT && ret->state == SALVOR_JOB_RUNNING &&
                   call_time_left(call) > 0) {
            return SALVOR_PENDING;
        } else if (status != SALVOR_RETRY || clock_monotonic_ms() - heard > DEAF_MOST_MS) {
            return status;
        }
        left = call_time_left(call) - JOB_DEADLINE_MARGIN_MS;
        if (left <= 0)
            return status == SALVOR_OK ? SALVOR_PENDING : status;
        salvor_status waited = call_wait(call, NULL, 0, pause < left ? pause : left);
        if (waited != SALVOR_PENDING)
            return waited;
        pause = pause * 2 < POLL_MOST_MS ? pause * 2 : POLL_MOST_MS;
    }
}

salvor_status ssh_job_wait(salvor_call *public_call, salvor_ssh_host *handle, const char *id,
                           struct salvor_job_state *ret_state)
{
    struct worker_call *call = call_of(public_call);
    cleanup_talk struct talk talk = {.call = call, .id = id};
    const int64_t before = clock_monotonic_ms();
    salvor_status status = begin_state(&talk, handle, ret_state);
    if (status != SALVOR_OK)
        return status;
    if (recorder_replays(call->session->recorder))
        return replay_state(&talk, "job_wait", ret_state);
    *ret_state = (struct salvor_job_state){.struct_size = sizeof *ret_state,
                                           .state = SALVOR_JOB_ABSENT,
                                           .exit_status = -1,
                                           .out = {"", 0},
                                           .err = {"", 0}};
    status = wait_for_end(&talk, ret_state);
    if (status != SALVOR_OK && status != SALVOR_PENDING)
        return status;
    tell_state(&talk, ret_state, "job_wait", clock_monotonic_ms() - before);
    return record_state(&talk, "job_wait", status, ret_state);
}

/* ---- kill ------------------------------------------------------------------------------------ */

static salvor_status kill_it(struct talk *talk)
{
    struct worker_call *call = talk->call;
    const char *const parameters[] = {"id", talk->id, "folder_of_jobs",
                                      talk->host->target->job_folder, NULL};
    struct salvor_job_state state = {.struct_size = sizeof state};
    salvor_status status = look_wisely(talk, 0, &state);
    if (status != SALVOR_OK || state.state == SALVOR_JOB_LOST)
        return status;
    cleanup_ssh_script char *script = ssh_script_make(SSH_SCRIPT_JOB_KILL, parameters);
    status = ask_to_start(talk, script); /* asking twice is like asking once */
    if (status != SALVOR_OK)
        return status;
    if (talk->exit_status != 0)
        return did_not_work(talk, "killed");
    if (talk->out.size > 0 && text_starts(talk->out.data, "absent"))
        return call_fail(call, SALVOR_NOT_FOUND, "job '%s' was never started on '%s'", talk->id,
                         talk->host->target->name);
    if (talk->out.size == 0 || !text_starts(talk->out.data, "running"))
        return SALVOR_OK;
    status = wait_for_end(talk, &state);
    return status == SALVOR_PENDING
               ? call_fail(call, SALVOR_TIMEOUT, "job '%s' was told to end and still runs on '%s'",
                           talk->id, talk->host->target->name)
               : status;
}

salvor_status ssh_job_kill(salvor_call *public_call, salvor_ssh_host *handle, const char *id)
{
    struct worker_call *call = call_of(public_call);
    cleanup_talk struct talk talk = {.call = call, .id = id};
    const int64_t before = clock_monotonic_ms();
    salvor_status status = begin(&talk, handle, 1);
    if (status != SALVOR_OK)
        return status;
    cleanup_free char *what = text_format("kill job '%s' on '%s'", id, talk.host->target->name);
    status = call_may_change(call, what);
    if (status != SALVOR_OK)
        return status;
    cleanup_json json_t *key = key_of(&talk);
    if (recorder_replays(call->session->recorder)) {
        cleanup_json json_t *answer = NULL;
        return recorder_replay(call, "ssh", "job_kill", key, NULL, &answer);
    }
    status = kill_it(&talk);
    ssh_evidence(call, talk.host->target, "job_kill",
                 json_make("{s:s,s:b}", "job", id, "killed", status == SALVOR_OK),
                 clock_monotonic_ms() - before);
    if (!recorder_records(call->session->recorder) || status == SALVOR_CANCELLED)
        return status;
    return recorder_save(call, "ssh", "job_kill", key, status, NULL, NULL);
}
