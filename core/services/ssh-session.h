/*
 * One command on a host, through its shared connection. What the host's login shell is asked to run
 * is always the same few harmless words: sh, which says "ready" and then evaluates a script that
 * comes through its standard input. So
 *
 * - nothing of the command is interpreted by a shell that is not known, or seen in a process list;
 * - until the host said "ready" no byte of the command has left: a failure before is NOT_SENT;
 * - what start-up files and banners print is told from what the command prints;
 * - the script says on both outputs when the command ended, and how. Without these words it is not
 *   known to have ended, whatever ssh says: 255 is a status like any other.
 *
 * Everything is non-blocking: a session has one descriptor to wait for, and ssh_session_step goes
 * on. Hosts with shell "windows" are given the command line as it is; there the status is what the
 * server reports for the session.
 */
#ifndef SALVOR_SERVICES_SSH_SESSION_H
#define SALVOR_SERVICES_SSH_SESSION_H

#include <salvor/types.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "services/ssh-key.h"
#include "services/ssh-target.h"
#include "worker/call.h"

enum { SSH_ERROR_KEPT = 65536 };

struct ssh_session_request {
    struct ssh_target *target;
    struct ssh_key *key; /* NULL: the agent */
    const char *row;     /* for kill points */
    /*
     * What sh evaluates (ssh-script.h), or the command line for windows. Scripts find the mark of
     * the session in $m, and their connection as standard input: its end means that nobody waits
     * any longer. Borrowed until ssh_session_free.
     */
    const char *script;
    const struct salvor_span *input; /* windows: standard input, in pieces */
    size_t input_count;
    /* Takes standard output; -1 with reterr ends the session. NULL: it is thrown away. */
    int (*take)(void *data, const char *bytes, size_t size, struct error *reterr);
    /* More for standard input once the script has started: bytes into `buffer`, 0 at the end, -1
     * with reterr. NULL: nothing, and it stays open. */
    int64_t (*give)(void *data, char *buffer, size_t size, struct error *reterr);
    void *data;
    int64_t timeout_ms; /* 0: none */
};

struct ssh_outcome {
    salvor_status status; /* OK: it ended, with exit_status */
    uint32_t certainty;
    int32_t exit_status;
    int busy;         /* the host refused a further session */
    char refusal[16]; /* word of a script that did not start; else "" */
    struct error error;
    struct salvor_span err; /* newest SSH_ERROR_KEPT bytes of standard error */
};

struct ssh_session;

struct ssh_session *ssh_session_start(const struct ssh_session_request *request);

/* Readable when ssh_session_step has something to do. */
int ssh_session_fd(const struct ssh_session *session);

/* 1: over, and the outcome is there. */
int ssh_session_step(struct ssh_session *session);

/* Ends it: what runs there is told to end. Over within two seconds, with `status`; `err` is moved
 * from. */
void ssh_session_stop(struct ssh_session *session, salvor_status status, struct error *err);

/* Valid until ssh_session_free; the error may be moved from. */
struct ssh_outcome *ssh_session_outcome(struct ssh_session *session);

void ssh_session_free(struct ssh_session *session);

static inline void cleanup_ssh_session_at(struct ssh_session **session)
{
    if (*session != NULL)
        ssh_session_free(*session);
}

#define cleanup_ssh_session __attribute__((cleanup(cleanup_ssh_session_at)))

/* Steps it until it is over, within the call; returns the outcome's status, recorded in the call.
 */
salvor_status ssh_session_wait(struct worker_call *call, struct ssh_session *session);

#endif
