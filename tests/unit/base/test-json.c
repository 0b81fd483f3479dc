#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"

static void canonical_form_does_not_depend_on_the_order_of_making(void **state)
{
    (void)state;
    cleanup_json json_t *one = json_make("{s:i, s:[s, b]}", "b", 1, "a", "x", 1);
    cleanup_json json_t *two = json_loads("{\"a\" : [\"x\", true],\n \"b\":1}", 0, NULL);
    cleanup_free char *text = json_canonical(one);
    assert_string_equal(text, "{\"a\":[\"x\",true],\"b\":1}");
    char first[DIGEST_TEXT_SIZE];
    char second[DIGEST_TEXT_SIZE];
    json_digest(one, first);
    json_digest(two, second);
    assert_string_equal(first, second);
    json_put(two, "b", json_integer(2));
    json_digest(two, second);
    assert_string_not_equal(first, second);
}

static void members_of_other_types_read_as_absent(void **state)
{
    (void)state;
    cleanup_json json_t *object = json_make("{s:i, s:s, s:n, s:b}", "i", 7, "s", "t", "n", "b", 1);
    assert_int_equal(json_whole(object, "i", -1), 7);
    assert_int_equal(json_whole(object, "s", -1), -1);
    assert_string_equal(json_text(object, "s"), "t");
    assert_null(json_text(object, "i"));
    assert_null(json_text(object, "n"));
    assert_true(json_flag(object, "b"));
    assert_false(json_flag(object, "i"));
    assert_null(json_text(NULL, "s"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_form_does_not_depend_on_the_order_of_making),
        cmocka_unit_test(members_of_other_types_read_as_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
