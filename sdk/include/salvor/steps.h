/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * salvor/steps.h - planning, running and checking rows with less ceremony.
 */
#ifndef SALVOR_STEPS_H
#define SALVOR_STEPS_H

#include <jansson.h>
#include <salvor/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- rows and their code -------------------------------------------------------------------- */

/* parameters: the step's, parsed; owned by the caller of the function. */
typedef salvor_status (*salvor_row_run)(salvor_call *call, const struct salvor_step *step,
                                        json_t *parameters);
typedef salvor_status (*salvor_row_check)(salvor_call *call, const struct salvor_step *step,
                                          json_t *parameters, uint32_t *ret_answer);

struct salvor_row_code {
    const char *row;
    salvor_row_run run; /* NULL: a manual row */
    salvor_row_check check;
};

/* What the hooks run_step and check_step come down to: find the row, parse, call. */
salvor_status salvor_rows_run(const struct salvor_row_code *table, size_t count, salvor_call *call,
                              const struct salvor_step *step);
salvor_status salvor_rows_check(const struct salvor_row_code *table, size_t count,
                                salvor_call *call, const struct salvor_step *step,
                                uint32_t *ret_answer);

/* The answer that the state of a job gives by itself. ENDED well is `done`: what the caller found
 * when it looked at the goal. ENDED badly and LOST are PARTIAL. */
uint32_t salvor_job_answer(const struct salvor_job_state *state, uint32_t done);

/* ---- planning ------------------------------------------------------------------------------- */

/* For a step without parameters. Not NULL: that is what a builder gives when there is no memory,
 * and a step must not be planned without the parameters that it was to have. */
#define SALVOR_NO_PARAMETERS json_null()

/* What to plan: zero is "none" everywhere but for `row` and `parameters`. */
struct salvor_step_plan {
    const char *row;
    const char *target;
    json_t *parameters;        /* the reference is taken over, also on failure; NULL fails */
    const char *const *guards; /* names, ended by NULL */
    const char *consequence;
    const char *confirmation;
};

/* Appends a step; ret_index may be NULL. */
salvor_status salvor_plan_step(salvor_call *call, const struct salvor_step_plan *plan,
                               uint32_t *ret_index);

/* ---- facts and results ---------------------------------------------------------------------- */

/* Facts of class info that salvor itself reads (docs/plugin-authors.md, "Looking"): the cluster
 * that may hold a Lease while a run has effect, {"kubeconfig","context","namespace","name"} or
 * {"none":reason}; and the UIDs of clusters that the run sets back. */
#define SALVOR_LOCK_FACT "salvor.lock"
#define SALVOR_REWINDS_FACT "salvor.rewinds"

/* Puts a fact through salvor.inventory (discover, observe) or salvor.plan (the planning hooks). The
 * reference of `value` is taken over; NULL is reported as no memory. */
salvor_status salvor_observed(salvor_call *call, const char *name, uint32_t fact_class,
                              json_t *value);
salvor_status salvor_frozen(salvor_call *call, const char *name, uint32_t fact_class,
                            json_t *value);

/* Value of a frozen fact of the run. SALVOR_NOT_FOUND: there is none. The caller owns *ret_value.
 */
salvor_status salvor_fact(salvor_call *call, const char *name, json_t **ret_value);

/* Text of a frozen fact, copied into `buffer`. SALVOR_NOT_FOUND: none. SALVOR_REFUSED: not a text,
 * or it does not fit. */
salvor_status salvor_fact_text(salvor_call *call, const char *name, char *buffer, size_t size);

/* Stores the result of the running step. The reference is taken over; NULL is no memory. */
salvor_status salvor_result(salvor_call *call, json_t *result);

/* Result of a finished step: the last one of that row and target (NULL: any target) in the
 * `results` of a request or step. SALVOR_NOT_FOUND: none. The caller owns *ret_result. */
salvor_status salvor_result_of(salvor_call *call, const char *results, const char *row,
                               const char *target, json_t **ret_result);

/* ---- checkpoints ---------------------------------------------------------------------------- */

/* Stores a checkpoint; the reference is taken over. SALVOR_CHECKPOINT_*. */
salvor_status salvor_checkpoint(salvor_call *call, uint32_t kind, json_t *value);

/* The pre-image of a step that only adds: nothing stood there before. */
salvor_status salvor_nothing_before(salvor_call *call);

/* The newest one of this step. SALVOR_NOT_FOUND: none. The caller owns *ret_value. */
salvor_status salvor_last_checkpoint(salvor_call *call, uint32_t kind, json_t **ret_value);

#ifdef __cplusplus
}
#endif

#endif
