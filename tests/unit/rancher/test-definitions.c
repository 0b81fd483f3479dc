#include "../unit.h"

#include <salvor/scan.h>

#include "definitions.h"

static void reads_both_forms(void **state)
{
    struct definitions definitions = {NULL, 0};
    (void)state;
    assert_int_equal(
        definitions_add(
            &definitions,
            salvor_span_of(
                "{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"spec\":{\"group\":\"x.io\","
                "\"names\":{\"plural\":\"ones\",\"kind\":\"One\"},\"scope\":\"Namespaced\","
                "\"preserveUnknownFields\":false,\"versions\":["
                "{\"name\":\"v1\",\"served\":true,\"storage\":false,\"schema\":{\"a\":1}},"
                "{\"name\":\"v2\",\"served\":true,\"storage\":true,\"subresources\":{\"status\":{}}"
                "},"
                "{\"name\":\"v0\",\"served\":false,\"storage\":false}]}}")),
        SALVOR_OK);
    assert_int_equal(
        definitions_add(
            &definitions,
            salvor_span_of("{\"apiVersion\":\"apiextensions.k8s.io/v1beta1\",\"spec\":{\"group\":"
                           "\"y.io\",\"version\":\"v1\",\"subresources\":{\"status\":{}},"
                           "\"names\":{\"plural\":\"twos\",\"kind\":\"Two\"},"
                           "\"scope\":\"Cluster\"}}")),
        SALVOR_OK);
    const struct definition *one =
        definitions_find(&definitions, salvor_span_of("x.io"), salvor_span_of("ones"));
    const struct definition *two =
        definitions_find_kind(&definitions, salvor_span_of("y.io"), salvor_span_of("Two"));
    assert_non_null(one);
    assert_non_null(two);
    assert_true(one->namespaced && one->preserves_unknown);
    assert_true(!two->namespaced && !two->preserves_unknown);
    assert_false(definition_version(one, salvor_span_of("v1"))->has_status);
    assert_true(definition_version(one, salvor_span_of("v2"))->has_status);
    assert_true(definition_version(one, salvor_span_of("v2"))->storage);
    assert_false(definition_version(one, salvor_span_of("v0"))->served);
    assert_null(definition_version(one, salvor_span_of("v3")));
    assert_true(definition_version(two, salvor_span_of("v1"))->has_status);
    assert_null(definitions_find(&definitions, salvor_span_of("x.io"), salvor_span_of("twos")));
    definitions_clear(&definitions);
}

static void refuses_others(void **state)
{
    static const char *const texts[] = {"{}", "[]", "{\"spec\":{\"group\":\"a\"}}",
                                        ("{\"spec\":{\"group\":\"a\",\"names\":{\"plural\":\"b\","
                                         "\"kind\":\"C\"},\"versions\":[]}}")};
    struct definitions definitions = {NULL, 0};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(definitions_add(&definitions, salvor_span_of(texts[i])), SALVOR_REFUSED);
    assert_int_equal(definitions.count, 0);
    definitions_clear(&definitions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_both_forms),
        cmocka_unit_test(refuses_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
