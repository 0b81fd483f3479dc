#include "engine/run-state.h"

#include <stdlib.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

struct run_state *run_state_new(void)
{
    struct run_state *state = memory_new(1, sizeof *state);
    state->facts = json_object();
    state->items = json_array();
    state->findings = json_array();
    state->artifacts = json_array();
    state->results = json_array();
    return state;
}

static void replace(json_t **slot, json_t *value)
{
    json_decref(*slot);
    *slot = value;
}

static void forget_steps(struct run_state *state)
{
    for (size_t i = 0; i < state->step_count; i++) {
        json_decref(state->steps[i].pre_image);
        json_decref(state->steps[i].cursor);
        json_decref(state->steps[i].result);
    }
    free(state->steps);
    state->steps = NULL;
    state->step_count = 0;
}

void run_state_free(struct run_state *state)
{
    if (state == NULL)
        return;
    forget_steps(state);
    json_decref(state->run);
    json_decref(state->manual);
    json_decref(state->facts);
    json_decref(state->items);
    json_decref(state->findings);
    json_decref(state->artifacts);
    json_decref(state->set);
    json_decref(state->results);
    json_decref(state->lock);
    json_decref(state->decision);
    json_decref(state->plan);
    json_decref(state->end);
    free(state->next_stage);
    free(state);
}

struct step_state *run_state_step(const struct run_state *state, const char *instance)
{
    for (size_t i = 0; i < state->step_count; i++) {
        if (text_equal(state->steps[i].instance, instance))
            return &state->steps[i];
    }
    return NULL;
}

struct step_state *run_state_next_step(const struct run_state *state)
{
    for (size_t i = 0; i < state->step_count; i++) {
        if (state->steps[i].phase != STEP_DONE)
            return &state->steps[i];
    }
    return NULL;
}

const char *run_state_plan_hash(const struct run_state *state)
{
    return json_text(state->plan, "hash");
}

/* ---- one function a record type ---------------------------------------------------------- */

static int contradiction(struct error *reterr, const char *type, const char *why)
{
    return error_set(reterr, EXIT_FAILED, "journal record '%s' contradicts the ones before it: %s",
                     type, why);
}

static int apply_run(struct run_state *state, const json_t *record, struct error *reterr)
{
    if (state->run != NULL)
        return contradiction(reterr, "run", "a run begins only once");
    state->run = json_clone(record);
    replace(&state->manual, json_incref(json_object_get(state->run, "manual")));
    return 0;
}

static void apply_resume(struct run_state *state, const json_t *record)
{
    json_t *manual = json_object_get(record, "manual");
    replace(&state->end, NULL);
    if (json_is_array(manual))
        replace(&state->manual, json_clone(manual));
    if (json_is_object(json_object_get(record, "seal")))
        json_put(state->run, "seal", json_clone(json_object_get(record, "seal")));
}

static int apply_fact(struct run_state *state, const json_t *record, struct error *reterr)
{
    const char *name = json_text(record, "name");
    const json_t *value = json_object_get(record, "value");
    if (name == NULL || value == NULL || json_text(record, "class") == NULL)
        return contradiction(reterr, "fact", "it lacks its name, class or value");
    json_put(state->facts, name,
             json_make("{s:s, s:O}", "class", json_text(record, "class"), "value", value));
    return 0;
}

static int raised_by(const json_t *finding, const char *const *hooks)
{
    const char *hook = json_text(finding, "hook");
    for (; *hooks != NULL; hooks++) {
        if (text_equal(hook, *hooks))
            return 1;
    }
    return 0;
}

/* What looks again raises again what still stands. */
static void forget_findings(struct run_state *state, const char *const *hooks)
{
    for (size_t i = json_array_size(state->findings); i > 0; i--) {
        if (raised_by(json_array_get(state->findings, i - 1), hooks))
            (void)json_array_remove(state->findings, i - 1);
    }
}

static int apply_phase(struct run_state *state, const json_t *record, struct error *reterr)
{
    static const char *const of_discover[] = {"discover", "backup", "restore", "post_resync", NULL};
    static const char *const of_validate[] = {"validate", NULL};
    static const char *const *const of_plans = of_discover + 1;
    const char *phase = json_text(record, "phase");
    if (text_equal(phase, "discovering")) {
        forget_findings(state, of_discover);
        (void)json_object_clear(state->facts);
        (void)json_array_clear(state->items);
        state->discovered = 0;
    } else if (text_equal(phase, "discovered")) {
        state->discovered = 1;
    } else if (text_equal(phase, "validating")) {
        forget_findings(state, of_validate);
    } else if (text_equal(phase, "validated")) {
        state->validated = 1;
    } else if (text_equal(phase, "planning")) {
        forget_findings(state, of_plans);
    } else if (text_equal(phase, "planned")) {
        return 0;
    } else if (text_equal(phase, "procedure-done")) {
        state->procedures_done++;
        state->discovered = 0;
        state->validated = 0;
        state->stages_done = 0;
        free(state->next_stage);
        state->next_stage = NULL;
        replace(&state->decision, NULL);
        forget_steps(state);
    } else {
        return contradiction(reterr, "phase", "no such phase");
    }
    return 0;
}

static int apply_plan(struct run_state *state, const json_t *record, struct error *reterr)
{
    const json_t *planned = json_object_get(json_object_get(record, "body"), "steps");
    if (json_text(record, "hash") == NULL || !json_is_array(planned))
        return contradiction(reterr, "plan", "it lacks its hash or steps");
    if (state->plan != NULL && state->approved && !state->stage_done)
        return contradiction(reterr, "plan", "the approved stage before it is not done");
    forget_steps(state);
    replace(&state->plan, json_clone(record));
    planned = json_object_get(json_object_get(state->plan, "body"), "steps");
    state->approved = 0;
    state->stage_done = 0;
    state->step_count = json_array_size(planned);
    state->steps = memory_new(state->step_count, sizeof *state->steps);
    for (size_t i = 0; i < state->step_count; i++) {
        state->steps[i].planned = json_array_get(planned, i);
        state->steps[i].instance = json_text(state->steps[i].planned, "step");
        if (state->steps[i].instance == NULL)
            return contradiction(reterr, "plan", "a step has no name");
    }
    return 0;
}

static int apply_approval(struct run_state *state, const json_t *record, struct error *reterr)
{
    if (!text_equal(json_text(record, "hash"), run_state_plan_hash(state)))
        return contradiction(reterr, "approval", "it is for another plan");
    state->approved = 1;
    json_put_text(state->plan, "approved_by", json_text(record, "by"));
    return 0;
}

static int apply_stage(struct run_state *state, const json_t *record, struct error *reterr)
{
    (void)record;
    if (state->plan == NULL || run_state_next_step(state) != NULL)
        return contradiction(reterr, "stage", "not all of its steps are done");
    state->stage_done = 1;
    state->stages_done++;
    free(state->next_stage);
    const char *next = json_text(json_object_get(state->plan, "body"), "next_stage");
    state->next_stage = next != NULL ? text_copy(next) : NULL;
    return 0;
}

static int apply_checkpoint(struct step_state *step, const json_t *record)
{
    json_t *value = json_clone(json_object_get(record, "value"));
    if (text_equal(json_text(record, "kind"), "pre_image"))
        replace(&step->pre_image, value);
    else
        replace(&step->cursor, value);
    return 0;
}

static void remember_result(struct run_state *state, const struct step_state *step)
{
    json_add(state->results, json_make("{s:s, s:s, s:s, s:O}", "step", step->instance, "row",
                                       json_text(step->planned, "row"), "target",
                                       json_text(step->planned, "target"), "result",
                                       step->result != NULL ? step->result : json_null()));
}

static void apply_check(const struct run_state *state, const json_t *record)
{
    struct step_state *step = run_state_step(state, json_text(record, "step"));
    if (step != NULL)
        step->seen_unknown = text_equal(json_text(record, "answer"), "unknown");
}

static void apply_manual(const struct run_state *state, const json_t *record)
{
    struct step_state *step = run_state_step(state, json_text(record, "step"));
    if (step != NULL)
        step->shown = 1;
}

static int apply_outcome(struct run_state *state, struct step_state *step, const json_t *record)
{
    const char *status = json_text(record, "status");
    if (text_equal(status, "done") || text_equal(status, "skipped")) {
        step->phase = STEP_DONE;
        remember_result(state, step);
    } else if (text_equal(status, "failed") || text_equal(status, "retry")) {
        step->phase = STEP_TODO;
    } else {
        /* cancelled, crashed, timed-out: nobody saw the end of it */
        step->phase = STEP_UNKNOWN;
    }
    return 0;
}

static int apply_to_step(struct run_state *state, const char *type, const json_t *record,
                         struct error *reterr)
{
    struct step_state *step = run_state_step(state, json_text(record, "step"));
    if (step == NULL)
        return contradiction(reterr, type, "its step is not in the present plan");
    if (text_equal(type, "intent")) {
        if (!state->approved)
            return contradiction(reterr, type, "its plan was not approved");
        step->attempts++;
        step->phase = STEP_UNKNOWN;
        step->settled_done = 0;
        step->settled_not_done = 0;
    } else if (text_equal(type, "checkpoint")) {
        return apply_checkpoint(step, record);
    } else if (text_equal(type, "result")) {
        replace(&step->result, json_clone(json_object_get(record, "result")));
    } else if (text_equal(type, "settle")) {
        step->settled_done = text_equal(json_text(record, "as"), "done");
        step->settled_not_done = !step->settled_done;
    } else if (text_equal(type, "outcome")) {
        return apply_outcome(state, step, record);
    }
    return 0;
}

static int is_one_of(const char *type, const char *const *types)
{
    for (; *types != NULL; types++) {
        if (text_equal(type, *types))
            return 1;
    }
    return 0;
}

int run_state_apply(struct run_state *state, const json_t *record, struct error *reterr)
{
    static const char *const of_steps[] = {"intent", "checkpoint", "result",
                                           "settle", "outcome",    NULL};
    const char *type = json_text(record, "type");
    if (type == NULL)
        return contradiction(reterr, "?", "it has no type");
    if (text_equal(type, "run"))
        return apply_run(state, record, reterr);
    if (text_equal(type, "fact"))
        return apply_fact(state, record, reterr);
    if (text_equal(type, "phase"))
        return apply_phase(state, record, reterr);
    if (text_equal(type, "plan"))
        return apply_plan(state, record, reterr);
    if (text_equal(type, "approval"))
        return apply_approval(state, record, reterr);
    if (text_equal(type, "stage"))
        return apply_stage(state, record, reterr);
    if (is_one_of(type, of_steps))
        return apply_to_step(state, type, record, reterr);
    if (text_equal(type, "item"))
        json_add(state->items, json_clone(record));
    else if (text_equal(type, "finding"))
        json_add(state->findings, json_clone(record));
    else if (text_equal(type, "set"))
        replace(&state->set, json_clone(record));
    else if (text_equal(type, "artifact"))
        json_add(state->artifacts, json_clone(record));
    else if (text_equal(type, "check"))
        apply_check(state, record);
    else if (text_equal(type, "manual"))
        apply_manual(state, record);
    else if (text_equal(type, "decision"))
        replace(&state->decision, json_clone(record));
    else if (text_equal(type, "lock") && text_equal(json_text(record, "event"), "taken"))
        replace(&state->lock, json_clone(record));
    else if (text_equal(type, "end"))
        replace(&state->end, json_clone(record));
    else if (text_equal(type, "resume"))
        apply_resume(state, record);
    else if (text_equal(type, "close"))
        state->closed = 1;
    return 0;
}
