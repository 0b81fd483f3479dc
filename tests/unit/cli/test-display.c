#include "../unit.h"

#include <string.h>

#include "base/cleanup.h"
#include "cli/display.h"

static void expect_safe(const char *text, int keep_lines, const char *wanted)
{
    cleanup_free char *safe = display_safe(text, keep_lines);
    assert_string_equal(safe, wanted);
}

static void test_what_may_not_reach_a_terminal(void **state)
{
    (void)state;
    expect_safe("plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x9a\xa2", 0,
                "plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x9a\xa2");
    expect_safe("a\x1b[2Jb\rc\x07", 0, "a?[2Jb?c?");
    expect_safe("a\tb\nc\x7f", 0, "a b?c?");
    expect_safe("a\nb\r", 1, "a\nb?");
    expect_safe("csi \xc2\x9b 2J", 0, "csi ? 2J");         /* C1 control */
    expect_safe("evil \xe2\x80\xae txt", 0, "evil ? txt"); /* right-to-left override */
    expect_safe("\xff\xc3", 0, "??");                      /* not UTF-8, cut off */
    expect_safe("\xc0\x80 \xed\xa0\x80", 0, "?? ???");     /* overlong, surrogate */
    expect_safe("\xf5\x80\x80\x80", 0, "????");            /* past Unicode */
}

static void test_width(void **state)
{
    (void)state;
    assert_int_equal(display_width(""), 0);
    assert_int_equal(display_width("abc"), 3);
    assert_int_equal(display_width("\xc3\xa4"), 1);
    assert_int_equal(display_width("\xe6\xbc\xa2\xe5\xad\x97"), 4); /* two wide ones */
    assert_int_equal(display_width("e\xcc\x81"), 1);                /* combining accent */
}

static void expect_clip(const char *text, size_t width, const char *wanted)
{
    cleanup_free char *clipped = display_clip(text, width);
    assert_string_equal(clipped, wanted);
    assert_true(display_width(clipped) <= width);
}

static void test_clip(void **state)
{
    (void)state;
    expect_clip("abcdef", 6, "abcdef");
    expect_clip("abcdefg", 6, "abc...");
    expect_clip("abcdefg", 2, "..");
    expect_clip("abcdefg", 0, "");
    expect_clip("\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2", 5, "\xe6\xbc\xa2...");
    expect_clip("\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2", 4, "...");
}

static void expect_duration(long long milliseconds, const char *wanted)
{
    cleanup_free char *text = display_duration(milliseconds);
    assert_string_equal(text, wanted);
}

static void test_durations(void **state)
{
    (void)state;
    expect_duration(-5, "0ms");
    expect_duration(999, "999ms");
    expect_duration(1000, "1s");
    expect_duration(59999, "59s");
    expect_duration(184000, "3m04s");
    expect_duration(7380000, "2h03m");
    expect_duration(93600000, "1d02h");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_may_not_reach_a_terminal),
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_clip),
        cmocka_unit_test(test_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
