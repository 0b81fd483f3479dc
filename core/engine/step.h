/*
 * One step of the approved plan, from wherever it stands to its goal: check, (skip | recheck facts,
 * pre-image, run), check until the goal is reached or the deadline has passed.
 */
#ifndef SALVOR_ENGINE_STEP_H
#define SALVOR_ENGINE_STEP_H

#include "engine/run.h"

/* How a step that a person does is waited for. */
enum patience {
    PATIENCE_ASK,  /* ask whether it is done; exit code 4 when nobody can be asked */
    PATIENCE_LOOK, /* ask nobody, keep looking until it is done */
    PATIENCE_NONE  /* ask nobody, exit code 4 unless it is done by now */
};

struct step_position {
    size_t number; /* from 1, for the person who watches */
    size_t count;
    enum patience patience;
};

/*
 * 0: the goal is reached and recorded. -1: *reterr says why not and its exit code what that means:
 * failed (1), waits for a person (4), refused (5), unknown (6), interrupted (130). In every case
 * the run can be resumed.
 */
int step_execute(struct run *run, const char *instance, const struct step_position *position,
                 struct error *reterr);

/*
 * Asks the check of a planned step once, for a rehearsal: decides nothing and runs nothing. A look
 * that failed is UNKNOWN with its reason in *ret_why; -1 when nobody could look at all.
 */
int step_look(struct run *run, const char *instance, uint32_t *ret_answer, struct error *ret_why,
              struct error *reterr);

#endif
