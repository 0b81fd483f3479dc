/*
 * When a request is sent again: a pure function of the rule, what is known of the attempt, and the
 * time. The one place for it (steps have their own rule, plugins never loop).
 */
#ifndef SALVOR_NET_RETRY_H
#define SALVOR_NET_RETRY_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/transport.h"

enum {
    RETRY_STATUSES = 16,
    RETRY_ATTEMPTS = 4, /* defaults of the rule */
    RETRY_FIRST_MS = 250,
    RETRY_MOST_MS = 10000,
    RETRY_BUDGET_MS = 120000
};

struct retry_rule {
    uint32_t attempts;                 /* in all, the first one counted; 1: never again */
    uint16_t statuses[RETRY_STATUSES]; /* HTTP statuses worth another attempt; 0 ends them */
    int64_t first_ms;                  /* back-off before the second attempt; doubles after it */
    int64_t most_ms;   /* longest back-off; a longer Retry-After holds all the same */
    int64_t budget_ms; /* from the first attempt's begin to the last one's */
};

/* Four attempts at 429, 502, 503, 504 and lost connections within two minutes. */
extern const struct retry_rule retry_rule_default;

/* Members of {"attempts","statuses","backoff_ms","backoff_most_ms","budget_ms"} over `rule`. -1 for
 * others, and for values that make no sense; the error names the member. NULL changes nothing. */
int retry_rule_parse(const json_t *options, struct retry_rule *rule, struct error *reterr);

/* What is known after an attempt. */
struct retry_facts {
    uint32_t attempt;       /* it was the nth, from 1 */
    int repeatable;         /* safe or idempotent: sending it twice is like sending it once */
    uint32_t certainty;     /* SALVOR_CERTAINTY_* */
    enum net_fault fault;   /* NET_FAULT_NONE with a whole answer */
    int32_t code;           /* HTTP status of a whole answer */
    int64_t retry_after_ms; /* what the peer asked for; -1: nothing */
    int64_t spent_ms;       /* since the first attempt began */
    int64_t left_ms;        /* until the call's deadline */
    uint32_t random;        /* for the jitter: any number */
};

/*
 * 1: again after *ret_delay_ms; 0: no.
 *
 * Not sent at all, and 429 (the peer says that it did nothing): any request. Sent without a whole
 * answer, and the other statuses of the rule: repeatable ones only. Never: a certificate that is
 * not trusted, an answer that is too large, what failed here, what was cancelled.
 */
int retry_decide(const struct retry_rule *rule, const struct retry_facts *facts,
                 int64_t *ret_delay_ms);

/* Certainty of all attempts: what an earlier one may have done is not undone by a later one that
 * never left. `so_far`: of those before, 0 without any. */
uint32_t retry_certainty(uint32_t so_far, uint32_t last);

/* GET, HEAD, OPTIONS, PUT, DELETE are repeatable by HTTP's own rules. */
int retry_method_is_repeatable(const char *method);

/* A number that is different each time, for `random`. */
uint32_t retry_random(void);

#endif
