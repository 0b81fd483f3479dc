#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/kill-point.h"
#include "base/text.h"
#include "services/ssh-session-parts.h"

enum { STOP_PATIENCE_MS = 1500 };

/* ---- release --------------------------------------------------------------------------------- */

void session_close_pipe(int *fd)
{
    if (*fd >= 0)
        (void)close(take_fd(fd));
}

void session_leave(struct ssh_session *session)
{
    ssh_mux_close(&session->mux);
    session_close_pipe(&session->in);
    session_close_pipe(&session->out);
    session_close_pipe(&session->err);
    session->in_events = 0;
    if (session->to_in.data != NULL) /* secrets may have passed through it */
        sodium_memzero(session->to_in.data, session->to_in.capacity);
    buffer_clear(&session->to_in);
    ssh_marks_clear(&session->out_marks);
    ssh_marks_clear(&session->err_marks);
    if (session->connection != NULL) {
        ssh_connection_forget(session->connection, &session->waiter);
        ssh_connection_put(take_pointer(session->connection));
    }
}

void ssh_session_free(struct ssh_session *session)
{
    session_leave(session);
    if (session->epoll >= 0)
        (void)close(session->epoll);
    if (session->timer >= 0)
        (void)close(session->timer);
    buffer_clear(&session->errors);
    error_clear(&session->outcome.error);
    error_clear(&session->stop_error);
    ssh_key_put(session->request.key);
    ssh_target_put(session->request.target);
    free(session);
}

/* ---- outcomes -------------------------------------------------------------------------------- */

const char *session_host(const struct ssh_session *session)
{
    return session->request.target->name;
}

void session_finish(struct ssh_session *session, salvor_status status, uint32_t certainty)
{
    session->outcome.status = status;
    session->outcome.certainty = certainty;
    session->outcome.err = (struct salvor_span){
        session->errors.data != NULL ? session->errors.data : "", session->errors.size};
    session->state = OVER;
    session_leave(session);
}

uint32_t session_certainty(const struct ssh_session *session)
{
    return session->sent ? SALVOR_CERTAINTY_SENT : SALVOR_CERTAINTY_NOT_SENT;
}

void session_finish_stopped(struct ssh_session *session)
{
    (void)error_move(&session->outcome.error, &session->stop_error);
    session_finish(session, session->stop_status, session_certainty(session));
}

void ssh_session_stop(struct ssh_session *session, salvor_status status, struct error *err)
{
    if (session->state == OVER || session->stop_by != 0)
        return;
    session->stop_status = status;
    if (err != NULL)
        (void)error_move(&session->stop_error, err);
    session->stop_by = clock_monotonic_ms() + STOP_PATIENCE_MS;
    if (!session->sent)
        session_finish_stopped(session);
    else
        session_close_pipe(&session->in); /* the far side ends what runs there */
}

/* What the far side said before the command's own words; the last line of it. */
static char *last_words(const struct ssh_session *session)
{
    const struct buffer *noise = &session->err_marks.noise;
    if (noise->size == 0)
        noise = &session->out_marks.noise;
    size_t end = noise->size;
    while (end > 0 && strchr(" \r\n", noise->data[end - 1]) != NULL)
        end--;
    size_t from = end;
    while (from > 0 && noise->data[from - 1] != '\n')
        from--;
    return text_copy_span(noise->size > 0 ? noise->data + from : "", end - from);
}

void session_set_detail(struct ssh_session *session)
{
    const struct buffer *noise = &session->err_marks.noise;
    if (noise->size > 0)
        (void)error_detail(&session->outcome.error, "%s", noise->data);
}

/* The login command ended before sh said that it is ready. */
static void finish_without_shell(struct ssh_session *session)
{
    cleanup_free char *words = last_words(session);
    (void)error_set(&session->outcome.error, EXIT_FAILED,
                    "'%s' runs no commands for us%s%s: the session ended with %d",
                    session_host(session), *words != '\0' ? ": " : "", words,
                    (int)session->mux.exit_status);
    session_set_detail(session);
    if (session->request.target->sudo)
        (void)error_hint(&session->outcome.error,
                         "the user there must be allowed to run sudo without a password");
    session_finish(session, SALVOR_FAILED, SALVOR_CERTAINTY_NOT_SENT);
}

void session_finish_not_started(struct ssh_session *session)
{
    cleanup_free char *words = last_words(session);
    (void)error_set(&session->outcome.error, EXIT_FAILED, "it cannot be started on '%s'%s%s",
                    session_host(session), *words != '\0' ? ": " : "", words);
    session_set_detail(session);
    memcpy(session->outcome.refusal, session->err_marks.word, sizeof session->outcome.refusal);
    session_finish(session, SALVOR_FAILED, SALVOR_CERTAINTY_NOT_SENT);
}

static void finish_lost(struct ssh_session *session)
{
    if (session->sent)
        (void)error_set(&session->outcome.error, EXIT_FAILED,
                        "the connection to '%s' was lost: what was asked may have taken effect",
                        session_host(session));
    else
        (void)error_set(&session->outcome.error, EXIT_FAILED,
                        "the connection to '%s' was lost before anything was sent",
                        session_host(session));
    session_finish(session, SALVOR_RETRY, session_certainty(session));
}

/* Standard error may not have a mark where the host has no such shell, or is over without one. */
void session_finish_ended(struct ssh_session *session, int32_t status)
{
    session->outcome.exit_status = status;
    kill_point(session->request.row, "answer-received");
    if (session->stop_by != 0)
        session_finish_stopped(session);
    else
        session_finish(session, SALVOR_OK, SALVOR_CERTAINTY_ANSWERED);
}

void session_finish_cut(struct ssh_session *session)
{
    int began =
        session->err_marks.phase == SSH_MARKS_CONTENT || session->err_marks.phase == SSH_MARKS_END;
    if (session->stop_by != 0) {
        session_finish_stopped(session);
    } else if (!session->exited) {
        finish_lost(session);
    } else if (session->out_marks.phase == SSH_MARKS_READY) {
        finish_without_shell(session);
    } else if (!began && session->all_sent) {
        session_finish_not_started(session);
    } else {
        (void)error_set(&session->outcome.error, EXIT_FAILED,
                        "the command on '%s' was lost: the shell that watches it was ended",
                        session_host(session));
        session_set_detail(session);
        session_finish(session, SALVOR_FAILED, session_certainty(session));
    }
}

void session_finish_broken(struct ssh_session *session, salvor_status status, const char *why)
{
    (void)error_set(&session->outcome.error, EXIT_FAILED, "cannot use the connection to '%s': %s",
                    session_host(session), why);
    session_finish(session, status, session_certainty(session));
}
