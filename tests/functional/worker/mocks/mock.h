/*
 * A plugin that does everything right, for mocks that do one thing wrong. A mock defines MOCK_NAME,
 * includes this header and defines misbehave(), which is called first in the hook that the option
 * "when" names; what it returns is what the hook returns, unless that is OK: then the hook goes on.
 *
 * With the option "mock-once" (a path) it misbehaves only while nothing is there, and then makes
 * it; and check_step says that a step is done once it has its pre-image: so a run can go on from
 * where a mock left it.
 */
#ifndef SALVOR_TESTS_MOCK_H
#define SALVOR_TESTS_MOCK_H

#include <salvor/plugin.h>
#include <stdio.h>
#include <string.h>

static salvor_status misbehave(salvor_call *call, const char *hook);

static const struct salvor_inventory *mock_inventory(salvor_call *call)
{
    return (const struct salvor_inventory *)call->host->get_interface(call, SALVOR_INVENTORY, 1);
}

static const struct salvor_plan *mock_plan(salvor_call *call)
{
    return (const struct salvor_plan *)call->host->get_interface(call, SALVOR_PLAN, 1);
}

static salvor_status mock_begin(salvor_call *call, const char *hook)
{
    const char *when = call->host->option_text(call, "when");
    const char *once = call->host->option_text(call, "mock-once");
    if (when == NULL || strcmp(when, hook) != 0)
        return SALVOR_OK;
    if (once != NULL) {
        FILE *mark = fopen(once, "wx");
        if (mark == NULL)
            return SALVOR_OK;
        (void)fclose(mark);
    }
    return misbehave(call, hook);
}

static salvor_status mock_discover(salvor_call *call)
{
    salvor_status status = mock_begin(call, "discover");
    if (status == SALVOR_OK)
        status = mock_inventory(call)->item(call, "member", "one", "{\"address\":\"127.0.0.1\"}");
    if (status == SALVOR_OK)
        status = mock_inventory(call)->fact(call, "uid", SALVOR_FACT_IDENTITY, "\"1234\"");
    return status;
}

static salvor_status mock_validate(salvor_call *call, const struct salvor_request *request)
{
    const struct salvor_findings *findings =
        (const struct salvor_findings *)call->host->get_interface(call, SALVOR_FINDINGS, 1);
    salvor_status status = mock_begin(call, "validate");
    (void)request;
    return status == SALVOR_OK ? findings->raise(call, "MOCK-OLD", 0, "", "it is old") : status;
}

static salvor_status mock_plan_first(salvor_call *call, const struct salvor_plan *plan)
{
    static const char *const guards[] = {"revision"};
    struct salvor_planned_step step;
    uint32_t index = 0;
    salvor_status status = plan->fact(call, "revision", SALVOR_FACT_GUARD, "42");
    memset(&step, 0, sizeof step);
    step.struct_size = sizeof step;
    step.row = "look";
    step.target = "one";
    if (status == SALVOR_OK)
        status = plan->step(call, &step, &index);
    step.row = "wipe";
    step.parameters = "{\"goal\":3}";
    step.guards = guards;
    step.guard_count = 1;
    step.consequence = "everything of one is lost";
    if (status == SALVOR_OK)
        status = plan->step(call, &step, &index);
    if (status == SALVOR_OK)
        status = plan->object(call, index, "one/data");
    return status == SALVOR_OK ? plan->next_stage(call, "second") : status;
}

static salvor_status mock_restore(salvor_call *call, const struct salvor_request *request)
{
    const struct salvor_plan *plan = mock_plan(call);
    struct salvor_planned_step step;
    salvor_status status = mock_begin(call, "restore");
    if (status == SALVOR_OK && request->stage == NULL) {
        status = plan->decide(call, "mend", "nothing else is left");
        return status == SALVOR_OK ? mock_plan_first(call, plan) : status;
    }
    memset(&step, 0, sizeof step);
    step.struct_size = sizeof step;
    step.row = "finish";
    step.target = "one";
    return status == SALVOR_OK ? plan->step(call, &step, NULL) : status;
}

static salvor_status mock_run_step(salvor_call *call, const struct salvor_step *step)
{
    salvor_status status = mock_begin(call, "run_step");
    if (status == SALVOR_OK)
        status = call->host->checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE, "{\"before\":1}");
    if (status == SALVOR_OK)
        status = mock_plan(call)->note(call, step->target);
    return status == SALVOR_OK ? mock_plan(call)->step_result(call, "{\"after\":2}") : status;
}

static salvor_status mock_check_step(salvor_call *call, const struct salvor_step *step,
                                     uint32_t *ret_answer)
{
    salvor_status status = mock_begin(call, "check_step");
    (void)step;
    *ret_answer = SALVOR_CHECK_DONE;
    if (call->host->option_text(call, "mock-once") != NULL &&
        call->host->last_checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE) == NULL)
        *ret_answer = SALVOR_CHECK_NOT_STARTED;
    return status;
}

static salvor_status mock_observe(salvor_call *call, const char *names)
{
    salvor_status status = mock_begin(call, "observe");
    if (status == SALVOR_OK && strstr(names, "\"uid\"") != NULL)
        status = mock_inventory(call)->fact(call, "uid", SALVOR_FACT_IDENTITY, "\"1234\"");
    return status == SALVOR_OK
               ? mock_inventory(call)->fact(call, "revision", SALVOR_FACT_GUARD, "42")
               : status;
}

static const struct salvor_option mock_options[] = {
    {"when", NULL, NULL, "hook in which to misbehave", NULL, "0.1", SALVOR_OPTION_STRING, 0,
     SALVOR_ON_ALL, 0},
    {"mock-path", NULL, NULL, "a file to use", NULL, "0.1", SALVOR_OPTION_PATH, 0, SALVOR_ON_ALL,
     0},
    {"mock-once", NULL, NULL, "made at the first misbehaviour, which is the only one", NULL, "0.1",
     SALVOR_OPTION_PATH, 0, SALVOR_ON_ALL, 0},
    {"mock-number", NULL, NULL, "a number", NULL, "0.1", SALVOR_OPTION_INTEGER, 0, SALVOR_ON_ALL,
     0},
    {"mock-names", NULL, NULL, "a list", NULL, "0.1", SALVOR_OPTION_LIST, 0, SALVOR_ON_ALL, 0},
    {"mock-password", NULL, NULL, "a secret", NULL, "0.1", SALVOR_OPTION_STRING,
     SALVOR_OPTION_SECRET, SALVOR_ON_ALL, 0},
};

static const struct salvor_row mock_first_rows[] = {
    {"look", "look at it", "MOCK-1", NULL, NULL, 10000, SALVOR_EFFECT_READ, SALVOR_ROW_IDEMPOTENT,
     1, 0, 0, 0},
    {"adjust", "adjust it", "MOCK-2", NULL, NULL, 10000, SALVOR_EFFECT_CHANGE,
     SALVOR_ROW_IDEMPOTENT, 1, 0, 0, 0},
    {"wipe", "wipe it", "MOCK-3", NULL, NULL, 10000, SALVOR_EFFECT_DESTRUCTIVE, 0, 1, 0, 0, 0},
};

static const struct salvor_row mock_second_rows[] = {
    {"finish", "finish it", "MOCK-4", NULL, NULL, 10000, SALVOR_EFFECT_CHANGE, 0, 1, 0, 0, 0},
};

static const struct salvor_stage mock_stages[] = {
    {"first", "first things", mock_first_rows, SALVOR_ARRAY(mock_first_rows)},
    {"second", "then the rest", mock_second_rows, SALVOR_ARRAY(mock_second_rows)},
};

static const struct salvor_row mock_other_rows[] = {
    {"swap", "swap it", "MOCK-6", NULL, NULL, 10000, SALVOR_EFFECT_IRREVERSIBLE, 0, 1, 0, 0, 0},
};

static const struct salvor_stage mock_other_stages[] = {
    {"all", "all of it", mock_other_rows, SALVOR_ARRAY(mock_other_rows)},
};

static const struct salvor_procedure mock_procedures[] = {
    {"mend", "mend it", "Mending", "all", mock_stages, SALVOR_ARRAY(mock_stages),
     SALVOR_PROCEDURE_RESTORE, 0},
    {"replace", "replace it", "Replacing", "all", mock_other_stages,
     SALVOR_ARRAY(mock_other_stages), SALVOR_PROCEDURE_RESTORE, 0},
};

static const struct salvor_finding mock_findings[] = {
    {"MOCK-OLD", "the backup is old", "MOCK-5", "take backups more often", SALVOR_SEVERITY_WARNING,
     0},
};

static const struct salvor_need mock_needs[] = {
    {SALVOR_INVENTORY, 1, 1},
    {SALVOR_FINDINGS, 1, 1},
    {SALVOR_PLAN, 1, 1},
};

static const struct salvor_hooks mock_hooks = {
    sizeof(struct salvor_hooks),
    0,
    mock_discover,
    mock_validate,
    NULL,
    mock_restore,
    NULL,
    mock_run_step,
    mock_check_step,
    mock_observe,
};

/* What follows the head of a sound descriptor. */
#define MOCK_BODY(name, hooks)                                                               \
    name, "0.1", "a mock", "Nobody <nobody@example.org>", NULL, "Apache-2.0", mock_options,  \
        mock_procedures, mock_findings, NULL, mock_needs, hooks, SALVOR_ARRAY(mock_options), \
        SALVOR_ARRAY(mock_procedures), SALVOR_ARRAY(mock_findings), SALVOR_NO_ARRAY,         \
        SALVOR_ARRAY(mock_needs)

#ifndef MOCK_OWN_DESCRIPTOR
static const struct salvor_plugin mock_plugin = {SALVOR_PLUGIN_HEAD,
                                                 MOCK_BODY(MOCK_NAME, &mock_hooks)};
#ifndef MOCK_OWN_ENTRY
SALVOR_REGISTER_PLUGIN(mock_plugin)
#endif
#endif

#endif
