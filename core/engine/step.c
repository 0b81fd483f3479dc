#include "engine/step.h"

#include <sodium.h>
#include <stdlib.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/kill-point.h"
#include "base/text.h"
#include "engine/facts.h"
#include "engine/lease.h"
#include "plugin/vocabulary.h"

enum {
    CHECK_EVERY_DEFAULT_MS = 1000,
    CHECK_DEADLINE_MS = 60000, /* for one look; the row's own deadline when that is shorter */
    MANUAL_CHECK_MS = 2000
};

/* What an attempt led to: the goal, another attempt, or an end with its reason. */
enum verdict { REACHED, AGAIN, STOP };

/* What step_execute works on. */
struct work {
    struct run *run;
    const struct step_position *position;
    const struct plugin_row *row;
    const char *instance;
    int64_t deadline; /* monotonic ms, of the attempt */
    int64_t began;
    int has_run;   /* an attempt of this process */
    int confirmed; /* the attempt that comes next, by a person who was asked */
};

static struct step_state *state_of(const struct work *work)
{
    return run_state_step(work->run->state, work->instance);
}

static const struct plugin_row *row_of(const struct run *run, const struct step_state *step,
                                       struct error *reterr)
{
    const json_t *body = json_object_get(run->state->plan, "body");
    const struct plugin_procedure *procedure =
        plugin_info_procedure(run->info, json_text(body, "procedure"));
    const struct plugin_stage *stage =
        procedure != NULL ? plugin_procedure_stage(procedure, json_text(body, "stage")) : NULL;
    const struct plugin_row *row =
        stage != NULL ? plugin_stage_row(stage, json_text(step->planned, "row")) : NULL;
    if (row == NULL)
        (void)error_set(reterr, EXIT_FAILED, "plugin '%s' has no row '%s' any more",
                        run->info->name, json_text(step->planned, "row"));
    return row;
}

static int is_effectful(const struct work *work)
{
    return work->row->effect >= SALVOR_EFFECT_CHANGE;
}

/* ---- calls ------------------------------------------------------------------------------- */

static char *job_id_of(const struct work *work)
{
    char *id = text_format("%s.%s", work->run->id, work->instance);
    for (char *at = id; *at != '\0'; at++) {
        if (*at == '/')
            *at = '.';
    }
    return id;
}

static json_t *step_body(const struct work *work, const char *hook, uint32_t effect,
                         int64_t deadline_ms)
{
    const struct run *run = work->run;
    const struct step_state *step = state_of(work);
    const json_t *plan = json_object_get(run->state->plan, "body");
    cleanup_free char *job_id = job_id_of(work);
    json_t *body = run_call_body(run, hook, effect, deadline_ms);
    json_put(body, "step",
             json_make("{s:s, s:i, s:s, s:s, s:s, s:s, s:O, s:s, s:s?, s:s?}", "instance",
                       work->instance, "attempt", step->attempts > 0 ? step->attempts : 1,
                       "procedure", json_text(plan, "procedure"), "stage", json_text(plan, "stage"),
                       "row", work->row->id, "target", json_text(step->planned, "target"),
                       "parameters", json_object_get(step->planned, "parameters"), "job_id", job_id,
                       "source", json_text(run->source, "name"), "source_folder",
                       json_text(run->source, "path")));
    json_put(body, "checkpoints", json_object());
    json_t *checkpoints = json_object_get(body, "checkpoints");
    if (step->pre_image != NULL)
        json_put(checkpoints, "pre_image", json_incref(step->pre_image));
    if (step->cursor != NULL)
        json_put(checkpoints, "cursor", json_incref(step->cursor));
    return body;
}

static int64_t time_left(const struct work *work)
{
    int64_t left = work->deadline - clock_monotonic_ms();
    return left > 0 ? left : 0;
}

/* Asks check_step; a look that fails is UNKNOWN with its reason in *ret_why. */
static int look(struct work *work, const char *when, uint32_t *ret_answer, struct error *ret_why,
                struct error *reterr)
{
    struct run *run = work->run;
    struct client_outcome outcome = {0};
    int64_t deadline =
        work->row->deadline_ms < CHECK_DEADLINE_MS ? work->row->deadline_ms : CHECK_DEADLINE_MS;
    run->step = work->instance;
    run->attempt = state_of(work)->attempts;
    int result = run_call(run, step_body(work, "check_step", SALVOR_EFFECT_DECLARED_READ, deadline),
                          &outcome, reterr);
    run->step = NULL;
    if (result != 0)
        return -1;
    uint32_t answer = outcome.answer;
    error_clear(ret_why);
    if (outcome.end != CLIENT_DONE) { /* nobody looked: that says nothing about the step */
        (void)run_outcome_error(&outcome, reterr);
        return error_prefix(reterr, "cannot look at step '%s' (%s)", work->instance,
                            work->row->title);
    }
    if (outcome.status != SALVOR_OK) {
        answer = SALVOR_CHECK_UNKNOWN;
        (void)run_outcome_error(&outcome, ret_why);
    } else if (word_for(words_answer, answer) == NULL) {
        answer = SALVOR_CHECK_UNKNOWN;
        (void)error_set(ret_why, EXIT_FAILED, "check_step gave no answer");
    }
    error_clear(&outcome.error);
    if (answer == SALVOR_CHECK_UNKNOWN && run_interrupted(run))
        return run_interrupted_error(run, reterr);
    *ret_answer = answer;
    return run_record(run, "check",
                      json_make("{s:s, s:i, s:s, s:s, s:s?}", "step", work->instance, "attempt",
                                state_of(work)->attempts, "answer", word_for(words_answer, answer),
                                "when", when, "why", ret_why->message),
                      JOURNAL_EVIDENCE, reterr);
}

/* ---- ends -------------------------------------------------------------------------------- */

static int conclude(struct work *work, const char *status, const struct error *why,
                    struct error *reterr)
{
    struct run *run = work->run;
    const struct step_state *step = state_of(work);
    const json_t *planned = step->planned;
    int64_t duration = clock_monotonic_ms() - work->began;
    json_t *record =
        json_make("{s:s, s:i, s:s, s:O?, s:I}", "step", work->instance, "attempt", step->attempts,
                  "status", status, "result", step->result, "duration_ms", (json_int_t)duration);
    if (why != NULL && why->message != NULL)
        json_put(record, "error",
                 json_make("{s:s, s:s?, s:s?}", "message", why->message, "detail", why->detail,
                           "hint", why->hint));
    if (run_record(run, "outcome", record, JOURNAL_DURABLE, reterr) != 0)
        return -1;
    kill_point(work->row->id, "outcome-committed");
    if (run->ui.step_end != NULL)
        run->ui.step_end(run->ui.data, planned, status, duration, why);
    return 0;
}

static int stop_at_conflict(struct work *work, struct error *reterr)
{
    cleanup_error struct error why = ERROR_INIT;
    (void)error_set(&why, EXIT_REFUSED, "step '%s' (%s) meets something that somebody else changed",
                    work->instance, work->row->title);
    (void)error_hint(&why,
                     "see 'salvor report %s' for what was found; put it right, then "
                     "'salvor resume %s'",
                     work->run->id, work->run->id);
    if (conclude(work, "failed", &why, reterr) != 0)
        return -1;
    return error_move(reterr, &why);
}

static int stop_unknown(struct work *work, const struct error *why, struct error *reterr)
{
    (void)error_set(reterr, EXIT_OUTCOME_UNKNOWN,
                    "it cannot be told whether step '%s' (%s) has taken effect", work->instance,
                    work->row->title);
    if (why->message != NULL)
        (void)error_detail(reterr, "%s", why->message);
    return error_hint(reterr,
                      "look yourself, then 'salvor resume %s --settle %s=done --reason TEXT' "
                      "(or =not-done)",
                      work->run->id, work->instance);
}

/* ---- reaching the goal ------------------------------------------------------------------- */

static int64_t check_interval(const struct work *work)
{
    return work->row->check_every_ms > 0 ? work->row->check_every_ms : CHECK_EVERY_DEFAULT_MS;
}

static int goal_missed(struct work *work, struct error *reterr)
{
    cleanup_error struct error why = ERROR_INIT;
    (void)error_set(&why, EXIT_FAILED, "step '%s' (%s) did not reach its goal within %lld s",
                    work->instance, work->row->title, (long long)(work->row->deadline_ms / 1000));
    (void)error_hint(&why, "see what holds it up, then 'salvor resume %s'", work->run->id);
    if (conclude(work, "timed-out", &why, reterr) != 0)
        return -1;
    return error_move(reterr, &why);
}

static int64_t backoff_ms(const struct plugin_row *row, int attempt)
{
    enum { LONGEST_MS = 300000 };
    int64_t pause = row->backoff_ms > 0 ? row->backoff_ms : 1000;
    for (int i = 1; i < attempt && pause < LONGEST_MS; i++)
        pause *= 2;
    if (pause > LONGEST_MS)
        pause = LONGEST_MS;
    /* half fixed, half random: retries of several machines spread out */
    return pause / 2 + (int64_t)randombytes_uniform((uint32_t)(pause / 2 + 1));
}

static enum verdict stop(int reached)
{
    return reached == 0 ? REACHED : STOP;
}

/*
 * Ends the attempt as `status`. "retry" means another one while the row has any left; everything
 * else stops with `why`.
 */
static enum verdict try_again(struct work *work, const char *status, struct error *why,
                              struct error *reterr)
{
    int attempts = state_of(work)->attempts;
    int again = text_equal(status, "retry") && attempts < work->row->attempts;
    if (text_equal(status, "retry") && !again)
        status = "failed";
    if (why->hint == NULL)
        (void)error_hint(why, "mend the cause, then 'salvor resume %s'", work->run->id);
    if (conclude(work, status, why, reterr) != 0)
        return STOP;
    if (text_equal(status, "cancelled") && run_interrupted(work->run))
        return stop(run_interrupted_error(work->run, reterr));
    if (!again)
        return stop(error_move(reterr, why));
    int64_t pause = backoff_ms(work->row, attempts);
    run_log(work->run, SALVOR_LOG_WARNING, "%s; trying again in %lld.%lld s (%d of %lld)",
            why->message, (long long)(pause / 1000), (long long)(pause % 1000 / 100), attempts + 1,
            (long long)work->row->attempts);
    if (run_sleep(work->run, pause) != 0)
        return stop(run_interrupted_error(work->run, reterr));
    return AGAIN;
}

/* Checks until DONE. A step that ended short of its goal may get another attempt. */
static enum verdict await_goal(struct work *work, const char *when, struct error *reterr)
{
    for (;;) {
        cleanup_error struct error why = ERROR_INIT;
        uint32_t answer = 0;
        if (look(work, when, &answer, &why, reterr) != 0)
            return STOP;
        if (answer == SALVOR_CHECK_DONE)
            return stop(conclude(work, "done", NULL, reterr));
        if (answer == SALVOR_CHECK_CONFLICT)
            return stop(stop_at_conflict(work, reterr));
        if (answer == SALVOR_CHECK_UNKNOWN)
            return stop(stop_unknown(work, &why, reterr));
        if (answer == SALVOR_CHECK_PARTIAL && !work->has_run)
            return AGAIN; /* what an earlier process left running ended: as if found so */
        if (answer == SALVOR_CHECK_PARTIAL) {
            (void)error_set(&why, EXIT_FAILED, "step '%s' (%s) ended before its goal",
                            work->instance, work->row->title);
            return try_again(work, "retry", &why, reterr);
        }
        if (run_interrupted(work->run))
            return stop(run_interrupted_error(work->run, reterr));
        if (time_left(work) == 0)
            return stop(goal_missed(work, reterr));
        int64_t pause = check_interval(work);
        (void)run_sleep(work->run, pause < time_left(work) ? pause : time_left(work));
        if (run_interrupted(work->run))
            return stop(run_interrupted_error(work->run, reterr));
    }
}

/* ---- running it -------------------------------------------------------------------------- */

static const char *status_of(const struct client_outcome *outcome)
{
    switch (outcome->end) {
    case CLIENT_CRASHED:
    case CLIENT_PROTOCOL:
        return "crashed";
    case CLIENT_TIMED_OUT:
        return "timed-out";
    case CLIENT_CANCELLED:
        return "cancelled";
    default:
        break;
    }
    switch (outcome->status) {
    case SALVOR_RETRY:
        return "retry";
    case SALVOR_TIMEOUT:
        return "timed-out";
    case SALVOR_CANCELLED:
        return "cancelled";
    default:
        return "failed";
    }
}

static enum verdict judge_failure(struct work *work, struct client_outcome *outcome,
                                  struct error *reterr)
{
    cleanup_error struct error why = ERROR_INIT;
    const char *status = status_of(outcome);
    (void)run_outcome_error(outcome, &why);
    (void)error_prefix(&why, "step '%s' (%s)", work->instance, work->row->title);
    return try_again(work, status, &why, reterr);
}

static enum verdict run_once(struct work *work, struct error *reterr)
{
    struct run *run = work->run;
    struct client_outcome outcome = {0};
    if (run_record(run, "intent",
                   json_make("{s:s, s:i}", "step", work->instance, "attempt",
                             state_of(work)->attempts + 1),
                   JOURNAL_DURABLE, reterr) != 0)
        return STOP;
    kill_point(work->row->id, "intent-committed");
    work->has_run = 1;
    work->began = clock_monotonic_ms();
    work->deadline = work->began + work->row->deadline_ms;
    if (run->ui.step_begin != NULL)
        run->ui.step_begin(run->ui.data, state_of(work)->planned, work->position->number,
                           work->position->count, state_of(work)->attempts);
    run->step = work->instance;
    run->attempt = state_of(work)->attempts;
    int called =
        run_call(run, step_body(work, "run_step", work->row->effect, work->row->deadline_ms),
                 &outcome, reterr);
    run->step = NULL;
    if (called != 0)
        return STOP;
    enum verdict verdict = REACHED;
    if (outcome.end != CLIENT_DONE || outcome.status != SALVOR_OK)
        verdict = judge_failure(work, &outcome, reterr);
    error_clear(&outcome.error);
    return verdict;
}

/* ---- a step that a person does ----------------------------------------------------------- */

static int record_manual(struct work *work, const char *event, struct error *reterr)
{
    return run_record(work->run, "manual",
                      json_make("{s:s, s:s, s:s}", "step", work->instance, "event", event, "who",
                                run_who(work->run)),
                      JOURNAL_DURABLE, reterr);
}

static int waits_for_person(struct work *work, struct error *reterr)
{
    (void)error_set(reterr, EXIT_WAITS, "run '%s' waits for a person: step '%s' (%s)",
                    work->run->id, work->instance, work->row->title);
    return error_hint(reterr, "do what the step says, then 'salvor resume %s'", work->run->id);
}

static int seen_done(struct work *work, struct error *reterr)
{
    if (record_manual(work, "seen-done", reterr) != 0)
        return -1;
    return conclude(work, "done", NULL, reterr);
}

/* Shown once, then looked at until the check itself sees that it was done. */
static int await_person(struct work *work, struct error *reterr)
{
    struct run *run = work->run;
    const json_t *planned = state_of(work)->planned;
    work->began = clock_monotonic_ms();
    if (run->ui.step_begin != NULL)
        run->ui.step_begin(run->ui.data, planned, work->position->number, work->position->count, 1);
    if (run->ui.manual != NULL)
        run->ui.manual(run->ui.data, planned, json_text(planned, "instructions"));
    if (record_manual(work, "shown", reterr) != 0)
        return -1;
    for (;;) {
        int said = run->ui.ask != NULL && work->position->patience == PATIENCE_ASK
                       ? run->ui.ask(run->ui.data, "is it done?")
                       : -1;
        cleanup_error struct error why = ERROR_INIT;
        uint32_t answer = 0;
        if (run_interrupted(run))
            return run_interrupted_error(run, reterr);
        if (said == 1 && record_manual(work, "confirmed", reterr) != 0)
            return -1;
        if (look(work, "after", &answer, &why, reterr) != 0)
            return -1;
        if (answer == SALVOR_CHECK_DONE)
            return seen_done(work, reterr);
        if (answer == SALVOR_CHECK_CONFLICT)
            return stop_at_conflict(work, reterr);
        if (said == 0 || (said < 0 && work->position->patience != PATIENCE_LOOK))
            return waits_for_person(work, reterr);
        if (said == 1)
            run_log(run, SALVOR_LOG_WARNING, "step '%s' is not done yet as far as can be seen%s%s",
                    work->instance, why.message != NULL ? ": " : "",
                    why.message != NULL ? why.message : "");
        else if (run_sleep(run, MANUAL_CHECK_MS) != 0)
            return run_interrupted_error(run, reterr);
    }
}

/* ---- the whole step ---------------------------------------------------------------------- */

static int confirm_irreversible(struct work *work, struct error *reterr)
{
    struct run *run = work->run;
    const json_t *planned = state_of(work)->planned;
    const char *text = json_text(planned, "confirmation");
    const char *by = json_text(run->state->plan, "approved_by");
    if (work->row->effect < SALVOR_EFFECT_IRREVERSIBLE || text_equal(by, "hash") || work->confirmed)
        return 0;
    cleanup_free char *question = text_format(
        "step '%s' (%s) cannot be undone%s%s; type '%s' to go on", work->instance, work->row->title,
        json_text(planned, "consequence") != NULL ? ": " : "",
        json_text(planned, "consequence") != NULL ? json_text(planned, "consequence") : "", text);
    int said = run->ui.ask_text != NULL ? run->ui.ask_text(run->ui.data, question, text) : -1;
    work->confirmed = said == 1;
    if (said == 1)
        return run_record(
            run, "confirmation",
            json_make("{s:s, s:s, s:s}", "step", work->instance, "text", text, "who", run_who(run)),
            JOURNAL_DURABLE, reterr);
    (void)error_set(reterr, EXIT_WAITS, "step '%s' (%s) cannot be undone and was not confirmed",
                    work->instance, work->row->title);
    return error_hint(reterr,
                      "'salvor resume %s' at a terminal and type '%s', or approve with "
                      "'--approve %s'",
                      run->id, text, run_state_plan_hash(run->state));
}

/* A person who is told to change something must not be sent to the wrong site either. */
static int recheck(struct work *work, uint32_t answer, struct error *reterr)
{
    const json_t *planned = state_of(work)->planned;
    cleanup_free char *moment = text_format("before step '%s'", work->instance);
    if (!is_effectful(work))
        return 0;
    /* Once the step has begun to change things itself, its guards are check_step's to judge. */
    const json_t *guards =
        answer == SALVOR_CHECK_NOT_STARTED ? json_object_get(planned, "guards") : NULL;
    return facts_recheck(work->run, guards, moment, reterr);
}

/* Last of all, when nobody is waited for any more. */
static int check_lease(struct work *work, struct error *reterr)
{
    cleanup_free char *moment = text_format("before step '%s'", work->instance);
    return is_effectful(work) ? lease_check(work->run, moment, reterr) : 0;
}

static int go_ahead(struct work *work, uint32_t answer, struct error *reterr)
{
    if (recheck(work, answer, reterr) != 0 ||
        (is_effectful(work) && confirm_irreversible(work, reterr) != 0))
        return -1;
    return check_lease(work, reterr);
}

static int hand_over(struct work *work, uint32_t answer, struct error *reterr)
{
    if (recheck(work, answer, reterr) != 0 || check_lease(work, reterr) != 0)
        return -1;
    return await_person(work, reterr);
}

static int settle_unknown(struct work *work, const struct error *why, int *ret_run,
                          struct error *reterr)
{
    const struct step_state *step = state_of(work);
    *ret_run = 0;
    if (step->settled_done)
        return conclude(work, "done", NULL, reterr);
    if (step->settled_not_done) {
        *ret_run = 1;
        return 0;
    }
    return stop_unknown(work, why, reterr);
}

static int found_done(struct work *work, struct error *reterr)
{
    const struct step_state *step = state_of(work);
    if (step->attempts > 0)
        return conclude(work, "done", NULL, reterr);
    return step->shown ? seen_done(work, reterr) : conclude(work, "skipped", NULL, reterr);
}

/* What can be seen outweighs what was said; who said it hears of that. */
static void tell_unused_settlement(const struct work *work, uint32_t answer)
{
    const struct step_state *step = state_of(work);
    if (answer != SALVOR_CHECK_UNKNOWN && (step->settled_done || step->settled_not_done))
        run_log(work->run, SALVOR_LOG_WARNING,
                "step '%s' is seen to be %s by now; what --settle says of it is not needed",
                work->instance, word_for(words_answer, answer));
}

/* REACHED, STOP, or AGAIN: run it, *ret_answer being what stands now. */
static enum verdict decide(struct work *work, uint32_t *ret_answer, struct error *reterr)
{
    cleanup_error struct error why = ERROR_INIT;
    int began_before = state_of(work)->attempts > 0;
    int must_run = 0;
    if (look(work, began_before ? "resume" : "before", ret_answer, &why, reterr) != 0)
        return STOP;
    tell_unused_settlement(work, *ret_answer);
    switch (*ret_answer) {
    case SALVOR_CHECK_DONE:
        return stop(found_done(work, reterr));
    case SALVOR_CHECK_IN_PROGRESS:
        work->deadline = clock_monotonic_ms() + work->row->deadline_ms;
        *ret_answer = SALVOR_CHECK_PARTIAL;
        return await_goal(work, "resume", reterr);
    case SALVOR_CHECK_CONFLICT:
        return stop(stop_at_conflict(work, reterr));
    case SALVOR_CHECK_UNKNOWN:
        if (settle_unknown(work, &why, &must_run, reterr) != 0)
            return STOP;
        return must_run ? AGAIN : REACHED;
    default:
        return AGAIN;
    }
}

int step_execute(struct run *run, const char *instance, const struct step_position *position,
                 struct error *reterr)
{
    struct work work = {run, position, NULL, instance, 0, clock_monotonic_ms(), 0, 0};
    struct step_state *step = run_state_step(run->state, instance);
    work.row = row_of(run, step, reterr);
    if (work.row == NULL)
        return -1;
    for (;;) {
        uint32_t answer = 0;
        if (run_interrupted(run))
            return run_interrupted_error(run, reterr);
        enum verdict verdict = decide(&work, &answer, reterr);
        if (verdict == AGAIN && json_flag(state_of(&work)->planned, "manual"))
            return hand_over(&work, answer, reterr);
        if (verdict == AGAIN) {
            const int was_confirmed = work.confirmed;
            if (go_ahead(&work, answer, reterr) != 0)
                return -1;
            if (work.confirmed && !was_confirmed)
                continue; /* the question may have stood for hours: all is looked at again */
            work.confirmed = 0;
            verdict = run_once(&work, reterr);
            if (verdict == REACHED)
                verdict = await_goal(&work, "after", reterr);
        }
        if (verdict != AGAIN)
            return verdict == REACHED ? 0 : -1;
    }
}

int step_look(struct run *run, const char *instance, uint32_t *ret_answer, struct error *ret_why,
              struct error *reterr)
{
    struct work work = {run, NULL, NULL, instance, 0, clock_monotonic_ms(), 0, 0};
    work.row = row_of(run, run_state_step(run->state, instance), reterr);
    return work.row != NULL ? look(&work, "rehearsal", ret_answer, ret_why, reterr) : -1;
}
