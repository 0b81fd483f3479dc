/*
 * Where a run stands: the fold of its records, one by one, in order. Live runs and resumed ones use
 * the same fold, so that a resume decides from nothing but the journal.
 */
#ifndef SALVOR_ENGINE_RUN_STATE_H
#define SALVOR_ENGINE_RUN_STATE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum step_phase {
    STEP_TODO,    /* never begun, or an attempt ended without reaching the goal */
    STEP_UNKNOWN, /* an intent without an outcome: check_step or the operator settles it */
    STEP_DONE
};

struct step_state {
    const json_t *planned; /* in the plan body */
    const char *instance;
    enum step_phase phase;
    int attempts;      /* intents so far */
    json_t *pre_image; /* newest checkpoint of each kind, or NULL */
    json_t *cursor;
    json_t *result;   /* or NULL */
    int settled_done; /* the operator says it is done */
    int settled_not_done;
    int seen_unknown; /* the last look could not tell where it stands */
    int shown;        /* a person was told to do it */
};

struct run_state {
    json_t *run;       /* the run record */
    json_t *manual;    /* what the operator does by hand: of the run record, or a later resume's */
    json_t *facts;     /* name -> {"class","value"} */
    json_t *items;     /* of the last discovery */
    json_t *findings;  /* of the last discovery, validation and planning, and of steps */
    json_t *artifacts; /* of the run, in order */
    json_t *set;       /* newest set record: what a backup made, or NULL */
    json_t *results;   /* finished steps, in order */
    json_t *lock;      /* newest record of a Lease that was taken, or NULL */
    json_t *decision;  /* of the present procedure, or NULL */
    json_t *plan;      /* newest plan record, or NULL */
    int approved;      /* that plan is */
    int stage_done;    /* all of it ran */
    int stages_done;   /* of the present procedure */
    char *next_stage;  /* that the last finished stage named; NULL: none, the procedure ends */
    struct step_state *steps; /* of that plan */
    size_t step_count;
    int discovered; /* in the present procedure */
    int validated;
    int procedures_done; /* how many procedures of this run came to their end */
    json_t *end;         /* newest end record; NULL while the run goes on or was killed */
    int closed;
};

struct run_state *run_state_new(void);
void run_state_free(struct run_state *state);

/* Adds one record. -1 when the record contradicts the ones before it (a damaged journal). */
int run_state_apply(struct run_state *state, const json_t *record, struct error *reterr);

/* NULL when the present plan has no such step. */
struct step_state *run_state_step(const struct run_state *state, const char *instance);

/* The step that has to run next, or NULL when all are done. */
struct step_state *run_state_next_step(const struct run_state *state);

/* Hash of the newest plan, or NULL. */
const char *run_state_plan_hash(const struct run_state *state);

#endif
