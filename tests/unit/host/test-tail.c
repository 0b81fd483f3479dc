#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "host/tail.h"

static void expect_lines(const struct tail *tail, int lines, size_t limit, const char *expected)
{
    cleanup_free char *text = tail_lines(tail, lines, limit);
    if (!text_equal(text, expected))
        fail_msg("'%s' is not '%s'", text != NULL ? text : "(null)",
                 expected != NULL ? expected : "(null)");
}

static void last_lines_are_given(void **state)
{
    (void)state;
    struct tail tail = {0};
    expect_lines(&tail, 3, 100, NULL);
    tail_add(&tail, "\n\n", 2);
    expect_lines(&tail, 3, 100, NULL);
    tail_add(&tail, "one\ntwo\nthree\n\n", 15);
    expect_lines(&tail, 1, 100, "three");
    expect_lines(&tail, 2, 100, "two\nthree");
    expect_lines(&tail, 2, 4, "hree");
    tail_add(&tail, "f\xff", 2);
    expect_lines(&tail, 1, 100, "f\xef\xbf\xbd");
    tail_clear(&tail);
    expect_lines(&tail, 1, 100, NULL);
}

static void only_the_end_is_kept(void **state)
{
    (void)state;
    struct tail tail = {0};
    cleanup_free char *large = memory_new(1, 3 * TAIL_SIZE);
    memset(large, 'a', 3 * TAIL_SIZE);
    tail_add(&tail, large, 3 * TAIL_SIZE);
    assert_int_equal(tail.size, TAIL_SIZE);
    tail_add(&tail, "\nend", 4);
    assert_int_equal(tail.size, TAIL_SIZE);
    expect_lines(&tail, 1, 100, "end");
    for (int i = 0; i < 100; i++)
        tail_add(&tail, large, 1000);
    tail_add(&tail, "\nlast", 5);
    assert_int_equal(tail.size, TAIL_SIZE);
    expect_lines(&tail, 1, 100, "last");
    expect_lines(&tail, 2, 6, "a\nlast");
    tail_clear(&tail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_lines_are_given),
        cmocka_unit_test(only_the_end_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
