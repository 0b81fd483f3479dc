/*
 * Asks for everything that the base table and the output services promise, right and wrong, and
 * fails with the line of the first surprise. The option "when" picks the hook, as in all mocks.
 */
#define MOCK_NAME "contract"
#include <pthread.h>
#include <stdlib.h>

#include "mock.h"

#define EXPECT(condition)                                                                 \
    do {                                                                                  \
        if (!(condition)) {                                                               \
            char surprise[512];                                                           \
            (void)snprintf(surprise, sizeof surprise, "contract.c:%d: %s (%s)", __LINE__, \
                           #condition, call->host->last_error(call));                     \
            return call->host->report(call, SALVOR_FAILED, surprise, NULL, NULL);         \
        }                                                                                 \
    } while (0)

#define REFUSED_WITH(wanted_status, part, expression)               \
    do {                                                            \
        EXPECT((expression) == (wanted_status));                    \
        EXPECT(strstr(call->host->last_error(call), part) != NULL); \
    } while (0)

static salvor_status check_options(salvor_call *call)
{
    const struct salvor_host *host = call->host;
    int64_t number = 0;
    EXPECT(strcmp(host->option_text(call, "mock-path"), "/tmp/some file") == 0);
    EXPECT(strcmp(host->option_text(call, "mock-names"), "[\"a\",\"b\"]") == 0);
    EXPECT(host->option_integer(call, "mock-number", &number) == SALVOR_OK && number == -7);
    EXPECT(host->option_text(call, "mock-password") == NULL);
    EXPECT(host->option_text(call, "mock-number") == NULL);
    EXPECT(strstr(host->last_error(call), "'mock-number' is a number") != NULL);
    REFUSED_WITH(SALVOR_BUG, "no option 'nothing'", host->option_integer(call, "nothing", &number));
    REFUSED_WITH(SALVOR_BUG, "'mock-path' is not a number",
                 host->option_integer(call, "mock-path", &number));
    EXPECT(number == -7);
    return SALVOR_OK;
}

static salvor_status check_time(salvor_call *call)
{
    const struct salvor_host *host = call->host;
    const int64_t before = host->monotonic_ms(call);
    const int64_t left = host->deadline_ms(call);
    EXPECT(left > 0 && left <= 10000);
    EXPECT(host->realtime_ms(call) > 1600000000000);
    EXPECT(host->sleep_ms(call, 20) == SALVOR_OK);
    EXPECT(host->monotonic_ms(call) - before >= 20);
    EXPECT(host->deadline_ms(call) <= left - 20);
    EXPECT(host->sleep_ms(call, 0) == SALVOR_OK && host->sleep_ms(call, -5) == SALVOR_OK);
    EXPECT(host->cancelled(call) == 0);
    return SALVOR_OK;
}

static salvor_status check_interfaces(salvor_call *call)
{
    const struct salvor_host *host = call->host;
    EXPECT(host->struct_size == sizeof *host && host->abi_minor == SALVOR_ABI_MINOR);
    EXPECT(mock_inventory(call)->struct_size == sizeof(struct salvor_inventory));
    EXPECT(mock_plan(call)->version == 1);
    EXPECT(host->get_interface(call, "salvor.nothing", 1) == NULL);
    EXPECT(strstr(host->last_error(call), "offers no 'salvor.nothing'") != NULL);
    EXPECT(host->get_interface(call, SALVOR_PLAN, 99) == NULL);
    EXPECT(strstr(host->last_error(call), "offers 'salvor.plan' 1, not 99") != NULL);
    EXPECT(host->get_interface(call, NULL, 1) == NULL);
    return SALVOR_OK;
}

static void *log_from_thread(void *context)
{
    salvor_call *call = (salvor_call *)context;
    for (int i = 0; i < 100; i++) {
        call->host->log(call, SALVOR_LOG_DEBUG, "from a thread");
        call->host->progress(call, (uint64_t)i, 100, "lines");
        if (call->host->cancelled(call))
            return call;
    }
    return NULL;
}

static salvor_status check_threads(salvor_call *call)
{
    pthread_t threads[4];
    void *cancelled = NULL;
    for (int i = 0; i < 4; i++)
        EXPECT(pthread_create(&threads[i], NULL, log_from_thread, call) == 0);
    for (int i = 0; i < 100; i++)
        call->host->log(call, SALVOR_LOG_WARNING, "from the hook \xff\x1b");
    for (int i = 0; i < 4; i++)
        EXPECT(pthread_join(threads[i], &cancelled) == 0 && cancelled == NULL);
    return SALVOR_OK;
}

static salvor_status check_inventory(salvor_call *call)
{
    const struct salvor_inventory *inventory = mock_inventory(call);
    EXPECT(inventory->fact(call, "size", SALVOR_FACT_INFO, "[1,2]") == SALVOR_OK);
    EXPECT(inventory->fact(call, "size", SALVOR_FACT_INFO, "3") == SALVOR_OK);
    REFUSED_WITH(SALVOR_BUG, "'size' is of class 'info', not 'guard'",
                 inventory->fact(call, "size", SALVOR_FACT_GUARD, "3"));
    REFUSED_WITH(SALVOR_BUG, "unknown class 5", inventory->fact(call, "x", 5, "3"));
    REFUSED_WITH(SALVOR_BUG, "is not JSON", inventory->fact(call, "x", SALVOR_FACT_INFO, "{"));
    REFUSED_WITH(SALVOR_BUG, "'name' is empty", inventory->fact(call, "", SALVOR_FACT_INFO, "1"));
    REFUSED_WITH(SALVOR_BUG, "'json' is missing",
                 inventory->fact(call, "x", SALVOR_FACT_INFO, NULL));
    REFUSED_WITH(SALVOR_BUG, "not UTF-8", inventory->item(call, "a\xff", "b", "{}"));
    REFUSED_WITH(SALVOR_BUG, "not a JSON object", inventory->item(call, "a", "b", "[]"));
    EXPECT(inventory->item(call, "a", "b", NULL) == SALVOR_OK);
    return SALVOR_OK;
}

static salvor_status check_checkpoints_closed(salvor_call *call)
{
    REFUSED_WITH(SALVOR_BUG, "checkpoint cannot be called in 'discover'",
                 call->host->checkpoint(call, SALVOR_CHECKPOINT_CURSOR, "1"));
    EXPECT(call->host->last_checkpoint(call, SALVOR_CHECKPOINT_CURSOR) == NULL);
    return SALVOR_OK;
}

static salvor_status check_findings(salvor_call *call)
{
    const struct salvor_findings *findings =
        (const struct salvor_findings *)call->host->get_interface(call, SALVOR_FINDINGS, 1);
    EXPECT(findings->raise(call, "MOCK-OLD", SALVOR_SEVERITY_INFO, "set", "a year") == SALVOR_OK);
    REFUSED_WITH(SALVOR_BUG, "above 'warning'",
                 findings->raise(call, "MOCK-OLD", SALVOR_SEVERITY_BLOCKER, "", "x"));
    REFUSED_WITH(SALVOR_BUG, "no finding 'NEW'", findings->raise(call, "NEW", 0, "", "x"));
    REFUSED_WITH(SALVOR_BUG, "'object' is missing",
                 findings->raise(call, "MOCK-OLD", 0, NULL, "x"));
    return SALVOR_OK;
}

static struct salvor_planned_step a_step(const char *row, const char *target)
{
    struct salvor_planned_step step;
    memset(&step, 0, sizeof step);
    step.struct_size = sizeof step;
    step.row = row;
    step.target = target;
    step.consequence = "all of it";
    return step;
}

static salvor_status check_steps(salvor_call *call, const struct salvor_plan *plan)
{
    static const char *const guards[] = {"uid"};
    struct salvor_planned_step step = a_step("wipe", "two");
    char name[32];
    uint32_t index = 99;
    EXPECT(plan->step(call, &step, &index) == SALVOR_OK && index == 0);
    for (int i = 0; i < 1300; i++) {
        (void)snprintf(name, sizeof name, "two/%d", i);
        EXPECT(plan->object(call, index, name) == SALVOR_OK);
    }
    step = a_step("look", "two");
    REFUSED_WITH(SALVOR_BUG, "row 'look' comes after row 'wipe'", plan->step(call, &step, NULL));
    step = a_step("look", "three");
    EXPECT(plan->step(call, &step, &index) == SALVOR_OK && index == 1);
    step = a_step("finish", "two");
    REFUSED_WITH(SALVOR_BUG, "stage 'first' of procedure 'mend' has no row 'finish'",
                 plan->step(call, &step, NULL));
    step = a_step("wipe", "three");
    step.consequence = NULL;
    REFUSED_WITH(SALVOR_BUG, "say what will be lost", plan->step(call, &step, NULL));
    step = a_step("adjust", "three");
    step.guards = guards;
    step.guard_count = 1;
    REFUSED_WITH(SALVOR_BUG, "'uid' of row 'adjust' is no guard fact",
                 plan->step(call, &step, NULL));
    step.guard_count = 0;
    step.parameters = "[]";
    REFUSED_WITH(SALVOR_BUG, "'parameters' is not a JSON object", plan->step(call, &step, NULL));
    step.struct_size = 4;
    REFUSED_WITH(SALVOR_BUG, "struct_size", plan->step(call, &step, NULL));
    REFUSED_WITH(SALVOR_BUG, "there is no step 2", plan->object(call, 2, "x"));
    return SALVOR_OK;
}

static salvor_status check_plan(salvor_call *call)
{
    const struct salvor_plan *plan = mock_plan(call);
    struct salvor_planned_step step = a_step("look", "");
    REFUSED_WITH(SALVOR_BUG, "plan.step comes after plan.decide", plan->step(call, &step, NULL));
    REFUSED_WITH(SALVOR_BUG, "next_stage comes after", plan->next_stage(call, "second"));
    REFUSED_WITH(SALVOR_BUG, "no procedure 'none'", plan->decide(call, "none", "why"));
    REFUSED_WITH(SALVOR_BUG, "'reason' is empty", plan->decide(call, "mend", ""));
    EXPECT(plan->rule_out(call, "replace", "too much") == SALVOR_OK);
    EXPECT(plan->decide(call, "mend", "enough") == SALVOR_OK);
    if (check_steps(call, plan) != SALVOR_OK)
        return SALVOR_FAILED;
    REFUSED_WITH(SALVOR_BUG, "before the first step", plan->decide(call, "mend", "again"));
    REFUSED_WITH(SALVOR_BUG, "'first' is not a stage", plan->next_stage(call, "first"));
    REFUSED_WITH(SALVOR_BUG, "'all' is not a stage", plan->next_stage(call, "all"));
    REFUSED_WITH(SALVOR_BUG, "cannot be called in 'restore'", plan->note(call, "x"));
    REFUSED_WITH(SALVOR_BUG, "inventory.fact cannot",
                 mock_inventory(call)->fact(call, "x", SALVOR_FACT_INFO, "1"));
    EXPECT(plan->next_stage(call, "second") == SALVOR_OK);
    return SALVOR_END; /* the hook is over: what the mock does else would not fit */
}

static salvor_status check_run(salvor_call *call)
{
    const struct salvor_host *host = call->host;
    char *large = (char *)malloc(SALVOR_CHECKPOINT_LIMIT + 3);
    salvor_status too_large = SALVOR_OK;
    if (large != NULL) {
        memset(large, ' ', SALVOR_CHECKPOINT_LIMIT + 2);
        large[0] = '1';
        large[SALVOR_CHECKPOINT_LIMIT + 2] = '\0';
        too_large = host->checkpoint(call, SALVOR_CHECKPOINT_CURSOR, large);
        free(large);
    }
    EXPECT(too_large == SALVOR_BUG);
    REFUSED_WITH(SALVOR_BUG, "no kind 1", host->checkpoint(call, 1, "1"));
    EXPECT(strcmp(host->last_checkpoint(call, SALVOR_CHECKPOINT_CURSOR), "{\"at\":41}") == 0);
    EXPECT(host->last_checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE) == NULL);
    EXPECT(host->checkpoint(call, SALVOR_CHECKPOINT_CURSOR, "{ \"at\": 42 }") == SALVOR_OK);
    EXPECT(strcmp(host->last_checkpoint(call, SALVOR_CHECKPOINT_CURSOR), "{\"at\":42}") == 0);
    REFUSED_WITH(SALVOR_BUG, "'json' is not a JSON object",
                 mock_plan(call)->step_result(call, "1"));
    EXPECT(strcmp(host->facts(call), "{\"uid\":{\"class\":\"identity\",\"value\":\"1\"}}") == 0);
    return SALVOR_OK;
}

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    static salvor_status (*const checks[])(salvor_call *) = {
        check_options, check_time,      check_interfaces,
        check_threads, check_inventory, check_checkpoints_closed};
    if (strcmp(hook, "validate") == 0)
        return check_findings(call);
    if (strcmp(hook, "run_step") == 0)
        return check_run(call);
    if (strcmp(hook, "restore") == 0) {
        salvor_status status = check_plan(call);
        return status == SALVOR_END ? SALVOR_NEEDS_OPERATOR : status;
    }
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        salvor_status status = checks[i](call);
        if (status != SALVOR_OK)
            return status;
    }
    return SALVOR_OK;
}
