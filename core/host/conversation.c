#include "host/conversation.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/kill-point.h"
#include "base/text.h"
#include "wire/frame-rules.h"

enum { TICK_MS = 100, CHUNK = 65536 };

static void finish(struct conversation *talk, enum conversation_end end)
{
    if (!talk->progress.over)
        talk->end = end;
    talk->progress.over = 1;
}

static void break_off(struct conversation *talk, struct error *reason)
{
    (void)error_move(&talk->reason, reason);
    finish(talk, RULES_BROKEN);
}

static void kill_now(struct conversation *talk)
{
    talk->killed = 1;
    worker_process_signal(&talk->line->process, SIGKILL);
    finish(talk, STOPPED);
}

/* ---- out ------------------------------------------------------------------------------------- */

static void send_queued(struct conversation *talk)
{
    struct line *line = talk->line;
    while (line->sent < line->out.size) {
        ssize_t sent = send(line->process.socket, line->out.data + line->sent,
                            line->out.size - line->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno != EAGAIN) {
            /* nobody reads any more; what it still said is read until the end */
            line->sent = line->out.size;
            return;
        }
        if (sent < 0)
            return;
        line->sent += (size_t)sent;
    }
    line->sent = 0;
    line->out.size = 0;
    if (line->out.capacity > CONVERSATION_ROOM)
        buffer_clear(&line->out);
    if (!talk->progress.call_sent && talk->call != 0)
        kill_point(talk->row, "call-sent");
    talk->progress.call_sent = 1;
}

/* ---- in -------------------------------------------------------------------------------------- */

void line_drain_output(struct line *line)
{
    char chunk[CHUNK];
    /* bounded, so that a flood cannot keep the loop from its clock */
    for (int i = 0; i < 16; i++) {
        ssize_t size = read(line->process.output_fd, chunk, sizeof chunk);
        if (size <= 0)
            return;
        tail_add(&line->printed, chunk, (size_t)size);
    }
}

static void keep_last_log(struct line *line, const json_t *body)
{
    free(line->last_log);
    line->last_log = text_copy(json_text(body, "text"));
}

static json_t *error_json(const struct error *err)
{
    return json_make("{s:{s:s, s:s?, s:s?}}", "error", "message",
                     err->message != NULL ? err->message : "refused", "detail", err->detail, "hint",
                     err->hint);
}

static void answer_request(struct conversation *talk, const json_t *body)
{
    const struct client_listener *listener = talk->listener;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *reply = NULL;
    json_t *serial = json_object_get(body, "serial");
    if (listener != NULL && listener->request != NULL) {
        reply = listener->request(listener->data, body, &err);
        /* what could not be recorded is never answered: the worker would go on changing things */
        if (reply == NULL && listener->tick != NULL && listener->tick(listener->data) == 2) {
            talk->stop = STOP_ASKED;
            kill_now(talk);
            return;
        }
    } else
        (void)error_set(&err, EXIT_FAILED, "nobody answers '%s' here", json_text(body, "ask"));
    if (reply == NULL)
        reply = error_json(&err);
    json_put(reply, "serial", json_incref(serial));
    if (frame_encode(&talk->line->out, FRAME_REPLY, talk->call, reply, &err) == 0)
        return;
    json_decref(reply);
    reply = error_json(&err);
    json_put(reply, "serial", json_incref(serial));
    if (frame_encode(&talk->line->out, FRAME_REPLY, talk->call, reply, &err) != 0)
        break_off(talk, &err);
}

static void hand_on(struct conversation *talk, const struct frame *frame)
{
    const struct client_listener *listener = talk->listener;
    cleanup_error struct error err = ERROR_INIT;
    if (frame->type == FRAME_LOG)
        keep_last_log(talk->line, frame->body);
    if (listener == NULL || listener->frame == NULL)
        return;
    if (listener->frame(listener->data, frame->type, frame->body, &err) != 0)
        break_off(talk, &err);
}

static int is_expected(const struct conversation *talk, enum frame_type type)
{
    const int opening = talk->call == 0;
    switch (type) {
    case FRAME_READY:
    case FRAME_REFUSED:
        return opening;
    case FRAME_LOG:
        return 1;
    default:
        return !opening;
    }
}

static void take_frame(struct conversation *talk, struct frame *frame)
{
    cleanup_error struct error err = ERROR_INIT;
    if (frame_check(frame->type, frame->body, &err) != 0) {
        break_off(talk, &err);
    } else if (frame->call != talk->call) {
        (void)error_set(&err, EXIT_FAILED, "a '%s' frame for call %u, which is not running",
                        frame_type_name(frame->type), frame->call);
        break_off(talk, &err);
    } else if (!is_expected(talk, frame->type)) {
        (void)error_set(&err, EXIT_FAILED, "a '%s' frame %s", frame_type_name(frame->type),
                        talk->call == 0 ? "before it is open" : "in a call");
        break_off(talk, &err);
    } else if (frame->type == FRAME_READY || frame->type == FRAME_REFUSED ||
               frame->type == FRAME_DONE) {
        talk->answer_type = frame->type;
        talk->answer = json_incref(frame->body);
        finish(talk, ANSWERED);
    } else if (frame->type == FRAME_REQUEST) {
        answer_request(talk, frame->body);
    } else {
        hand_on(talk, frame);
    }
}

static void take_frames(struct conversation *talk)
{
    while (!talk->progress.over) {
        struct frame frame = {0};
        cleanup_error struct error err = ERROR_INIT;
        int got = frame_decode(&talk->line->in, &frame, &err);
        if (got < 0)
            break_off(talk, &err);
        if (got <= 0)
            return;
        take_frame(talk, &frame);
        frame_clear(&frame);
    }
}

/* One read a turn: the clock is looked at between two of them. */
static void receive(struct conversation *talk)
{
    struct buffer *in = &talk->line->in;
    char *room = buffer_reserve(in, CHUNK);
    if (room == NULL)
        return;
    ssize_t size = recv(talk->line->process.socket, room, CHUNK, MSG_DONTWAIT);
    if (size > 0) {
        in->size += (size_t)size;
        take_frames(talk);
    } else if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
        talk->progress.closed = 1;
    }
}

/* ---- stopping -------------------------------------------------------------------------------- */

static void ask_to_stop(struct conversation *talk, enum stop_cause cause)
{
    if (talk->stop != NOT_STOPPED)
        return;
    talk->stop = cause;
    /* nothing is running in a plugin that is being opened: nothing can be lost */
    if (talk->call == 0) {
        kill_now(talk);
        return;
    }
    worker_process_cancel(&talk->line->process);
    talk->progress.next_force = clock_monotonic_ms() + GRACE_MS;
}

static void force(struct conversation *talk)
{
    if (talk->progress.terminated) {
        kill_now(talk);
        return;
    }
    talk->progress.terminated = 1;
    talk->killed = 1;
    worker_process_signal(&talk->line->process, SIGTERM);
    talk->progress.next_force = clock_monotonic_ms() + TERM_MS;
}

static void look_at_clock(struct conversation *talk)
{
    const struct client_listener *listener = talk->listener;
    const int64_t now = clock_monotonic_ms();
    if (now >= talk->progress.next_tick) {
        talk->progress.next_tick = now + TICK_MS;
        int wish = listener != NULL && listener->tick != NULL ? listener->tick(listener->data) : 0;
        if (wish == 1)
            ask_to_stop(talk, STOP_ASKED);
        if (wish == 2) {
            talk->stop = STOP_ASKED;
            kill_now(talk);
        }
        /* a descriptor that a grandchild holds open can hide that the worker is gone */
        if (!talk->progress.closed && worker_process_has_ended(&talk->line->process)) {
            receive(talk);
            talk->progress.closed = 1;
        }
    }
    if (now >= talk->deadline)
        ask_to_stop(talk, STOP_DEADLINE);
    if (talk->progress.next_force != 0 && now >= talk->progress.next_force)
        force(talk);
}

/* ---- the loop -------------------------------------------------------------------------------- */

static int time_to_wait(const struct conversation *talk)
{
    const int64_t now = clock_monotonic_ms();
    int64_t next = talk->progress.next_tick;
    if (talk->stop == NOT_STOPPED && talk->deadline < next)
        next = talk->deadline;
    if (talk->progress.next_force != 0 && talk->progress.next_force < next)
        next = talk->progress.next_force;
    return next > now ? (int)(next - now) : 0;
}

static void turn(struct conversation *talk, int64_t most_ms)
{
    struct line *line = talk->line;
    struct pollfd fds[] = {
        {line->process.socket, (short)(POLLIN | (line->sent < line->out.size ? POLLOUT : 0)), 0},
        {line->process.output_fd, POLLIN, 0},
    };
    const int wait_ms = time_to_wait(talk);
    if (poll(fds, 2, most_ms < wait_ms ? (int)most_ms : wait_ms) < 0 && errno != EINTR)
        (void)poll(NULL, 0, 1);
    if (fds[1].revents != 0)
        line_drain_output(line);
    if ((fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
        receive(talk);
    if (!talk->progress.over)
        send_queued(talk);
    if (!talk->progress.over)
        look_at_clock(talk);
    if (talk->progress.closed)
        finish(talk, talk->killed ? STOPPED : WORKER_ENDED);
}

void conversation_begin(struct conversation *talk)
{
    talk->progress = (struct conversation_progress){.next_tick = clock_monotonic_ms() + TICK_MS};
    take_frames(talk);
    if (!talk->progress.over)
        send_queued(talk);
}

int conversation_pump(struct conversation *talk, int64_t wait_ms)
{
    if (!talk->progress.over)
        turn(talk, wait_ms);
    if (!talk->progress.over)
        return 0;
    /* the worker's own look at the deadline can be the earlier one */
    if (talk->stop == NOT_STOPPED && clock_monotonic_ms() >= talk->deadline)
        talk->stop = STOP_DEADLINE;
    line_drain_output(talk->line);
    return 1;
}

void converse(struct conversation *talk)
{
    conversation_begin(talk);
    while (!conversation_pump(talk, INT32_MAX))
        continue;
}
