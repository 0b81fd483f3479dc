#include "../unit.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "engine/plan.h"
#include "practice.h"

#include <salvor/plugin.h>

static struct plugin_info *info;

static struct plan_context context_of(const json_t *facts)
{
    return (struct plan_context){.info = info,
                                 .build_id = "b1",
                                 .kind = SALVOR_PROCEDURE_RESTORE,
                                 .number = 1,
                                 .facts = facts};
}

static int take(struct plan_builder *builder, const char *text, struct error *err)
{
    cleanup_json json_t *frame = json_loads(text, 0, NULL);
    assert_non_null(frame);
    return plan_builder_take(builder, frame, err);
}

static const char decide_mend[] = "{\"do\":\"decide\",\"procedure\":\"mend\",\"reason\":\"r\"}";

/* Takes each text; returns what came of it as the hash or the error's message. */
static char *outcome_of(const json_t *facts, const char *const *texts)
{
    struct plan_context context = context_of(facts);
    struct plan_builder *builder = plan_builder_new(&context);
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *body = NULL;
    int result = 0;
    for (size_t i = 0; result == 0 && texts[i] != NULL; i++)
        result = take(builder, texts[i], &err);
    if (result == 0)
        result = plan_builder_finish(builder, &body, &err);
    plan_builder_free(builder);
    if (result != 0)
        return strdup(err.message);
    char hash[DIGEST_TEXT_SIZE];
    plan_hash(body, hash);
    return strdup(hash);
}

#define OUTCOME(facts, ...) outcome_of(facts, (const char *const[]){__VA_ARGS__, NULL})

static void the_same_observation_gives_the_same_hash(void **state)
{
    (void)state;
    cleanup_json json_t *facts = json_loads("{\"uid\":{\"class\":\"identity\",\"value\":\"u\"},"
                                            "\"age\":{\"class\":\"info\",\"value\":1},"
                                            "\"rev\":{\"class\":\"guard\",\"value\":7}}",
                                            0, NULL);
    const char *step = "{\"do\":\"step\",\"row\":\"look\",\"target\":\"n\",\"parameters\":{\"b\":1,"
                       "\"a\":2}}";
    const char *guarded =
        "{\"do\":\"step\",\"row\":\"look\",\"target\":\"n\",\"guards\":[\"rev\"]}";
    cleanup_free char *first = OUTCOME(facts, decide_mend, step);
    cleanup_free char *guarded_first = OUTCOME(facts, decide_mend, guarded);
    json_put(json_object_get(facts, "age"), "value", json_integer(2));
    json_put(json_object_get(facts, "rev"), "value", json_integer(8));
    cleanup_free char *again = OUTCOME(facts, decide_mend, step);
    cleanup_free char *guarded_again = OUTCOME(facts, decide_mend, guarded);
    json_put(json_object_get(facts, "uid"), "value", json_string("other"));
    cleanup_free char *elsewhere = OUTCOME(facts, decide_mend, step);
    assert_int_equal(strlen(first), 64);
    assert_string_equal(first, again); /* info, and guards that no step names, do not count */
    assert_string_not_equal(guarded_first, guarded_again);
    assert_string_not_equal(first, elsewhere);
}

static void objects_are_part_of_the_hash(void **state)
{
    (void)state;
    const char *step = "{\"do\":\"step\",\"row\":\"destroy\",\"target\":\"n\"}";
    cleanup_free char *two = OUTCOME(NULL, decide_mend, step,
                                     "{\"do\":\"objects\",\"index\":0,\"names\":[\"a\",\"b\"]}");
    cleanup_free char *in_pieces =
        OUTCOME(NULL, decide_mend, step, "{\"do\":\"objects\",\"index\":0,\"names\":[\"a\"]}",
                "{\"do\":\"objects\",\"index\":0,\"names\":[\"b\"]}");
    cleanup_free char *joined = OUTCOME(NULL, decide_mend, step,
                                        "{\"do\":\"objects\",\"index\":0,\"names\":[\"a\\n1:b\"]}");
    cleanup_free char *none = OUTCOME(NULL, decide_mend, step);
    assert_string_equal(two, in_pieces);
    assert_string_not_equal(two, joined);
    assert_non_null(strstr(none, "names no object"));
}

static void plans_that_break_the_rules_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"{\"do\":\"step\",\"row\":\"finish\"}", "its stage has no row 'finish'"},
        {"{\"do\":\"step\",\"row\":\"look\",\"guards\":[\"nothing\"]}", "no guard fact: 'nothing'"},
        {"{\"do\":\"objects\",\"index\":0,\"names\":[\"a\"]}", "not in the stage"},
        {"{\"do\":\"next_stage\",\"stage\":\"first\"}", "not a later one"},
        {"{\"do\":\"next_stage\",\"stage\":\"nowhere\"}", "not a later one"},
        {"{\"do\":\"decide\",\"procedure\":\"after\"}", "of another kind 'after'"},
        {"{\"do\":\"decide\",\"procedure\":\"none\"}", "unknown procedure 'none'"},
        {"{\"do\":\"fact\",\"name\":\"x\",\"class\":\"odd\",\"value\":1}", "lacks its class"},
        {"{\"do\":\"dance\"}", "unknown part 'dance'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cleanup_free char *text = OUTCOME(NULL, decide_mend, cases[i].text);
        if (strstr(text, cases[i].expected) == NULL)
            fail_msg("case %zu: '%s' lacks '%s'", i, text, cases[i].expected);
    }
    cleanup_free char *undecided = OUTCOME(NULL, "{\"do\":\"step\",\"row\":\"look\"}");
    assert_non_null(strstr(undecided, "before it decides"));
}

static void the_documented_order_holds_on_each_target(void **state)
{
    (void)state;
    cleanup_free char *backwards =
        OUTCOME(NULL, decide_mend, "{\"do\":\"step\",\"row\":\"change\",\"target\":\"a\"}",
                "{\"do\":\"step\",\"row\":\"look\",\"target\":\"a\"}");
    cleanup_free char *other_target =
        OUTCOME(NULL, decide_mend, "{\"do\":\"step\",\"row\":\"change\",\"target\":\"a\"}",
                "{\"do\":\"step\",\"row\":\"look\",\"target\":\"b\"}");
    assert_non_null(strstr(backwards, "out of the documented order"));
    assert_int_equal(strlen(other_target), 64);
}

static void a_manual_step_says_exactly_what_to_do(void **state)
{
    (void)state;
    struct plan_context context = context_of(NULL);
    cleanup_json json_t *manual = json_make("[s]", "change");
    context.manual = manual;
    struct plan_builder *builder = plan_builder_new(&context);
    cleanup_json json_t *body = NULL;
    assert_int_equal(take(builder, decide_mend, NULL), 0);
    assert_int_equal(take(builder,
                          "{\"do\":\"step\",\"row\":\"change\",\"target\":\"n\",\"parameters\":{"
                          "\"to\":3}}",
                          NULL),
                     0);
    assert_int_equal(take(builder,
                          "{\"do\":\"step\",\"row\":\"hand\",\"target\":\"n\",\"parameters\":{"
                          "\"what\":\"{target}\"}}",
                          NULL),
                     0);
    assert_int_equal(plan_builder_finish(builder, &body, NULL), 0);
    plan_builder_free(builder);
    const json_t *steps = json_object_get(body, "steps");
    assert_true(json_flag(json_array_get(steps, 0), "manual"));
    assert_string_equal(json_text(json_array_get(steps, 0), "instructions"),
                        "by hand: Do change, on n, with {\"to\":3}");
    /* a parameter's own braces are not filled in again */
    assert_string_equal(json_text(json_array_get(steps, 1), "instructions"), "turn {target} on n");
}

static int make_info(void **state)
{
    (void)state;
    info = practice_info();
    return info == NULL;
}

static int drop_info(void **state)
{
    (void)state;
    plugin_info_free(info);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_observation_gives_the_same_hash),
        cmocka_unit_test(objects_are_part_of_the_hash),
        cmocka_unit_test(plans_that_break_the_rules_are_refused),
        cmocka_unit_test(the_documented_order_holds_on_each_target),
        cmocka_unit_test(a_manual_step_says_exactly_what_to_do),
    };
    return cmocka_run_group_tests(tests, make_info, drop_info);
}
