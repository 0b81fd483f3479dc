#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "net/yaml-json.h"

static void becomes(const char *yaml, const char *expected)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *json = NULL;
    if (yaml_json(yaml, strlen(yaml), "f", &json, &err) != 0)
        fail_msg("'%s' is not read: %s", yaml, err.message);
    cleanup_free char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_COMPACT);
    assert_string_equal(text, expected);
}

static void fails(const char *yaml, size_t size, const char *message)
{
    cleanup_error struct error err = ERROR_INIT;
    json_t *json = NULL;
    assert_int_equal(yaml_json(yaml, size, "f", &json, &err), -1);
    assert_null(json);
    assert_string_equal(err.message, message);
}

/* What kubectl 1.36 makes of these. */
static void words_and_numbers_are_those_of_yaml_1_1(void **state)
{
    (void)state;
    becomes("[~, null, Null, '', \"null\", ]", "[null,null,null,\"\",\"null\"]");
    becomes("[y, Yes, on, TRUE, n, No, off, False, yEs]",
            "[true,true,true,true,false,false,false,false,\"yEs\"]");
    becomes("[1, -2, +3, 0x10, 017, 0o17, 0b101, 1_000, 08, 0x, -, +]",
            "[1,-2,3,16,15,15,5,1000,8.0,\"0x\",\"-\",\"+\"]");
    becomes("[1.5, -1e3, .5, 1.2.3, 2001-01-01, 9223372036854775807, -9223372036854775808]",
            "[1.5,-1000.0,0.5,\"1.2.3\",\"2001-01-01\",9223372036854775807,-9223372036854775808]");
    becomes("{n: 1, 'n': 2, 0x10: 3}", "{\"16\":3,\"false\":1,\"n\":2}");
    becomes("a: '1'\nb: \"yes\"\n", "{\"a\":\"1\",\"b\":\"yes\"}");
}

static void a_json_document_is_itself(void **state)
{
    (void)state;
    becomes("{\"a\":[1,true,null,\"\\u00e9\\n\"],\"b\":{}}",
            "{\"a\":[1,true,null,\"\xc3\xa9\\n\"],\"b\":{}}");
    becomes("", "null");
    becomes("# nothing\n", "null");
    becomes("a: 1\n---\njunk: [\n", "{\"a\":1}");
    becomes("a: 1\na: 2\n", "{\"a\":2}");
}

static void aliases_and_merge_keys_unfold(void **state)
{
    (void)state;
    becomes("a: &x {b: 1, c: [2]}\nd: *x\ne: {<<: *x, b: 3}\n",
            "{\"a\":{\"b\":1,\"c\":[2]},\"d\":{\"b\":1,\"c\":[2]},\"e\":{\"b\":3,\"c\":[2]}}");
    becomes("a: &x {b: 1}\nc: &y {b: 2, d: 4}\ne:\n  <<: [*x, *y]\n",
            "{\"a\":{\"b\":1},\"c\":{\"b\":2,\"d\":4},\"e\":{\"b\":1,\"d\":4}}");
    becomes("{'<<': 1}", "{\"<<\":1}");
    fails("{<<: 1}", 7, "f:1:2: only maps can be merged with '<<'");
}

static void growth_has_bounds(void **state)
{
    (void)state;
    cleanup_free char *bomb = text_copy("a0: &a0 [x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 9; i++) {
        char *more =
            text_format("%sa%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", bomb, i,
                        i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
        free(bomb);
        bomb = more;
    }
    fails(bomb, strlen(bomb), "f:1:31: too many values");
    fails("&a [*a]", 7, "f:1:1: nested too deeply");
    char deep[201];
    memset(deep, '[', 100);
    memset(deep + 100, ']', 100);
    fails(deep, 200, "f:1:65: nested too deeply");
}

static void damage_has_a_place(void **state)
{
    (void)state;
    fails("a: [1\nb: 2\n", 11, "f:2:2: did not find expected ',' or ']'");
    fails("a: *b\n", 6, "f:1:4: found undefined alias");
    fails("~: 1", 4, "f:1:1: a key must be a text");
    fails("? [a]\n: 1\n", 10, "f:1:3: a key must be a text");
    fails("a: \"x\\0y\"\n", 10, "f:1:4: a text holds a NUL character");
    fails("a: \xff\n", 5, "f: invalid leading UTF-8 octet at byte 3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_numbers_are_those_of_yaml_1_1),
        cmocka_unit_test(a_json_document_is_itself),
        cmocka_unit_test(aliases_and_merge_keys_unfold),
        cmocka_unit_test(growth_has_bounds),
        cmocka_unit_test(damage_has_a_place),
    };
    return cmocka_run_group_tests_name("net/yaml-json", tests, NULL, NULL);
}
