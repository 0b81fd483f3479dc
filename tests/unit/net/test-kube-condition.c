#include "../unit.h"

#include "base/cleanup.h"
#include "net/kube-condition.h"

static const char ready[] =
    "{\"metadata\":{\"generation\":3},\"status\":{\"observedGeneration\":3,\"phase\":\"Running\","
    "\"replicas\":2,\"none\":null,\"a/"
    "b\":{\"~\":[5]},\"conditions\":[{\"type\":\"Ready\",\"status\":"
    "\"True\"},{\"type\":\"Progressing\",\"status\":\"False\"}]}}";

static int holds(const char *condition, const char *object)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *asked = json_loads(condition, 0, NULL);
    cleanup_json json_t *seen = object != NULL ? json_loads(object, 0, NULL) : NULL;
    if (kube_condition_check(asked, &err) != 0)
        fail_msg("%s: %s", condition, err.message);
    return kube_condition_holds(asked, seen);
}

static void every_kind(void **state)
{
    (void)state;
    assert_true(holds("{\"exists\":true}", ready));
    assert_false(holds("{\"exists\":false}", ready));
    assert_true(holds("{\"path\":\"/status/phase\",\"equals\":\"Running\"}", ready));
    assert_false(holds("{\"path\":\"/status/phase\",\"equals\":\"Gone\"}", ready));
    assert_true(holds("{\"path\":\"/status/phase\",\"not_equals\":\"Gone\"}", ready));
    assert_true(holds("{\"path\":\"/status/nothing\",\"equals\":null}", ready));
    assert_true(holds("{\"path\":\"/status/none\",\"exists\":false}", ready));
    assert_true(holds("{\"path\":\"/status/replicas\",\"equals\":2.0}", ready));
    assert_true(holds("{\"path\":\"/status/replicas\",\"at_least\":2}", ready));
    assert_false(holds("{\"path\":\"/status/replicas\",\"at_least\":3}", ready));
    assert_false(holds("{\"path\":\"/status/phase\",\"at_least\":0}", ready));
    assert_true(holds("{\"path\":\"/status/a~1b/~0/0\",\"equals\":5}", ready));
    assert_true(holds("{\"condition\":\"Ready\"}", ready));
    assert_false(holds("{\"condition\":\"Progressing\"}", ready));
    assert_true(holds("{\"condition\":\"Progressing\",\"status\":\"False\"}", ready));
    assert_false(holds("{\"condition\":\"Unheard\"}", ready));
    assert_true(holds("{\"observed\":true}", ready));
    assert_false(holds("{\"observed\":true}", "{\"metadata\":{\"generation\":4}}"));
    assert_true(holds("{\"all\":[{\"observed\":true},{\"condition\":\"Ready\"}]}", ready));
    assert_false(holds("{\"all\":[{\"observed\":true},{\"exists\":false}]}", ready));
    assert_true(holds("{\"any\":[{\"exists\":false},{\"condition\":\"Ready\"}]}", ready));
}

static void of_what_is_not_there_only_that_holds(void **state)
{
    (void)state;
    assert_true(holds("{\"exists\":false}", NULL));
    assert_false(holds("{\"exists\":true}", NULL));
    assert_false(holds("{\"path\":\"/status/phase\",\"equals\":null}", NULL));
    assert_false(holds("{\"path\":\"/status/phase\",\"not_equals\":\"x\"}", NULL));
    assert_false(holds("{\"path\":\"/status/phase\",\"exists\":false}", NULL));
    assert_false(holds("{\"condition\":\"Ready\",\"status\":\"False\"}", NULL));
    assert_false(holds("{\"observed\":true}", NULL));
}

static void what_is_no_condition(void **state)
{
    static const char *const cases[] = {
        "{}",
        "[]",
        "{\"exists\":1}",
        "{\"exists\":true,\"more\":1}",
        "{\"path\":\"status\",\"equals\":1}",
        "{\"path\":\"/status\"}",
        "{\"path\":\"/status\",\"equals\":1,\"exists\":true}",
        "{\"path\":\"/status\",\"at_least\":\"1\"}",
        "{\"condition\":\"Ready\",\"status\":true}",
        "{\"observed\":false}",
        "{\"all\":[]}",
        "{\"any\":[{\"exists\":7}]}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cleanup_error struct error err = ERROR_INIT;
        cleanup_json json_t *asked = json_loads(cases[i], 0, NULL);
        assert_int_equal(kube_condition_check(asked, &err), -1);
        assert_non_null(err.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind),
        cmocka_unit_test(of_what_is_not_there_only_that_holds),
        cmocka_unit_test(what_is_no_condition),
    };
    return cmocka_run_group_tests_name("net/kube-condition", tests, NULL, NULL);
}
