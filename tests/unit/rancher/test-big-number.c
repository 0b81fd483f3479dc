#include "../unit.h"

#include <stdio.h>
#include <string.h>

#include <salvor/scan.h>

#include "big-number.h"

static int finds(const char *json)
{
    char digits[32];
    return big_number_find(salvor_span_of(json), digits, sizeof digits);
}

static void tells_what_a_double_cannot_hold(void **state)
{
    (void)state;
    assert_false(finds("{\"a\":9007199254740992}"));
    assert_true(finds("{\"a\":9007199254740993}"));
    assert_false(finds("{\"a\":-9007199254740992}"));
    assert_true(finds("{\"a\":-9007199254740993}"));
    assert_false(finds("{\"a\":9007199254740994}")); /* even: a double holds it */
    assert_true(finds("{\"a\":9223372036854775807}"));
    assert_true(finds("{\"a\":123456789012345678901234567890123456789}"));
    assert_false(finds("{\"a\":\"9007199254740993\"}"));
    assert_false(finds("{\"a\":9007199254740993.0}"));
    assert_false(finds("{\"9007199254740993\":1}"));
    assert_false(finds("[]"));
}

/* The search looks at every sixteenth byte only: no place may escape it. */
static void finds_it_anywhere(void **state)
{
    (void)state;
    for (int before = 0; before < 40; before++) {
        char json[160];
        char digits[32];
        (void)snprintf(json, sizeof json, "{\"%.*s\":[\"x\",9007199254740993]}", before,
                       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        assert_true(big_number_find(salvor_span_of(json), digits, sizeof digits));
        assert_string_equal(digits, "9007199254740993");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_a_double_cannot_hold),
        cmocka_unit_test(finds_it_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
