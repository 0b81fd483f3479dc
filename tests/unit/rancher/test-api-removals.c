#include "../unit.h"

#include <salvor/scan.h>

#include "api-removals.h"

static const struct api_removal *find(const char *group, const char *version, const char *resource,
                                      uint32_t minor)
{
    return api_removal_find(salvor_span_of(group), salvor_span_of(version),
                            salvor_span_of(resource), minor);
}

static void knows_what_is_gone_since_when(void **state)
{
    (void)state;
    assert_null(find("policy", "v1beta1", "podsecuritypolicies", 24));
    assert_non_null(find("policy", "v1beta1", "podsecuritypolicies", 25));
    assert_null(find("policy", "v1beta1", "podsecuritypolicies", 36)->replacement);
    assert_string_equal(find("rbac.authorization.k8s.io", "v1beta1", "roles", 22)->replacement,
                        "rbac.authorization.k8s.io/v1");
    assert_non_null(find("apps", "v1beta2", "deployments", 16));
    assert_null(find("apps", "v1", "deployments", 36));
    assert_null(find("", "v1", "secrets", 36));
}

static void knows_the_groups_of_kubernetes(void **state)
{
    (void)state;
    assert_true(api_group_is_builtin(salvor_span_of("")));
    assert_true(api_group_is_builtin(salvor_span_of("apps")));
    assert_false(api_group_is_builtin(salvor_span_of("management.cattle.io")));
    assert_false(api_group_is_builtin(salvor_span_of("metrics.k8s.io")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_what_is_gone_since_when),
        cmocka_unit_test(knows_the_groups_of_kubernetes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
