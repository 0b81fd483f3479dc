#include "../unit.h"

#include "base/text.h"
#include "cli/scanner.h"
#include "shop.h"

static struct plugin_info *info;

static int begin(void **state)
{
    (void)state;
    info = shop_info();
    return 0;
}

static int end(void **state)
{
    (void)state;
    plugin_info_free(info);
    return 0;
}

struct expected {
    enum token_kind kind;
    const char *name;  /* "" for an operand */
    const char *value; /* NULL: none */
};

static void check(char **argv, const struct expected *wanted)
{
    int argc = 0;
    while (argv[argc] != NULL)
        argc++;
    struct scanner scanner;
    struct token token;
    scanner_start(&scanner, argc, argv, info);
    for (; wanted->kind != TOKEN_END; wanted++) {
        assert_true(scanner_next(&scanner, &token));
        assert_int_equal(token.kind, wanted->kind);
        assert_string_equal(token.name, wanted->name);
        if (wanted->value == NULL)
            assert_null(token.value);
        else
            assert_string_equal(token.value, wanted->value);
    }
    assert_false(scanner_next(&scanner, &token));
}

#define ARGV(...) ((char **)(const char *[]){"salvor", __VA_ARGS__, NULL})
#define WANTED(...) ((const struct expected[]){__VA_ARGS__, {TOKEN_END, "", NULL}})

static void test_forms_of_a_value(void **state)
{
    (void)state;
    check(ARGV("--from", "a", "--from=b", "--from=", "-o", "json", "-ojson", "-o=json"),
          WANTED({TOKEN_FLAG, "--from", "a"}, {TOKEN_FLAG, "--from", "b"},
                 {TOKEN_FLAG, "--from", ""}, {TOKEN_FLAG, "-o", "json"}, {TOKEN_FLAG, "-o", "json"},
                 {TOKEN_FLAG, "-o", "json"}));
    check(ARGV("--kubeconfig=a=b", "-n", "ns", "-nns"),
          WANTED({TOKEN_OPTION, "--kubeconfig", "a=b"}, {TOKEN_OPTION, "-n", "ns"},
                 {TOKEN_OPTION, "-n", "ns"}));
    check(ARGV("--workers", "-1"), WANTED({TOKEN_OPTION, "--workers", "-1"}));
}

static void test_switches(void **state)
{
    (void)state;
    check(ARGV("--yes", "x", "--yes=false", "-vqv", "--insecure", "x", "--insecure=no"),
          WANTED({TOKEN_FLAG, "--yes", "true"}, {TOKEN_OPERAND, "", "x"},
                 {TOKEN_FLAG, "--yes", "false"}, {TOKEN_FLAG, "-v", "true"},
                 {TOKEN_FLAG, "-q", "true"}, {TOKEN_FLAG, "-v", "true"},
                 {TOKEN_OPTION, "--insecure", "true"}, {TOKEN_OPERAND, "", "x"},
                 {TOKEN_OPTION, "--insecure", "no"}));
    check(ARGV("--yes=perhaps"), WANTED({TOKEN_TAKES_NO_VALUE, "--yes", "perhaps"}));
}

static void test_forgotten_values(void **state)
{
    (void)state;
    check(ARGV("--from", "--yes"),
          WANTED({TOKEN_NEEDS_VALUE, "--from", NULL}, {TOKEN_FLAG, "--yes", "true"}));
    check(ARGV("--from"), WANTED({TOKEN_NEEDS_VALUE, "--from", NULL}));
    check(ARGV("-vo"), WANTED({TOKEN_FLAG, "-v", "true"}, {TOKEN_NEEDS_VALUE, "-o", NULL}));
    check(ARGV("--from=--yes"), WANTED({TOKEN_FLAG, "--from", "--yes"}));
}

static void test_operands(void **state)
{
    (void)state;
    check(ARGV("a", "-", "--", "--yes", "-v", "--"),
          WANTED({TOKEN_OPERAND, "", "a"}, {TOKEN_OPERAND, "", "-"}, {TOKEN_OPERAND, "", "--yes"},
                 {TOKEN_OPERAND, "", "-v"}, {TOKEN_OPERAND, "", "--"}));
    check(ARGV(""), WANTED({TOKEN_OPERAND, "", ""}));
}

static void test_unknown(void **state)
{
    (void)state;
    check(ARGV("--prov=x", "-xv", "--=", "--yess"),
          WANTED({TOKEN_UNKNOWN, "--prov", "x"}, {TOKEN_UNKNOWN, "-x", NULL},
                 {TOKEN_UNKNOWN, "--", ""}, {TOKEN_UNKNOWN, "--yess", NULL}));
    char longest[200];
    for (size_t i = 0; i < sizeof longest - 1; i++)
        longest[i] = '-';
    longest[sizeof longest - 1] = '\0';
    struct scanner scanner;
    struct token token;
    scanner_start(&scanner, 2, ARGV(longest), NULL);
    assert_true(scanner_next(&scanner, &token));
    assert_int_equal(token.kind, TOKEN_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms_of_a_value), cmocka_unit_test(test_switches),
        cmocka_unit_test(test_forgotten_values), cmocka_unit_test(test_operands),
        cmocka_unit_test(test_unknown),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
