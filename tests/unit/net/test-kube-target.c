#include "../unit.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "net/kube-target.h"

static void leads_to(const struct kube_place *place, const char *query, const char *expected)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *target = NULL;
    if (kube_target("", place, query, &target, &err) != 0)
        fail_msg("%s", err.message);
    assert_string_equal(target, expected);
}

static void paths_of_every_kind(void **state)
{
    (void)state;
    leads_to(&(struct kube_place){.version = "v1", .resource = "nodes"}, NULL, "/api/v1/nodes");
    leads_to(&(struct kube_place){.group = "", .version = "v1", .resource = "pods", .ns = "a"},
             "limit=1", "/api/v1/namespaces/a/pods?limit=1");
    leads_to(&(struct kube_place){.group = "apps",
                                  .version = "v1",
                                  .resource = "deployments",
                                  .ns = "a",
                                  .name = "b",
                                  .subresource = "scale"},
             "", "/apis/apps/v1/namespaces/a/deployments/b/scale");
    /* names of roles may hold nearly anything */
    leads_to(&(struct kube_place){.group = "rbac.authorization.k8s.io",
                                  .version = "v1",
                                  .resource = "clusterroles",
                                  .name = "system:a b\xc3\xa4?#&"},
             NULL, "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:a%20b%C3%A4%3F%23%26");
}

static void what_can_be_no_path(void **state)
{
    const struct kube_place cases[] = {
        {.version = "v1"},
        {.resource = "pods"},
        {.version = "v1", .resource = "../secrets"},
        {.version = "v1", .resource = "pods", .name = ".."},
        {.version = "v1", .resource = "pods", .name = "a/../b"},
        {.version = "v1", .resource = "pods", .ns = "a%2fb"},
        {.version = "v1", .resource = "pods", .name = "a", .subresource = "log?x"},
        {.group = "Apps", .version = "v1", .resource = "pods"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cleanup_error struct error err = ERROR_INIT;
        char *target = NULL;
        assert_int_equal(kube_target("", &cases[i], NULL, &target, &err), -1);
        assert_null(target);
    }
}

static void queries(void **state)
{
    (void)state;
    cleanup_free char *pair = kube_query_pair("labelSelector", "a in (b,c)&d=\xc3\xa4");
    assert_string_equal(pair, "labelSelector=a%20in%20%28b%2Cc%29%26d%3D%C3%A4");
    cleanup_free char *both = kube_query_join("a=1", "b=2");
    assert_string_equal(both, "a=1&b=2");
    cleanup_free char *one = kube_query_join(NULL, "b=2");
    assert_string_equal(one, "b=2");
    assert_true(kube_query_has("x=1&dryRun=All", "dryRun"));
    assert_true(kube_query_has("dryRun", "dryRun"));
    assert_false(kube_query_has("xdryRun=All&dryRunX=1", "dryRun"));
    assert_false(kube_query_has(NULL, "dryRun"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_of_every_kind),
        cmocka_unit_test(what_can_be_no_path),
        cmocka_unit_test(queries),
    };
    return cmocka_run_group_tests_name("net/kube-target", tests, NULL, NULL);
}
