#include "../unit.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "config/lock-setting.h"

static void settings_of_file_and_line_together(void **state)
{
    (void)state;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *members =
        json_make("{s:s, s:s, s:s}", "provider", "shop", "lock-kubeconfig", "/etc/hub", "lock-name",
                  "shop.prod");
    cleanup_json json_t *given =
        json_make("{s:s, s:s}", "lock-name", "other", "endpoint", "https://x");
    cleanup_json json_t *lock = NULL;
    assert_int_equal(lock_setting_take(members, given, &lock, &err), 0);
    assert_string_equal(json_text(lock, "kubeconfig"), "/etc/hub");
    assert_string_equal(json_text(lock, "name"), "other");
    assert_null(json_object_get(lock, "context"));
    assert_int_equal(json_object_size(given), 1); /* the provider's option stays */
}

static void without_any_there_is_none(void **state)
{
    (void)state;
    cleanup_json json_t *members = json_make("{s:s}", "provider", "shop");
    cleanup_json json_t *given = json_object();
    json_t *lock = members;
    assert_int_equal(lock_setting_take(members, given, &lock, NULL), 0);
    assert_null(lock);
    assert_int_equal(lock_setting_take(NULL, given, &lock, NULL), 0);
    assert_null(lock);
    assert_int_equal(lock_setting_take(members, NULL, &lock, NULL), 0);
    assert_null(lock);
}

static void paths_start_where_salvor_does(void **state)
{
    (void)state;
    cleanup_json json_t *given = json_make("{s:s}", "lock-kubeconfig", "hub.yaml");
    cleanup_json json_t *lock = NULL;
    assert_int_equal(lock_setting_take(NULL, given, &lock, NULL), 0);
    assert_int_equal(json_text(lock, "kubeconfig")[0], '/');
    assert_non_null(strstr(json_text(lock, "kubeconfig"), "/hub.yaml"));
}

static void names_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *value;
        int good;
    } values[] = {
        {"lock-namespace", "kube-system", 1},
        {"lock-namespace", "a.b", 0},
        {"lock-namespace", "-a", 0},
        {"lock-namespace", "", 0},
        {"lock-namespace", "Prod", 0},
        {"lock-name", "site.prod", 1},
        {"lock-name", "site.", 0},
        {"lock-name", "a/b", 0},
        {"lock-context", "admin@hub", 1},
        {"lock-context", "", 0},
        {"lock-kubeconfig", "", 0},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        cleanup_error struct error err = ERROR_INIT;
        cleanup_json json_t *given = json_make("{s:s}", values[i].name, values[i].value);
        cleanup_json json_t *lock = NULL;
        const int good = lock_setting_take(NULL, given, &lock, &err) == 0;
        if (good != values[i].good)
            fail_msg("'%s' as %s is %s", values[i].value, values[i].name,
                     good ? "taken" : err.message);
        if (!good)
            assert_int_equal(err.code, EXIT_USAGE);
    }
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *twice = json_make("{s:[s, s]}", "lock-name", "a", "b");
    json_t *lock = NULL;
    assert_int_equal(lock_setting_take(NULL, twice, &lock, &err), -1);
    assert_string_equal(err.message, "'lock-name' is given twice");
}

static void settings_are_told_from_options(void **state)
{
    (void)state;
    assert_true(lock_setting_is("lock-kubeconfig"));
    assert_true(lock_setting_is("lock-name"));
    assert_false(lock_setting_is("lock"));
    assert_false(lock_setting_is("kubeconfig"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_of_file_and_line_together),
        cmocka_unit_test(without_any_there_is_none),
        cmocka_unit_test(paths_start_where_salvor_does),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(settings_are_told_from_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
