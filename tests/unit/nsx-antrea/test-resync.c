/* The end of the resynchronisation: seen when all signs are there, and held up by each of them. */
#include "nsx-antrea/resync.h"

#include <salvor/helpers.h>
#include <string.h>

#include "nsx-antrea/classify.h"
#include "nsx-antrea/picture.h"
#include "sdk/fake-host.h"
#include "situation.h"
#include "unit.h"

static json_t *signs_of(const json_t *before, const json_t *now)
{
    static struct fake_host host;
    salvor_call *call = fake_call(&host);
    struct picture *earlier = NULL;
    struct picture *picture = NULL;
    json_t *classes = NULL;
    json_t *signs = NULL;
    assert_int_equal(picture_open(call, now, &picture), SALVOR_OK);
    if (before != NULL)
        assert_int_equal(picture_open(call, before, &earlier), SALVOR_OK);
    assert_int_equal(classify(call, picture, &classes), SALVOR_OK);
    assert_int_equal(resync_signs(call, picture, earlier, classes, &signs), SALVOR_OK);
    picture_free(picture);
    picture_free(earlier);
    json_decref(classes);
    return signs;
}

static void expect_held_up(const char *path, const char *format, const char *value,
                           const char *sign, const char *seen)
{
    json_t *before = situation_new();
    json_t *now = situation_new();
    situation_set(now, path, format, value);
    json_t *signs = signs_of(before, now);
    const json_t *entry = NULL;
    size_t index = 0;
    int found = 0;
    assert_false(salvor_json_flag(signs, "/ended", 1));
    json_array_foreach (json_object_get(signs, "signs"), index, entry) {
        if (strcmp(salvor_json_text(entry, "/state", ""), "not-yet") != 0)
            continue;
        assert_string_equal(salvor_json_text(entry, "/sign", ""), sign);
        assert_non_null(strstr(salvor_json_text(entry, "/seen", ""), seen));
        found++;
    }
    assert_int_equal(found, 1);
    json_decref(signs);
    json_decref(before);
    json_decref(now);
}

static void ended(void **state)
{
    (void)state;
    json_t *before = situation_new();
    json_t *now = situation_new();
    json_t *signs = signs_of(before, now);
    assert_true(salvor_json_flag(signs, "/ended", 0));
    assert_int_equal(salvor_json_integer(signs, "/done", 0), 3);
    assert_int_equal(salvor_json_integer(signs, "/total", 0), 3);
    json_decref(signs);
    json_decref(before);
    json_decref(now);
}

static void one_sample_is_not_enough(void **state)
{
    (void)state;
    json_t *now = situation_new();
    json_t *signs = signs_of(NULL, now);
    assert_false(salvor_json_flag(signs, "/ended", 1));
    json_decref(signs);
    json_decref(now);
}

static void each_sign_holds_the_end_up(void **state)
{
    (void)state;
    expect_held_up("/managers/restore/status", "s", "RUNNING", "restore", "'RUNNING'");
    expect_held_up("/managers/cluster_status/management", "s", "INITIALIZING", "managers",
                   "INITIALIZING");
    expect_held_up("/managers/control_planes/0/status/ccp_adapter", "s", "UNKNOWN", "heartbeat",
                   "ccp_adapter is UNKNOWN");
}

static void other_counts_hold_it_up(void **state)
{
    (void)state;
    json_t *before = situation_new();
    json_t *now = situation_new();
    situation_set(now, "/clusters/1/counts/pods", "i", 13);
    json_t *signs = signs_of(before, now);
    assert_false(salvor_json_flag(signs, "/ended", 1));
    assert_int_equal(salvor_json_integer(signs, "/done", 0), 2);
    json_decref(signs);
    json_decref(before);
    json_decref(now);
}

static void a_heartbeat_within_the_margin_is_not_surely_after(void **state)
{
    (void)state;
    json_t *before = situation_new();
    json_t *now = situation_new();
    situation_set(now, "/managers/control_planes/0/status/heartbeat", "I",
                  (json_int_t)(SITUATION_END + 30000));
    json_t *signs = signs_of(before, now);
    assert_false(salvor_json_flag(signs, "/ended", 1));
    json_decref(signs);
    json_decref(before);
    json_decref(now);
}

/* One restored manager of three stays degraded for as long as no other is added. */
static void degraded_managers_hold_nothing_up(void **state)
{
    (void)state;
    json_t *before = situation_new();
    json_t *now = situation_new();
    situation_set(now, "/managers/cluster_status/management", "s", "DEGRADED");
    json_t *signs = signs_of(before, now);
    assert_true(salvor_json_flag(signs, "/ended", 0));
    json_decref(signs);
    json_decref(before);
    json_decref(now);
}

static void unrealized_policies_hold_it_up(void **state)
{
    (void)state;
    json_t *before = situation_new();
    json_t *now = situation_new();
    situation_set(now, "/policies_unrealized", "{s:i}", "alpha", 2);
    json_t *signs = signs_of(before, now);
    assert_false(salvor_json_flag(signs, "/ended", 1));
    assert_int_equal(salvor_json_integer(signs, "/done", 0), 2);
    json_decref(signs);
    json_decref(before);
    json_decref(now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ended),
        cmocka_unit_test(one_sample_is_not_enough),
        cmocka_unit_test(each_sign_holds_the_end_up),
        cmocka_unit_test(other_counts_hold_it_up),
        cmocka_unit_test(a_heartbeat_within_the_margin_is_not_surely_after),
        cmocka_unit_test(degraded_managers_hold_nothing_up),
        cmocka_unit_test(unrealized_policies_hold_it_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
