#include "../unit.h"

#include <string.h>

#include <salvor/memory.h>
#include <salvor/scan.h>

#include "../sdk/fake-host.h"
#include "default-set.h"
#include "resource-set.h"

static struct fake_host host;

static struct resource_set *make(const char *name)
{
    salvor_auto_json json_t *json = default_set_make(name, "v1beta2");
    struct resource_set *set = NULL;
    assert_non_null(json);
    salvor_auto_release char *text = salvor_json_write(json);
    assert_int_equal(resource_set_read(fake_call(&host), salvor_span_of(text), &set), SALVOR_OK);
    assert_int_equal(resource_set_check_patterns(fake_call(&host), set), SALVOR_OK);
    assert_string_equal(set->name, name);
    return set;
}

/* Some selector takes it. */
static int takes(const struct resource_set *set, const char *api_version, const char *kind,
                 const char *plural, const char *ns, const char *name)
{
    for (size_t i = 0; i < set->selector_count; i++) {
        const struct selector *selector = &set->selectors[i];
        if (salvor_span_is(salvor_span_of(api_version), selector->api_version) &&
            selector_takes_type(selector, kind, plural) == 1 &&
            selector_takes_name(selector, salvor_span_of(name)) == 1 &&
            (ns == NULL || selector_takes_namespace(selector, salvor_span_of(ns)) == 1))
            return 1;
    }
    return 0;
}

static void selects_what_the_vendor_selects(void **state)
{
    auto_resource_set struct resource_set *full = make(FULL_SET);
    auto_resource_set struct resource_set *basic = make(BASIC_SET);
    (void)state;
    assert_true(resource_set_takes_secrets(full));
    assert_false(resource_set_takes_secrets(basic));
    assert_int_equal(full->controller_count, 1);
    assert_string_equal(full->controllers[0].name, "rancher");
    assert_true(takes(full, "v1", "Namespace", "namespaces", NULL, "cattle-system"));
    assert_true(takes(full, "v1", "Namespace", "namespaces", NULL, "local"));
    assert_false(takes(basic, "v1", "Secret", "secrets", "cattle-system", "tls-ca"));
    assert_true(takes(full, "v1", "Secret", "secrets", "cattle-system", "tls-ca"));
    assert_true(takes(full, "management.cattle.io/v3", "Setting", "settings", NULL, "server-url"));
    assert_true(takes(full, "apiextensions.k8s.io/v1", "CustomResourceDefinition",
                      "customresourcedefinitions", NULL, "settings.management.cattle.io"));
    assert_false(takes(full, "apps/v1", "Deployment", "deployments", "cattle-system", "rancher"));
    assert_false(takes(full, "fleet.cattle.io/v1alpha1", "BundleDeployment", "bundledeployments",
                       "fleet-default", "x"));
    assert_true(
        takes(full, "cluster.x-k8s.io/v1beta2", "Machine", "machines", "fleet-default", "m"));
    assert_false(
        takes(full, "cluster.x-k8s.io/v1beta1", "Machine", "machines", "fleet-default", "m"));
    assert_null(default_set_make("other", "v1beta2"));
}

static void labels_and_fields_are_queries(void **state)
{
    auto_resource_set struct resource_set *full = make(FULL_SET);
    salvor_auto_text struct salvor_text all = SALVOR_TEXT_INIT(65536);
    (void)state;
    for (size_t i = 0; i < full->selector_count; i++) {
        assert_int_equal(selector_label_query(&full->selectors[i], &all), 0);
        salvor_text_put(&all, ";");
        selector_field_query(&full->selectors[i], &all);
        salvor_text_put(&all, ";");
    }
    assert_non_null(strstr(salvor_text_get(&all), ";owner notin (helm);"));
    assert_non_null(
        strstr(salvor_text_get(&all), ";fleet.cattle.io/managed in (true),owner notin (helm);"));
    assert_non_null(strstr(salvor_text_get(&all), ";type=rke.cattle.io/machine-plan;"));
    assert_non_null(
        strstr(salvor_text_get(&all), ";authn.management.cattle.io/kind notin (provisioning);"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selects_what_the_vendor_selects),
        cmocka_unit_test(labels_and_fields_are_queries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
