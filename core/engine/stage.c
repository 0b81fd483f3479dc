#include "engine/stage.h"

#include <salvor/plugin.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/kill-point.h"
#include "base/text.h"
#include "engine/facts.h"
#include "engine/step.h"

enum { PLAN_DEADLINE_MS = 600000 };

static const char *hook_of(uint32_t kind)
{
    switch (kind) {
    case SALVOR_PROCEDURE_BACKUP:
        return "backup";
    case SALVOR_PROCEDURE_POST_RESYNC:
        return "post_resync";
    default:
        return "restore";
    }
}

static int record_phase(struct run *run, const char *phase, struct error *reterr)
{
    return run_record(run, "phase", json_make("{s:s}", "phase", phase), JOURNAL_EVIDENCE, reterr);
}

static int record_objects(void *data, const char *step, const json_t *names, struct error *reterr)
{
    return run_record(data, "objects", json_make("{s:s, s:O}", "step", step, "names", names),
                      JOURNAL_EVIDENCE, reterr);
}

static int record_new_facts(struct run *run, const json_t *facts, struct error *reterr)
{
    const char *name = NULL;
    const json_t *fact = NULL;
    json_object_foreach ((json_t *)facts, name, fact) {
        if (run_record(run, "fact",
                       json_make("{s:s, s:s, s:O}", "name", name, "class", json_text(fact, "class"),
                                 "value", json_object_get(fact, "value")),
                       JOURNAL_EVIDENCE, reterr) != 0)
            return -1;
    }
    return 0;
}

static int record_decision(struct run *run, const struct stage_order *order,
                           const struct plan_builder *builder, const json_t *body,
                           struct error *reterr)
{
    const json_t *decision = plan_builder_decision(builder);
    if (decision == NULL && run->state->decision != NULL)
        return 0;
    json_t *record = decision != NULL
                         ? json_clone(decision)
                         : json_make("{s:s, s:s, s:[]}", "procedure", json_text(body, "procedure"),
                                     "reason", "asked for with --path", "ruled_out");
    json_put_text(record, "by", order->asked_for != NULL ? "operator" : "plugin");
    return run_record(run, "decision", record, JOURNAL_EVIDENCE, reterr);
}

static int record_plan(struct run *run, const struct stage_order *order,
                       const struct plan_builder *builder, json_t *body, struct error *reterr)
{
    char hash[DIGEST_TEXT_SIZE];
    plan_hash(body, hash);
    if (record_new_facts(run, plan_builder_facts(builder), reterr) != 0 ||
        record_decision(run, order, builder, body, reterr) != 0)
        return -1;
    if (run_record(run, "plan",
                   json_make("{s:s, s:O, s:s, s:O, s:O}", "stage", json_text(body, "stage"),
                             "number", json_object_get(body, "number"), "hash", hash, "previous",
                             json_object_get(body, "previous"), "body", body),
                   JOURNAL_DURABLE, reterr) != 0)
        return -1;
    kill_point("-", "plan-committed");
    return 0;
}

static json_t *request_body(const struct run *run, const struct stage_order *order,
                            const char *procedure, const char *stage)
{
    json_t *body =
        run_call_body(run, hook_of(order->kind), SALVOR_EFFECT_DECLARED_READ, PLAN_DEADLINE_MS);
    json_put(body, "request",
             json_make("{s:I, s:s?, s:s?, s:s?, s:s?}", "procedure_kind", (json_int_t)order->kind,
                       "procedure", procedure, "stage", stage, "source",
                       json_text(run->source, "name"), "source_folder",
                       json_text(run->source, "path")));
    return body;
}

static int call_plan_hook(struct run *run, json_t *body, struct plan_builder *builder,
                          struct error *reterr)
{
    struct client_outcome outcome = {0};
    run->builder = builder;
    int result = run_call(run, body, &outcome, reterr);
    run->builder = NULL;
    if (result == 0 && (outcome.end != CLIENT_DONE || outcome.status != SALVOR_OK))
        result = run_outcome_error(&outcome, reterr);
    error_clear(&outcome.error);
    return result;
}

int stage_plan(struct run *run, const struct stage_order *order, const char *stage,
               struct error *reterr)
{
    const struct run_state *state = run->state;
    /* A plan that nobody approved is planned anew in its own place. */
    int again = state->plan != NULL && !state->approved && !state->stage_done;
    const json_t *last = state->plan;
    const char *previous = last == NULL ? NULL
                           : again      ? json_text(last, "previous")
                                        : json_text(last, "hash");
    cleanup_free char *previous_copy = previous != NULL ? text_copy(previous) : NULL;
    cleanup_free char *procedure =
        stage != NULL ? text_copy(json_text(state->decision, "procedure")) : NULL;
    cleanup_json json_t *source =
        run->source != NULL ? json_make("{s:s?, s:s?}", "name", json_text(run->source, "name"),
                                        "digest", json_text(run->source, "digest"))
                            : NULL;
    const struct plan_context context = {
        .info = run->info,
        .build_id = run->build_id,
        .kind = order->kind,
        .asked_for = order->asked_for,
        .procedure = procedure,
        .stage = stage,
        .number = last == NULL ? 1 : json_whole(last, "number", 0) + (again ? 0 : 1),
        .previous = previous_copy,
        .source = source,
        .options = json_object_get(state->run, "options"),
        .lock = run->lock,
        .facts = state->facts,
        .waivers = order->waivers,
        .manual = order->manual,
        .objects = record_objects,
        .data = run,
    };
    run_tell_phase(run, "plan", stage);
    if (record_phase(run, "planning", reterr) != 0)
        return -1;
    struct plan_builder *builder = plan_builder_new(&context);
    json_t *body = NULL;
    int result = call_plan_hook(
        run, request_body(run, order, procedure != NULL ? procedure : order->asked_for, stage),
        builder, reterr);
    if (result == 0)
        result = plan_builder_finish(builder, &body, reterr);
    if (result == 0)
        result = record_phase(run, "planned", reterr);
    if (result == 0)
        result = record_plan(run, order, builder, body, reterr);
    run_tell_findings(run, hook_of(order->kind));
    json_decref(body);
    plan_builder_free(builder);
    return result;
}

/* What runs is what was approved: the body in the journal still has the hash that was shown. */
static int check_hash(const struct run *run, struct error *reterr)
{
    char hash[DIGEST_TEXT_SIZE];
    plan_hash(json_object_get(run->state->plan, "body"), hash);
    if (text_equal(hash, run_state_plan_hash(run->state)))
        return 0;
    return error_set(reterr, EXIT_REFUSED,
                     "the plan of run '%s' is not the one that its hash was made from", run->id);
}

int stage_run(struct run *run, const struct stage_order *order, struct error *reterr)
{
    struct run_state *state = run->state;
    const json_t *body = json_object_get(state->plan, "body");
    if (check_hash(run, reterr) != 0)
        return -1;
    if (!state->approved && run->ui.plan != NULL)
        run->ui.plan(run->ui.data, state->plan);
    if (approval_obtain(run, &order->approval, reterr) != 0)
        return -1;
    if (plan_effect(body) >= SALVOR_EFFECT_CHANGE &&
        facts_recheck(run, NULL, "after the approval", reterr) != 0)
        return -1;
    run_tell_phase(run, "stage", json_text(body, "stage"));
    for (struct step_state *step = run_state_next_step(state); step != NULL;
         step = run_state_next_step(state)) {
        struct step_position position = {(size_t)(step - state->steps) + 1, state->step_count,
                                         order->patience};
        if (step_execute(run, step->instance, &position, reterr) != 0)
            return -1;
    }
    if (run_record(run, "stage",
                   json_make("{s:s, s:s}", "stage", json_text(body, "stage"), "status", "done"),
                   JOURNAL_DURABLE, reterr) != 0)
        return -1;
    kill_point("-", "stage-committed");
    return 0;
}
