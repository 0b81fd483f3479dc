#include "../unit.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "engine/lock-target.h"

/* JSON texts; NULL for what is not given. */
static json_t *target_of(const char *site, const char *facts, struct error *err)
{
    cleanup_json json_t *of_site = site != NULL ? json_loads(site, 0, NULL) : NULL;
    cleanup_json json_t *all = json_loads(facts, 0, NULL);
    json_t *target = NULL;
    assert_non_null(all);
    (void)lock_target(of_site, all, "p", &target, err);
    return target;
}

static void site_says_which(void **state)
{
    (void)state;
    cleanup_json json_t *target =
        target_of("{\"kubeconfig\":\"/k\",\"namespace\":\"ops\"}",
                  "{\"salvor.rewinds\":{\"class\":\"info\",\"value\":[\"u-1\"]},"
                  "\"salvor.lock\":{\"class\":\"info\",\"value\":{\"context\":\"not this\"}}}",
                  NULL);
    assert_true(lock_target_is_lease(target));
    assert_string_equal(json_text(target, "from"), "site");
    assert_string_equal(json_text(target, "kubeconfig"), "/k");
    assert_true(json_is_null(json_object_get(target, "context")));
    assert_string_equal(json_text(target, "namespace"), "ops");
    assert_string_equal(json_text(target, "name"), "salvor");
    assert_int_equal(json_array_size(json_object_get(target, "rewinds")), 1);
    cleanup_free char *text = lock_target_text(target);
    assert_string_equal(text, "lease 'ops/salvor' in '/k'");
}

static void plugin_says_which_or_why_not(void **state)
{
    (void)state;
    cleanup_json json_t *lease = target_of(
        NULL, "{\"salvor.lock\":{\"class\":\"info\",\"value\":{\"context\":\"m\"}}}", NULL);
    assert_string_equal(json_text(lease, "from"), "plugin");
    cleanup_free char *text = lock_target_text(lease);
    assert_string_equal(text,
                        "lease 'kube-system/salvor' of the context 'm' in the usual kubeconfig");
    cleanup_json json_t *none = target_of(
        NULL, "{\"salvor.lock\":{\"class\":\"info\",\"value\":{\"none\":\"it is gone\"}}}", NULL);
    assert_false(lock_target_is_lease(none));
    assert_string_equal(json_text(none, "why"), "it is gone");
    cleanup_json json_t *silent = target_of(NULL, "{}", NULL);
    assert_string_equal(json_text(silent, "kind"), "none");
    assert_non_null(strstr(json_text(silent, "why"), "plugin 'p'"));
    cleanup_json json_t *null_site = target_of("null", "{}", NULL);
    assert_false(lock_target_is_lease(null_site));
}

static void wrong_facts_are_named(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"salvor.lock\":{\"class\":\"identity\",\"value\":{}}}",
        "{\"salvor.lock\":{\"class\":\"info\",\"value\":\"x\"}}",
        "{\"salvor.lock\":{\"class\":\"info\",\"value\":null}}",
        "{\"salvor.lock\":{\"class\":\"info\",\"value\":{\"none\":7}}}",
        "{\"salvor.lock\":{\"class\":\"info\",\"value\":{\"name\":\"\"}}}",
        "{\"salvor.lock\":{\"class\":\"info\",\"value\":{\"other\":\"x\"}}}",
        "{\"salvor.rewinds\":{\"class\":\"info\",\"value\":\"u\"}}",
        "{\"salvor.rewinds\":{\"class\":\"info\",\"value\":[\"\"]}}",
        "{\"salvor.rewinds\":{\"class\":\"guard\",\"value\":[]}}",
        "{\"salvor.later\":{\"class\":\"info\",\"value\":1}}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cleanup_error struct error err = ERROR_INIT;
        /* also where the site would have the last word */
        cleanup_json json_t *target = target_of("{\"kubeconfig\":\"/k\"}", bad[i], &err);
        if (target != NULL)
            fail_msg("%s was taken", bad[i]);
        assert_non_null(strstr(err.message, "plugin 'p' made a plan that cannot be run: fact "
                                            "'salvor."));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(site_says_which),
        cmocka_unit_test(plugin_says_which_or_why_not),
        cmocka_unit_test(wrong_facts_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
