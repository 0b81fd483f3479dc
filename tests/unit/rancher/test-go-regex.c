#include "../unit.h"

#include <string.h>

#include <salvor/scan.h>

#include "go-regex.h"

static salvor_status compiles(const char *pattern, char problem[GO_REGEX_PROBLEM_SIZE])
{
    go_regex *regex = NULL;
    const salvor_status status = go_regex_compile(pattern, &regex, problem);
    go_regex_free(regex);
    return status;
}

static int matches(const char *pattern, const char *text)
{
    char problem[GO_REGEX_PROBLEM_SIZE];
    go_regex *regex = NULL;
    assert_int_equal(go_regex_compile(pattern, &regex, problem), SALVOR_OK);
    const salvor_status status = go_regex_search(regex, salvor_span_of(text));
    go_regex_free(regex);
    assert_true(status == SALVOR_OK || status == SALVOR_NOT_FOUND);
    return status == SALVOR_OK;
}

/* What PCRE2 takes and Go refuses, and a few that both refuse. */
static void refuses_what_go_refuses(void **state)
{
    static const char *const patterns[] = {
        "(?=a)",
        "(?!a)",
        "(?<=a)",
        "(?<!a)",
        "(?>a)",
        "a++",
        "a*+",
        "(a)\\1",
        "(?R)",
        "(?|a|b)",
        "(?#c)",
        "(?x)a",
        "(?J)a",
        "(?'n'a)",
        "\\Z",
        "\\G",
        "\\K",
        "\\R",
        "\\X",
        "\\h",
        "\\N",
        "\\C",
        "\\e",
        "\\cA",
        "\\p{L&}",
        "a{1001}",
        "(a{40}){26}",
        "a{2}{3}",
        "**",
        "a**",
        "*",
        "a|*",
        "(",
        ")",
        "[",
        "[a",
        "[z-a]",
        "[[:foo:]]",
        "\\",
        "\\8",
        "(?P<n>a)(?P<n>b)",
        "(?P<>a)",
        "(?-)a",
        "\\E",
        "a{2,1}",
        "[a-\\d]",
        "\\x{110000}",
        "\xff",
        "((a{10}){10}){11}",
    };
    char problem[GO_REGEX_PROBLEM_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        if (compiles(patterns[i], problem) != SALVOR_REFUSED)
            fail_msg("'%s' is taken", patterns[i]);
        assert_true(problem[0] != '\0');
    }
}

/* What Go takes, and what nobody should rely on that it means the same here. */
static void says_what_it_cannot_evaluate(void **state)
{
    static const char *const patterns[] = {"\\p{Greek}", "(?i)\\p{Lu}", "(?i)\\W", "a(?i)*",
                                           "\\x{D800}"};
    char problem[GO_REGEX_PROBLEM_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        assert_int_equal(compiles(patterns[i], problem), SALVOR_UNSUPPORTED);
        assert_true(problem[0] != '\0');
    }
}

/* Where the two read the same pattern differently; each answer is Go's. */
static void answers_as_go_does(void **state)
{
    static const struct {
        const char *pattern;
        const char *text;
        int matches;
    } rows[] = {
        {"a$", "a\n", 0},
        {"(?m)a$", "a\nb", 1},
        {"^b", "a\nb", 0},
        {"(?m)^b", "a\nb", 1},
        {"(?m)^$", "a\n", 1},
        {"a{,5}", "a{,5}", 1},
        {"a{,5}", "aaaa", 0},
        {"^*a", "a", 1},
        {"$*", "", 1},
        {"[[.a.]]", ".]", 1},
        {"[[.a.]]", "a", 0},
        {"\\s", "\v", 0},
        {"\\v", "\n", 0},
        {"\\v", "\v", 1},
        {"\\w", "\xc3\xa9", 0},
        {"(?i)k", "\xe2\x84\xaa", 1},
        {"a.b", "a\nb", 0},
        {"(?s)a.b", "a\nb", 1},
        {"\\Qa.b\\E", "a.b", 1},
        {"\\Qa.b\\E", "axb", 0},
        {"[^a]", "\n", 1},
        {"(?<n>a)", "a", 1},
        {"\\012", "\n", 1},
        {"[]a]", "]", 1},
        {"a{01}", "a{01}", 1},
        {"(?i:A)b", "ab", 1},
        {"(?i:A)b", "aB", 0},
        {"\\_", "_", 1},
        {"x*", "", 1},
        {"", "anything", 1},
        {"\\bcat\\b", "a cat.", 1},
        {"[^\\x00-\\x{10FFFF}]", "a", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (matches(rows[i].pattern, rows[i].text) != rows[i].matches)
            fail_msg("'%s' on '%s'", rows[i].pattern, rows[i].text);
    }
}

static void answers_for_the_vendors_own_patterns(void **state)
{
    (void)state;
    assert_true(matches("^cattle-|^p-|^c-|^user-|^u-|^local-", "cattle-system"));
    assert_true(matches("^cattle-|^p-|^c-|^user-|^u-|^local-", "u-abc"));
    assert_false(matches("^cattle-|^p-|^c-|^user-|^u-|^local-", "my-cattle-system"));
    assert_true(matches("management.cattle.io$", "settings.management-cattle.io")); /* loose */
    assert_true(matches(".", "Secret"));
}

static void gives_up_on_what_takes_too_long(void **state)
{
    char problem[GO_REGEX_PROBLEM_SIZE];
    char text[200];
    go_regex *regex = NULL;
    (void)state;
    memset(text, 'a', sizeof text);
    const struct salvor_span span = {text, sizeof text};
    assert_int_equal(go_regex_compile("(a*)*(a*)*(a*)*b", &regex, problem), SALVOR_OK);
    assert_int_not_equal(go_regex_search(regex, span), SALVOR_OK);
    go_regex_free(regex);
    const struct salvor_span bad = {"\xff", 1};
    assert_int_equal(go_regex_compile("a", &regex, problem), SALVOR_OK);
    assert_int_equal(go_regex_search(regex, bad), SALVOR_FAILED);
    go_regex_free(regex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_go_refuses),
        cmocka_unit_test(says_what_it_cannot_evaluate),
        cmocka_unit_test(answers_as_go_does),
        cmocka_unit_test(answers_for_the_vendors_own_patterns),
        cmocka_unit_test(gives_up_on_what_takes_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
