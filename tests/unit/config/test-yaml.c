#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "config/yaml.h"

static struct yaml_node *parse(const char *text)
{
    struct yaml_node *root = NULL;
    struct error err = ERROR_INIT;
    if (yaml_parse(text, strlen(text), "f.yaml", &root, &err) != 0)
        fail_msg("not parsed: %s", err.message);
    return root;
}

static void expect_error(const char *text, size_t size, const char *message, const char *hint)
{
    struct yaml_node *root = NULL;
    struct error err = ERROR_INIT;
    assert_int_equal(yaml_parse(text, size, "f.yaml", &root, &err), -1);
    assert_null(root);
    assert_string_equal(err.message, message);
    assert_int_equal(err.code, EXIT_USAGE);
    if (hint != NULL)
        assert_string_equal(err.hint, hint);
    error_clear(&err);
}

static void expect(const char *text, const char *message, const char *hint)
{
    expect_error(text, strlen(text), message, hint);
}

static void test_knows_where_everything_stands(void **state)
{
    (void)state;
    struct yaml_node *root = parse("# first\nsites:\n  prod:\n    kubeconfig: '/etc/x'\n"
                                   "    names: [a, b]\n");
    assert_int_equal(root->kind, YAML_MAP);
    const struct yaml_entry *sites = yaml_member(root, "sites");
    assert_int_equal(sites->line, 2);
    assert_int_equal(sites->column, 1);
    const struct yaml_entry *prod = yaml_member(sites->value, "prod");
    const struct yaml_entry *kubeconfig = yaml_member(prod->value, "kubeconfig");
    assert_int_equal(kubeconfig->line, 4);
    assert_int_equal(kubeconfig->column, 5);
    assert_int_equal(kubeconfig->value->column, 17);
    assert_string_equal(kubeconfig->value->text, "/etc/x");
    const struct yaml_entry *names = yaml_member(prod->value, "names");
    assert_int_equal(names->value->kind, YAML_LIST);
    assert_int_equal(names->value->count, 2);
    assert_string_equal(names->value->entries[1].value->text, "b");
    assert_null(names->value->entries[1].key);
    yaml_free(root);
}

static void test_columns_are_characters(void **state)
{
    (void)state;
    struct yaml_node *root = parse("{\xc3\xa4\xc3\xb6: 1, b: 2}");
    assert_int_equal(yaml_member(root, "b")->column, 9);
    yaml_free(root);
}

static void test_nothing(void **state)
{
    (void)state;
    const char *const empty[] = {"", "# only a comment\n", "---\n", "~", "null"};
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        struct yaml_node *root = parse(empty[i]);
        assert_int_equal(root->kind, YAML_NOTHING);
        assert_null(yaml_member(root, "x"));
        yaml_free(root);
    }
    struct yaml_node *quoted = parse("a: 'null'\nb: \"\"\nc:\n");
    assert_int_equal(yaml_member(quoted, "a")->value->kind, YAML_TEXT);
    assert_int_equal(yaml_member(quoted, "b")->value->kind, YAML_TEXT);
    assert_int_equal(yaml_member(quoted, "c")->value->kind, YAML_NOTHING);
    yaml_free(quoted);
}

static void test_refuses_duplicate_keys(void **state)
{
    (void)state;
    expect("a: 1\nb: 2\n  \na: 3\n", "f.yaml:4:1: key 'a' is given twice",
           "it stands first at line 1, column 1");
    expect("x: {b: 1, 'b': 2}", "f.yaml:1:11: key 'b' is given twice", NULL);
}

static void test_refuses_what_hides_values(void **state)
{
    (void)state;
    const char *hint = "write the value out where it is needed";
    expect("a: &x 1\nb: *x\n", "f.yaml:1:4: anchors and aliases are not supported", hint);
    expect("a: &x [1]\n", "f.yaml:1:4: anchors and aliases are not supported", hint);
    expect("a: &x {b: 1}\n", "f.yaml:1:4: anchors and aliases are not supported", hint);
    expect("a: *x\n", "f.yaml:1:4: anchors and aliases are not supported", hint);
    expect("*x : 1\n", "f.yaml:1:1: anchors and aliases are not supported", hint);
    expect("a: !!str 1\n", "f.yaml:1:4: tags are not supported",
           "write the value without 'tag:yaml.org,2002:str'");
    expect("a: !!python/object:os.system [x]\n", "f.yaml:1:4: tags are not supported", NULL);
    expect("a: !local {b: 1}\n", "f.yaml:1:4: tags are not supported", NULL);
    expect("a: 1\n---\nb: 2\n", "f.yaml:2:1: there must be one document only", NULL);
    expect("? [a]\n: 1\n", "f.yaml:1:3: a key must be a text", NULL);
    expect("a: \"x\\0y\"\n", "f.yaml:1:4: a text holds a NUL character", NULL);
    expect("\"x\\0y\": 1\n", "f.yaml:1:1: a key holds a NUL character", NULL);
}

static void test_alias_bomb(void **state)
{
    (void)state;
    expect("a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]\n",
           "f.yaml:1:4: anchors and aliases are not supported", NULL);
}

static void test_syntax_errors_name_line_and_column(void **state)
{
    (void)state;
    expect("a:\n\tb: 1\n", "f.yaml:2:1: found character that cannot start any token",
           "YAML is indented with spaces, never with tabs");
    /* marks count characters, not bytes */
    expect("\xc3\xa4:\n\tb: 1\n", "f.yaml:2:1: found character that cannot start any token",
           "YAML is indented with spaces, never with tabs");
    expect("a: [1, 2\n", "f.yaml:2:1: did not find expected ',' or ']'", NULL);
    expect("a: 'x\n", "f.yaml:2:1: found unexpected end of stream", NULL);
    expect("a: 1\n b: 2\n", "f.yaml:2:3: mapping values are not allowed in this context", NULL);
    expect("ok: 1\nx: \xff\n", "f.yaml:2:4: invalid leading UTF-8 octet", NULL);
    expect("x: \x01\n", "f.yaml:1:4: control characters are not allowed", NULL);
    expect_error("a: \0b\n", 6, "f.yaml:1:4: control characters are not allowed", NULL);
}

static void test_limits(void **state)
{
    (void)state;
    char deep[256];
    memset(deep, '[', 33);
    memset(deep + 33, ']', 33);
    deep[66] = '\0';
    expect(deep, "f.yaml:1:33: nested deeper than 32 levels", NULL);
    memset(deep, '[', 32);
    memset(deep + 32, ']', 32);
    deep[64] = '\0';
    yaml_free(parse(deep));

    cleanup_free char *many = malloc(YAML_SIZE_LIMIT + 2);
    assert_non_null(many);
    memset(many, '[', YAML_SIZE_LIMIT);
    expect_error(many, YAML_SIZE_LIMIT, "f.yaml:1:33: nested deeper than 32 levels", NULL);
    expect_error(many, YAML_SIZE_LIMIT + 1, "f.yaml: larger than 1 MiB", NULL);

    size_t at = 0;
    for (int i = 0; i < 1025; i++, at += 4)
        memcpy(many + at, "- x\n", 4);
    expect_error(many, at, "f.yaml:1025:3: more than 1024 entries in one list or map", NULL);
    struct yaml_node *root = NULL;
    assert_int_equal(yaml_parse(many, at - 4, "f.yaml", &root, NULL), 0);
    assert_int_equal(root->count, 1024);
    yaml_free(root);

    at = 0;
    for (int i = 0; i < 200; i++) {
        memcpy(many + at, "- [", 3);
        at += 3;
        for (int j = 0; j < 1000; j++, at += 2)
            memcpy(many + at, "x,", 2);
        memcpy(many + at, "]\n", 2);
        at += 2;
    }
    struct error err = ERROR_INIT;
    assert_int_equal(yaml_parse(many, at, "f.yaml", &root, &err), -1);
    assert_non_null(strstr(err.message, "more than 65536 values"));
    error_clear(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_knows_where_everything_stands),
        cmocka_unit_test(test_columns_are_characters),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_refuses_duplicate_keys),
        cmocka_unit_test(test_refuses_what_hides_values),
        cmocka_unit_test(test_alias_bomb),
        cmocka_unit_test(test_syntax_errors_name_line_and_column),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
