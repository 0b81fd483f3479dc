#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "plugin/plugin-info.h"
#include "plugin/vocabulary.h"
#include "worker/argument.h"
#include "worker/output-tables.h"

enum { OBJECT_BATCH = 512, OBJECT_BATCH_BYTES = 131072, STEP_LIMIT = 10000, GUARD_LIMIT = 1024 };

struct planned {
    const struct plugin_row *row;
    uint64_t objects; /* named so far */
};

/* What is planned so far in this call. */
struct planning {
    const char *asked_for;                    /* --path, or NULL */
    const char *asked_stage;                  /* NULL: the first one */
    uint32_t kind;                            /* SALVOR_PROCEDURE_* */
    const struct plugin_procedure *procedure; /* NULL until decided */
    const struct plugin_stage *stage;
    struct planned *steps;
    uint32_t step_count;
    json_t *last_rows; /* target -> index of the newest row on it */
    json_t *batch;     /* names not yet sent */
    size_t batch_bytes;
    uint32_t batch_index;
};

/* ---- life ------------------------------------------------------------------------------------ */

static void choose(struct planning *planning, const struct plugin_procedure *procedure)
{
    planning->procedure = procedure;
    planning->stage = NULL;
    if (procedure == NULL || procedure->stage_count == 0)
        return;
    planning->stage = planning->asked_stage != NULL
                          ? plugin_procedure_stage(procedure, planning->asked_stage)
                          : &procedure->stages[0];
}

void planning_begin(struct worker_call *call, const json_t *request)
{
    struct planning *planning = memory_new(1, sizeof *planning);
    *planning = (struct planning){0};
    planning->asked_for = json_text(request, "procedure");
    planning->asked_stage = json_text(request, "stage");
    planning->kind = (uint32_t)json_whole(request, "procedure_kind", 0);
    planning->last_rows = json_object();
    planning->batch = json_array();
    if (planning->asked_for != NULL)
        choose(planning, plugin_info_procedure(call->session->plugin, planning->asked_for));
    call->planning = planning;
}

void planning_end(struct worker_call *call)
{
    struct planning *planning = take_pointer(call->planning);
    if (planning == NULL)
        return;
    json_decref(planning->last_rows);
    json_decref(planning->batch);
    free(planning->steps);
    free(planning);
}

static void flush_objects(struct worker_call *call)
{
    struct planning *planning = call->planning;
    if (json_array_size(planning->batch) == 0)
        return;
    json_t *names = planning->batch;
    planning->batch = json_array();
    planning->batch_bytes = 0;
    call_send(call, FRAME_PLAN,
              json_make("{s:s, s:I, s:o}", "do", "objects", "index",
                        (json_int_t)planning->batch_index, "names", names));
}

salvor_status planning_finish(struct worker_call *call)
{
    const struct planning *planning = call->planning;
    flush_objects(call);
    for (uint32_t i = 0; i < planning->step_count; i++) {
        const struct plugin_row *row = planning->steps[i].row;
        if (row->effect >= SALVOR_EFFECT_DESTRUCTIVE && planning->steps[i].objects == 0)
            return call_fail(call, SALVOR_BUG, "plan: step %u, row '%s', is %s but names no object",
                             i, row->id, word_for(words_effect, row->effect));
    }
    return SALVOR_OK;
}

/* ---- procedures ------------------------------------------------------------------------------ */

static salvor_status begin(struct worker_call *call, const char *function)
{
    return argument_hook(call, function, HOOKS_THAT_PLAN);
}

static salvor_status known_procedure(struct worker_call *call, const char *function,
                                     const char *name, const char *reason,
                                     const struct plugin_procedure **ret_procedure)
{
    salvor_status status = argument_text(call, function, "procedure", name, ARGUMENT_NAME_LIMIT);
    if (status == SALVOR_OK)
        status = argument_text(call, function, "reason", reason, ARGUMENT_TEXT_LIMIT);
    if (status != SALVOR_OK)
        return status;
    *ret_procedure = plugin_info_procedure(call->session->plugin, name);
    return *ret_procedure != NULL
               ? SALVOR_OK
               : call_fail(call, SALVOR_BUG, "%s: the plugin declares no procedure '%s'", function,
                           name);
}

static salvor_status check_decision(struct worker_call *call,
                                    const struct plugin_procedure *procedure)
{
    const struct planning *planning = call->planning;
    if (planning->asked_stage != NULL)
        return call_fail(call, SALVOR_BUG, "plan.decide: stage '%s' follows a decision already",
                         planning->asked_stage);
    if (planning->step_count > 0)
        return call_fail(call, SALVOR_BUG, "plan.decide comes before the first step");
    if (planning->asked_for != NULL && !text_equal(planning->asked_for, procedure->id))
        return call_fail(call, SALVOR_REFUSED,
                         "procedure '%s' was asked for, the plugin plans '%s'", planning->asked_for,
                         procedure->id);
    if (planning->asked_for == NULL && procedure->kind != planning->kind)
        return call_fail(call, SALVOR_BUG, "plan.decide: procedure '%s' is of kind '%s', not '%s'",
                         procedure->id, word_for(words_procedure, procedure->kind),
                         word_for(words_procedure, planning->kind));
    return SALVOR_OK;
}

static salvor_status decide(salvor_call *plugin_call, const char *name, const char *reason)
{
    struct worker_call *call = call_of(plugin_call);
    const struct plugin_procedure *procedure = NULL;
    salvor_status status = begin(call, "plan.decide");
    if (status == SALVOR_OK)
        status = known_procedure(call, "plan.decide", name, reason, &procedure);
    if (status == SALVOR_OK)
        status = check_decision(call, procedure);
    if (status != SALVOR_OK)
        return status;
    choose(call->planning, procedure);
    call_send(call, FRAME_PLAN,
              json_make("{s:s, s:s, s:s}", "do", "decide", "procedure", name, "reason", reason));
    return SALVOR_OK;
}

static salvor_status rule_out(salvor_call *plugin_call, const char *name, const char *reason)
{
    struct worker_call *call = call_of(plugin_call);
    const struct plugin_procedure *procedure = NULL;
    salvor_status status = begin(call, "plan.rule_out");
    if (status == SALVOR_OK)
        status = known_procedure(call, "plan.rule_out", name, reason, &procedure);
    if (status == SALVOR_OK)
        call_send(
            call, FRAME_PLAN,
            json_make("{s:s, s:s, s:s}", "do", "rule_out", "procedure", name, "reason", reason));
    return status;
}

static salvor_status plan_fact(salvor_call *plugin_call, const char *name, uint32_t fact_class,
                               const char *json)
{
    struct worker_call *call = call_of(plugin_call);
    salvor_status status = begin(call, "plan.fact");
    return status == SALVOR_OK ? fact_put(call, "plan.fact", 1, name, fact_class, json) : status;
}

/* ---- steps ----------------------------------------------------------------------------------- */

static salvor_status need_stage(struct worker_call *call, const char *function)
{
    const struct planning *planning = call->planning;
    if (planning->stage != NULL)
        return SALVOR_OK;
    if (planning->procedure == NULL)
        return call_fail(call, SALVOR_BUG, "%s comes after plan.decide", function);
    return call_fail(call, SALVOR_BUG, "%s: procedure '%s' has no stage '%s'", function,
                     planning->procedure->id,
                     planning->asked_stage != NULL ? planning->asked_stage : "");
}

static salvor_status check_texts(struct worker_call *call, const struct salvor_planned_step *step)
{
    static const char function[] = "plan.step";
    salvor_status status = argument_text(call, function, "row", step->row, ARGUMENT_NAME_LIMIT);
    if (status == SALVOR_OK)
        status = argument_any_text(call, function, "target", step->target, ARGUMENT_NAME_LIMIT);
    if (status == SALVOR_OK && step->consequence != NULL)
        status = argument_any_text(call, function, "consequence", step->consequence,
                                   ARGUMENT_TEXT_LIMIT);
    if (status == SALVOR_OK && step->confirmation != NULL)
        status = argument_any_text(call, function, "confirmation", step->confirmation,
                                   ARGUMENT_NAME_LIMIT);
    return status;
}

static salvor_status check_guards(struct worker_call *call, const struct salvor_planned_step *step,
                                  json_t *names)
{
    if (step->guard_count > GUARD_LIMIT || (step->guard_count > 0 && step->guards == NULL))
        return call_fail(call, SALVOR_BUG, "plan.step: row '%s' has a broken list of guards",
                         step->row);
    for (uint32_t i = 0; i < step->guard_count; i++) {
        salvor_status status =
            argument_text(call, "plan.step", "guards", step->guards[i], ARGUMENT_NAME_LIMIT);
        if (status != SALVOR_OK)
            return status;
        if (!text_equal(fact_class_of(call, step->guards[i]), "guard"))
            return call_fail(call, SALVOR_BUG, "plan.step: '%s' of row '%s' is no guard fact",
                             step->guards[i], step->row);
        json_add(names, json_string(step->guards[i]));
    }
    return SALVOR_OK;
}

static salvor_status check_row(struct worker_call *call, const struct salvor_planned_step *step,
                               const struct plugin_row **ret_row)
{
    const struct planning *planning = call->planning;
    const struct plugin_row *row = plugin_stage_row(planning->stage, step->row);
    if (row == NULL)
        return call_fail(call, SALVOR_BUG,
                         "plan.step: stage '%s' of procedure '%s' has no row '%s'",
                         planning->stage->id, planning->procedure->id, step->row);
    const int64_t index = row - planning->stage->rows;
    const int64_t before = json_whole(planning->last_rows, step->target, -1);
    if (index < before)
        return call_fail(call, SALVOR_BUG,
                         "plan.step: on target '%s', row '%s' comes after row '%s', against the "
                         "order of the stage",
                         step->target, row->id, planning->stage->rows[before].id);
    if (row->effect >= SALVOR_EFFECT_DESTRUCTIVE &&
        (step->consequence == NULL || *step->consequence == '\0'))
        return call_fail(call, SALVOR_BUG, "plan.step: row '%s' is %s: say what will be lost",
                         row->id, word_for(words_effect, row->effect));
    if (planning->step_count >= STEP_LIMIT)
        return call_fail(call, SALVOR_BUG,
                         "plan.step: a stage has at most %d steps; fan out inside one", STEP_LIMIT);
    *ret_row = row;
    return SALVOR_OK;
}

static uint32_t remember(struct planning *planning, const struct plugin_row *row,
                         const char *target)
{
    const size_t count = (size_t)planning->step_count + 1;
    planning->steps = memory_resize(planning->steps, count, sizeof *planning->steps);
    planning->steps[planning->step_count] = (struct planned){row, 0};
    json_put(planning->last_rows, target, json_integer(row - planning->stage->rows));
    return planning->step_count++;
}

static salvor_status step(salvor_call *plugin_call, const struct salvor_planned_step *planned,
                          uint32_t *ret_index)
{
    struct worker_call *call = call_of(plugin_call);
    static const char function[] = "plan.step";
    const struct plugin_row *row = NULL;
    cleanup_json json_t *guards = json_array();
    json_t *parameters = NULL;
    salvor_status status = begin(call, function);
    if (status == SALVOR_OK)
        status = need_stage(call, function);
    if (status != SALVOR_OK)
        return status;
    if (planned == NULL || planned->struct_size < sizeof *planned)
        return call_fail(call, SALVOR_BUG, "%s: the step's struct_size is not set", function);
    status = check_texts(call, planned);
    if (status == SALVOR_OK)
        status = check_row(call, planned, &row);
    if (status == SALVOR_OK)
        status = check_guards(call, planned, guards);
    if (status == SALVOR_OK)
        status = argument_json(call, function, "parameters",
                               planned->parameters != NULL ? planned->parameters : "{}",
                               ARGUMENT_JSON_LIMIT, 1, &parameters);
    if (status != SALVOR_OK)
        return status;
    const uint32_t index = remember(call->planning, row, planned->target);
    call_send(call, FRAME_PLAN,
              json_make("{s:s, s:I, s:s, s:s, s:o, s:O, s:s?, s:s?}", "do", "step", "index",
                        (json_int_t)index, "row", planned->row, "target", planned->target,
                        "parameters", parameters, "guards", guards, "consequence",
                        planned->consequence, "confirmation", planned->confirmation));
    if (ret_index != NULL)
        *ret_index = index;
    return SALVOR_OK;
}

static salvor_status object(salvor_call *plugin_call, uint32_t index, const char *name)
{
    struct worker_call *call = call_of(plugin_call);
    static const char function[] = "plan.object";
    salvor_status status = begin(call, function);
    if (status == SALVOR_OK)
        status = argument_text(call, function, "name", name, ARGUMENT_NAME_LIMIT);
    if (status != SALVOR_OK)
        return status;
    struct planning *planning = call->planning;
    if (index >= planning->step_count)
        return call_fail(call, SALVOR_BUG, "%s: there is no step %u", function, index);
    const size_t size = strlen(name);
    if (planning->batch_index != index || json_array_size(planning->batch) >= OBJECT_BATCH ||
        planning->batch_bytes + size > OBJECT_BATCH_BYTES)
        flush_objects(call);
    planning->batch_index = index;
    planning->batch_bytes += size;
    json_add(planning->batch, json_string(name));
    planning->steps[index].objects++;
    return SALVOR_OK;
}

static salvor_status next_stage(salvor_call *plugin_call, const char *name)
{
    struct worker_call *call = call_of(plugin_call);
    static const char function[] = "plan.next_stage";
    salvor_status status = begin(call, function);
    if (status == SALVOR_OK)
        status = argument_text(call, function, "stage", name, ARGUMENT_NAME_LIMIT);
    if (status == SALVOR_OK)
        status = need_stage(call, function);
    if (status != SALVOR_OK)
        return status;
    const struct planning *planning = call->planning;
    const struct plugin_stage *next = plugin_procedure_stage(planning->procedure, name);
    if (next == NULL || next <= planning->stage)
        return call_fail(call, SALVOR_BUG,
                         "%s: '%s' is not a stage of procedure '%s' after stage '%s'", function,
                         name, planning->procedure->id, planning->stage->id);
    call_send(call, FRAME_PLAN, json_make("{s:s, s:s}", "do", "next_stage", "stage", name));
    return SALVOR_OK;
}

/* ---- results of steps ------------------------------------------------------------------------ */

static salvor_status step_result(salvor_call *plugin_call, const char *json)
{
    struct worker_call *call = call_of(plugin_call);
    static const char function[] = "plan.step_result";
    json_t *result = NULL;
    salvor_status status = argument_hook(call, function, HOOK_BIT(HOOK_RUN_STEP));
    if (status == SALVOR_OK)
        status = argument_json(call, function, "json", json, ARGUMENT_JSON_LIMIT, 1, &result);
    if (status == SALVOR_OK)
        call_send(call, FRAME_RESULT, result);
    return status;
}

static salvor_status note(salvor_call *plugin_call, const char *text)
{
    struct worker_call *call = call_of(plugin_call);
    static const char function[] = "plan.note";
    salvor_status status = argument_hook(call, function, HOOKS_OF_STEPS);
    if (status == SALVOR_OK)
        status = argument_text(call, function, "text", text, ARGUMENT_TEXT_LIMIT);
    if (status == SALVOR_OK)
        call_send(call, FRAME_NOTE, json_make("{s:s}", "text", text));
    return status;
}

const struct salvor_plan plan_table = {
    .struct_size = sizeof plan_table,
    .version = PLAN_VERSION,
    .decide = decide,
    .rule_out = rule_out,
    .fact = plan_fact,
    .step = step,
    .object = object,
    .next_stage = next_stage,
    .step_result = step_result,
    .note = note,
};
