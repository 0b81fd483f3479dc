#include "../unit.h"

#include <string.h>

#include "config/problems.h"

static void test_one_error_of_many_problems(void **state)
{
    (void)state;
    cleanup_problems struct problems problems = PROBLEMS_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(problems_error(&problems, &err), 0);
    assert_false(error_is_set(&err));

    problems_add(&problems, "look there", "first %d", 1);
    assert_int_equal(problems_error(&problems, &err), -1);
    assert_string_equal(err.message, "first 1");
    assert_string_equal(err.hint, "look there");
    assert_null(err.detail);
    assert_int_equal(err.code, EXIT_USAGE);

    problems_add(&problems, "look there", "second");
    problems_add(&problems, NULL, "third");
    problems_add(&problems, "or there", "fourth");
    problems_error(&problems, &err);
    assert_string_equal(err.message, "first 1");
    assert_string_equal(err.detail, "second\nthird\nfourth");
    assert_string_equal(err.hint, "look there\nor there");
    error_clear(&err);
}

static void test_takes_errors_over(void **state)
{
    (void)state;
    cleanup_problems struct problems problems = PROBLEMS_INIT;
    struct error err = ERROR_INIT;
    error_set(&err, EXIT_REFUSED, "no");
    error_detail(&err, "because");
    error_hint(&err, "go home");
    problems_add_error(&problems, &err);
    assert_false(error_is_set(&err));
    assert_string_equal(problems.list[0].message, "no: because");
    assert_string_equal(problems.list[0].hint, "go home");
}

static void test_is_bounded(void **state)
{
    (void)state;
    cleanup_problems struct problems problems = PROBLEMS_INIT;
    for (int i = 0; i < PROBLEMS_LIMIT + 7; i++)
        problems_add(&problems, "hint", "problem %d", i);
    assert_int_equal(problems.count, PROBLEMS_LIMIT);
    struct error err = ERROR_INIT;
    problems_error(&problems, &err);
    assert_non_null(strstr(err.detail, "problem 99\nand 7 more"));
    assert_string_equal(err.hint, "hint");
    error_clear(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_error_of_many_problems),
        cmocka_unit_test(test_takes_errors_over),
        cmocka_unit_test(test_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
