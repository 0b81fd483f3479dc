#include "engine/drill.h"

#include <salvor/plugin.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/facts.h"
#include "engine/step.h"
#include "plugin/vocabulary.h"

/* ---- where a drill may have effect ------------------------------------------------------- */

json_t *drill_record(const struct engine_drill *drill)
{
    return drill != NULL ? json_make("{s:s, s:b}", "of", drill->of, "practice", drill->practice)
                         : json_null();
}

static int not_marked(const char *site, struct error *reterr)
{
    (void)error_set(reterr, EXIT_REFUSED,
                    "a drill changes nothing on site '%s': it is not marked for practice", site);
    return error_hint(reterr, "a site that may be overwritten is marked in salvor.yaml with "
                              "'practice: true'");
}

int drill_check_request(const struct engine_request *request, struct error *reterr)
{
    if (request->drill == NULL || request->dry_run || request->drill->practice)
        return 0;
    return not_marked(request->site->name, reterr);
}

int drill_check_resume(const json_t *run_record, const char *const *practice_sites,
                       struct error *reterr)
{
    const json_t *drill = json_object_get(run_record, "drill");
    const char *site = json_text(run_record, "site");
    if (!json_is_object(drill))
        return 0;
    for (; json_flag(drill, "practice") && practice_sites != NULL && *practice_sites != NULL;
         practice_sites++) {
        if (text_equal(*practice_sites, site))
            return 0;
    }
    return not_marked(site, reterr);
}

/* ---- without effect ---------------------------------------------------------------------- */

struct rehearsal {
    struct run *run;
    json_t *checks;
    struct error failed; /* the first look that failed although it must not */
};

/* In its turn the step before is done; earlier than that a look may well have nothing to see. */
static int look_at(struct rehearsal *rehearsal, const struct step_state *step, int in_turn,
                   uint32_t *ret_answer)
{
    cleanup_error struct error why = ERROR_INIT;
    cleanup_error struct error broken = ERROR_INIT;
    const json_t *planned = step->planned;
    int looked = step_look(rehearsal->run, step->instance, ret_answer, &why, &broken) == 0;
    if (run_interrupted(rehearsal->run))
        return -1;
    const struct error *problem = looked ? &why : &broken;
    int bad = !looked || (in_turn && *ret_answer == SALVOR_CHECK_UNKNOWN);
    if (!looked)
        *ret_answer = SALVOR_CHECK_UNKNOWN;
    json_add(rehearsal->checks,
             json_make("{s:s, s:s?, s:s, s:s?, s:b, s:b}", "step", step->instance, "title",
                       json_text(planned, "title"), "answer", word_for(words_answer, *ret_answer),
                       "why", problem->message, "in_turn", in_turn, "failed", bad));
    if (bad && !error_is_set(&rehearsal->failed)) {
        (void)error_set(&rehearsal->failed, EXIT_FAILED,
                        "the drill shows that step '%s' (%s) cannot be looked at", step->instance,
                        json_text(planned, "title"));
        (void)error_detail(&rehearsal->failed, "%s", problem->message);
        (void)error_hint(&rehearsal->failed, "%s",
                         problem->hint != NULL ? problem->hint
                                               : "mend it now: a restore would stop there");
    }
    return 0;
}

static int ask_checks(struct rehearsal *rehearsal)
{
    const struct run_state *state = rehearsal->run->state;
    int in_turn = 1;
    for (size_t i = 0; i < state->step_count; i++) {
        uint32_t answer = 0;
        if (look_at(rehearsal, &state->steps[i], in_turn, &answer) != 0)
            return -1;
        in_turn = in_turn && answer == SALVOR_CHECK_DONE;
    }
    return 0;
}

static json_t *steps_not_run(const struct run_state *state)
{
    json_t *list = json_array();
    for (size_t i = 0; i < state->step_count; i++) {
        const json_t *planned = state->steps[i].planned;
        json_add(list,
                 json_make("{s:s, s:s?, s:s?, s:b}", "step", state->steps[i].instance, "title",
                           json_text(planned, "title"), "effect", json_text(planned, "effect"),
                           "manual", json_flag(planned, "manual")));
    }
    return list;
}

int drill_rehearse(struct run *run, const struct stage_order *order, int post_resync,
                   json_t **ret_told, struct error *reterr)
{
    const struct run_state *state = run->state;
    const json_t *body = json_object_get(state->plan, "body");
    int goes_on = post_resync && order->kind == SALVOR_PROCEDURE_RESTORE &&
                  plugin_info_has_hook(run->info, "post_resync");
    cleanup_json json_t *checks = json_array();
    struct rehearsal rehearsal = {run, checks, ERROR_INIT};
    if (facts_recheck(run, NULL, "during this drill", reterr) != 0)
        return -1;
    run_tell_phase(run, "rehearse", NULL);
    if (ask_checks(&rehearsal) != 0) {
        error_clear(&rehearsal.failed);
        return run_interrupted_error(run, reterr);
    }
    cleanup_json json_t *told =
        json_make("{s:s, s:b, s:O, s:o, s:s?, s:b}", "mode", "looked", "validated",
                  state->validated, "checks", checks, "not_run", steps_not_run(state),
                  "later_stage", json_text(body, "next_stage"), "post_resync", goes_on);
    if (run_record(run, "drill", json_clone(told), JOURNAL_DURABLE, reterr) != 0) {
        error_clear(&rehearsal.failed);
        return -1;
    }
    *ret_told = json_incref(told);
    return error_is_set(&rehearsal.failed) ? error_move(reterr, &rehearsal.failed) : 0;
}

int drill_ran(struct run *run, struct error *reterr)
{
    return run_record(run, "drill", json_make("{s:s}", "mode", "ran"), JOURNAL_DURABLE, reterr);
}
