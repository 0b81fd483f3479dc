/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <salvor/interfaces.h>
#include <salvor/json.h>
#include <salvor/memory.h>
#include <salvor/report.h>
#include <salvor/steps.h>

#include <string.h>

/* ---- rows and their code -------------------------------------------------------------------- */

static const struct salvor_row_code *find_row(const struct salvor_row_code *table, size_t count,
                                              const char *row)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].row, row) == 0)
            return &table[i];
    }
    return NULL;
}

static salvor_status parse_parameters(salvor_call *call, const struct salvor_step *step,
                                      json_t **ret_parameters)
{
    const char *text = step->parameters != NULL ? step->parameters : "{}";
    return salvor_json_parse_text(call, text, "the parameters of the step", ret_parameters);
}

salvor_status salvor_rows_run(const struct salvor_row_code *table, size_t count, salvor_call *call,
                              const struct salvor_step *step)
{
    const struct salvor_row_code *code = find_row(table, count, step->row);
    if (code == NULL || code->run == NULL)
        return salvor_fail(call, SALVOR_BUG, NULL, "nothing runs row '%s'", step->row);
    json_t *parameters = NULL;
    SALVOR_TRY(parse_parameters(call, step, &parameters));
    const salvor_status status = code->run(call, step, parameters);
    json_decref(parameters);
    return status;
}

salvor_status salvor_rows_check(const struct salvor_row_code *table, size_t count,
                                salvor_call *call, const struct salvor_step *step,
                                uint32_t *ret_answer)
{
    const struct salvor_row_code *code = find_row(table, count, step->row);
    if (code == NULL || code->check == NULL)
        return salvor_fail(call, SALVOR_BUG, NULL, "nothing checks row '%s'", step->row);
    json_t *parameters = NULL;
    SALVOR_TRY(parse_parameters(call, step, &parameters));
    const salvor_status status = code->check(call, step, parameters, ret_answer);
    json_decref(parameters);
    return status;
}

uint32_t salvor_job_answer(const struct salvor_job_state *state, uint32_t done)
{
    switch (state->state) {
    case SALVOR_JOB_ABSENT:
        return SALVOR_CHECK_NOT_STARTED;
    case SALVOR_JOB_RUNNING:
        return SALVOR_CHECK_IN_PROGRESS;
    case SALVOR_JOB_ENDED:
        return state->exit_status == 0 ? done : SALVOR_CHECK_PARTIAL;
    case SALVOR_JOB_LOST:
        return SALVOR_CHECK_PARTIAL;
    default:
        return SALVOR_CHECK_UNKNOWN;
    }
}

/* ---- planning ------------------------------------------------------------------------------- */

salvor_status salvor_plan_step(salvor_call *call, const struct salvor_step_plan *plan,
                               uint32_t *ret_index)
{
    salvor_auto_json json_t *parameters = plan->parameters;
    salvor_auto_release char *text = NULL;
    const struct salvor_plan *service = salvor_plan_of(call);
    if (service == NULL)
        return salvor_fail(call, SALVOR_UNSUPPORTED, NULL, "this host takes no plans");
    if (!json_is_null(parameters)) {
        text = parameters != NULL ? salvor_json_write(parameters) : NULL;
        if (text == NULL)
            return salvor_fail(call, SALVOR_FAILED, NULL,
                               "no memory for the parameters of row '%s', or none were given",
                               plan->row);
    }
    uint32_t guard_count = 0;
    while (plan->guards != NULL && plan->guards[guard_count] != NULL)
        guard_count++;
    const struct salvor_planned_step step = {
        .struct_size = sizeof step,
        .guard_count = guard_count,
        .row = plan->row,
        .target = plan->target != NULL ? plan->target : "",
        .parameters = text,
        .guards = plan->guards,
        .consequence = plan->consequence,
        .confirmation = plan->confirmation,
    };
    uint32_t index = 0;
    SALVOR_TRY(service->step(call, &step, &index));
    if (ret_index != NULL)
        *ret_index = index;
    return SALVOR_OK;
}

/* ---- facts and results ---------------------------------------------------------------------- */

salvor_status salvor_observed(salvor_call *call, const char *name, uint32_t fact_class,
                              json_t *value)
{
    salvor_auto_json json_t *owned = value;
    salvor_auto_release char *text = owned != NULL ? salvor_json_write(owned) : NULL;
    if (text == NULL)
        return salvor_fail_memory(call, "a fact");
    return salvor_inventory_of(call)->fact(call, name, fact_class, text);
}

salvor_status salvor_frozen(salvor_call *call, const char *name, uint32_t fact_class, json_t *value)
{
    salvor_auto_json json_t *owned = value;
    salvor_auto_release char *text = owned != NULL ? salvor_json_write(owned) : NULL;
    if (text == NULL)
        return salvor_fail_memory(call, "a fact");
    return salvor_plan_of(call)->fact(call, name, fact_class, text);
}

salvor_status salvor_fact(salvor_call *call, const char *name, json_t **ret_value)
{
    salvor_auto_json json_t *facts = NULL;
    SALVOR_TRY(salvor_json_parse_text(call, call->host->facts(call), "the facts", &facts));
    json_t *value = json_object_get(json_object_get(facts, name), "value");
    if (value == NULL)
        return SALVOR_NOT_FOUND;
    *ret_value = json_incref(value);
    return SALVOR_OK;
}

salvor_status salvor_fact_text(salvor_call *call, const char *name, char *buffer, size_t size)
{
    salvor_auto_json json_t *value = NULL;
    SALVOR_TRY(salvor_fact(call, name, &value));
    const char *text = json_string_value(value);
    const size_t needed = text != NULL ? strlen(text) + 1 : 0;
    if (text == NULL || needed > size)
        return salvor_fail(call, SALVOR_REFUSED, NULL,
                           "fact '%s' is no text of fewer than %zu bytes", name, size);
    memcpy(buffer, text, needed);
    return SALVOR_OK;
}

salvor_status salvor_result(salvor_call *call, json_t *result)
{
    salvor_auto_json json_t *owned = result;
    salvor_auto_release char *text = owned != NULL ? salvor_json_write(owned) : NULL;
    if (text == NULL)
        return salvor_fail_memory(call, "the result of the step");
    return salvor_plan_of(call)->step_result(call, text);
}

salvor_status salvor_result_of(salvor_call *call, const char *results, const char *row,
                               const char *target, json_t **ret_result)
{
    salvor_auto_json json_t *list = NULL;
    if (results == NULL)
        return SALVOR_NOT_FOUND;
    SALVOR_TRY(salvor_json_parse_text(call, results, "the results of the steps before", &list));
    for (size_t i = json_array_size(list); i-- > 0;) {
        const json_t *entry = json_array_get(list, i);
        if (strcmp(salvor_json_text(entry, "/row", ""), row) != 0)
            continue;
        if (target != NULL && strcmp(salvor_json_text(entry, "/target", ""), target) != 0)
            continue;
        json_t *result = json_object_get(entry, "result");
        if (result == NULL || json_is_null(result))
            return SALVOR_NOT_FOUND;
        *ret_result = json_incref(result);
        return SALVOR_OK;
    }
    return SALVOR_NOT_FOUND;
}

/* ---- checkpoints ---------------------------------------------------------------------------- */

salvor_status salvor_checkpoint(salvor_call *call, uint32_t kind, json_t *value)
{
    salvor_auto_json json_t *owned = value;
    salvor_auto_release char *text = owned != NULL ? salvor_json_write(owned) : NULL;
    if (text == NULL)
        return salvor_fail_memory(call, "a checkpoint");
    return call->host->checkpoint(call, kind, text);
}

salvor_status salvor_nothing_before(salvor_call *call)
{
    return call->host->checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE, "{}");
}

salvor_status salvor_last_checkpoint(salvor_call *call, uint32_t kind, json_t **ret_value)
{
    const char *text = call->host->last_checkpoint(call, kind);
    if (text == NULL)
        return SALVOR_NOT_FOUND;
    return salvor_json_parse_text(call, text, "a checkpoint", ret_value);
}
