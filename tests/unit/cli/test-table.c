#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/message.h"
#include "cli/table.h"
#include "config/yaml.h"

static const struct table_column columns[] = {
    {"NAME", "name", 0},   {"VERSION", "version", 0}, {"SIZE", "size", 1},
    {"READY", "ready", 0}, {NULL, NULL, 0},
};

#define ROWS                                                                          \
    "[{\"name\":\"a\",\"version\":\"1.0\",\"size\":12,\"ready\":true},"               \
    "{\"name\":\"\xe6\xbc\xa2\xe5\xad\x97\",\"version\":null,\"size\":[\"x\",\"y\"]," \
    "\"ready\":false},{\"name\":\"b\\u001b[2J\",\"version\":\"true\"}]"

static void expect(enum output_format format, const char *json, const char *wanted)
{
    cleanup_json json_t *rows = json_loads(json, 0, NULL);
    assert_non_null(rows);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    table_print(out, format, columns, "name", rows, "no rows");
    fclose(out);
    assert_string_equal(text, wanted);
    free(text);
}

static void test_table(void **state)
{
    (void)state;
    expect(OUTPUT_TABLE, ROWS,
           "NAME    VERSION   READY\n"
           "a       1.0       yes\n"
           "\xe6\xbc\xa2\xe5\xad\x97    -         no\n"
           "b?[2J   true      -\n");
    expect(OUTPUT_WIDE, ROWS,
           "NAME    VERSION   SIZE   READY\n"
           "a       1.0       12     yes\n"
           "\xe6\xbc\xa2\xe5\xad\x97    -         x,y    no\n"
           "b?[2J   true      -      -\n");
}

static void test_name(void **state)
{
    (void)state;
    expect(OUTPUT_NAME, "[{\"name\":\"a\"},{\"name\":\"b\"}]", "a\nb\n");
}

static void test_json(void **state)
{
    (void)state;
    expect(OUTPUT_JSON, "[{\"b\":1,\"a\":2}]", "[\n  {\n    \"a\": 2,\n    \"b\": 1\n  }\n]\n");
    expect(OUTPUT_JSON, "[]", "[]\n");
}

static void test_yaml(void **state)
{
    (void)state;
    expect(OUTPUT_YAML, "[{\"name\":\"a\",\"num\":1,\"t\":true,\"z\":null}]",
           "- name: a\n  num: 1\n  t: true\n  z: null\n");
    expect(OUTPUT_YAML,
           "[\"true\",\"NO\",\"1\",\"1e3\",\"\",\"~\",\"-x\",\"a: b\",\"2026-01-02\",\"a#b\","
           "\"/etc/x.y-z\"]",
           "- \"true\"\n- \"NO\"\n- \"1\"\n- \"1e3\"\n- \"\"\n- \"~\"\n- \"-x\"\n- \"a: b\"\n"
           "- \"2026-01-02\"\n- \"a#b\"\n- \"/etc/x.y-z\"\n");
}

/* Whatever the text is, a YAML reader gets exactly it back. */
static void test_yaml_comes_back(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "a\nb\n",    "a\nb",       "\n\n a\n", " leading",    "trailing ",
        "tab\there", "\"quoted\"", "'single'", "back\\slash", "\xc3\xa4\xe2\x82\xac",
        "a:\tb",     "---",        "x\r\ny",   "?",           "@",
        "\x1b",      "null",       "{}",       "[",           "%",
        "&a",        "*a",         "!t",       "|",           ">"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        cleanup_json json_t *value = json_pack("{s:s}", "k", texts[i]);
        cleanup_free char *yaml = table_yaml(value);
        struct yaml_node *root = NULL;
        cleanup_error struct error err = ERROR_INIT;
        if (yaml_parse(yaml, strlen(yaml), "y", &root, &err) != 0)
            fail_msg("%s: %s", yaml, err.message);
        const struct yaml_node *back = yaml_member(root, "k")->value;
        assert_int_equal(back->kind, YAML_TEXT);
        assert_string_equal(back->text, texts[i]);
        yaml_free(root);
    }
}

static void test_empty_table(void **state)
{
    (void)state;
    message_setup(0, -1);
    expect(OUTPUT_TABLE, "[]", "");
    expect(OUTPUT_NAME, "[]", "");
    message_setup(0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_name),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_yaml),
        cmocka_unit_test(test_yaml_comes_back),
        cmocka_unit_test(test_empty_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
