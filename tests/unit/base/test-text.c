#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static void nearest_finds_the_typo_and_leaves_strangers_alone(void **state)
{
    (void)state;
    static const char *const names[] = {"kubeconfig", "context", "endpoints", NULL};
    assert_string_equal(text_nearest("kubeconifg", names), "kubeconfig");
    assert_string_equal(text_nearest("endpoint", names), "endpoints");
    assert_null(text_nearest("password", names));
    char huge[500];
    memset(huge, 'k', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    assert_null(text_nearest(huge, names));
}

static void integers_are_whole_or_refused(void **state)
{
    (void)state;
    int64_t value = 7;
    assert_int_equal(text_parse_integer("-42", &value), 0);
    assert_int_equal(value, -42);
    static const char *const bad[] = {"", "-", "4x", " 4", "+4", "0x10", "9223372036854775808"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(text_parse_integer(bad[i], &value), -1);
    assert_int_equal(value, -42);
}

static void durations_and_sizes_need_a_known_unit(void **state)
{
    (void)state;
    int64_t value = 0;
    assert_int_equal(text_parse_duration("250ms", &value), 0);
    assert_int_equal(value, 250);
    assert_int_equal(text_parse_duration("2h", &value), 0);
    assert_int_equal(value, 7200000);
    assert_int_equal(text_parse_duration("5", &value), -1);
    assert_int_equal(text_parse_duration("-5s", &value), -1);
    assert_int_equal(text_parse_duration("99999999999999999d", &value), -1);
    assert_int_equal(text_parse_size("64KiB", &value), 0);
    assert_int_equal(value, 65536);
    assert_int_equal(text_parse_size("2GB", &value), 0);
    assert_int_equal(value, 2000000000);
    assert_int_equal(text_parse_size("9223372036854775807GiB", &value), -1);
    assert_int_equal(text_parse_size("12 MiB", &value), -1);
}

static void prefixes_and_suffixes(void **state)
{
    (void)state;
    assert_true(text_starts("file:/x", "file:"));
    assert_false(text_starts("fil", "file:"));
    assert_true(text_ends("a.tar.gz", ".gz"));
    assert_false(text_ends("gz", ".gz"));
    assert_true(text_equal(NULL, NULL));
    assert_false(text_equal("a", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest_finds_the_typo_and_leaves_strangers_alone),
        cmocka_unit_test(integers_are_whole_or_refused),
        cmocka_unit_test(durations_and_sizes_need_a_known_unit),
        cmocka_unit_test(prefixes_and_suffixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
