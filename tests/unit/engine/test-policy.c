#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "engine/policy.h"

static const char good[] =
    "{\"provider\":\"practice\",\"effect\":\"destructive\",\"procedures\":[\"mend\"],\"targets\":"
    "[\"node-*\"],\"max-steps\":2,\"max-objects\":5}";

static const char plan[] =
    "{\"provider\":\"practice\",\"procedure\":\"mend\",\"steps\":[{\"step\":\"a\",\"effect\":"
    "\"read\",\"target\":\"else\",\"objects\":null},{\"step\":\"b\",\"effect\":\"destructive\","
    "\"target\":\"node-1\",\"objects\":{\"count\":5,\"sha256\":\"x\"}}]}";

static void a_policy_covers_what_is_within_all_its_bounds(void **state)
{
    (void)state;
    cleanup_json json_t *policy = json_loads(good, 0, NULL);
    cleanup_json json_t *body = json_loads(plan, 0, NULL);
    char *why = NULL;
    assert_int_equal(policy_check(policy, "p", NULL), 0);
    assert_int_equal(policy_covers(policy, body, &why), 1);
    assert_null(why);
}

static void each_bound_is_named_when_it_is_passed(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        const char *value;
        const char *expected;
    } cases[] = {
        {"provider", "\"other\"", "provider 'other'"},
        {"procedures", "[\"else\"]", "procedure 'mend'"},
        {"targets", "[\"node-2\"]", "'node-1', which no pattern"},
        {"effect", "\"change\"", "step 'b' is destructive"},
        {"max-steps", "1", "2 steps"},
        {"max-objects", "4", "5 objects"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cleanup_json json_t *policy = json_loads(good, 0, NULL);
        cleanup_json json_t *body = json_loads(plan, 0, NULL);
        cleanup_free char *why = NULL;
        json_put(policy, cases[i].key, json_loads(cases[i].value, JSON_DECODE_ANY, NULL));
        assert_int_equal(policy_covers(policy, body, &why), 0);
        if (strstr(why, cases[i].expected) == NULL)
            fail_msg("'%s' lacks '%s'", why, cases[i].expected);
    }
}

static void malformed_policies_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        const char *value; /* NULL: removed */
        const char *expected;
    } cases[] = {
        {"provider", NULL, "'provider' is missing"},
        {"effect", "\"irreversible\"", "must be change or destructive"},
        {"effect", "\"read\"", "must be change or destructive"},
        {"procedures", "[]", "'procedures' must be a list"},
        {"targets", "\"node-1\"", "'targets' must be a list"},
        {"max-steps", "0", "'max-steps'"},
        {"max-objects", NULL, "'max-objects'"},
        {"max-object", "3", "unknown key 'max-object'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cleanup_json json_t *policy = json_loads(good, 0, NULL);
        cleanup_error struct error err = ERROR_INIT;
        if (cases[i].value == NULL)
            (void)json_object_del(policy, cases[i].key);
        else
            json_put(policy, cases[i].key, json_loads(cases[i].value, JSON_DECODE_ANY, NULL));
        assert_int_equal(policy_check(policy, "p.yaml", &err), -1);
        assert_int_equal(err.code, EXIT_USAGE);
        if (strstr(err.message, cases[i].expected) == NULL)
            fail_msg("'%s' lacks '%s'", err.message, cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_covers_what_is_within_all_its_bounds),
        cmocka_unit_test(each_bound_is_named_when_it_is_passed),
        cmocka_unit_test(malformed_policies_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
