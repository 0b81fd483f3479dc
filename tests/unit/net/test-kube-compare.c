#include "../unit.h"

#include "base/cleanup.h"
#include "net/kube-compare.h"

static int covers(const char *live, const char *sent, const char *subresource)
{
    cleanup_json json_t *a = json_loads(live, 0, NULL);
    cleanup_json json_t *b = json_loads(sent, 0, NULL);
    return kube_covers(a, b, subresource);
}

static int covers_patch(const char *live, const char *patch)
{
    cleanup_json json_t *a = json_loads(live, 0, NULL);
    cleanup_json json_t *b = json_loads(patch, 0, NULL);
    return kube_covers_patch(a, b);
}

static void what_the_server_adds_does_not_count(void **state)
{
    (void)state;
    assert_true(covers("{\"metadata\":{\"name\":\"n\",\"uid\":\"u\",\"resourceVersion\":\"7\","
                       "\"labels\":{\"a\":\"b\",\"c\":\"d\"}},\"spec\":{\"x\":1,\"default\":2},"
                       "\"status\":{\"phase\":\"Active\"}}",
                       "{\"metadata\":{\"name\":\"n\",\"resourceVersion\":\"3\",\"uid\":\"v\","
                       "\"labels\":{\"a\":\"b\"},\"annotations\":{}},\"spec\":{\"x\":1},"
                       "\"status\":{\"phase\":\"Gone\"}}",
                       NULL));
    assert_true(
        covers("{\"spec\":{\"n\":55}}", "{\"spec\":{\"n\":55.0,\"z\":null,\"e\":\"\"}}", NULL));
    assert_true(covers("{\"spec\":{\"l\":[{\"a\":1,\"more\":2}]}}",
                       "{\"spec\":{\"l\":[{\"a\":1}]}}", NULL));
}

static void what_differs_does(void **state)
{
    (void)state;
    assert_false(covers("{\"data\":{\"a\":\"1\"}}", "{\"data\":{\"a\":\"2\"}}", NULL));
    assert_false(covers("{\"data\":{}}", "{\"data\":{\"a\":\"2\"}}", NULL));
    assert_false(covers("{\"spec\":{\"l\":[1,2]}}", "{\"spec\":{\"l\":[1]}}", NULL));
    assert_false(covers("{\"metadata\":{\"labels\":{}}}",
                        "{\"metadata\":{\"labels\":{\"a\":\"b\"}}}", NULL));
    assert_false(
        covers("{\"spec\":{\"n\":9007199254740993}}", "{\"spec\":{\"n\":9007199254740992}}", NULL));
    assert_false(covers("{\"a\":true}", "{\"a\":\"true\"}", NULL));
    assert_false(covers("[]", "{}", NULL));
}

static void a_status_is_compared_alone(void **state)
{
    (void)state;
    static const char live[] = "{\"spec\":{\"x\":1},\"status\":{\"phase\":\"Ready\"}}";
    assert_true(covers(live, "{\"spec\":{\"x\":2},\"status\":{\"phase\":\"Ready\"}}", "status"));
    assert_false(covers(live, "{\"status\":{\"phase\":\"Gone\"}}", "status"));
}

static void texts_of_secrets_are_among_their_data(void **state)
{
    (void)state;
    static const char live[] = "{\"data\":{\"p\":\"aHVudGVyMg==\"}}";
    assert_true(covers(live, "{\"stringData\":{\"p\":\"hunter2\"}}", NULL));
    assert_false(covers(live, "{\"stringData\":{\"p\":\"hunter3\"}}", NULL));
    /* which of the two won is not worth to be sure of */
    assert_false(
        covers(live, "{\"data\":{\"p\":\"eA==\"},\"stringData\":{\"p\":\"hunter2\"}}", NULL));
}

static void nulls_of_a_patch_are_what_is_gone(void **state)
{
    (void)state;
    static const char live[] = "{\"metadata\":{\"resourceVersion\":\"9\",\"labels\":{\"a\":\"b\"}},"
                               "\"data\":{\"x\":\"1\"}}";
    assert_true(covers_patch(live,
                             "{\"metadata\":{\"resourceVersion\":\"3\",\"labels\":{\"c\":null}},"
                             "\"data\":{\"x\":\"1\",\"y\":null}}"));
    assert_false(covers_patch(live, "{\"data\":{\"x\":null}}"));
    assert_false(covers_patch(live, "{\"data\":{\"z\":{}}}") && covers_patch(live, "{\"data\":5}"));
    assert_false(covers_patch(live, "{\"metadata\":{\"labels\":{\"a\":\"c\"}}}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_server_adds_does_not_count),
        cmocka_unit_test(what_differs_does),
        cmocka_unit_test(a_status_is_compared_alone),
        cmocka_unit_test(texts_of_secrets_are_among_their_data),
        cmocka_unit_test(nulls_of_a_patch_are_what_is_gone),
    };
    return cmocka_run_group_tests_name("net/kube-compare", tests, NULL, NULL);
}
