#include "../unit.h"

#include <salvor/helpers.h>
#include <string.h>

#include "fake-host.h"

static salvor_status run_row(salvor_call *call, const struct salvor_step *step, json_t *parameters)
{
    salvor_logf(call, SALVOR_LOG_INFO, "ran %s with %s", step->row,
                salvor_json_text(parameters, "/to", "nothing"));
    return SALVOR_OK;
}

static salvor_status check_row(salvor_call *call, const struct salvor_step *step,
                               json_t *parameters, uint32_t *ret_answer)
{
    (void)call, (void)step;
    *ret_answer = json_object_size(parameters) > 0 ? SALVOR_CHECK_DONE : SALVOR_CHECK_NOT_STARTED;
    return SALVOR_OK;
}

static const struct salvor_row_code rows[] = {
    {"first", run_row, check_row},
    {"by-hand", NULL, check_row},
};

static void dispatches_rows(void **state)
{
    struct fake_host host = {0};
    salvor_call *call = fake_call(&host);
    struct salvor_step step = {
        .struct_size = sizeof step, .row = "first", .parameters = "{\"to\":\"there\"}"};
    uint32_t answer = 0;
    (void)state;
    assert_int_equal(salvor_rows_run(rows, 2, call, &step), SALVOR_OK);
    assert_string_equal(host.recorded, "log 2000 ran first with there\n");
    assert_int_equal(salvor_rows_check(rows, 2, call, &step, &answer), SALVOR_OK);
    assert_int_equal(answer, SALVOR_CHECK_DONE);
    step.parameters = NULL;
    assert_int_equal(salvor_rows_check(rows, 2, call, &step, &answer), SALVOR_OK);
    assert_int_equal(answer, SALVOR_CHECK_NOT_STARTED);
    step.parameters = "{";
    assert_int_equal(salvor_rows_run(rows, 2, call, &step), SALVOR_FAILED);
    step.row = "by-hand";
    assert_int_equal(salvor_rows_run(rows, 2, call, &step), SALVOR_BUG);
    assert_string_equal(host.message, "nothing runs row 'by-hand'");
    step.row = "other";
    assert_int_equal(salvor_rows_check(rows, 2, call, &step, &answer), SALVOR_BUG);
    assert_string_equal(host.message, "nothing checks row 'other'");
}

static void jobs_answer(void **state)
{
    struct salvor_job_state job = {.struct_size = sizeof job, .state = SALVOR_JOB_ENDED};
    (void)state;
    assert_int_equal(salvor_job_answer(&job, SALVOR_CHECK_DONE), SALVOR_CHECK_DONE);
    assert_int_equal(salvor_job_answer(&job, SALVOR_CHECK_CONFLICT), SALVOR_CHECK_CONFLICT);
    job.exit_status = 1;
    assert_int_equal(salvor_job_answer(&job, SALVOR_CHECK_DONE), SALVOR_CHECK_PARTIAL);
    job.state = SALVOR_JOB_LOST;
    assert_int_equal(salvor_job_answer(&job, SALVOR_CHECK_DONE), SALVOR_CHECK_PARTIAL);
    job.state = SALVOR_JOB_RUNNING;
    assert_int_equal(salvor_job_answer(&job, SALVOR_CHECK_DONE), SALVOR_CHECK_IN_PROGRESS);
    job.state = SALVOR_JOB_ABSENT;
    assert_int_equal(salvor_job_answer(&job, SALVOR_CHECK_DONE), SALVOR_CHECK_NOT_STARTED);
    job.state = 17;
    assert_int_equal(salvor_job_answer(&job, SALVOR_CHECK_DONE), SALVOR_CHECK_UNKNOWN);
}

/* Everything that helpers do through the host, once, as a plugin would. */
static salvor_status tour(salvor_call *call)
{
    static const char *const guards[] = {"revision", NULL};
    uint32_t index = 0;
    char text[16];
    salvor_auto_json json_t *value = NULL;
    salvor_auto_json json_t *result = NULL;
    salvor_auto_json json_t *list = NULL;
    salvor_auto_json json_t *cursor = NULL;

    SALVOR_TRY(salvor_raise(call, "SITE-EMPTY", NULL, "no files below '%s'", "/srv"));
    SALVOR_TRY(salvor_raise_as(call, SALVOR_SEVERITY_INFO, "SITE-EMPTY", "a", "%d", 1));
    SALVOR_TRY(salvor_note(call, "%d of %d", 1, 3));
    SALVOR_TRY(salvor_observed(call, "uid", SALVOR_FACT_IDENTITY, json_string("u")));
    SALVOR_TRY(salvor_frozen(call, "count", SALVOR_FACT_GUARD, json_integer(3)));
    SALVOR_TRY(salvor_plan_step(
        call,
        &(struct salvor_step_plan){.row = "copy",
                                   .target = "n1",
                                   .parameters = salvor_json_build(call, "{s:i}", "to", 4),
                                   .guards = guards},
        &index));
    SALVOR_TRY(salvor_plan_step(
        call, &(struct salvor_step_plan){.row = "rest", .parameters = SALVOR_NO_PARAMETERS}, NULL));
    SALVOR_TRY(salvor_fact(call, "revision", &value));
    SALVOR_TRY(salvor_fact_text(call, "name", text, sizeof text));
    SALVOR_TRY(salvor_result(call, salvor_json_build(call, "{s:s}", "name", text)));
    SALVOR_TRY(salvor_result_of(call,
                                "[{\"row\":\"a\",\"target\":\"x\",\"result\":{\"n\":1}},"
                                "{\"row\":\"a\",\"target\":\"y\",\"result\":{\"n\":2}}]",
                                "a", "x", &result));
    SALVOR_TRY(salvor_option_list(call, "only", &list));
    SALVOR_TRY(salvor_checkpoint(call, SALVOR_CHECKPOINT_CURSOR, json_integer(9)));
    SALVOR_TRY(salvor_nothing_before(call));
    SALVOR_TRY(salvor_last_checkpoint(call, SALVOR_CHECKPOINT_CURSOR, &cursor));
    if (json_integer_value(value) != 12 || salvor_json_integer(result, "/n", 0) != 1 ||
        json_array_size(list) != 2 || json_integer_value(cursor) != 8)
        return SALVOR_BUG;
    return SALVOR_OK;
}

static const struct fake_option options[] = {
    {"only", "[\"a\",\"b\"]", 0}, {"count", NULL, 5}, {"on", NULL, 1}, {NULL, NULL, 0}};

static struct fake_host tour_host(void)
{
    const struct fake_host host = {
        .options = options,
        .facts = "{\"revision\":{\"class\":\"guard\",\"value\":12},"
                 "\"name\":{\"class\":\"info\",\"value\":\"etcd\"}}",
        .last_checkpoint = "8",
    };
    return host;
}

static void speaks_to_the_host(void **state)
{
    struct fake_host host = tour_host();
    (void)state;
    assert_int_equal(tour(fake_call(&host)), SALVOR_OK);
    assert_string_equal(host.recorded, "finding SITE-EMPTY 0 '' no files below '/srv'\n"
                                       "finding SITE-EMPTY 1000 'a' 1\n"
                                       "1 of 3\n"
                                       "fact 1000 uid \"u\"\n"
                                       "fact 2000 count 3\n"
                                       "step copy 'n1' {\"to\":4} guards=1 revision\n"
                                       "step rest '' {} guards=0\n"
                                       "{\"name\":\"etcd\"}\n"
                                       "checkpoint 2000 9\n"
                                       "checkpoint 1000 {}\n");
}

static void every_failing_call_is_passed_on(void **state)
{
    struct fake_host host = tour_host();
    (void)state;
    assert_int_equal(tour(fake_call(&host)), SALVOR_OK);
    const uint64_t calls = host.calls;
    assert_true(calls >= 8);
    for (uint64_t call = 1; call <= calls; call++) {
        fake_reset(&host);
        host.fail_call = call;
        assert_int_equal(tour(fake_call(&host)), SALVOR_FAILED);
        assert_int_equal(host.calls, call); /* nothing was asked after the failure */
    }
}

static void tells_what_is_missing(void **state)
{
    struct fake_host host = tour_host();
    salvor_call *call = fake_call(&host);
    json_t *json = NULL;
    const char *text = NULL;
    char small[3];
    (void)state;
    assert_int_equal(salvor_fact(call, "none", &json), SALVOR_NOT_FOUND);
    assert_int_equal(salvor_fact_text(call, "name", small, sizeof small), SALVOR_REFUSED);
    assert_int_equal(salvor_fact_text(call, "revision", small, sizeof small), SALVOR_REFUSED);
    assert_int_equal(salvor_result_of(call, "[]", "a", NULL, &json), SALVOR_NOT_FOUND);
    assert_int_equal(salvor_result_of(call, NULL, "a", NULL, &json), SALVOR_NOT_FOUND);
    assert_int_equal(salvor_option_need(call, "place", &text), SALVOR_REFUSED);
    assert_string_equal(host.message, "option 'place' is needed here");
    assert_int_equal(salvor_option_integer(call, "count", 1), 5);
    assert_int_equal(salvor_option_integer(call, "none", 1), 1);
    assert_int_equal(salvor_option_flag(call, "on"), 1);
    assert_int_equal(salvor_option_flag(call, "off"), 0);
    assert_string_equal(salvor_option_text(call, "none", "else"), "else");
    host.last_checkpoint = NULL;
    assert_int_equal(salvor_last_checkpoint(call, SALVOR_CHECKPOINT_CURSOR, &json),
                     SALVOR_NOT_FOUND);
    assert_int_equal(salvor_result(call, NULL), SALVOR_FAILED);
    assert_string_equal(host.message, "no memory for the result of the step");
    /* services that this host does not have */
    assert_null(salvor_kube_of(call));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dispatches_rows),       cmocka_unit_test(jobs_answer),
        cmocka_unit_test(speaks_to_the_host),    cmocka_unit_test(every_failing_call_is_passed_on),
        cmocka_unit_test(tells_what_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
