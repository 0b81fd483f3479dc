#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "report/lock.h"

static struct fold begin(void)
{
    return (struct fold){.report = json_make("{s:{}}", "left_out"), .at = "2026-01-02T03:04:05Z"};
}

static void take(struct fold *fold, const char *record)
{
    cleanup_json json_t *json = json_loads(record, 0, NULL);
    assert_non_null(json);
    fold_lock(fold, json);
}

static void expect(const struct fold *fold, const char *expected)
{
    cleanup_free char *text = view_lock(fold->report);
    if (expected == NULL)
        assert_null(text);
    else
        assert_string_equal(text, expected);
}

static const char *newest_moment(const struct fold *fold)
{
    const json_t *timeline = json_object_get(fold->report, "timeline");
    return json_text(json_array_get(timeline, json_array_size(timeline) - 1), "text");
}

static void what_was_held_is_told(void **state)
{
    (void)state;
    struct fold fold = begin();
    expect(&fold, NULL);
    take(&fold, "{\"event\":\"taken\",\"text\":\"lease 'a/b' in '/k'\",\"cluster\":\"u\"}");
    expect(&fold, "lease 'a/b' in '/k'");
    assert_string_equal(newest_moment(&fold), "holds the lease 'a/b' in '/k'");
    take(&fold, "{\"event\":\"kept\",\"renewals\":5,\"failures\":1,\"longest_gap_ms\":2000}");
    expect(&fold, "lease 'a/b' in '/k', renewed 5 times, at most 2.0 s apart");
    /* resumed: another process went on with it */
    take(&fold, "{\"event\":\"taken\",\"text\":\"lease 'a/b' in '/k'\",\"from\":\"run 'r'\"}");
    assert_string_equal(newest_moment(&fold),
                        "holds the lease 'a/b' in '/k', taken over from run 'r'");
    take(&fold, "{\"event\":\"kept\",\"renewals\":2,\"longest_gap_ms\":1000}");
    expect(&fold, "lease 'a/b' in '/k', renewed 7 times, at most 2.0 s apart");
    assert_string_equal(json_text(json_object_get(fold.report, "lock"), "cluster"), "u");
    json_decref(fold.report);
}

static void trouble_and_loss_are_told(void **state)
{
    (void)state;
    struct fold fold = begin();
    take(&fold, "{\"event\":\"taken\",\"text\":\"lease 'a/b'\"}");
    take(&fold, "{\"event\":\"trouble\",\"text\":\"lease 'a/b'\",\"why\":\"refused\"}");
    expect(&fold, "lease 'a/b', at last not renewed");
    assert_string_equal(newest_moment(&fold), "the lease could not be renewed: refused");
    take(&fold, "{\"event\":\"recovered\",\"text\":\"lease 'a/b'\"}");
    expect(&fold, "lease 'a/b'");
    take(&fold, "{\"event\":\"lost\",\"text\":\"lease 'a/b'\",\"why\":\"it was deleted\"}");
    expect(&fold, "lease 'a/b', lost");
    assert_string_equal(newest_moment(&fold), "it was deleted");
    json_decref(fold.report);
}

static void plans_tell_what_would_be_locked(void **state)
{
    (void)state;
    cleanup_json json_t *lease =
        json_make("{s:s, s:s, s:s}", "kind", "lease", "namespace", "a", "name", "b");
    cleanup_json json_t *none = json_make("{s:s, s:s}", "kind", "none", "why", "it is gone");
    struct fold fold = begin();
    fold_planned_lock(&fold, NULL);
    expect(&fold, NULL);
    fold_planned_lock(&fold, lease);
    expect(&fold, "lease 'a/b', not taken");
    take(&fold, "{\"event\":\"taken\",\"text\":\"lease 'a/b' in '/k'\"}");
    fold_planned_lock(&fold, none); /* what happened outweighs what is planned next */
    expect(&fold, "lease 'a/b' in '/k'");
    json_decref(fold.report);
    fold = begin();
    fold_planned_lock(&fold, none);
    expect(&fold, "none across machines: it is gone");
    take(&fold, "{\"event\":\"none\",\"why\":\"it is gone\"}");
    expect(&fold, "none across machines: it is gone");
    json_decref(fold.report);
}

static void damaged_records_harm_nobody(void **state)
{
    (void)state;
    static const char *const records[] = {
        "{}",
        "{\"event\":7}",
        "{\"event\":\"taken\"}",
        "{\"event\":\"kept\",\"renewals\":-4}",
        "{\"event\":\"kept\",\"renewals\":9223372036854775807,\"longest_gap_ms\":\"x\"}",
        "{\"event\":\"none\"}",
        "{\"event\":\"lost\"}"};
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        struct fold fold = begin();
        take(&fold, records[i]);
        free(view_lock(fold.report));
        json_decref(fold.report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_held_is_told),
        cmocka_unit_test(trouble_and_loss_are_told),
        cmocka_unit_test(plans_tell_what_would_be_locked),
        cmocka_unit_test(damaged_records_harm_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
