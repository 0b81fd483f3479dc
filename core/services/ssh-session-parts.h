/*
 * Inside of a session alone: ssh-session.c steps it, ssh-session-end.c says how it ended.
 */
#ifndef SALVOR_SERVICES_SSH_SESSION_PARTS_H
#define SALVOR_SERVICES_SSH_SESSION_PARTS_H

#include "services/ssh-connection.h"
#include "services/ssh-marks.h"
#include "services/ssh-mux.h"
#include "services/ssh-session.h"

enum ssh_session_state {
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
    enum ssh_session_state state;
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

/* Closes one of our ends. */
void session_close_pipe(int *fd);

/* Gives back what belongs to one try. */
void session_leave(struct ssh_session *session);

const char *session_host(const struct ssh_session *session);
uint32_t session_certainty(const struct ssh_session *session);

/* What the far side said before the command's own words, as the detail of the error. */
void session_set_detail(struct ssh_session *session);

/* Over; the error is set by the caller. */
void session_finish(struct ssh_session *session, salvor_status status, uint32_t certainty);
/* As whoever asked to stop wanted it. */
void session_finish_stopped(struct ssh_session *session);
/* The script said that it does not start. */
void session_finish_not_started(struct ssh_session *session);
void session_finish_ended(struct ssh_session *session, int32_t status);
/* All streams are at their end without the last words. */
void session_finish_cut(struct ssh_session *session);
void session_finish_broken(struct ssh_session *session, salvor_status status, const char *why);

#endif
