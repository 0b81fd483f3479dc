/* A made-up provider, and a client that plays its worker inside the test program. */
#ifndef SALVOR_TESTS_ENGINE_PRACTICE_H
#define SALVOR_TESTS_ENGINE_PRACTICE_H

#include <jansson.h>
#include <stdint.h>

#include "host/client.h"
#include "plugin/plugin-info.h"

/* "practice": procedure "mend" with stages "first" (look, change, hand, destroy) and "second"
 * (finish), post-resync "after" (tidy, irreversible). */
struct plugin_info *practice_info(void);

enum practice_row { LOOK, CHANGE, HAND, DESTROY, FINISH, TIDY, PRACTICE_ROWS };

/* What the site is like and how the plugin behaves. */
struct practice_world {
    const char *identity;
    int64_t revision;
    int has_first[PRACTICE_ROWS]; /* rows that the plan of "first" holds */
    int second;                   /* plan a second stage */
    int done[PRACTICE_ROWS];
    int runs[PRACTICE_ROWS];                 /* how often run_step was called */
    salvor_status run_status[PRACTICE_ROWS]; /* what it returns; OK reaches the goal */
    int run_status_times[PRACTICE_ROWS];     /* how often, before it is OK */
    enum client_end run_end[PRACTICE_ROWS];
    uint32_t answer[PRACTICE_ROWS];       /* of check_step; 0: by `done` */
    int checks_until_done[PRACTICE_ROWS]; /* IN_PROGRESS answers before DONE */
    int until_partial[PRACTICE_ROWS];     /* answers until PARTIAL comes, once: IN_PROGRESS */
    int no_objects;                       /* the destructive step names none */
    int plan_calls;
    int calls;
    const char *lock;        /* value of the fact salvor.lock (JSON) that discover puts, or NULL */
    const char *plan_lock;   /* the same of the plan hook */
    void (*on_run)(int row); /* called when run_step begins, or NULL */
    int discoveries;
    const char *blocker;      /* finding that validate raises, or NULL */
    const char *plan_blocker; /* finding that the plan hook raises, or NULL */
};

extern struct practice_world world;
void practice_reset(void);

/* How the keeper of the Lease behaves, and what it was asked (practice-service.c). */
struct practice_keeper {
    int64_t lasts_ms; /* from each renewal */
    int waits;        /* so often it tells that somebody else has it */
    const char *from;
    const char *cluster;
    const char *lost;    /* the call ends as refused with this */
    const char *trouble; /* renewals fail */
    int crashes;         /* so often the call ends as a crash */
    int silent;          /* it answers nothing */
    const char *not_released;
    /* what happened */
    json_t *request;
    int begun;
    int renewed;
    int heads;
    char *head; /* newest */
    int releases;
    int released;
    int cancelled;
    int killed;
    int64_t valid_until;
};

extern struct practice_keeper keeper;
void practice_keeper_reset(void);

#endif
