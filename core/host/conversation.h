/*
 * One exchange with a live worker: frames out, frames in, until its answer, its end, or the end of
 * patience. Knows nothing of starting or judging workers (client.c).
 */
#ifndef SALVOR_HOST_CONVERSATION_H
#define SALVOR_HOST_CONVERSATION_H

#include <jansson.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "host/client.h"
#include "host/tail.h"
#include "host/worker-process.h"

enum {
    CONVERSATION_ROOM = 2 * (FRAME_HEADER_SIZE + FRAME_PAYLOAD_LIMIT),
    GRACE_MS = 2000,     /* from cancel to TERM */
    TERM_MS = 1000,      /* from TERM to KILL */
    LAST_WORDS_MS = 1000 /* from the end of the connection to the end of the process */
};

/* What a worker and the parent have between them as long as the process lives. */
struct line {
    struct worker_process process;
    struct buffer in;
    struct buffer out;
    size_t
        sent; /* bytes of `out` that are gone: moving the rest up for each write would cost more */
    struct tail printed; /* stdout and stderr */
    char *last_log;      /* newest LOG text, or NULL */
};

enum conversation_end {
    ANSWERED,     /* the awaited frame came: `answer` */
    WORKER_ENDED, /* connection or process ended without it */
    RULES_BROKEN, /* `reason` says how */
    STOPPED       /* it had to be killed after a deadline or a cancel */
};

enum stop_cause { NOT_STOPPED, STOP_DEADLINE, STOP_ASKED };

/* How far it has come, beside what the caller sees. */
struct conversation_progress {
    int over;
    int call_sent;
    int closed;         /* end of the worker's stream */
    int64_t next_tick;  /* monotonic ms */
    int64_t next_force; /* when TERM or KILL is due; 0: never */
    int terminated;     /* TERM was sent */
};

struct conversation {
    struct line *line;
    const struct client_listener *listener; /* or NULL */
    uint32_t call;                          /* 0: opening */
    const char *row;                        /* for kill points */
    int64_t deadline;                       /* monotonic ms */
    /* results */
    enum conversation_end end;
    enum stop_cause stop; /* what it was asked to stop for, whatever came then */
    int killed;
    enum frame_type answer_type;
    json_t *answer; /* owned */
    struct error reason;
    struct conversation_progress progress;
};

/* Sends what is queued in line->out and converses until one of the ends. */
void converse(struct conversation *conversation);

/* The same in pieces: begin, then pump until it answers 1 (one of the ends is reached). A pump does
 * what can be done now, after waiting at most `wait_ms` for something to do. */
void conversation_begin(struct conversation *conversation);
int conversation_pump(struct conversation *conversation, int64_t wait_ms);

/* Reads what the worker has printed so far. */
void line_drain_output(struct line *line);

#endif
