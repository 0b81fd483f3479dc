#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include <salvor/plugin.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "engine/drill.h"
#include "engine/procedure.h"
#include "practice.h"

static const struct engine_drill on_unmarked = {"prod", 0};
static const struct engine_drill on_marked = {"prod", 1};

static void effect_needs_a_marked_site(void **state)
{
    (void)state;
    struct site site = {.name = (char *)"lab"};
    const struct {
        const struct engine_drill *drill;
        int dry_run;
        int passes;
    } cases[] = {{NULL, 0, 1},         {NULL, 1, 1},       {&on_unmarked, 1, 1},
                 {&on_unmarked, 0, 0}, {&on_marked, 0, 1}, {&on_marked, 1, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct engine_request request = {
            .site = &site, .drill = cases[i].drill, .dry_run = cases[i].dry_run};
        cleanup_error struct error err = ERROR_INIT;
        assert_int_equal(drill_check_request(&request, &err) == 0, cases[i].passes);
        if (!cases[i].passes) {
            assert_int_equal(err.code, EXIT_REFUSED);
            assert_non_null(strstr(err.message, "'lab'"));
            assert_non_null(strstr(err.hint, "practice: true"));
        }
    }
}

static int goes_on(const char *record, const char *const *practice_sites)
{
    cleanup_json json_t *run = json_loads(record, 0, NULL);
    cleanup_error struct error err = ERROR_INIT;
    return drill_check_resume(run, practice_sites, &err) == 0;
}

static void a_resume_asks_again(void **state)
{
    (void)state;
    static const char *const marked[] = {"old", "lab", NULL};
    static const char *const others[] = {"old", NULL};
    static const char *const none[] = {NULL};
    static const char drill[] = "{\"site\":\"lab\",\"drill\":{\"of\":\"prod\",\"practice\":true}}";
    assert_true(goes_on(drill, marked));
    assert_false(goes_on(drill, others));
    assert_false(goes_on(drill, none));
    assert_false(goes_on(drill, NULL));
    assert_false(
        goes_on("{\"site\":\"lab\",\"drill\":{\"of\":\"prod\",\"practice\":false}}", marked));
    assert_true(goes_on("{\"site\":\"prod\",\"drill\":null}", none)); /* a restore */
    assert_true(goes_on("{\"site\":\"prod\"}", none)); /* of a salvor that knew no drills */
}

struct fixture {
    struct run run;
    struct plugin_info *info;
    struct stage_order order;
    json_t *nothing;
};

static int begin(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    practice_reset();
    fixture->info = practice_info();
    fixture->nothing = json_array();
    fixture->run = (struct run){.id = "test-run",
                                .folder = "/nonexistent",
                                .info = fixture->info,
                                .build_id = "b1",
                                .client = client_new(NULL),
                                .state = run_state_new()};
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

static int rehearse(struct fixture *fixture, json_t **ret_told, struct error *err)
{
    if (procedure_plan(&fixture->run, &fixture->order, err) != 0)
        fail_msg("%s", err->message);
    int result = drill_rehearse(&fixture->run, &fixture->order, 1, ret_told, err);
    for (int row = 0; row < PRACTICE_ROWS; row++)
        assert_int_equal(world.runs[row], 0);
    return result;
}

static const char *answer_of(const json_t *told, size_t index)
{
    return json_text(json_array_get(json_object_get(told, "checks"), index), "answer");
}

static void every_check_is_asked_and_nothing_is_run(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *told = NULL;
    world.has_first[LOOK] = world.has_first[CHANGE] = world.has_first[HAND] = 1;
    world.has_first[DESTROY] = world.second = 1;
    world.done[LOOK] = 1;
    assert_int_equal(rehearse(fixture, &told, &err), 0);
    assert_string_equal(answer_of(told, 0), "done");
    assert_string_equal(answer_of(told, 1), "not-started");
    assert_int_equal(json_array_size(json_object_get(told, "not_run")), 4);
    assert_string_equal(json_text(told, "later_stage"), "second");
    assert_true(json_flag(told, "post_resync"));
}

static void what_a_restore_would_begin_with_must_be_seen(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *told = NULL;
    world.has_first[LOOK] = world.has_first[CHANGE] = world.has_first[DESTROY] = 1;
    world.done[LOOK] = 1;
    world.answer[DESTROY] = SALVOR_CHECK_UNKNOWN; /* before its turn: nothing to see yet */
    assert_int_equal(rehearse(fixture, &told, &err), 0);
    json_decref(told);
    told = NULL;
    world.answer[CHANGE] = SALVOR_CHECK_UNKNOWN;
    assert_int_equal(rehearse(fixture, &told, &err), -1);
    assert_int_equal(err.code, EXIT_FAILED);
    assert_non_null(strstr(err.message, "'mend/first/2' (Do change) cannot be looked at"));
    assert_non_null(told); /* what else was tried is told all the same */
}

static void another_site_meanwhile_ends_it(void **state)
{
    struct fixture *fixture = *state;
    cleanup_error struct error err = ERROR_INIT;
    json_t *told = NULL;
    world.has_first[LOOK] = 1;
    assert_int_equal(procedure_plan(&fixture->run, &fixture->order, &err), 0);
    world.identity = "uid-2";
    assert_int_equal(drill_rehearse(&fixture->run, &fixture->order, 1, &told, &err), -1);
    assert_int_equal(err.code, EXIT_REFUSED);
    assert_null(told);
}

#define WITH_RUN(test) cmocka_unit_test_setup_teardown(test, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(effect_needs_a_marked_site),
        cmocka_unit_test(a_resume_asks_again),
        WITH_RUN(every_check_is_asked_and_nothing_is_run),
        WITH_RUN(what_a_restore_would_begin_with_must_be_seen),
        WITH_RUN(another_site_meanwhile_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
