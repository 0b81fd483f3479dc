/* A server, a time and other takers of the Lease that are made up: what others do between the
 * keeper's requests, and what gets lost on the way, comes from scripts. */
#ifndef SALVOR_TESTS_PRACTICE_LEASE_H
#define SALVOR_TESTS_PRACTICE_LEASE_H

#include <jansson.h>
#include <salvor/plugin.h>
#include <stdint.h>

#include "base/error.h"

enum { DURATION = 120000, RENEW = DURATION / 8, LATENCY = 5, START = 1000 };

enum fault { NO_FAULT, NOT_SENT, ANSWER_LOST, STATUS };

/* What becomes of requests first..last (from 1). */
struct trouble {
    int first, last;
    enum fault fault;
    int code;
};

/* What the run says, `at` boottime ms. */
struct wish {
    int64_t at;
    const char *what;
    const char *head;
};

struct site {
    int64_t boot; /* also the monotonic clock, unless it slept */
    int64_t slept;
    int64_t real_step_back; /* us */
    json_t *lease;          /* on the server; NULL: none */
    int version;
    int requests;
    int writes;
    const struct trouble *troubles; /* ends with first 0 */
    const struct wish *wishes;      /* ends with what NULL */
    int64_t serial;
    /* others: before request number n, and as time passes */
    void (*before)(struct site *site, int request);
    void (*meanwhile)(struct site *site);
    int64_t other_renewed;
    int lives;
    const char *cluster;
    json_t *states;
    char *logged;
    salvor_status ends_as; /* what hear says when no wish is left and an hour passed */
};

struct outcome {
    salvor_status status;
    json_t *result;
    struct error err;
};

/* Writes the Lease as another holder ("" gives it back); annotates it as a person would. */
void other_writes(struct site *site, const char *identity);
void annotate(struct site *site);

/* A new site without a Lease; the keeper until it ends; frees both. */
void site_begin(struct site *site);
void run_for(struct site *site, const json_t *rewinds, struct outcome *ret);
void site_end(struct site *site, struct outcome *outcome);

/* What came of it; expect_log fails the test that misses `part`. */
const char *holder_of(const struct site *site);
const json_t *state_of(const struct site *site, int64_t serial);
void expect_log(const struct site *site, const char *part);

#endif
