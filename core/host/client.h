/*
 * The parent's side of a worker: spawn it, call a hook, hand its frames on, watch it, end it. The
 * parent never blocks on it: one poll loop over socket, stderr, interrupt and deadline.
 */
#ifndef SALVOR_HOST_CLIENT_H
#define SALVOR_HOST_CLIENT_H

#include <jansson.h>
#include <salvor/types.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/frame.h"

struct client;

/* What a worker may use; 0: no limit. */
struct client_limits {
    int64_t memory; /* bytes of address space */
    int64_t cpu_ms; /* processor time of one call */
};

struct client_settings {
    const char *plugin_path; /* NULL: a service worker */
    const char *plugin_name;
    json_t *open; /* the OPEN frame's body without "protocol", "plugin", "name"; borrowed */
    int per_call; /* SALVOR_WORKER=per-call: a fresh process for every call */
    int debug;    /* core files and ptrace allowed */
    struct client_limits limits;
};

/* What the caller of client_call hears meanwhile. Any of them may be NULL. */
struct client_listener {
    void *data;
    /* A frame of the call (LOG to STATE); body borrowed. Non-zero ends the worker as having broken
     * the protocol, with *reterr as the reason. */
    int (*frame)(void *data, enum frame_type type, const json_t *body, struct error *reterr);
    /* A REQUEST; returns the reply's members (stolen), or NULL with *reterr, which the worker sees.
     */
    json_t *(*request)(void *data, const json_t *body, struct error *reterr);
    /* At least every 100 ms. 1: cancel the call (it ends as CANCELLED); 2: kill the worker now. */
    int (*tick)(void *data);
};

enum client_end {
    CLIENT_DONE,      /* a done frame came; `status` is the hook's */
    CLIENT_CRASHED,   /* it ended without one: signal, exit status, abort */
    CLIENT_TIMED_OUT, /* the deadline passed; it was cancelled, then killed if it had to be */
    CLIENT_PROTOCOL,  /* it broke the frame rules */
    CLIENT_CANCELLED  /* the tick asked for it and the worker ended, or was killed */
};

struct client_outcome {
    enum client_end end;
    salvor_status status; /* with CLIENT_DONE */
    uint32_t answer;      /* of check_step, with CLIENT_DONE; 0: none */
    struct error error; /* why it did not end well: message, detail (last lines of stderr), hint */
};

/* Nothing is started yet; the first call does it. `settings` is copied. */
struct client *client_new(const struct client_settings *settings);

/*
 * Runs one hook or service call. `body` is the CALL frame's (borrowed); its "deadline_ms" is
 * enforced here: cancel, two seconds of grace, TERM, KILL. Returns 0 with *ret_outcome (clear its
 * error), or -1 with *reterr when no worker can be had (plugin refused, spawn failed).
 */
int client_call(struct client *client, const json_t *body, const struct client_listener *listener,
                struct client_outcome *ret_outcome, struct error *reterr);

/*
 * The same in pieces, so that several workers can be talked to at once: client_begin sends the call
 * (and starts a worker first, which is waited for), client_pump answers 1 once it is over, after
 * waiting at most `wait_ms`, and client_finish takes the outcome then. Nothing is heard of the
 * worker between two pumps, deadline included; it goes on by itself meanwhile. `body` and
 * `listener` (copied; its data stays the caller's) are as above. One call at a time.
 */
int client_begin(struct client *client, const json_t *body, const struct client_listener *listener,
                 struct error *reterr);
int client_pump(struct client *client, int64_t wait_ms);
void client_finish(struct client *client, struct client_outcome *ret_outcome);
/* Tells the call under way something (a TELL frame; `body` is borrowed); sent by the next pump. */
int client_tell(struct client *client, const json_t *body, struct error *reterr);
/* 1 between client_begin and client_finish. */
int client_is_calling(const struct client *client);

/* The descriptor of the loaded plugin, starting a worker if need be; borrowed. */
int client_descriptor(struct client *client, const json_t **ret_descriptor, struct error *reterr);

/* Process id of the live worker, 0 when there is none. */
int client_pid(const struct client *client);

/* CLOSE, wait, kill if it does not go (a call under way is killed at once); reaps every process of
 * its group. The next call starts a new worker. -1 with *reterr (which may be NULL) when it had to
 * be killed or did not end with status 0: nothing is lost then, but a plugin or a sanitizer has
 * something to say. */
int client_close(struct client *client, struct error *reterr);

/* The same, and the client is gone. NULL is fine. */
void client_free(struct client *client);

#endif
