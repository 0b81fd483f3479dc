#include "services/ssh-session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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
#include "services/ssh-session-parts.h"

enum {
    CHUNK = 65536,
    STOP_LOOK_MS = 500,
    SOON_MS = 10,
    PIPE_SIZE = 1 << 20,
    HEAD_LIMIT = 128,
    ROUNDS = 64 /* chunks of one descriptor before the others are looked at */
};

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
    session_leave(session);
    begin(session);
    return 1;
}

static void lose(struct ssh_session *session)
{
    if (begin_anew(session))
        return;
    ssh_connection_drop(session->connection);
    session_finish_cut(session);
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
        session_finish_broken(session, SALVOR_FAILED, strerror(errno));
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
    session_finish(session, status, SALVOR_CERTAINTY_NOT_SENT);
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
        session_close_pipe(&session->in);
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
    session_close_pipe(&session->in);
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
            session_close_pipe(&session->in); /* nobody reads: the end of the session says why */
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
            session_close_pipe(fd);
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
            session_finish_broken(session, SALVOR_RETRY, session->mux.reason);
            return;
        case SSH_MUX_BROKEN:
            session_finish_broken(session, SALVOR_FAILED, session->mux.reason);
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
        session_finish_ended(session, session->out_marks.status);
    else if (session->err_marks.phase == SSH_MARKS_REFUSED)
        session_finish_not_started(session);
    else if (session->closed && session->out < 0 && session->err < 0) {
        if (session->request.target->windows && session->exited)
            session_finish_ended(session, session->mux.exit_status & 0xff);
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
            session_finish_stopped(session);
    } else if (now >= session->deadline) {
        (void)error_set(&err, EXIT_FAILED, "it did not end on '%s' within %lld ms",
                        session_host(session), (long long)session->request.timeout_ms);
        ssh_session_stop(session, SALVOR_TIMEOUT, &err);
    } else if (session->state == OPENING && now >= session->ready_by) {
        if (begin_anew(session))
            return;
        ssh_connection_drop(session->connection);
        (void)error_set(&session->outcome.error, EXIT_FAILED, "'%s' opened no shell within %lld ms",
                        session_host(session), (long long)session->request.target->connect_ms);
        session_set_detail(session);
        session_finish(session, SALVOR_RETRY, session_certainty(session));
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
        .errors = BUFFER_INIT((size_t)2 * SSH_ERROR_KEPT),
        .deadline =
            request->timeout_ms > 0 ? clock_monotonic_ms() + request->timeout_ms : INT64_MAX,
        .outcome = {.certainty = SALVOR_CERTAINTY_NOT_SENT, .exit_status = -1},
    };
    (void)ssh_target_ref(request->target);
    (void)ssh_key_ref(request->key);
    struct epoll_event event = {.events = EPOLLIN};
    if (session->epoll < 0 || session->timer < 0 ||
        epoll_ctl(session->epoll, EPOLL_CTL_ADD, session->timer, &event) != 0)
        session_finish_broken(session, SALVOR_FAILED, strerror(errno));
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
            (void)poll(&fd, 1, STOP_LOOK_MS);
        }
    }
    struct ssh_outcome *outcome = ssh_session_outcome(session);
    if (outcome->status == SALVOR_OK || !error_is_set(&outcome->error))
        return outcome->status;
    return call_fail_error(call, outcome->status, &outcome->error);
}
