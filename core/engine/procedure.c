#include "engine/procedure.h"

#include <salvor/plugin.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/kill-point.h"
#include "base/text.h"
#include "engine/lease.h"
#include "engine/source-findings.h"

enum { DISCOVER_DEADLINE_MS = 600000, VALIDATE_DEADLINE_MS = 3600000 };

static int record_phase(struct run *run, const char *phase, struct error *reterr)
{
    if (run_record(run, "phase", json_make("{s:s}", "phase", phase), JOURNAL_DURABLE, reterr) != 0)
        return -1;
    kill_point("-", phase);
    return 0;
}

/* Calls a hook that only looks, and `more` (or NULL), between two phase records. */
static int look(struct run *run, const char *before, const char *after, json_t *body,
                int (*more)(struct run *run, struct error *reterr), struct error *reterr)
{
    struct client_outcome outcome = {0};
    cleanup_json json_t *own = body;
    if (record_phase(run, before, reterr) != 0)
        return -1;
    int result = run_call(run, json_incref(own), &outcome, reterr);
    if (result == 0 && (outcome.end != CLIENT_DONE || outcome.status != SALVOR_OK))
        result = run_outcome_error(&outcome, reterr);
    error_clear(&outcome.error);
    if (result == 0 && more != NULL)
        result = more(run, reterr);
    return result == 0 ? record_phase(run, after, reterr) : -1;
}

int procedure_discover(struct run *run, struct error *reterr)
{
    run_tell_phase(run, "discover", NULL);
    if (look(run, "discovering", "discovered",
             run_call_body(run, "discover", SALVOR_EFFECT_DECLARED_READ, DISCOVER_DEADLINE_MS),
             NULL, reterr) != 0)
        return -1;
    run_tell_findings(run, "discover");
    return 0;
}

/* ---- findings ---------------------------------------------------------------------------- */

static int is_waived(const json_t *waivers, const char *id)
{
    size_t index = 0;
    const json_t *waiver = NULL;
    json_array_foreach (waivers, index, waiver) {
        if (text_equal(json_text(waiver, "finding"), id))
            return 1;
    }
    return 0;
}

int procedure_check_waivers(const struct plugin_info *info, const json_t *waivers,
                            struct error *reterr)
{
    size_t index = 0;
    const json_t *waiver = NULL;
    json_array_foreach (waivers, index, waiver) {
        const char *id = json_text(waiver, "finding");
        const struct plugin_finding *finding = plugin_info_finding(info, id);
        if (finding == NULL) {
            (void)error_set(reterr, EXIT_USAGE, "provider '%s' has no finding '%s' to waive",
                            info->name, id);
            return error_hint(reterr, "'salvor plugin show %s' lists them", info->name);
        }
        if (!finding->waivable) {
            (void)error_set(reterr, EXIT_USAGE, "finding '%s' cannot be waived", id);
            return error_hint(reterr, "%s", finding->remedy);
        }
    }
    return 0;
}

/* What a step finds is its own to judge; its plan was made before. */
static int is_of_step(const json_t *finding)
{
    const char *hook = json_text(finding, "hook");
    return text_equal(hook, "run_step") || text_equal(hook, "check_step");
}

/* What a person means to do must never be done by salvor because of a slip of the pen. */
int procedure_check_manual(const struct plugin_info *info, const json_t *manual,
                           struct error *reterr)
{
    size_t index = 0;
    const json_t *entry = NULL;
    json_array_foreach (manual, index, entry) {
        const char *name = json_string_value(entry);
        size_t procedure = 0;
        while (procedure < info->procedure_count &&
               !plugin_procedure_names_step(&info->procedures[procedure], name))
            procedure++;
        if (procedure < info->procedure_count)
            continue;
        (void)error_set(reterr, EXIT_USAGE, "provider '%s' has no step '%s' to do by hand",
                        info->name, name);
        return error_hint(reterr, "'salvor plugin show %s' lists them", info->name);
    }
    return 0;
}

int procedure_check_blockers(const struct run *run, const json_t *waivers, struct error *reterr)
{
    size_t index = 0;
    size_t blockers = 0;
    const json_t *finding = NULL;
    const json_t *first = NULL;
    json_array_foreach (run->state->findings, index, finding) {
        if (!text_equal(json_text(finding, "severity"), "blocker") || is_of_step(finding) ||
            is_waived(waivers, json_text(finding, "id")))
            continue;
        if (first == NULL)
            first = finding;
        blockers++;
    }
    if (first == NULL)
        return 0;
    const char *id = json_text(first, "id");
    const char *object = json_text(first, "object");
    const struct plugin_finding *declared = plugin_info_finding(run->info, id);
    (void)error_set(reterr, EXIT_BLOCKED, "%zu finding%s against it: '%s'%s%s%s", blockers,
                    blockers == 1 ? " stands" : "s stand", id,
                    object != NULL && *object != '\0' ? " on '" : "", object != NULL ? object : "",
                    object != NULL && *object != '\0' ? "'" : "");
    if (json_text(first, "detail") != NULL)
        (void)error_detail(reterr, "%s", json_text(first, "detail"));
    return error_hint(reterr, "%s%s", declared != NULL ? declared->remedy : "",
                      declared != NULL && declared->waivable
                          ? "; or accept it with '--waive ID --reason TEXT'"
                          : "");
}

int procedure_validate(struct run *run, struct error *reterr)
{
    json_t *body =
        run_call_body(run, "validate", SALVOR_EFFECT_DECLARED_READ, VALIDATE_DEADLINE_MS);
    json_put(body, "request",
             json_make("{s:i, s:n, s:n, s:s?, s:s?}", "procedure_kind", 0, "procedure", "stage",
                       "source", json_text(run->source, "name"), "source_folder",
                       json_text(run->source, "path")));
    run_tell_phase(run, "validate", json_text(run->source, "name"));
    if (look(run, "validating", "validated", body, source_findings_record, reterr) != 0)
        return -1;
    run_tell_findings(run, "validate");
    return 0;
}

/* ---- stages ------------------------------------------------------------------------------ */

static int may_change(const struct plugin_procedure *procedure)
{
    for (size_t s = 0; s < procedure->stage_count; s++) {
        const struct plugin_stage *stage = &procedure->stages[s];
        for (size_t r = 0; r < stage->row_count; r++) {
            if (stage->rows[r].effect >= SALVOR_EFFECT_CHANGE)
                return 1;
        }
    }
    return 0;
}

/* 1 when some procedure that could be chosen has a row with effect. */
static int run_may_change(const struct run *run, const struct stage_order *order)
{
    const struct plugin_info *info = run->info;
    for (size_t i = 0; i < info->procedure_count; i++) {
        const struct plugin_procedure *procedure = &info->procedures[i];
        if ((order->asked_for != NULL ? text_equal(procedure->id, order->asked_for)
                                      : procedure->kind == order->kind) &&
            may_change(procedure))
            return 1;
    }
    return 0;
}

/*
 * The Lease is taken as soon as it is known which one: what is seen under it stays true. Where the
 * site does not say it, the discovery does, and is repeated when somebody else was at work until
 * then.
 */
static int lock_before(struct run *run, const struct stage_order *order, int *ret_waited,
                       struct error *reterr)
{
    *ret_waited = 0;
    return run_may_change(run, order) ? lease_follow(run, 0, ret_waited, reterr) : 0;
}

static int look_at_all(struct run *run, const struct stage_order *order, int judges_backup,
                       struct error *reterr)
{
    int waited = 0;
    if (!run->state->discovered) {
        if (procedure_discover(run, reterr) != 0 || lock_before(run, order, &waited, reterr) != 0 ||
            (waited && procedure_discover(run, reterr) != 0))
            return -1;
    }
    return judges_backup && !run->state->validated ? procedure_validate(run, reterr) : 0;
}

static int prepare(struct run *run, const struct stage_order *order, struct error *reterr)
{
    struct run_state *state = run->state;
    int looked_before = state->discovered;
    int began = state->stages_done > 0 || (state->approved && !state->stage_done);
    int judges_backup = order->kind == SALVOR_PROCEDURE_RESTORE && run->source != NULL &&
                        plugin_info_has_hook(run->info, "validate");
    int waited = 0;
    if (lock_before(run, order, &waited, reterr) != 0)
        return -1;
    if (waited && !began) {
        state->discovered = 0;
        state->validated = 0;
    }
    if (look_at_all(run, order, judges_backup, reterr) != 0)
        return -1;
    /* what a resumed run was blocked by may have been put right since */
    if (looked_before && !began && procedure_check_blockers(run, order->waivers, NULL) != 0) {
        state->discovered = 0;
        state->validated = 0;
        if (look_at_all(run, order, judges_backup, reterr) != 0)
            return -1;
    }
    return began ? 0 : procedure_check_blockers(run, order->waivers, reterr);
}

static int plan_next(struct run *run, const struct stage_order *order, const char *stage,
                     struct error *reterr)
{
    if (stage_plan(run, order, stage, reterr) != 0)
        return -1;
    return procedure_check_blockers(run, order->waivers, reterr);
}

int procedure_plan(struct run *run, const struct stage_order *order, struct error *reterr)
{
    if (prepare(run, order, reterr) != 0)
        return -1;
    return plan_next(run, order, NULL, reterr);
}

/* Plans until nobody else was at work meanwhile: the plan itself may be what names the Lease. */
static int plan_and_lock(struct run *run, const struct stage_order *order, const char *stage,
                         struct error *reterr)
{
    for (;;) {
        int waited = 0;
        if (plan_next(run, order, stage, reterr) != 0)
            return -1;
        if (plan_effect(json_object_get(run->state->plan, "body")) < SALVOR_EFFECT_CHANGE)
            return 0;
        if (lease_follow(run, 1, &waited, reterr) != 0)
            return -1;
        if (!waited)
            return 0;
        if (stage == NULL) {
            run->state->discovered = 0;
            run->state->validated = 0;
            if (prepare(run, order, reterr) != 0)
                return -1;
        }
    }
}

static int run_stages(struct run *run, const struct stage_order *order, struct error *reterr)
{
    const struct run_state *state = run->state;
    for (;;) {
        int under_way = state->approved && !state->stage_done;
        if (run_interrupted(run))
            return run_interrupted_error(run, reterr);
        if (!under_way) {
            if (state->stages_done > 0 && state->next_stage == NULL)
                return record_phase(run, "procedure-done", reterr);
            cleanup_free char *stage =
                state->next_stage != NULL ? text_copy(state->next_stage) : NULL;
            if (plan_and_lock(run, order, stage, reterr) != 0)
                return -1;
        }
        if (stage_run(run, order, reterr) != 0)
            return -1;
    }
}

int procedure_run(struct run *run, const struct stage_order *order, int post_resync,
                  struct error *reterr)
{
    const struct plugin_procedure *asked_for =
        order->asked_for != NULL ? plugin_info_procedure(run->info, order->asked_for) : NULL;
    int restores = order->kind == SALVOR_PROCEDURE_RESTORE &&
                   (asked_for == NULL || asked_for->kind == SALVOR_PROCEDURE_RESTORE);
    int more = post_resync && restores && plugin_info_has_hook(run->info, "post_resync");
    for (int done = run->state->procedures_done; done < 1 + more;
         done = run->state->procedures_done) {
        struct stage_order present = *order;
        if (done > 0) {
            present.kind = SALVOR_PROCEDURE_POST_RESYNC;
            present.asked_for = NULL;
        }
        if (prepare(run, &present, reterr) != 0 || run_stages(run, &present, reterr) != 0)
            return -1;
    }
    return 0;
}
