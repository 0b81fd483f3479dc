#include "../unit.h"

#include "base/clock.h"

static void times_read_as_rfc3339_in_utc(void **state)
{
    (void)state;
    char text[CLOCK_TEXT_SIZE];
    clock_format(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    clock_format(1763683200123, text);
    assert_string_equal(text, "2025-11-21T00:00:00.123Z");
}

static void they_are_read_back(void **state)
{
    (void)state;
    assert_int_equal(clock_parse("1970-01-01T00:00:00.000Z"), 0);
    assert_int_equal(clock_parse("2025-11-21T00:00:00.123Z"), 1763683200123);
    assert_int_equal(clock_parse("2025-11-21T00:00:00Z"), 1763683200000);
    assert_int_equal(clock_parse("yesterday"), -1);
    assert_int_equal(clock_parse(""), -1);
    assert_int_equal(clock_parse(NULL), -1);
}

static void the_monotonic_clock_does_not_go_back(void **state)
{
    (void)state;
    int64_t before = clock_monotonic_ms();
    assert_true(clock_monotonic_ms() >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_read_as_rfc3339_in_utc),
        cmocka_unit_test(they_are_read_back),
        cmocka_unit_test(the_monotonic_clock_does_not_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
