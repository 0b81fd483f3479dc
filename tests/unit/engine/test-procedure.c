#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include <salvor/plugin.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/procedure.h"
#include "host/redact.h"
#include "practice.h"

/* A run with a journal in memory, a played worker and a person who says what the test says. */
struct fixture {
    struct run run;
    struct plugin_info *info;
    struct stage_order order;
    json_t *nothing;
    int says; /* to every question */
    char asked[512];
    int questions;
    const char *identity_after; /* of the system, once the question was answered; or NULL */
    char last_status[32];
    int manual_shown;
    size_t findings_shown;
};

static int on_ask(void *data, const char *question)
{
    struct fixture *fixture = data;
    (void)snprintf(fixture->asked, sizeof fixture->asked, "%s", question);
    fixture->questions++;
    if (fixture->identity_after != NULL)
        world.identity = fixture->identity_after;
    return fixture->says;
}

static int on_ask_text(void *data, const char *question, const char *expected)
{
    (void)expected;
    return on_ask(data, question);
}

static void on_manual(void *data, const json_t *step, const char *instructions)
{
    struct fixture *fixture = data;
    (void)step;
    assert_string_equal(instructions, "turn the light on node-1");
    fixture->manual_shown++;
    if (fixture->says == 1)
        world.done[HAND] = 1;
}

static void on_findings(void *data, const json_t *findings)
{
    struct fixture *fixture = data;
    fixture->findings_shown += json_array_size(findings);
}

static void on_step_end(void *data, const json_t *step, const char *status, int64_t duration_ms,
                        const struct error *error)
{
    struct fixture *fixture = data;
    (void)step;
    (void)duration_ms;
    (void)error;
    (void)snprintf(fixture->last_status, sizeof fixture->last_status, "%s", status);
}

static int begin(void **state)
{
    struct fixture *fixture = memory_new(1, sizeof *fixture);
    practice_reset();
    fixture->info = practice_info();
    fixture->nothing = json_array();
    fixture->says = 1;
    fixture->run = (struct run){
        .id = "test-run",
        .folder = "/nonexistent",
        .info = fixture->info,
        .build_id = "b1",
        .ui = {.data = fixture,
               .ask = on_ask,
               .ask_text = on_ask_text,
               .findings = on_findings,
               .manual = on_manual,
               .step_end = on_step_end},
        .client = client_new(NULL),
        .state = run_state_new(),
    };
    fixture->order = (struct stage_order){.kind = SALVOR_PROCEDURE_RESTORE,
                                          .approval = {.hashes = fixture->nothing}};
    *state = fixture;
    return journal_create(NULL, &fixture->run.journal, NULL);
}

static int finish(void **state)
{
    struct fixture *fixture = *state;
    run_finish(&fixture->run);
    plugin_info_free(fixture->info);
    json_decref(fixture->nothing);
    free(fixture);
    return 0;
}

static int go(struct fixture *fixture, int post_resync, struct error *err)
{
    return procedure_run(&fixture->run, &fixture->order, post_resync, err);
}

/* What a resumed process knows: the fold of the journal, and nothing else. */
static int fold(void *data, int64_t sequence, const json_t *body, struct error *reterr)
{
    (void)sequence;
    return run_state_apply(data, body, reterr);
}

static void resume(struct fixture *fixture)
{
    cleanup_error struct error err = ERROR_INIT;
    run_state_free(fixture->run.state);
    fixture->run.state = run_state_new();
    if (journal_each(fixture->run.journal, fold, fixture->run.state, &err) != 0)
        fail_msg("%s", err.message);
}

static void all_stages_run_in_order_and_once(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    world.has_first[LOOK] = world.has_first[CHANGE] = world.has_first[HAND] = 1;
    world.has_first[DESTROY] = world.second = 1;
    if (go(fixture, 1, &err) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(world.plan_calls, 2);
    for (int row = 0; row < PRACTICE_ROWS; row++)
        assert_int_equal(world.runs[row], row == HAND ? 0 : 1);
    assert_int_equal(fixture->manual_shown, 1);
    assert_int_equal(fixture->run.state->procedures_done, 2);
    assert_int_equal(json_array_size(fixture->run.state->results), 6);
}

static void what_is_already_so_is_skipped(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    world.has_first[CHANGE] = world.done[CHANGE] = 1;
    assert_int_equal(go(fixture, 0, &err), 0);
    assert_int_equal(world.runs[CHANGE], 0);
    assert_string_equal(fixture->last_status, "skipped");
}

static void nothing_runs_without_approval(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    world.has_first[CHANGE] = 1;
    fixture->says = -1;
    assert_int_equal(go(fixture, 0, &err), -1);
    assert_int_equal(err.code, EXIT_WAITS);
    assert_non_null(strstr(err.hint, "resume test-run --approve "));
    assert_int_equal(world.runs[CHANGE], 0);

    /* the hash that was shown is the hash that runs */
    cleanup_json json_t *hashes = json_array();
    json_add(hashes, json_string(strstr(err.hint, "--approve ") + strlen("--approve ")));
    char *quote = strchr(json_string_value(json_array_get(hashes, 0)), '\'');
    cleanup_free char *hash =
        text_copy_span(json_string_value(json_array_get(hashes, 0)),
                       (size_t)(quote - json_string_value(json_array_get(hashes, 0))));
    (void)json_array_clear(hashes);
    json_add(hashes, json_string(hash));
    resume(fixture);
    fixture->order.approval.hashes = hashes;
    assert_int_equal(go(fixture, 0, &err), 0);
    assert_int_equal(world.runs[CHANGE], 1);
    assert_string_equal(json_text(fixture->run.state->plan, "approved_by"), "hash");
}

static void a_changed_site_does_not_run_under_an_old_hash(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    world.has_first[CHANGE] = 1;
    fixture->says = -1;
    assert_int_equal(go(fixture, 0, &err), -1);
    cleanup_json json_t *hashes = json_make("[s]", run_state_plan_hash(fixture->run.state));
    world.revision = 8; /* a guard of the step */
    fixture->order.approval.hashes = hashes;
    assert_int_equal(go(fixture, 0, &err), -1);
    assert_int_equal(err.code, EXIT_REFUSED);
    assert_non_null(strstr(err.message, "guard fact 'rev'"));
    assert_int_equal(world.runs[CHANGE], 0);
}

static void another_identity_stops_before_the_effect(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    world.has_first[CHANGE] = 1;
    fixture->says = -1;
    assert_int_equal(go(fixture, 0, &err), -1);
    resume(fixture);
    fixture->says = 1;
    world.identity = "uid-2";
    assert_int_equal(go(fixture, 0, &err), -1);
    assert_int_equal(err.code, EXIT_REFUSED);
    assert_non_null(strstr(err.message, "identity fact 'id'"));
    assert_non_null(strstr(err.detail, "uid-2"));
    assert_int_equal(world.runs[CHANGE], 0);
}

static void a_retry_is_the_rows_own(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    world.has_first[CHANGE] = 1;
    world.run_status[CHANGE] = SALVOR_RETRY;
    world.run_status_times[CHANGE] = 2;
    assert_int_equal(go(fixture, 0, &err), 0);
    assert_int_equal(world.runs[CHANGE], 3);
}

static void after_the_last_attempt_it_has_failed(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    world.has_first[CHANGE] = 1;
    world.run_status[CHANGE] = SALVOR_RETRY;
    world.run_status_times[CHANGE] = 9;
    assert_int_equal(go(fixture, 0, &err), -1);
    assert_int_equal(err.code, EXIT_FAILED);
    assert_int_equal(world.runs[CHANGE], 3);
    assert_string_equal(fixture->last_status, "failed");

    world.run_status_times[CHANGE] = 0;
    resume(fixture);
    assert_int_equal(go(fixture, 0, &err), 0);
    assert_int_equal(world.runs[CHANGE], 4);
}

static void a_crash_costs_the_step_and_not_the_run(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    world.has_first[CHANGE] = 1;
    world.run_end[CHANGE] = CLIENT_CRASHED;
    assert_int_equal(go(fixture, 0, &err), -1);
    assert_int_equal(err.code, EXIT_FAILED);
    assert_non_null(strstr(err.hint, "resume test-run"));
    resume(fixture);
    assert_int_equal(run_state_next_step(fixture->run.state)->phase, STEP_UNKNOWN);
    world.run_end[CHANGE] = CLIENT_DONE;
    world.done[CHANGE] = 1; /* it had done its work before it crashed */
    assert_int_equal(go(fixture, 0, &err), 0);
    assert_int_equal(world.runs[CHANGE], 1);
}

static void in_progress_is_waited_for(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    world.has_first[CHANGE] = 1;
    world.checks_until_done[CHANGE] = 3;
    assert_int_equal(go(fixture, 0, &err), 0);
    assert_int_equal(world.checks_until_done[CHANGE], 0);
    assert_int_equal(world.runs[CHANGE], 1);
}

static void a_goal_that_is_never_reached_ends_at_the_deadline(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    world.has_first[CHANGE] = 1;
    world.checks_until_done[CHANGE] = 1 << 30;
    assert_int_equal(go(fixture, 0, &err), -1);
    assert_int_equal(err.code, EXIT_FAILED);
    assert_string_equal(fixture->last_status, "timed-out");
}

static void partial_after_the_run_is_another_attempt(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    world.has_first[CHANGE] = 1;
    world.answer[CHANGE] = SALVOR_CHECK_PARTIAL;
    assert_int_equal(go(fixture, 0, &err), -1);
    assert_int_equal(world.runs[CHANGE], 3);
    assert_non_null(strstr(err.message, "ended before its goal"));
}

static void what_an_earlier_process_left_half_done_is_continued(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    world.has_first[DESTROY] = 1; /* a row with one attempt */
    world.run_end[DESTROY] = CLIENT_CRASHED;
    assert_int_equal(go(fixture, 0, &err), -1);
    resume(fixture);
    world.run_end[DESTROY] = CLIENT_DONE;
    world.until_partial[DESTROY] = 3;
    assert_int_equal(go(fixture, 0, &err), 0);
    assert_int_equal(world.until_partial[DESTROY], 0);
    assert_int_equal(world.runs[DESTROY], 2);
}

static void a_conflict_stops_with_its_own_code(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    world.has_first[CHANGE] = 1;
    world.answer[CHANGE] = SALVOR_CHECK_CONFLICT;
    assert_int_equal(go(fixture, 0, &err), -1);
    assert_int_equal(err.code, EXIT_REFUSED);
    assert_int_equal(world.runs[CHANGE], 0);
}

static void settle(struct fixture *fixture, const char *as)
{
    assert_int_equal(run_record(&fixture->run, "settle",
                                json_make("{s:s, s:s}", "step", "mend/first/1", "as", as),
                                JOURNAL_DURABLE, NULL),
                     0);
}

static void the_operator_settles_what_cannot_be_told(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    world.has_first[CHANGE] = 1;
    world.run_end[CHANGE] = CLIENT_CRASHED;
    assert_int_equal(go(fixture, 0, &err), -1);
    world.run_end[CHANGE] = CLIENT_DONE;
    world.answer[CHANGE] = SALVOR_CHECK_UNKNOWN;
    assert_int_equal(go(fixture, 0, &err), -1);
    assert_int_equal(err.code, EXIT_OUTCOME_UNKNOWN);
    assert_non_null(strstr(err.hint, "--settle mend/first/1=done"));
    resume(fixture);
    settle(fixture, "done");
    assert_int_equal(go(fixture, 0, &err), 0);
    assert_int_equal(world.runs[CHANGE], 1);
}

static void a_manual_step_waits_for_the_person(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *approved = json_array();
    world.has_first[HAND] = 1;
    assert_int_equal(procedure_plan(&fixture->run, &fixture->order, &err), 0);
    json_add(approved, json_string(run_state_plan_hash(fixture->run.state)));
    fixture->order.approval.hashes = approved;
    fixture->says = 0;
    assert_int_equal(go(fixture, 0, &err), -1);
    assert_int_equal(err.code, EXIT_WAITS);
    resume(fixture);
    world.done[HAND] = 1; /* a person did it meanwhile */
    assert_int_equal(go(fixture, 0, &err), 0);
    assert_int_equal(world.runs[HAND], 0);
}

static void blockers_stop_unless_they_are_waived(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *source = json_make("{s:s, s:s}", "name", "set", "folder", "/x");
    cleanup_json json_t *waivers =
        json_make("[{s:s, s:s}]", "finding", "P-OLD", "reason", "there is no other");
    world.has_first[CHANGE] = 1;
    world.blocker = "P-OLD";
    fixture->run.source = source;
    assert_int_equal(go(fixture, 0, &err), -1);
    assert_int_equal(err.code, EXIT_BLOCKED);
    assert_non_null(strstr(err.hint, "--waive"));
    assert_int_equal(world.plan_calls, 0);
    fixture->order.waivers = waivers;
    assert_int_equal(go(fixture, 0, &err), 0);
    assert_int_equal(procedure_check_waivers(fixture->info, waivers, &err), 0);
    cleanup_json json_t *broken = json_make("[{s:s}]", "finding", "P-BROKEN");
    assert_int_equal(procedure_check_waivers(fixture->info, broken, &err), -1);
    assert_int_equal(err.code, EXIT_USAGE);
}

static void a_blocker_that_planning_finds_stops_as_well(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    world.has_first[CHANGE] = 1;
    world.plan_blocker = "P-OLD";
    assert_int_equal(go(fixture, 0, &err), -1);
    assert_int_equal(err.code, EXIT_BLOCKED);
    assert_int_equal(fixture->findings_shown, 1);
    assert_int_equal(world.runs[CHANGE], 0);
    world.plan_blocker = NULL; /* put right: the resumed run plans again and does not find it */
    resume(fixture);
    assert_int_equal(go(fixture, 0, &err), 0);
    assert_int_equal(world.runs[CHANGE], 1);
}

static void a_resumed_run_looks_again_at_what_blocked_it(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *source = json_make("{s:s, s:s}", "name", "set", "folder", "/x");
    world.has_first[CHANGE] = 1;
    world.blocker = "P-OLD";
    fixture->run.source = source;
    assert_int_equal(go(fixture, 0, &err), -1);
    resume(fixture);
    assert_int_equal(go(fixture, 0, &err), -1);
    assert_int_equal(err.code, EXIT_BLOCKED);
    world.blocker = NULL;
    resume(fixture);
    assert_int_equal(go(fixture, 0, &err), 0);
    assert_int_equal(world.runs[CHANGE], 1);
}

static void nobody_is_sent_to_another_site(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    world.has_first[HAND] = 1;
    fixture->says = 0;
    fixture->order.approval.yes = 1;
    assert_int_equal(go(fixture, 0, &err), -1);
    assert_int_equal(fixture->manual_shown, 1);
    resume(fixture);
    world.identity = "uid-2";
    assert_int_equal(go(fixture, 0, &err), -1);
    assert_int_equal(err.code, EXIT_REFUSED);
    assert_int_equal(fixture->manual_shown, 1);
}

static void no_wait_asks_nobody(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    world.has_first[HAND] = 1;
    fixture->order.approval.yes = 1;
    fixture->order.patience = PATIENCE_NONE;
    fixture->says = -1; /* told, but not done */
    assert_int_equal(go(fixture, 0, &err), -1);
    assert_int_equal(err.code, EXIT_WAITS);
    assert_string_equal(fixture->asked, "");
}

static void a_step_that_never_began_can_be_settled(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    world.has_first[CHANGE] = 1;
    world.answer[CHANGE] = SALVOR_CHECK_UNKNOWN;
    assert_int_equal(go(fixture, 0, &err), -1);
    assert_int_equal(err.code, EXIT_OUTCOME_UNKNOWN);
    resume(fixture);
    assert_true(run_state_next_step(fixture->run.state)->seen_unknown);
    settle(fixture, "done");
    assert_int_equal(go(fixture, 0, &err), 0);
    assert_int_equal(world.runs[CHANGE], 0);
}

static void what_a_person_does_has_to_exist(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *good = json_make("[s, s]", "change", "mend/first/2");
    static const char *const bad[] = {"chnage",         "mend/first/",    "mend/first/0",
                                      "mend/first/two", "mend/third/1",   "change/first/1",
                                      "mend/first/-1",  "mend/first/1/x", ""};
    assert_int_equal(procedure_check_manual(fixture->info, good, &err), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cleanup_json json_t *names = json_make("[s]", bad[i]);
        cleanup_error struct error why = ERROR_INIT;
        assert_int_equal(procedure_check_manual(fixture->info, names, &why), -1);
        assert_int_equal(why.code, EXIT_USAGE);
        assert_non_null(why.hint);
    }
}

/* How many steps a stage has, and which procedure is taken, only its plan tells. */
static void a_plan_holds_what_a_person_does(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *late = json_make("[s]", "mend/first/3");
    cleanup_json json_t *foreign = json_make("[s]", "save");
    world.has_first[LOOK] = world.has_first[CHANGE] = 1;
    fixture->order.manual = late;
    assert_int_equal(go(fixture, 0, &err), -1);
    assert_int_equal(err.code, EXIT_USAGE);
    assert_non_null(strstr(err.message, "it has 2 steps"));
    assert_non_null(strstr(err.hint, "'none'"));
    fixture->order.manual = foreign;
    assert_int_equal(go(fixture, 0, &err), -1);
    assert_non_null(strstr(err.message, "procedure 'mend', which this run takes, has no step"));
    cleanup_json json_t *good = json_make("[s, s]", "mend/first/2", "tidy");
    fixture->order.manual = good;
    world.done[CHANGE] = 1;
    assert_int_equal(go(fixture, 0, &err), 0);
    assert_int_equal(world.runs[CHANGE], 0);
}

static void what_is_worked_with_is_never_redacted_silently(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    world.has_first[CHANGE] = 1;
    redact_add("node-1", 6); /* the target of every step */
    int result = go(fixture, 0, &err);
    redact_clear();
    assert_int_equal(result, -1);
    assert_non_null(strstr(err.message, "puts a secret's value into a plan"));
    assert_null(strstr(err.message, "node-1"));
    assert_int_equal(world.runs[CHANGE], 0);
}

static void yes_does_not_cover_the_irreversible(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    world.has_first[CHANGE] = 1;
    fixture->order.approval.yes = 1;
    fixture->says = -1;
    assert_int_equal(go(fixture, 1, &err), -1);
    assert_int_equal(err.code, EXIT_WAITS);
    assert_int_equal(world.runs[CHANGE], 1);
    assert_int_equal(world.runs[TIDY], 0);
    resume(fixture);
    fixture->says = 1;
    assert_int_equal(go(fixture, 1, &err), 0);
    assert_int_equal(world.runs[TIDY], 1);
    assert_non_null(strstr(fixture->asked, "type 'node-1'"));
}

static void a_question_may_stand_for_hours(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    world.has_first[CHANGE] = 1;
    fixture->order.approval.yes = 1;
    fixture->says = 1;
    fixture->identity_after = "uid-2";
    assert_int_equal(go(fixture, 1, &err), -1);
    assert_int_equal(err.code, EXIT_REFUSED);
    assert_non_null(strstr(err.message, "identity fact 'id'"));
    assert_int_equal(fixture->questions, 1);
    assert_int_equal(world.runs[TIDY], 0);
    resume(fixture);
    world.identity = "uid-1";
    fixture->identity_after = NULL;
    error_clear(&err);
    assert_int_equal(go(fixture, 1, &err), 0);
    assert_int_equal(fixture->questions, 2);
    assert_int_equal(world.runs[TIDY], 1);
}

static void planning_runs_nothing(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    world.has_first[CHANGE] = world.has_first[DESTROY] = 1;
    assert_int_equal(procedure_plan(&fixture->run, &fixture->order, &err), 0);
    for (int row = 0; row < PRACTICE_ROWS; row++)
        assert_int_equal(world.runs[row], 0);
}

#define WITH_RUN(test) cmocka_unit_test_setup_teardown(test, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RUN(all_stages_run_in_order_and_once),
        WITH_RUN(what_is_already_so_is_skipped),
        WITH_RUN(nothing_runs_without_approval),
        WITH_RUN(a_changed_site_does_not_run_under_an_old_hash),
        WITH_RUN(another_identity_stops_before_the_effect),
        WITH_RUN(a_retry_is_the_rows_own),
        WITH_RUN(after_the_last_attempt_it_has_failed),
        WITH_RUN(a_crash_costs_the_step_and_not_the_run),
        WITH_RUN(in_progress_is_waited_for),
        WITH_RUN(a_goal_that_is_never_reached_ends_at_the_deadline),
        WITH_RUN(partial_after_the_run_is_another_attempt),
        WITH_RUN(what_an_earlier_process_left_half_done_is_continued),
        WITH_RUN(a_conflict_stops_with_its_own_code),
        WITH_RUN(the_operator_settles_what_cannot_be_told),
        WITH_RUN(a_manual_step_waits_for_the_person),
        WITH_RUN(blockers_stop_unless_they_are_waived),
        WITH_RUN(a_blocker_that_planning_finds_stops_as_well),
        WITH_RUN(a_resumed_run_looks_again_at_what_blocked_it),
        WITH_RUN(nobody_is_sent_to_another_site),
        WITH_RUN(no_wait_asks_nobody),
        WITH_RUN(a_step_that_never_began_can_be_settled),
        WITH_RUN(what_a_person_does_has_to_exist),
        WITH_RUN(a_plan_holds_what_a_person_does),
        WITH_RUN(what_is_worked_with_is_never_redacted_silently),
        WITH_RUN(yes_does_not_cover_the_irreversible),
        WITH_RUN(a_question_may_stand_for_hours),
        WITH_RUN(planning_runs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
