#include "../unit.h"

#include <string.h>

#include <salvor/scan.h>

#include "../sdk/fake-host.h"
#include "resource-set.h"

static struct fake_host host;

static struct resource_set *read_set(const char *selectors)
{
    salvor_auto_text struct salvor_text text = SALVOR_TEXT_INIT(65536);
    struct resource_set *set = NULL;
    salvor_text_format(&text,
                       "{\"metadata\":{\"name\":\"s\"},\"resourceSelectors\":%s,"
                       "\"controllerReferences\":[{\"apiVersion\":\"apps/v1\","
                       "\"resource\":\"deployments\",\"namespace\":\"cattle-system\","
                       "\"name\":\"rancher\"}]}",
                       selectors);
    assert_int_equal(resource_set_read(fake_call(&host), salvor_text_as_span(&text), &set),
                     SALVOR_OK);
    return set;
}

static void reads_a_set(void **state)
{
    auto_resource_set struct resource_set *set = read_set(
        "[{\"apiVersion\":\"apps/v1\",\"kinds\":[\"Deployment\"]},{\"apiVersion\":\"v1\"}]");
    (void)state;
    assert_string_equal(set->name, "s");
    assert_int_equal(set->selector_count, 2);
    assert_string_equal(set->selectors[0].group, "apps");
    assert_string_equal(set->selectors[0].version, "v1");
    assert_string_equal(set->selectors[1].group, "");
    assert_int_equal(set->controller_count, 1);
    assert_string_equal(set->controllers[0].ns, "cattle-system");
    assert_true(resource_set_takes_secrets(set));
    assert_int_equal(resource_set_check_patterns(fake_call(&host), set), SALVOR_OK);
}

static void kinds_and_patterns(void **state)
{
    auto_resource_set struct resource_set *set = read_set(
        "[{\"apiVersion\":\"v1\",\"excludeKinds\":[\"Secret\"]},"
        "{\"apiVersion\":\"v1\",\"kinds\":[\"secrets\"],\"kindsRegexp\":\"^ConfigMap$|^Secret$\","
        "\"excludeKinds\":[\"Secret\",\"ConfigMap\"]},"
        "{\"apiVersion\":\"v1\",\"kindsRegexp\":\"^services\",\"excludeKinds\":[\"Service\"]}]");
    (void)state;
    /* without kinds and pattern everything is taken, and nothing excluded */
    assert_int_equal(selector_takes_type(&set->selectors[0], "Secret", "secrets"), 1);
    assert_int_equal(selector_takes_type(&set->selectors[1], "Secret", "secrets"), 1);
    assert_int_equal(selector_takes_type(&set->selectors[1], "ConfigMap", "configmaps"), 0);
    assert_int_equal(selector_takes_type(&set->selectors[2], "Service", "services"), 0);
    assert_int_equal(selector_takes_type(&set->selectors[2], "ServiceAccount", "serviceaccounts"),
                     0);
    assert_int_equal(selector_takes_type(&set->selectors[2], "Other", "servicesomething"), 1);
}

static void names(void **state)
{
    auto_resource_set struct resource_set *set = read_set(
        "[{\"apiVersion\":\"v1\"},"
        "{\"apiVersion\":\"v1\",\"resourceNames\":[\"a\"]},"
        "{\"apiVersion\":\"v1\",\"resourceNames\":[\"x-a\"],\"excludeResourceNameRegexp\":\"^x-\"},"
        "{\"apiVersion\":\"v1\",\"resourceNameRegexp\":\"^c-\",\"excludeResourceNameRegexp\":\"z$"
        "\"}]");
    (void)state;
    assert_int_equal(selector_takes_name(&set->selectors[0], salvor_span_of("b")), 1);
    assert_int_equal(selector_takes_name(&set->selectors[1], salvor_span_of("a")), 1);
    assert_int_equal(selector_takes_name(&set->selectors[1], salvor_span_of("ab")), 0);
    /* listed names are taken whatever is excluded; without an include pattern all others are */
    assert_int_equal(selector_takes_name(&set->selectors[2], salvor_span_of("x-a")), 1);
    assert_int_equal(selector_takes_name(&set->selectors[2], salvor_span_of("x-b")), 0);
    assert_int_equal(selector_takes_name(&set->selectors[2], salvor_span_of("other")), 1);
    assert_int_equal(selector_takes_name(&set->selectors[3], salvor_span_of("c-1")), 1);
    assert_int_equal(selector_takes_name(&set->selectors[3], salvor_span_of("c-z")), 0);
    assert_int_equal(selector_takes_name(&set->selectors[3], salvor_span_of("d")), 0);
}

static void namespaces(void **state)
{
    auto_resource_set struct resource_set *set = read_set(
        "[{\"apiVersion\":\"v1\"},"
        "{\"apiVersion\":\"v1\",\"namespaces\":[\"a\"],\"namespaceRegexp\":\"^cattle-\"}]");
    (void)state;
    assert_int_equal(selector_takes_namespace(&set->selectors[0], salvor_span_of("x")), 1);
    assert_int_equal(selector_takes_namespace(&set->selectors[1], salvor_span_of("a")), 1);
    assert_int_equal(selector_takes_namespace(&set->selectors[1], salvor_span_of("cattle-x")), 1);
    assert_int_equal(selector_takes_namespace(&set->selectors[1], salvor_span_of("b")), 0);
}

static void queries(void **state)
{
    auto_resource_set struct resource_set *set = read_set(
        "[{\"apiVersion\":\"v1\",\"labelSelectors\":{\"matchLabels\":{\"a\":\"b\"},"
        "\"matchExpressions\":[{\"key\":\"owner\",\"operator\":\"NotIn\",\"values\":[\"helm\"]},"
        "{\"key\":\"k\",\"operator\":\"Exists\"},{\"key\":\"l\",\"operator\":\"DoesNotExist\"}]},"
        "\"fieldSelectors\":{\"type\":\"rke.cattle.io/machine-plan\",\"x\":\"a,b=c\\\\\"}},"
        "{\"apiVersion\":\"v1\",\"labelSelectors\":{\"matchExpressions\":[{\"key\":\"k\","
        "\"operator\":\"In\",\"values\":[]}]}}]");
    salvor_auto_text struct salvor_text out = SALVOR_TEXT_INIT(4096);
    (void)state;
    assert_int_equal(selector_label_query(&set->selectors[0], &out), 0);
    assert_string_equal(salvor_text_get(&out), "a=b,owner notin (helm),k,!l");
    salvor_text_reset(&out);
    selector_field_query(&set->selectors[0], &out);
    assert_string_equal(salvor_text_get(&out), "type=rke.cattle.io/machine-plan,x=a\\,b\\=c\\\\");
    assert_int_equal(selector_label_query(&set->selectors[1], &out), -1);
}

static void tells_bad_patterns(void **state)
{
    auto_resource_set struct resource_set *set =
        read_set("[{\"apiVersion\":\"v1\",\"resourceNameRegexp\":\"(?=a)\"},"
                 "{\"apiVersion\":\"v1\",\"namespaceRegexp\":\"a++\"}]");
    (void)state;
    assert_int_equal(set->selectors[0].patterns[PATTERN_NAME].status, SALVOR_REFUSED);
    assert_int_equal(selector_takes_name(&set->selectors[0], salvor_span_of("a")), -1);
    assert_int_equal(selector_takes_namespace(&set->selectors[1], salvor_span_of("a")), -1);
    assert_int_equal(resource_set_check_patterns(fake_call(&host), set), SALVOR_REFUSED);
    assert_non_null(strstr(host.message, "resourceNameRegexp '(?=a)'"));
}

static void knows_what_never_matches(void **state)
{
    auto_resource_set struct resource_set *set =
        read_set("[{\"apiVersion\":\"apps/v1\",\"kindsRegexp\":\"^services$\"},"
                 "{\"apiVersion\":\"v1\",\"kindsRegexp\":\"^services$\"},"
                 "{\"apiVersion\":\"x/v1\",\"kindsRegexp\":\"^globalrole$\"}]");
    (void)state;
    assert_non_null(selector_dead_reason(&set->selectors[0]));
    assert_null(selector_dead_reason(&set->selectors[1]));
    assert_non_null(selector_dead_reason(&set->selectors[2]));
}

static void refuses_what_is_none(void **state)
{
    static const char *const texts[] = {"[]", "{\"resourceSelectors\":1}", "{",
                                        "{\"resourceSelectors\":[1]}",
                                        "{\"controllerReferences\":[{}]}"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct resource_set *set = NULL;
        assert_int_equal(resource_set_read(fake_call(&host), salvor_span_of(texts[i]), &set),
                         SALVOR_FAILED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_set),
        cmocka_unit_test(kinds_and_patterns),
        cmocka_unit_test(names),
        cmocka_unit_test(namespaces),
        cmocka_unit_test(queries),
        cmocka_unit_test(tells_bad_patterns),
        cmocka_unit_test(knows_what_never_matches),
        cmocka_unit_test(refuses_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
