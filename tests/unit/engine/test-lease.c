/* What a run makes of its Lease; the keeper is played (practice-service.c). */
#include "../unit.h"

#include <poll.h>
#include <salvor/plugin.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/lease.h"
#include "engine/procedure.h"
#include "practice.h"

static const char *const hub = "{\"kubeconfig\":\"/etc/hub\"}";

struct fixture {
    struct run run;
    struct plugin_info *info;
    struct stage_order order;
    json_t *nothing;
    json_t *lock;
    char *logged;
};

static void on_log(void *data, uint32_t level, const char *text)
{
    struct fixture *fixture = data;
    char *all =
        text_format("%s%u %s\n", fixture->logged != NULL ? fixture->logged : "", level, text);
    free(fixture->logged);
    fixture->logged = all;
}

static int begin(void **state)
{
    struct fixture *fixture = memory_new(1, sizeof *fixture);
    const struct lease_settings settings = {.provider = "practice", .site = "lab"};
    practice_reset();
    practice_keeper_reset();
    world.done[HAND] = 1;
    fixture->info = practice_info();
    fixture->nothing = json_array();
    fixture->run = (struct run){
        .id = "test-run",
        .folder = "/nonexistent",
        .info = fixture->info,
        .build_id = "b1",
        .ui = {.data = fixture, .log = on_log},
        .client = client_new(NULL),
        .lease = lease_new(&settings),
        .state = run_state_new(),
    };
    fixture->order = (struct stage_order){.kind = SALVOR_PROCEDURE_RESTORE,
                                          .approval = {.hashes = fixture->nothing, .yes = 1}};
    *state = fixture;
    return journal_create(NULL, &fixture->run.journal, NULL);
}

static int finish(void **state)
{
    struct fixture *fixture = *state;
    run_finish(&fixture->run);
    plugin_info_free(fixture->info);
    json_decref(fixture->nothing);
    json_decref(fixture->lock);
    free(fixture->logged);
    free(fixture);
    practice_keeper_reset();
    return 0;
}

static void use_site_lock(struct fixture *fixture)
{
    fixture->lock = json_loads(hub, 0, NULL);
    fixture->run.lock = fixture->lock;
}

static int go(struct fixture *fixture, struct error *err)
{
    return procedure_run(&fixture->run, &fixture->order, 0, err);
}

static void expect_success(struct fixture *fixture)
{
    cleanup_error struct error err = ERROR_INIT;
    if (go(fixture, &err) != 0)
        fail_msg("%s", err.message);
}

static void expect_refusal(struct fixture *fixture, const char *message, struct error *err)
{
    if (go(fixture, err) == 0)
        fail_msg("nothing was refused");
    if (strstr(err->message, message) == NULL)
        fail_msg("'%s' does not say '%s'", err->message, message);
    assert_int_equal(err->code, EXIT_REFUSED);
}

struct search {
    const char *event;
    json_t *found; /* newest, owned */
    int count;
};

static int look_for(void *data, int64_t sequence, const json_t *body, struct error *reterr)
{
    struct search *search = data;
    (void)sequence, (void)reterr;
    if (!text_equal(json_text(body, "type"), "lock") ||
        !text_equal(json_text(body, "event"), search->event))
        return 0;
    search->count++;
    json_decref(search->found);
    search->found = json_clone(body);
    return 0;
}

/* Newest record of that event, owned by the caller. */
static json_t *record_of(struct fixture *fixture, const char *event, int *ret_count)
{
    struct search search = {event, NULL, 0};
    assert_int_equal(journal_each(fixture->run.journal, look_for, &search, NULL), 0);
    *ret_count = search.count;
    return search.found;
}

static void expect_records(struct fixture *fixture, const char *event, int expected)
{
    int count = 0;
    json_decref(record_of(fixture, event, &count));
    assert_int_equal(count, expected);
}

static const json_t *planned_lock(const struct fixture *fixture)
{
    return json_object_get(json_object_get(fixture->run.state->plan, "body"), "lock");
}

/* ---- taking it ------------------------------------------------------------------------------- */

static void site_lock_is_taken_kept_and_given_back(void **state)
{
    struct fixture *fixture = *state;
    int count = 0;
    use_site_lock(fixture);
    world.has_first[CHANGE] = world.has_first[DESTROY] = world.second = 1;
    expect_success(fixture);
    const json_t *request = json_object_get(keeper.request, "request");
    const json_t *target = json_object_get(request, "target");
    assert_string_equal(json_text(keeper.request, "name"), "lease.keep");
    assert_int_equal(json_whole(keeper.request, "effect", 0), SALVOR_EFFECT_CHANGE);
    assert_string_equal(json_text(target, "kubeconfig"), "/etc/hub");
    assert_string_equal(json_text(target, "namespace"), "kube-system");
    assert_string_equal(json_text(target, "name"), "salvor");
    const json_t *who = json_object_get(request, "who");
    assert_string_equal(json_text(who, "run"), "test-run");
    assert_string_equal(json_text(who, "site"), "lab");
    assert_int_equal(json_whole(who, "pid", 0), getpid());
    assert_non_null(strstr(json_text(request, "identity"), "/test-run/"));
    assert_true(json_flag(request, "has_run_lock"));
    assert_int_equal(keeper.begun, 1);
    assert_int_equal(keeper.heads, 2); /* one an approval */
    cleanup_json json_t *taken = record_of(fixture, "taken", &count);
    assert_int_equal(count, 1);
    assert_string_equal(json_text(taken, "cluster"), "uid-hub");
    assert_true(json_equal(json_object_get(taken, "target"), planned_lock(fixture)));
    assert_int_equal(lease_record(&fixture->run, NULL), 0);
    cleanup_json json_t *kept = record_of(fixture, "kept", &count);
    assert_int_equal(json_whole(kept, "renewals", 0), 3);
    lease_release(&fixture->run, "the-end");
    assert_int_equal(keeper.releases, 1);
    assert_string_equal(keeper.head, "the-end");
    lease_release(&fixture->run, "again"); /* nothing is held any more */
    assert_int_equal(keeper.releases, 1);
    assert_null(strstr(fixture->logged, "not given back"));
}

static void nothing_is_looked_at_while_another_works(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    use_site_lock(fixture);
    world.has_first[CHANGE] = 1;
    keeper.lost = "the lease 'kube-system/salvor' is held by run 'x' on 'host-b'";
    expect_refusal(fixture, "is held by run 'x'", &err);
    assert_string_equal(err.detail, "the detail");
    assert_string_equal(err.hint, "the hint");
    assert_int_equal(world.discoveries, 0);
    assert_int_equal(world.runs[CHANGE], 0);
    expect_records(fixture, "taken", 0);
}

static void plugin_can_name_the_cluster(void **state)
{
    struct fixture *fixture = *state;
    world.has_first[CHANGE] = 1;
    world.lock = "{\"context\":\"mgmt\",\"name\":\"restore\"}";
    expect_success(fixture);
    const json_t *target = json_object_get(json_object_get(keeper.request, "request"), "target");
    assert_string_equal(json_text(target, "from"), "plugin");
    assert_string_equal(json_text(target, "context"), "mgmt");
    assert_string_equal(json_text(target, "name"), "restore");
    assert_int_equal(world.discoveries, 1);
}

/* Who had to wait has seen what somebody else was still changing. */
static void what_was_seen_before_the_wait_is_seen_again(void **state)
{
    struct fixture *fixture = *state;
    world.has_first[CHANGE] = 1;
    world.lock = "{}";
    keeper.waits = 2;
    keeper.from = "run 'dead' on 'host-b'";
    expect_success(fixture);
    assert_int_equal(world.discoveries, 2);
    assert_int_equal(world.plan_calls, 1);
    int count = 0;
    cleanup_json json_t *taken = record_of(fixture, "taken", &count);
    assert_true(json_flag(taken, "waited"));
    assert_string_equal(json_text(taken, "from"), "run 'dead' on 'host-b'");
}

static void plan_that_names_it_late_is_made_again(void **state)
{
    struct fixture *fixture = *state;
    world.has_first[CHANGE] = 1;
    world.plan_lock = "{\"context\":\"new-cluster\"}";
    keeper.waits = 1;
    expect_success(fixture);
    assert_int_equal(world.plan_calls, 2);
    assert_int_equal(world.discoveries, 2);
    assert_int_equal(world.runs[CHANGE], 1);
    assert_int_equal(keeper.begun, 1);
}

static void without_any_cluster_the_plan_says_so(void **state)
{
    struct fixture *fixture = *state;
    int count = 0;
    world.has_first[CHANGE] = 1;
    expect_success(fixture);
    assert_int_equal(keeper.begun, 0);
    assert_string_equal(json_text(planned_lock(fixture), "kind"), "none");
    cleanup_json json_t *none = record_of(fixture, "none", &count);
    assert_non_null(none);
    assert_int_equal(count, 1);
    assert_non_null(strstr(json_text(none, "why"), "neither the site ('lock-kubeconfig')"));
}

static void reason_of_the_plugin_is_told(void **state)
{
    struct fixture *fixture = *state;
    world.has_first[CHANGE] = world.second = 1;
    world.lock = "{\"none\":\"the only cluster is the one that is rebuilt\"}";
    expect_success(fixture);
    assert_string_equal(json_text(planned_lock(fixture), "why"),
                        "the only cluster is the one that is rebuilt");
    expect_records(fixture, "none", 1); /* once, for all stages */
}

static void site_goes_before_the_plugin(void **state)
{
    struct fixture *fixture = *state;
    use_site_lock(fixture);
    world.has_first[CHANGE] = 1;
    world.lock = "{\"none\":\"the only cluster is the one that is rebuilt\"}";
    expect_success(fixture);
    assert_string_equal(json_text(planned_lock(fixture), "from"), "site");
    assert_int_equal(keeper.begun, 1);
}

static void plan_without_effect_names_none(void **state)
{
    struct fixture *fixture = *state;
    use_site_lock(fixture);
    world.has_first[LOOK] = 1;
    expect_success(fixture);
    assert_true(json_is_null(planned_lock(fixture)));
    expect_records(fixture, "none", 0);
}

static void procedures_that_change_nothing_take_none(void **state)
{
    struct fixture *fixture = *state;
    use_site_lock(fixture);
    fixture->order.kind = SALVOR_PROCEDURE_BACKUP; /* the made-up provider has none of these */
    (void)go(fixture, NULL);
    assert_int_equal(keeper.begun, 0);
}

static void another_cluster_is_another_lease(void **state)
{
    struct fixture *fixture = *state;
    world.has_first[CHANGE] = 1;
    world.lock = "{\"context\":\"first\"}";
    world.plan_lock = "{\"context\":\"second\"}";
    expect_success(fixture);
    assert_int_equal(keeper.begun, 2);
    assert_int_equal(keeper.releases, 1);
    expect_records(fixture, "taken", 2);
}

static void facts_of_the_plugin_are_checked(void **state)
{
    static const char *const bad[] = {"[]",
                                      "{\"none\":\"\"}",
                                      "{\"none\":\"x\",\"name\":\"y\"}",
                                      "{\"kubeconfg\":\"/x\"}",
                                      "{\"name\":7}",
                                      "{\"name\":\"\"}"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        void *own = NULL;
        cleanup_error struct error err = ERROR_INIT;
        assert_int_equal(begin(&own), 0);
        struct fixture *fixture = own;
        world.has_first[CHANGE] = 1;
        world.plan_lock = bad[i];
        assert_int_equal(go(fixture, &err), -1);
        if (strstr(err.message, "fact 'salvor.lock'") == NULL)
            fail_msg("%s: %s", bad[i], err.message);
        assert_int_equal(world.runs[CHANGE], 0);
        (void)finish(&own);
    }
}

/* ---- while it is kept ------------------------------------------------------------------------ */

static void lose_it(int row)
{
    if (row == CHANGE)
        keeper.lost = "the lease 'kube-system/salvor' of this run is lost: it was deleted";
}

static void loss_stops_before_the_next_step(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    use_site_lock(fixture);
    world.has_first[CHANGE] = world.has_first[DESTROY] = 1;
    world.on_run = lose_it;
    expect_refusal(fixture, "it was deleted, before step 'mend/first/2'", &err);
    assert_int_equal(world.runs[CHANGE], 1);
    assert_int_equal(world.runs[DESTROY], 0);
    /* the step under way came to its end */
    assert_int_equal(run_state_step(fixture->run.state, "mend/first/1")->phase, STEP_DONE);
    assert_non_null(strstr(err.hint, "salvor resume test-run"));
    expect_records(fixture, "lost", 1);
    lease_release(&fixture->run, "head");
    assert_int_equal(keeper.releases, 0);
}

/* The step takes long enough for its successor to ask anew. */
static void fail_renewals(int row)
{
    if (row == CHANGE)
        keeper.trouble = "connection refused";
    (void)poll(NULL, 0, 30);
}

/* Longer than the second step can be begun after. */
static void fail_renewals_and_dawdle(int row)
{
    fail_renewals(row);
    (void)poll(NULL, 0, 190);
}

static void outage_is_endured_while_time_is_left(void **state)
{
    struct fixture *fixture = *state;
    use_site_lock(fixture);
    world.has_first[CHANGE] = world.has_first[DESTROY] = 1;
    world.on_run = fail_renewals;
    expect_success(fixture);
    assert_int_equal(world.runs[DESTROY], 1);
    assert_int_equal(keeper.renewed, 1); /* asked for at least before the second step */
}

static void lease_that_runs_out_stops(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    use_site_lock(fixture);
    world.has_first[CHANGE] = world.has_first[DESTROY] = 1;
    world.on_run = fail_renewals_and_dawdle;
    keeper.lasts_ms = 425;
    const int64_t began = clock_monotonic_ms();
    expect_refusal(fixture, "has run out, before step 'mend/first/2'", &err);
    assert_in_range(clock_monotonic_ms() - began, 400, 10000); /* it was waited for */
    assert_string_equal(err.detail, "it could not be renewed: connection refused");
    assert_int_equal(world.runs[CHANGE], 1);
    assert_int_equal(world.runs[DESTROY], 0);
    assert_non_null(strstr(fixture->logged, "waiting until the lease can be renewed"));
}

static void mend_renewals(void *data)
{
    const struct fixture *fixture = data;
    if (fixture->logged != NULL && strstr(fixture->logged, "waiting until the lease") != NULL)
        keeper.trouble = NULL;
}

static void outage_that_ends_in_time_costs_only_time(void **state)
{
    struct fixture *fixture = *state;
    use_site_lock(fixture);
    fixture->run.ui.tick = mend_renewals;
    world.has_first[CHANGE] = world.has_first[DESTROY] = 1;
    world.on_run = fail_renewals_and_dawdle;
    keeper.lasts_ms = 425;
    expect_success(fixture);
    assert_int_equal(world.runs[DESTROY], 1);
}

static void crash_it(int row)
{
    if (row == CHANGE)
        keeper.crashes = 1;
}

static void keeper_that_crashes_is_started_again(void **state)
{
    struct fixture *fixture = *state;
    use_site_lock(fixture);
    world.has_first[CHANGE] = world.has_first[DESTROY] = 1;
    world.on_run = crash_it;
    expect_success(fixture);
    assert_int_equal(keeper.begun, 2);
    const json_t *request = json_object_get(keeper.request, "request");
    assert_non_null(strstr(json_text(request, "identity"), "/test-run/"));
    assert_string_equal(json_text(request, "expected"), "uid-hub");
    assert_non_null(strstr(fixture->logged, "is started again"));
}

static void silence_of_the_keeper_is_not_waited_for_for_ever(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    use_site_lock(fixture);
    world.has_first[CHANGE] = 1;
    keeper.silent = 1;
    keeper.lasts_ms = 0;
    expect_refusal(fixture, "has run out", &err);
    assert_int_equal(world.runs[CHANGE], 0);
}

static void what_is_not_given_back_is_told(void **state)
{
    struct fixture *fixture = *state;
    use_site_lock(fixture);
    world.has_first[CHANGE] = 1;
    keeper.not_released = "connection refused";
    expect_success(fixture);
    lease_release(&fixture->run, "head");
    assert_non_null(strstr(fixture->logged, "was not given back: connection refused; others can"));
}

static void run_that_ends_early_kills_its_keeper(void **state)
{
    struct fixture *fixture = *state;
    use_site_lock(fixture);
    world.has_first[CHANGE] = 1;
    expect_success(fixture);
    lease_free(take_pointer(fixture->run.lease));
    assert_int_equal(keeper.killed, 1);
}

static int fold(void *data, int64_t sequence, const json_t *body, struct error *reterr)
{
    (void)sequence;
    return run_state_apply(data, body, reterr);
}

/* Resumed, the run takes what its approved plan names, in the cluster of then. */
static void resumed_run_takes_the_lease_of_its_plan(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    const struct lease_settings settings = {.provider = "practice", .site = "lab"};
    world.lock = "{\"context\":\"mgmt\"}";
    world.has_first[CHANGE] = world.has_first[DESTROY] = 1;
    world.on_run = lose_it;
    expect_refusal(fixture, "it was deleted", &err);
    lease_free(fixture->run.lease);
    run_state_free(fixture->run.state);
    fixture->run.lease = lease_new(&settings);
    fixture->run.state = run_state_new();
    assert_int_equal(journal_each(fixture->run.journal, fold, fixture->run.state, NULL), 0);
    practice_keeper_reset();
    world.on_run = NULL;
    world.discoveries = 0;
    expect_success(fixture);
    assert_int_equal(world.discoveries, 0);
    assert_int_equal(world.runs[CHANGE], 1);
    assert_int_equal(world.runs[DESTROY], 1);
    const json_t *request = json_object_get(keeper.request, "request");
    assert_string_equal(json_text(request, "expected"), "uid-hub");
    assert_string_equal(json_text(json_object_get(request, "target"), "context"), "mgmt");
}

static void runs_without_effect_know_of_none(void **state)
{
    struct fixture *fixture = *state;
    use_site_lock(fixture);
    lease_free(take_pointer(fixture->run.lease));
    world.has_first[CHANGE] = 1;
    assert_int_equal(procedure_plan(&fixture->run, &fixture->order, NULL), 0);
    assert_int_equal(keeper.begun, 0);
    assert_string_equal(json_text(planned_lock(fixture), "kind"), "lease");
    lease_pump(&fixture->run);
    lease_put_head(&fixture->run, "head");
    assert_int_equal(lease_record(&fixture->run, NULL), 0);
    lease_release(&fixture->run, "head");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(site_lock_is_taken_kept_and_given_back),
        TEST(nothing_is_looked_at_while_another_works),
        TEST(plugin_can_name_the_cluster),
        TEST(what_was_seen_before_the_wait_is_seen_again),
        TEST(plan_that_names_it_late_is_made_again),
        TEST(without_any_cluster_the_plan_says_so),
        TEST(reason_of_the_plugin_is_told),
        TEST(site_goes_before_the_plugin),
        TEST(plan_without_effect_names_none),
        TEST(procedures_that_change_nothing_take_none),
        TEST(another_cluster_is_another_lease),
        cmocka_unit_test(facts_of_the_plugin_are_checked),
        TEST(loss_stops_before_the_next_step),
        TEST(outage_is_endured_while_time_is_left),
        TEST(lease_that_runs_out_stops),
        TEST(outage_that_ends_in_time_costs_only_time),
        TEST(keeper_that_crashes_is_started_again),
        TEST(silence_of_the_keeper_is_not_waited_for_for_ever),
        TEST(what_is_not_given_back_is_told),
        TEST(run_that_ends_early_kills_its_keeper),
        TEST(resumed_run_takes_the_lease_of_its_plan),
        TEST(runs_without_effect_know_of_none),
    };
    (void)setenv("SALVOR_LEASE_MS", "1000", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
