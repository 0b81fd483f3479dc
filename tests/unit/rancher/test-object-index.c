#include "../unit.h"

#include <stdio.h>
#include <string.h>

#include <salvor/scan.h>

#include "object-index.h"

static struct member_path path_of(const char *text)
{
    struct member_path path;
    const char *problem = NULL;
    assert_int_equal(member_path_read(text, &path, &problem), MEMBER_OBJECT);
    return path;
}

static uint32_t add(struct object_index *index, const char *text, uint32_t *ret_earlier)
{
    const struct member_path path = path_of(text);
    const uint32_t type = object_index_type(index, &path);
    uint32_t number = OBJECT_NONE;
    assert_int_not_equal(type, OBJECT_NONE);
    assert_int_equal(object_index_add(index, &path, type, 0, &number, ret_earlier), SALVOR_OK);
    return number;
}

static void finds_what_was_added(void **state)
{
    auto_object_index struct object_index *index = object_index_create();
    uint32_t earlier = 0;
    (void)state;
    assert_int_equal(add(index, "secrets.#v1/a/x.json", &earlier), 0);
    assert_int_equal(earlier, OBJECT_NONE);
    assert_int_equal(add(index, "secrets.#v1/b/x.json", &earlier), 1);
    assert_int_equal(add(index, "namespaces.#v1/a.json", &earlier), 2);
    assert_int_equal(add(index, "users.management.cattle.io#v3/x.json", &earlier), 3);
    const uint32_t secrets = object_index_find_type(index, "secrets", "", "v1");
    const uint32_t users = object_index_find_type(index, "users", "management.cattle.io", NULL);
    assert_int_equal(object_index_find(index, secrets, salvor_span_of("a"), salvor_span_of("x")),
                     0);
    assert_int_equal(object_index_find(index, secrets, salvor_span_of("b"), salvor_span_of("x")),
                     1);
    assert_int_equal(object_index_find(index, secrets, salvor_span_of("c"), salvor_span_of("x")),
                     OBJECT_NONE);
    assert_int_equal(object_index_find(index, secrets, salvor_span_of(""), salvor_span_of("x")),
                     OBJECT_NONE);
    assert_int_equal(object_index_find(index, users, salvor_span_of(""), salvor_span_of("x")), 3);
    assert_int_equal(object_index_find_type(index, "users", "management.cattle.io", "v4"),
                     OBJECT_NONE);
    assert_int_equal(object_index_type_at(index, secrets)->count, 2);
    assert_int_equal(object_index_type_at(index, secrets)->namespaced, 2);
    assert_int_equal(object_index_type_at(index, users)->namespaced, 0);
}

static void the_last_of_a_path_counts(void **state)
{
    auto_object_index struct object_index *index = object_index_create();
    uint32_t earlier = 0;
    char path[64];
    (void)state;
    (void)add(index, "secrets.#v1/a/x.json", &earlier);
    assert_int_equal(add(index, "secrets.#v1/a/x.json", &earlier), 1);
    assert_int_equal(earlier, 0);
    assert_true(object_index_object(index, 0)->flags & OBJECT_SUPERSEDED);
    /* also when the table has grown since */
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(path, sizeof path, "secrets.#v1/a/y%d.json", i);
        (void)add(index, path, &earlier);
        assert_int_equal(earlier, OBJECT_NONE);
    }
    assert_int_equal(object_index_find(index, 0, salvor_span_of("a"), salvor_span_of("x")), 1);
}

static void takes_at_most_64_bytes_an_object(void **state)
{
    auto_object_index struct object_index *index = object_index_create();
    const struct salvor_owner owner = {.api_version = salvor_span_of("management.cattle.io/v3"),
                                       .kind = salvor_span_of("User"),
                                       .name = salvor_span_of("u-abc")};
    (void)state;
    for (uint32_t i = 0; i < 200000; i++) {
        char path[128];
        uint32_t earlier = 0;
        (void)snprintf(path, sizeof path,
                       "rolebindings.rbac.authorization.k8s.io#v1/c-%u/rb-%u.json", i % 500, i);
        assert_int_equal(add(index, path, &earlier), i);
        assert_int_equal(object_index_own(index, i, &owner), SALVOR_OK);
        if (i > 10000 && object_index_bytes(index) > (uint64_t)64 * (i + 1))
            fail_msg("%llu bytes for %u objects", (unsigned long long)object_index_bytes(index),
                     i + 1);
    }
    print_message("%.1f bytes an object\n", (double)object_index_bytes(index) / 200000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_added),
        cmocka_unit_test(the_last_of_a_path_counts),
        cmocka_unit_test(takes_at_most_64_bytes_an_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
