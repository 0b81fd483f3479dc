#include "../unit.h"

#include <salvor/scan.h>

#include "member-path.h"

static void reads_objects(void **state)
{
    struct member_path path;
    const char *problem = NULL;
    (void)state;
    assert_int_equal(member_path_read("namespaces.#v1/local.json", &path, &problem), MEMBER_OBJECT);
    assert_true(salvor_span_is(path.resource, "namespaces"));
    assert_true(salvor_span_is(path.group, ""));
    assert_true(salvor_span_is(path.version, "v1"));
    assert_true(salvor_span_is(path.name, "local"));
    assert_int_equal(path.ns.size, 0);
    assert_int_equal(
        member_path_read("clusters.management.cattle.io#v3/a.b/c.json.json", &path, &problem),
        MEMBER_OBJECT);
    assert_true(salvor_span_is(path.type, "clusters.management.cattle.io#v3"));
    assert_true(salvor_span_is(path.resource, "clusters"));
    assert_true(salvor_span_is(path.group, "management.cattle.io"));
    assert_true(salvor_span_is(path.ns, "a.b"));
    assert_true(salvor_span_is(path.name, "c.json"));
}

static void knows_what_is_no_object(void **state)
{
    static const char *const odd[] = {
        "manifest.json", "a/b/c.json",       "a.#v1/b/c/d.json",   "a.#v1/b",
        "a.#v1//c.json", "a.#v1/.json",      "a#v1/b.json",        ".g#v1/b.json",
        "a.g#/b.json",   "a.g#v1#v2/b.json", "a.#v1/b/c/d/e.json", "",
    };
    struct member_path path;
    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        const char *problem = NULL;
        if (member_path_read(odd[i], &path, &problem) != MEMBER_ODD)
            fail_msg("'%s' is taken", odd[i]);
        assert_non_null(problem);
    }
    const char *problem = NULL;
    assert_int_equal(member_path_read("filters/filters.json", &path, &problem),
                     MEMBER_RESOURCE_SET);
    assert_int_equal(member_path_read("filters/statussubresource.json", &path, &problem),
                     MEMBER_ASIDE);
    assert_int_equal(member_path_read("filters/a/b/c", &path, &problem), MEMBER_ASIDE);
}

static void knows_what_the_operator_overlooks(void **state)
{
    struct member_path path;
    const char *problem = NULL;
    (void)state;
    const char *hidden = "configmaps.#v1/cattle-system/my-filters.json";
    assert_int_equal(member_path_read(hidden, &path, &problem), MEMBER_OBJECT);
    assert_true(member_is_hidden(hidden));
    assert_true(member_replaces_resource_set(hidden));
    assert_true(member_is_hidden("envoyfilters.networking.istio.io#v1/a/b.json"));
    assert_false(member_replaces_resource_set("envoyfilters.networking.istio.io#v1/a/b.json"));
    assert_false(member_replaces_resource_set("filters/filters.json"));
    assert_false(member_is_hidden("configmaps.#v1/filter/a.json"));
}

static void writes_what_it_reads(void **state)
{
    salvor_auto_text struct salvor_text out = SALVOR_TEXT_INIT(1024);
    (void)state;
    member_path_write(&out, "secrets", "", "v1", "cattle-system", "tls-ca");
    assert_string_equal(salvor_text_get(&out), "secrets.#v1/cattle-system/tls-ca.json");
    salvor_text_reset(&out);
    member_path_write(&out, "users", "management.cattle.io", "v3", NULL, "u-1");
    assert_string_equal(salvor_text_get(&out), "users.management.cattle.io#v3/u-1.json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_objects),
        cmocka_unit_test(knows_what_is_no_object),
        cmocka_unit_test(knows_what_the_operator_overlooks),
        cmocka_unit_test(writes_what_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
