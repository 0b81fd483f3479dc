#include "../unit.h"

#include <errno.h>

#include "base/error.h"

static void an_error_carries_message_detail_hint_and_code(void **state)
{
    (void)state;
    cleanup_error struct error err = ERROR_INIT;
    assert_false(error_is_set(&err));
    assert_int_equal(error_errno(&err, EXIT_REFUSED, ENOENT, "cannot open '%s'", "x.yaml"), -1);
    (void)error_detail(&err, "searched %d folders", 2);
    (void)error_hint(&err, "create it with '%s'", "salvor config");
    (void)error_prefix(&err, "site '%s'", "lab");
    assert_int_equal(err.code, EXIT_REFUSED);
    assert_string_equal(err.message, "site 'lab': cannot open 'x.yaml': No such file or directory");
    assert_string_equal(err.detail, "searched 2 folders");
    assert_string_equal(err.hint, "create it with 'salvor config'");
}

static void setting_again_forgets_the_old_hint(void **state)
{
    (void)state;
    cleanup_error struct error err = ERROR_INIT;
    (void)error_set(&err, EXIT_FAILED, "first");
    (void)error_hint(&err, "old");
    (void)error_set(&err, EXIT_USAGE, "second about %s", err.message);
    assert_string_equal(err.message, "second about first");
    assert_null(err.hint);
}

static void moving_empties_the_source(void **state)
{
    (void)state;
    cleanup_error struct error from = ERROR_INIT;
    cleanup_error struct error to = ERROR_INIT;
    (void)error_set(&from, EXIT_BLOCKED, "blocked");
    assert_int_equal(error_move(&to, &from), -1);
    assert_string_equal(to.message, "blocked");
    assert_false(error_is_set(&from));
    assert_int_equal(error_move(NULL, &to), -1);
    assert_false(error_is_set(&to));
    assert_int_equal(error_set(NULL, EXIT_FAILED, "nobody listens"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_carries_message_detail_hint_and_code),
        cmocka_unit_test(setting_again_forgets_the_old_hint),
        cmocka_unit_test(moving_empties_the_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
