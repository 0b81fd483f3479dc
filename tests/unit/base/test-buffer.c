#include "../unit.h"

#include <stdlib.h>

#include "base/buffer.h"

static void growth_stops_at_the_limit_and_loses_nothing(void **state)
{
    (void)state;
    cleanup_buffer struct buffer buffer = BUFFER_INIT(10);
    assert_int_equal(buffer_append_text(&buffer, "12345678"), 0);
    assert_int_equal(buffer_append_text(&buffer, "abc"), -1);
    assert_string_equal(buffer.data, "12345678");
    assert_int_equal(buffer_append_text(&buffer, "ab"), 0);
    assert_int_equal(buffer.size, 10);
    assert_int_equal(buffer_append(&buffer, "", 1), -1);
    assert_null(buffer_reserve(&buffer, SIZE_MAX));
}

static void consume_keeps_the_rest(void **state)
{
    (void)state;
    cleanup_buffer struct buffer buffer = BUFFER_INIT(100);
    buffer_consume(&buffer, 5);
    assert_int_equal(buffer_format(&buffer, "%s-%d", "frame", 7), 0);
    buffer_consume(&buffer, 6);
    assert_string_equal(buffer.data, "7");
    buffer_consume(&buffer, 99);
    assert_int_equal(buffer.size, 0);
}

static void take_hands_over_and_never_null(void **state)
{
    (void)state;
    struct buffer buffer = BUFFER_INIT(100);
    char *text = buffer_take(&buffer);
    assert_string_equal(text, "");
    free(text);
    assert_int_equal(buffer_append_text(&buffer, "x"), 0);
    text = buffer_take(&buffer);
    assert_string_equal(text, "x");
    assert_null(buffer.data);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growth_stops_at_the_limit_and_loses_nothing),
        cmocka_unit_test(consume_keeps_the_rest),
        cmocka_unit_test(take_hands_over_and_never_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
