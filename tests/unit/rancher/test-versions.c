#include "../unit.h"

#include "versions.h"

static void reads_versions(void **state)
{
    struct version a;
    struct version b;
    (void)state;
    version_read("v2.12.3", &a);
    assert_true(a.known && a.release);
    assert_int_equal(a.minor, 12);
    version_read("2.12.3", &b);
    assert_true(version_is_same(&a, &b));
    assert_false(version_is_development(&a));
    version_read("v2.13.0-rc1", &b);
    assert_true(version_is_development(&b));
    assert_true(version_compare(&a, &b) < 0);
    version_read("v2.12-8a2b6f-head", &b);
    assert_true(version_is_development(&b));
    version_read("dev", &b);
    assert_true(!b.known && version_is_development(&b));
    version_read("v1.36.3+k3s1", &b);
    assert_true(b.known && b.release && b.patch == 3);
    version_read("", &b);
    assert_false(b.known);
    version_read("v99999999.1.1", &b);
    assert_false(b.known);
}

static void tells_distributions(void **state)
{
    (void)state;
    assert_string_equal(kubernetes_distribution("v1.36.3+k3s1"), "k3s");
    assert_string_equal(kubernetes_distribution("v1.30.1+rke2r1"), "rke2");
    assert_string_equal(kubernetes_distribution("v1.30.1-eks-36c2a2"), "eks");
    assert_string_equal(kubernetes_distribution("v1.30.1-gke.100"), "gke");
    assert_string_equal(kubernetes_distribution("v1.30.1"), "");
}

static void knows_which_operator_goes_with_which_rancher(void **state)
{
    (void)state;
    assert_int_equal(operator_line_of_rancher(12)->operator_major, 8);
    assert_int_equal(operator_line_of_operator(11)->rancher_minor, 15);
    assert_int_equal(operator_line_of_operator(11)->kubernetes_minor_last, 36);
    assert_null(operator_line_of_rancher(5));
    assert_null(operator_line_of_operator(99));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_versions),
        cmocka_unit_test(tells_distributions),
        cmocka_unit_test(knows_which_operator_goes_with_which_rancher),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
