#include "../unit.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "engine/run-state.h"

static const char plan[] =
    "{\"type\":\"plan\",\"hash\":\"h1\",\"stage\":\"s\",\"number\":1,\"body\":{\"next_stage\":"
    "\"t\",\"steps\":[{\"step\":\"p/s/1\",\"row\":\"r\",\"target\":\"x\"},{\"step\":\"p/s/2\","
    "\"row\":\"r\",\"target\":\"y\"}]}}";

static int apply(struct run_state *state, const char *text, struct error *err)
{
    cleanup_json json_t *record = json_loads(text, 0, NULL);
    assert_non_null(record);
    return run_state_apply(state, record, err);
}

static void an_intent_without_outcome_is_unknown(void **state)
{
    (void)state;
    struct run_state *run = run_state_new();
    assert_int_equal(apply(run, plan, NULL), 0);
    assert_int_equal(apply(run, "{\"type\":\"approval\",\"hash\":\"h1\"}", NULL), 0);
    assert_int_equal(apply(run, "{\"type\":\"intent\",\"step\":\"p/s/1\",\"attempt\":1}", NULL), 0);
    struct step_state *step = run_state_step(run, "p/s/1");
    assert_int_equal(step->phase, STEP_UNKNOWN);
    assert_ptr_equal(run_state_next_step(run), step);
    assert_int_equal(
        apply(run, "{\"type\":\"result\",\"step\":\"p/s/1\",\"result\":{\"a\":1}}", NULL), 0);
    assert_int_equal(
        apply(run, "{\"type\":\"outcome\",\"step\":\"p/s/1\",\"status\":\"done\"}", NULL), 0);
    assert_int_equal(step->phase, STEP_DONE);
    assert_int_equal(json_array_size(run->results), 1);
    assert_string_equal(run_state_next_step(run)->instance, "p/s/2");
    assert_int_equal(apply(run, "{\"type\":\"intent\",\"step\":\"p/s/2\",\"attempt\":1}", NULL), 0);
    assert_int_equal(
        apply(run, "{\"type\":\"outcome\",\"step\":\"p/s/2\",\"status\":\"crashed\"}", NULL), 0);
    assert_int_equal(run_state_step(run, "p/s/2")->phase, STEP_UNKNOWN);
    assert_int_equal(
        apply(run, "{\"type\":\"outcome\",\"step\":\"p/s/2\",\"status\":\"skipped\"}", NULL), 0);
    assert_int_equal(apply(run, "{\"type\":\"stage\",\"stage\":\"s\"}", NULL), 0);
    assert_string_equal(run->next_stage, "t");
    run_state_free(run);
}

static void a_resume_may_name_what_the_run_began_without(void **state)
{
    (void)state;
    struct run_state *run = run_state_new();
    assert_int_equal(apply(run, "{\"type\":\"run\",\"manual\":[],\"seal\":{\"all\":false}}", NULL),
                     0);
    assert_int_equal(apply(run, "{\"type\":\"resume\",\"seal\":null,\"manual\":null}", NULL), 0);
    assert_int_equal(json_object_size(json_object_get(run->run, "seal")), 1);
    assert_int_equal(
        apply(run, "{\"type\":\"resume\",\"seal\":{\"recipients\":[\"a\"]},\"manual\":[\"r\"]}",
              NULL),
        0);
    assert_int_equal(
        json_array_size(json_object_get(json_object_get(run->run, "seal"), "recipients")), 1);
    assert_int_equal(json_array_size(run->manual), 1);
    run_state_free(run);
}

static void records_that_contradict_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"type\":\"intent\",\"step\":\"p/s/1\"}",    /* not approved */
        "{\"type\":\"intent\",\"step\":\"p/s/9\"}",    /* no such step */
        "{\"type\":\"approval\",\"hash\":\"other\"}",  /* another plan */
        "{\"type\":\"stage\",\"stage\":\"s\"}",        /* steps left */
        "{\"type\":\"fact\",\"name\":\"x\"}",          /* no value */
        "{\"type\":\"phase\",\"phase\":\"dreaming\"}", /* no such phase */
        "{\"no\":\"type\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct run_state *run = run_state_new();
        cleanup_error struct error err = ERROR_INIT;
        assert_int_equal(apply(run, plan, NULL), 0);
        assert_int_equal(apply(run, bad[i], &err), -1);
        assert_non_null(strstr(err.message, "contradicts"));
        run_state_free(run);
    }
}

static void a_plan_may_be_made_anew_until_it_is_approved(void **state)
{
    (void)state;
    struct run_state *run = run_state_new();
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(apply(run, plan, NULL), 0);
    assert_int_equal(apply(run, plan, NULL), 0);
    assert_int_equal(apply(run, "{\"type\":\"approval\",\"hash\":\"h1\",\"by\":\"yes\"}", NULL), 0);
    assert_int_equal(apply(run, plan, &err), -1);
    run_state_free(run);
}

static void a_new_discovery_forgets_the_old_facts(void **state)
{
    (void)state;
    struct run_state *run = run_state_new();
    static const char fact[] = "{\"type\":\"fact\",\"name\":\"x\",\"class\":\"guard\",\"value\":1}";
    assert_int_equal(apply(run, "{\"type\":\"phase\",\"phase\":\"discovering\"}", NULL), 0);
    assert_int_equal(apply(run, fact, NULL), 0);
    assert_int_equal(json_object_size(run->facts), 1);
    assert_int_equal(apply(run, "{\"type\":\"phase\",\"phase\":\"discovering\"}", NULL), 0);
    assert_int_equal(json_object_size(run->facts), 0);
    run_state_free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_intent_without_outcome_is_unknown),
        cmocka_unit_test(a_resume_may_name_what_the_run_began_without),
        cmocka_unit_test(records_that_contradict_are_refused),
        cmocka_unit_test(a_plan_may_be_made_anew_until_it_is_approved),
        cmocka_unit_test(a_new_discovery_forgets_the_old_facts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
