#include "../unit.h"

#include <string.h>

#include <salvor/scan.h>

#include "../sdk/fake-host.h"
#include "tally.h"

static struct fake_host host;

static void names_the_first_and_counts_the_rest(void **state)
{
    struct tally tally = {.finding = "X"};
    salvor_call *call = fake_call(&host);
    (void)state;
    fake_reset(&host);
    assert_int_equal(tally_raise(call, &tally), SALVOR_OK);
    assert_string_equal(host.recorded, "");
    for (char name[] = "a"; name[0] < 'i'; name[0]++)
        assert_int_equal(tally_add(call, &tally, name, "why %s", name), SALVOR_OK);
    assert_int_equal(tally_raise(call, &tally), SALVOR_OK);
    assert_string_equal(host.recorded, "finding X 0 'a' why a; 7 more objects: 'b', 'c', 'd', 'e', "
                                       "... ('--all-objects' names each)\n");
    tally_clear(&tally);
    fake_reset(&host);
    assert_int_equal(tally_add(call, &tally, "one", "alone"), SALVOR_OK);
    assert_int_equal(tally_raise(call, &tally), SALVOR_OK);
    assert_string_equal(host.recorded, "finding X 0 'one' alone\n");
    tally_clear(&tally);
}

static void names_all_on_request(void **state)
{
    static const struct fake_option options[] = {{"all-objects", NULL, 1}, {NULL, NULL, 0}};
    struct tally tally = {.finding = "X", .severity = 1000};
    (void)state;
    host.options = options;
    salvor_call *call = fake_call(&host);
    fake_reset(&host);
    assert_int_equal(tally_add(call, &tally, "a", "1"), SALVOR_OK);
    assert_int_equal(tally_add(call, &tally, "b", "2"), SALVOR_OK);
    assert_int_equal(tally_raise(call, &tally), SALVOR_OK);
    assert_string_equal(host.recorded, "finding X 1000 'a' 1\nfinding X 1000 'b' 2\n");
    tally_clear(&tally);
    host.options = NULL;
}

static void shows_no_name_that_would_break_something(void **state)
{
    static const struct {
        const char *name;
        const char *shown;
    } rows[] = {
        {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"a\nb\x7f", "a?b?"},
        {"\xff\xfe", "??"},
        {"\xc0\x80", "??"},
        {"\xed\xa0\x80", "???"},
        {"\xf0\x9f\x98\x80!", "\xf0\x9f\x98\x80!"},
        {"\xe2\x82", "??"},
    };
    char buffer[SHOWN_SIZE];
    char longest[2000];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(shown_name(salvor_span_of(rows[i].name), buffer), rows[i].shown);
    memset(longest, 'x', sizeof longest);
    const struct salvor_span span = {longest, sizeof longest};
    (void)shown_name(span, buffer);
    assert_true(strlen(buffer) < SHOWN_SIZE);
    assert_string_equal(buffer + strlen(buffer) - 3, "...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_the_first_and_counts_the_rest),
        cmocka_unit_test(names_all_on_request),
        cmocka_unit_test(shows_no_name_that_would_break_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
