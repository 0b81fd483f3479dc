/*
 * Rules of the fault proxy: which request (or connection) gets which fault. One rule a line, words
 * "key=value", '#' begins a comment:
 *
 *   method=GET path=GLOB site=GLOB         what a request must look like (shell patterns)
 *   nth=3 | nth=3-5 | nth=3+              which of the matching ones, from 1
 *   probability=0.1                       and how often (the seed makes it repeatable)
 *   fault=NAME [status=N] [retry-after=S] [bytes=N] [ms=N] [forward=1]
 *
 * The first rule that applies wins.
 */
#ifndef FAULT_RULES_H
#define FAULT_RULES_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum fault {
    FAULT_NONE,
    FAULT_REFUSE,          /* reset, and the port closed for `ms` */
    FAULT_RESET,           /* TCP reset instead of an answer */
    FAULT_CLOSE,           /* orderly end instead of an answer */
    FAULT_STALL,           /* silence for `ms` (0: until the client leaves), then end */
    FAULT_DELAY,           /* silence for `ms`, then all is well */
    FAULT_STATUS,          /* `status` with a fitting body */
    FAULT_CUT,             /* the answer ends after `bytes` */
    FAULT_DRIP,            /* the answer comes `bytes` at a time, every `ms` */
    FAULT_BAD_STATUS_LINE, /* no HTTP */
    FAULT_BAD_CHUNK,       /* a chunk size that is no number */
    FAULT_SHORT_BODY,      /* fewer bytes than Content-Length says */
    FAULT_LONG_BODY,       /* more bytes than Content-Length says */
    FAULT_OVERSIZED,       /* a body of `bytes` */
    FAULT_TLS_EXPIRED,     /* from here on faults of whole connections */
    FAULT_TLS_WRONG_NAME,
    FAULT_TLS_SELF_SIGNED,
    FAULT_TLS_CUT, /* the handshake ends in its middle */
};

struct fault_rule {
    char *method, *path, *site; /* patterns; NULL: any */
    int64_t first, last;        /* which of the matching ones; last 0: all from first on */
    double probability;
    enum fault fault;
    int status, retry_after; /* retry_after < 0: no header */
    int64_t bytes, ms;
    int forward; /* the upstream gets the request although its answer is not shown */
    int line;
    int64_t seen; /* matching ones so far */
};

struct fault_rules {
    struct fault_rule *items;
    size_t count;
    uint64_t random_state;
    pthread_mutex_t lock; /* connections ask from their own threads */
};

void fault_rules_init(struct fault_rules *rules, uint64_t seed);
void fault_rules_clear(struct fault_rules *rules);

/* Adds the rules of a text; an error names line and word. */
int fault_rules_parse(struct fault_rules *rules, const char *text, struct error *reterr);

/* What happens to this request, or (method NULL) to this connection; a copy, texts borrowed. */
struct fault_rule fault_rules_choose(struct fault_rules *rules, const char *method,
                                     const char *path, const char *site);

/* "none", "refuse", ... */
const char *fault_name(enum fault fault);

#endif
