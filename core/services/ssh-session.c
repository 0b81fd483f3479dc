#include "services/ssh-session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/kill-point.h"
#include "base/text.h"
#include "services/ssh-connection.h"
#include "services/ssh-marks.h"
#include "services/ssh-mux.h"

enum {
    CHUNK = 65536,
    STOP_PATIENCE_MS = 1500,
    SOON_MS = 10,
    PIPE_SIZE = 1 << 20,
    HEAD_LIMIT = 128,
    ROUNDS = 64 /* chunks of one descriptor before the others are looked at */
};

enum state {
    CONNECTING, /* waits for the connection */
    ASKING,     /* its control socket is busy */
    OPENING,    /* a session was asked for */
    TALKING,    /* the script is on its way, or there */
    OVER
};

struct ssh_session {
    struct ssh_session_request request;
    struct ssh_waiter waiter;
    struct ssh_connection *connection;
    enum state state;
    int reused;   /* the connection is one of before: it may be dead without anybody knowing */
    int opened;   /* a session is there */
    int sent;     /* a byte of the command has left */
    int all_sent; /* the script, to its last byte */
    int exited;   /* the server reported an end */
    int closed;   /* the control socket is at its end */
    struct ssh_mux mux;
    int in; /* our ends of the pipes; -1 when closed */
    int out;
    int err;
    int epoll;
    int timer;
    uint32_t in_events;  /* as asked of epoll; 0: not watched */
    struct buffer to_in; /* not written yet */
    int given_all;       /* `give` came to its end */
    char mark[SSH_MARK_SIZE];
    struct ssh_marks out_marks;
    struct ssh_marks err_marks;
    struct buffer errors;
    int64_t ready_by; /* monotonic ms */
    int64_t deadline;
    int64_t stop_by; /* 0: nobody asked to stop */
    salvor_status stop_status;
    struct error stop_error;
    struct ssh_outcome outcome;
};

/* ---- release --------------------------------------------------------------------------------- */

static void close_pipe(int *fd)
{
    if (*fd >= 0)
        (void)close(take_fd(fd));
}

/* What belongs to one try. */
static void leave(struct ssh_session *session)
{
    ssh_mux_close(&session->mux);
    close_pipe(&session->in);
    close_pipe(&session->out);
    close_pipe(&session->err);
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
    leave(session);
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

static const char *host(const struct ssh_session *session)
{
    return session->request.target->name;
}

static void finish(struct ssh_session *session, salvor_status status, uint32_t certainty)
{
    session->outcome.status = status;
    session->outcome.certainty = certainty;
    session->outcome.err = (struct salvor_span){
        session->errors.data != NULL ? session->errors.data : "", session->errors.size};
    session->state = OVER;
    leave(session);
}

static uint32_t certainty_of(const struct ssh_session *session)
{
    return session->sent ? SALVOR_CERTAINTY_SENT : SALVOR_CERTAINTY_NOT_SENT;
}

static void finish_stopped(struct ssh_session *session)
{
    (void)error_move(&session->outcome.error, &session->stop_error);
    finish(session, session->stop_status, certainty_of(session));
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
        finish_stopped(session);
    else
        close_pipe(&session->in); /* the far side ends what runs there */
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

static void set_detail(struct ssh_session *session)
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
                    "'%s' runs no commands for us%s%s: the session ended with %d", host(session),
                    *words != '\0' ? ": " : "", words, (int)session->mux.exit_status);
    set_detail(session);
    if (session->request.target->sudo)
        (void)error_hint(&session->outcome.error,
                         "the user there must be allowed to run sudo without a password");
    finish(session, SALVOR_FAILED, SALVOR_CERTAINTY_NOT_SENT);
}

static void finish_not_started(struct ssh_session *session)
{
    cleanup_free char *words = last_words(session);
    (void)error_set(&session->outcome.error, EXIT_FAILED, "it cannot be started on '%s'%s%s",
                    host(session), *words != '\0' ? ": " : "", words);
    set_detail(session);
    memcpy(session->outcome.refusal, session->err_marks.word, sizeof session->outcome.refusal);
    finish(session, SALVOR_FAILED, SALVOR_CERTAINTY_NOT_SENT);
}

static void finish_lost(struct ssh_session *session)
{
    if (session->sent)
        (void)error_set(&session->outcome.error, EXIT_FAILED,
                        "the connection to '%s' was lost: what was asked may have taken effect",
                        host(session));
    else
        (void)error_set(&session->outcome.error, EXIT_FAILED,
                        "the connection to '%s' was lost before anything was sent", host(session));
    finish(session, SALVOR_RETRY, certainty_of(session));
}

/* Standard error may not have a mark where the host has no such shell, or is over without one. */
static void finish_ended(struct ssh_session *session, int32_t status)
{
    session->outcome.exit_status = status;
    kill_point(session->request.row, "answer-received");
    if (session->stop_by != 0)
        finish_stopped(session);
    else
        finish(session, SALVOR_OK, SALVOR_CERTAINTY_ANSWERED);
}

/* All streams are at their end without the last words. */
static void finish_cut(struct ssh_session *session)
{
    int began =
        session->err_marks.phase == SSH_MARKS_CONTENT || session->err_marks.phase == SSH_MARKS_END;
    if (session->stop_by != 0) {
        finish_stopped(session);
    } else if (!session->exited) {
        finish_lost(session);
    } else if (session->out_marks.phase == SSH_MARKS_READY) {
        finish_without_shell(session);
    } else if (!began && session->all_sent) {
        finish_not_started(session);
    } else {
        (void)error_set(&session->outcome.error, EXIT_FAILED,
                        "the command on '%s' was lost: the shell that watches it was ended",
                        host(session));
        set_detail(session);
        finish(session, SALVOR_FAILED, certainty_of(session));
    }
}

static void finish_broken(struct ssh_session *session, salvor_status status, const char *why)
{
    (void)error_set(&session->outcome.error, EXIT_FAILED, "cannot use the connection to '%s': %s",
                    host(session), why);
    finish(session, status, certainty_of(session));
}

/* ---- a try ----------------------------------------------------------------------------------- */

static void wake(struct ssh_waiter *waiter)
{
    struct ssh_session *session =
        (struct ssh_session *)(void *)((char *)waiter - offsetof(struct ssh_session, waiter));
    const struct itimerspec now = {.it_value = {.tv_nsec = 1}};
    (void)timerfd_settime(session->timer, 0, &now, NULL);
}

static void begin(struct ssh_session *session)
{
    session->state = CONNECTING;
    session->opened = session->exited = session->closed = 0;
    ssh_mark_make(session->mark);
    ssh_marks_init(&session->out_marks, session->mark, SSH_MARKS_READY);
    ssh_marks_init(&session->err_marks, session->mark, SSH_MARKS_START);
    session->connection =
        ssh_connection_get(session->request.target, session->request.key, &session->reused);
    if (ssh_connection_state(session->connection) == SSH_CONNECTING) {
        struct epoll_event event = {.events = EPOLLIN};
        (void)epoll_ctl(session->epoll, EPOLL_CTL_ADD, ssh_connection_fd(session->connection),
                        &event);
        ssh_connection_await(session->connection, &session->waiter);
    }
}

/* A connection of before may have died unnoticed: nothing was sent, so that a new one is as good.
 */
static int begin_anew(struct ssh_session *session)
{
    if (session->sent || !session->reused || session->stop_by != 0)
        return 0;
    ssh_connection_drop(session->connection);
    leave(session);
    begin(session);
    return 1;
}

static void lose(struct ssh_session *session)
{
    if (begin_anew(session))
        return;
    ssh_connection_drop(session->connection);
    finish_cut(session);
}

static int make_pipe(int *ret_ours, int *ret_theirs, int we_write)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    *ret_ours = ends[we_write ? 1 : 0];
    *ret_theirs = ends[we_write ? 0 : 1];
    (void)fcntl(*ret_ours, F_SETPIPE_SZ, PIPE_SIZE); /* faster, if it is granted */
    return fcntl(*ret_ours, F_SETFL, O_NONBLOCK);
}

static char *login_command(const struct ssh_session *session)
{
    if (session->request.target->windows)
        return text_copy(session->request.script);
    /* In single quotes without a backslash every shell leaves all of it alone. printf puts the mark
     * together, so that an echo of these words is not taken for it. LC_ALL=C: a size in bytes. */
    return text_format("exec %s/bin/sh -c 'LC_ALL=C; export LC_ALL; printf \"%%s-%%s\\n\" salvor "
                       "%s; IFS= read -r n && x=$(head -c \"$n\") && [ \"${#x}\" = \"$n\" ] && "
                       "eval \"$x\"'",
                       session->request.target->sudo ? "sudo -n -- " : "", session->mark + 7);
}

static int watch_all(struct ssh_session *session)
{
    struct epoll_event event = {.events = EPOLLIN};
    const int fds[] = {session->mux.fd, session->out, session->err};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (epoll_ctl(session->epoll, EPOLL_CTL_ADD, fds[i], &event) != 0)
            return -1;
    return 0;
}

static int ask(struct ssh_session *session)
{
    cleanup_close int in = -1;
    cleanup_close int out = -1;
    cleanup_close int err = -1;
    cleanup_free char *command = login_command(session);
    if (make_pipe(&session->in, &in, 1) != 0 || make_pipe(&session->out, &out, 0) != 0 ||
        make_pipe(&session->err, &err, 0) != 0 || watch_all(session) != 0)
        return -1;
    if (session->request.target->windows) {
        session->sent = 1; /* the command is in the request */
        session->out_marks.phase = SSH_MARKS_CONTENT;
        session->err_marks.phase = SSH_MARKS_CONTENT;
    }
    const int fds[3] = {in, out, err};
    return ssh_mux_ask_session(&session->mux, command, fds);
}

static void open_session(struct ssh_session *session)
{
    session->state = ASKING;
    if (ssh_mux_connect(&session->mux, ssh_connection_socket(session->connection)) != 0) {
        if (errno != EAGAIN)
            lose(session);
        return;
    }
    session->state = OPENING;
    session->ready_by = clock_monotonic_ms() + session->request.target->connect_ms;
    if (ask(session) == 0)
        return;
    if (errno == EMFILE || errno == ENFILE) {
        session->sent = 0;
        finish_broken(session, SALVOR_FAILED, strerror(errno));
    } else {
        lose(session);
    }
}

static void wait_for_connection(struct ssh_session *session)
{
    struct ssh_connection *connection = session->connection;
    ssh_connection_step(connection);
    switch (ssh_connection_state(connection)) {
    case SSH_CONNECTING:
        ssh_connection_forget(connection, &session->waiter);
        ssh_connection_await(connection, &session->waiter);
        return;
    case SSH_READY:
        ssh_connection_forget(connection, &session->waiter);
        open_session(session);
        return;
    case SSH_DOWN:
        break;
    }
    salvor_status status = ssh_connection_failure(connection, &session->outcome.error);
    finish(session, status, SALVOR_CERTAINTY_NOT_SENT);
}

/* ---- standard input -------------------------------------------------------------------------- */

static void queue_script(struct ssh_session *session)
{
    const char *script = session->request.script;
    session->to_in = (struct buffer)BUFFER_INIT(strlen(script) + HEAD_LIMIT + CHUNK);
    (void)buffer_reserve(&session->to_in, strlen(script) + HEAD_LIMIT);
    /* The end keeps the shell from dropping newlines there. */
    cleanup_free char *begin = text_format("m=%s\n", session->mark);
    (void)buffer_format(&session->to_in, "%zu\n%s", strlen(begin) + strlen(script) + 2, begin);
    (void)buffer_append_text(&session->to_in, script);
    (void)buffer_append_text(&session->to_in, "\n:");
}

static void queue_input(struct ssh_session *session)
{
    const struct ssh_session_request *request = &session->request;
    size_t total = 0;
    for (size_t i = 0; i < request->input_count; i++)
        total += (size_t)request->input[i].size;
    session->to_in = (struct buffer)BUFFER_INIT(total + CHUNK);
    (void)buffer_reserve(&session->to_in, total);
    for (size_t i = 0; i < request->input_count; i++)
        (void)buffer_append(&session->to_in, request->input[i].data,
                            (size_t)request->input[i].size);
}

static int more_input(struct ssh_session *session)
{
    const struct ssh_session_request *request = &session->request;
    cleanup_error struct error err = ERROR_INIT;
    if (request->target->windows) {
        close_pipe(&session->in);
        return 0;
    }
    /* Not before: whoever read the script over there may have read on. */
    if (request->give == NULL || session->given_all ||
        session->err_marks.phase != SSH_MARKS_CONTENT)
        return 0;
    char *room = buffer_reserve(&session->to_in, CHUNK);
    int64_t got = room != NULL ? request->give(request->data, room, CHUNK, &err) : 0;
    if (got < 0) {
        ssh_session_stop(session, SALVOR_FAILED, &err);
        return 0;
    }
    session->to_in.size += (size_t)got;
    if (got > 0)
        return 1;
    session->given_all = 1;
    close_pipe(&session->in);
    return 0;
}

static void watch_in(struct ssh_session *session, uint32_t events)
{
    struct epoll_event event = {.events = events};
    if (session->in < 0 || events == session->in_events)
        return;
    (void)epoll_ctl(session->epoll,
                    events == 0               ? EPOLL_CTL_DEL
                    : session->in_events == 0 ? EPOLL_CTL_ADD
                                              : EPOLL_CTL_MOD,
                    session->in, &event);
    session->in_events = events;
}

static void write_input(struct ssh_session *session)
{
    size_t at = 0;
    for (int round = 0; session->in >= 0 && round < ROUNDS; round++) {
        if (at == session->to_in.size) {
            buffer_consume(&session->to_in, at);
            at = 0;
            if (!session->all_sent) {
                session->all_sent = 1;
                kill_point(session->request.row, "request-sent");
            }
            if (!more_input(session)) {
                watch_in(session, 0);
                return;
            }
        }
        ssize_t got = write(session->in, session->to_in.data + at, session->to_in.size - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno != EAGAIN) {
            close_pipe(&session->in); /* nobody reads: the end of the session says why */
            break;
        }
        if (got < 0)
            break;
        session->sent = 1;
        at += (size_t)got;
    }
    buffer_consume(&session->to_in, at);
    watch_in(session, EPOLLOUT);
}

/* ---- output ---------------------------------------------------------------------------------- */

static int take_error_text(void *data, const char *bytes, size_t size, struct error *reterr)
{
    struct buffer *errors = data;
    (void)reterr;
    if (size > SSH_ERROR_KEPT) {
        bytes += size - SSH_ERROR_KEPT;
        size = SSH_ERROR_KEPT;
    }
    if (errors->size + size > SSH_ERROR_KEPT)
        buffer_consume(errors, errors->size + size - SSH_ERROR_KEPT);
    return buffer_append(errors, bytes, size);
}

/* Once somebody asked to stop, what still comes is thrown away. */
static int take_output(void *data, const char *bytes, size_t size, struct error *reterr)
{
    struct ssh_session *session = data;
    const struct ssh_session_request *request = &session->request;
    if (session->stop_by != 0 || request->take == NULL)
        return 0;
    return request->take(request->data, bytes, size, reterr);
}

static int hand_out(struct ssh_session *session, int is_out, const char *bytes, size_t size,
                    struct error *reterr)
{
    struct ssh_marks *marks = is_out ? &session->out_marks : &session->err_marks;
    int (*take)(void *, const char *, size_t, struct error *) =
        is_out ? take_output : take_error_text;
    void *data = is_out ? (void *)session : (void *)&session->errors;
    if (session->request.target->windows)
        return size > 0 ? take(data, bytes, size, reterr) : 0;
    return size > 0 ? ssh_marks_feed(marks, bytes, size, take, data, reterr)
                    : ssh_marks_finish(marks, take, data, reterr);
}

static void read_output(struct ssh_session *session, int is_out)
{
    int *fd = is_out ? &session->out : &session->err;
    char chunk[CHUNK];
    for (int round = 0; *fd >= 0 && round < ROUNDS; round++) {
        cleanup_error struct error err = ERROR_INIT;
        ssize_t got = read(*fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0)
            close_pipe(fd);
        if (hand_out(session, is_out, chunk, got > 0 ? (size_t)got : 0, &err) != 0)
            ssh_session_stop(session, SALVOR_FAILED, &err);
        if (session->state == OVER)
            return;
    }
}

/* ---- together -------------------------------------------------------------------------------- */

static void hear_mux(struct ssh_session *session)
{
    while (!session->closed && session->state != OVER) {
        switch (ssh_mux_hear(&session->mux)) {
        case SSH_MUX_NOTHING:
            return;
        case SSH_MUX_OPENED:
            session->opened = 1;
            break;
        case SSH_MUX_EXITED:
            session->exited = 1;
            break;
        case SSH_MUX_REFUSED:
            session->sent = 0;
            session->outcome.busy = 1;
            finish_broken(session, SALVOR_RETRY, session->mux.reason);
            return;
        case SSH_MUX_BROKEN:
            finish_broken(session, SALVOR_FAILED, session->mux.reason);
            return;
        case SSH_MUX_CLOSED:
            session->closed = 1;
            (void)epoll_ctl(session->epoll, EPOLL_CTL_DEL, session->mux.fd, NULL);
            break;
        }
    }
}

static void start_talking(struct ssh_session *session)
{
    int windows = session->request.target->windows;
    if (session->state != OPENING || !session->opened ||
        (!windows && session->out_marks.phase != SSH_MARKS_CONTENT))
        return;
    session->state = TALKING;
    if (windows)
        queue_input(session);
    else
        queue_script(session);
}

static void look_for_end(struct ssh_session *session)
{
    if (session->out_marks.phase == SSH_MARKS_END && session->err_marks.phase == SSH_MARKS_END)
        finish_ended(session, session->out_marks.status);
    else if (session->err_marks.phase == SSH_MARKS_REFUSED)
        finish_not_started(session);
    else if (session->closed && session->out < 0 && session->err < 0) {
        if (session->request.target->windows && session->exited)
            finish_ended(session, session->mux.exit_status & 0xff);
        else
            lose(session);
    }
}

static void look_at_clock(struct ssh_session *session)
{
    const int64_t now = clock_monotonic_ms();
    cleanup_error struct error err = ERROR_INIT;
    if (session->stop_by != 0) {
        if (now >= session->stop_by)
            finish_stopped(session);
    } else if (now >= session->deadline) {
        (void)error_set(&err, EXIT_FAILED, "it did not end on '%s' within %lld ms", host(session),
                        (long long)session->request.timeout_ms);
        ssh_session_stop(session, SALVOR_TIMEOUT, &err);
    } else if (session->state == OPENING && now >= session->ready_by) {
        if (begin_anew(session))
            return;
        ssh_connection_drop(session->connection);
        (void)error_set(&session->outcome.error, EXIT_FAILED, "'%s' opened no shell within %lld ms",
                        host(session), (long long)session->request.target->connect_ms);
        set_detail(session);
        finish(session, SALVOR_RETRY, certainty_of(session));
    }
}

static void set_timer(struct ssh_session *session)
{
    int64_t due = session->deadline;
    if (session->stop_by != 0)
        due = session->stop_by;
    else if (session->state == OPENING && session->ready_by < due)
        due = session->ready_by;
    else if (session->state == ASKING)
        due = clock_monotonic_ms() + SOON_MS;
    else if (session->state == CONNECTING && ssh_connection_due(session->connection) < due)
        due = ssh_connection_due(session->connection);
    int64_t left = due == INT64_MAX ? 0 : due - clock_monotonic_ms();
    if (due != INT64_MAX && left < 1)
        left = 1;
    const struct itimerspec time = {
        .it_value = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000}};
    (void)timerfd_settime(session->timer, 0, &time, NULL);
}

int ssh_session_step(struct ssh_session *session)
{
    uint64_t rings = 0;
    (void)!read(session->timer, &rings, sizeof rings);
    if (session->state == CONNECTING)
        wait_for_connection(session);
    else if (session->state == ASKING)
        open_session(session);
    if (session->state == OPENING || session->state == TALKING) {
        hear_mux(session);
        if (session->state != OVER)
            read_output(session, 1);
        if (session->state != OVER)
            read_output(session, 0);
        start_talking(session);
        if (session->state == TALKING)
            write_input(session);
        if (session->state == OPENING || session->state == TALKING)
            look_for_end(session);
    }
    if (session->state != OVER)
        look_at_clock(session);
    if (session->state == OVER)
        return 1;
    set_timer(session);
    return 0;
}

struct ssh_session *ssh_session_start(const struct ssh_session_request *request)
{
    struct ssh_session *session = memory_new(1, sizeof *session);
    *session = (struct ssh_session){
        .request = *request,
        .waiter = {.wake = wake},
        .mux = SSH_MUX_INIT,
        .in = -1,
        .out = -1,
        .err = -1,
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
        .errors = BUFFER_INIT(2 * SSH_ERROR_KEPT),
        .deadline =
            request->timeout_ms > 0 ? clock_monotonic_ms() + request->timeout_ms : INT64_MAX,
        .outcome = {.certainty = SALVOR_CERTAINTY_NOT_SENT, .exit_status = -1},
    };
    (void)ssh_target_ref(request->target);
    (void)ssh_key_ref(request->key);
    struct epoll_event event = {.events = EPOLLIN};
    if (session->epoll < 0 || session->timer < 0 ||
        epoll_ctl(session->epoll, EPOLL_CTL_ADD, session->timer, &event) != 0)
        finish_broken(session, SALVOR_FAILED, strerror(errno));
    else {
        begin(session);
        wake(&session->waiter);
    }
    return session;
}

int ssh_session_fd(const struct ssh_session *session)
{
    return session->epoll;
}

struct ssh_outcome *ssh_session_outcome(struct ssh_session *session)
{
    return &session->outcome;
}

salvor_status ssh_session_wait(struct worker_call *call, struct ssh_session *session)
{
    salvor_status status = SALVOR_OK;
    while (!ssh_session_step(session)) {
        struct pollfd fd = {ssh_session_fd(session), POLLIN, 0};
        if (status == SALVOR_OK) {
            status = call_wait(call, &fd, 1, -1);
            /* The call's own words on this are recorded already. */
            if (status != SALVOR_OK)
                ssh_session_stop(session, status, NULL);
        } else {
            (void)poll(&fd, 1, STOP_PATIENCE_MS);
        }
    }
    struct ssh_outcome *outcome = ssh_session_outcome(session);
    if (outcome->status == SALVOR_OK || !error_is_set(&outcome->error))
        return outcome->status;
    return call_fail_error(call, outcome->status, &outcome->error);
}
