#include "../unit.h"

#include <jansson.h>
#include <salvor/canonical.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect(salvor_canonicalizer *canonicalizer, const char *text, const char *expected)
{
    struct salvor_span json;
    struct salvor_scan_error error = {"", 0};
    if (salvor_canonicalize(canonicalizer, salvor_span_of(text), &json, &error) != SALVOR_OK)
        fail_msg("'%s': %s at %u", text, error.problem, (unsigned)error.offset);
    assert_string_equal(json.data, expected);
    assert_int_equal(json.size, strlen(expected));
}

static void gives_one_spelling(void **state)
{
    salvor_canonicalizer *plain = salvor_canonicalizer_create(NULL, 0);
    (void)state;
    expect(plain, " { \"b\" : 1 , \"a\" : [ ] , \"ab\" : { } } ", "{\"a\":[],\"ab\":{},\"b\":1}");
    expect(plain, "{\"a\":1,\"b\":{\"d\":1,\"c\":{\"z\":0,\"y\":[{\"b\":1,\"a\":2}]}}}",
           "{\"a\":1,\"b\":{\"c\":{\"y\":[{\"a\":2,\"b\":1}],\"z\":0},\"d\":1}}");
    expect(plain, "[1.50,1e5,-0,100000000000000000000]", "[1.50,1e5,-0,100000000000000000000]");
    expect(plain, "\"\\u003c\\/\\u00e9\\u0001\\b\\\"\\ud83d\\ude00\\u007f\"",
           "\"</\xc3\xa9\\u0001\\b\\\"\xf0\x9f\x98\x80\x7f\"");
    expect(plain, "\"\\uD800x\"", "\"\\ud800x\"");
    expect(plain, "7", "7");
    /* by decoded bytes: '!' < '"' < '#', and a tab before them */
    expect(plain, "{\"#\":1,\"\\\"\":2,\"!\":3,\"\\t\":4,\"\\u0061\":5,\"\":6}",
           "{\"\":6,\"\\t\":4,\"!\":3,\"\\\"\":2,\"#\":1,\"a\":5}");
    salvor_canonicalizer_free(plain);
}

static void leaves_out_what_it_is_told(void **state)
{
    const char *const drops[] = {"/metadata/managedFields", "/metadata/uid", "/status",
                                 "/spec/*/secret", "/metadata/annotations/a.b~1c"};
    salvor_canonicalizer *dropping = salvor_canonicalizer_create(drops, 5);
    (void)state;
    expect(
        dropping,
        "{\"status\":{\"x\":[1]},\"metadata\":{\"uid\":\"u\",\"name\":\"n\",\"managedFields\":[{}],"
        "\"annotations\":{\"a.b/c\":\"1\",\"a\":\"2\"}},\"spec\":[{\"secret\":1,\"a\":2},"
        "{\"secret\":{}}],\"uid\":1}",
        "{\"metadata\":{\"annotations\":{\"a\":\"2\"},\"name\":\"n\"},\"spec\":[{\"a\":2},{}],"
        "\"uid\":1}");
    /* the star does not stand for any member */
    expect(dropping, "{\"spec\":{\"a\":{\"secret\":1}}}", "{\"spec\":{\"a\":{\"secret\":1}}}");
    salvor_canonicalizer_free(dropping);

    const char *const bad[] = {"metadata"};
    assert_null(salvor_canonicalizer_create(bad, 1));
    salvor_canonicalizer_free(NULL);
}

static void refuses_duplicates_and_damage(void **state)
{
    static const struct {
        const char *text;
        const char *problem;
    } bad[] = {
        {"{\"a\":1,\"a\":2}", "duplicate key in the object"},
        {"{\"b\":1,\"a\":2,\"b\":3}", "duplicate key in the object"},
        {"{\"a\":1,\"\\u0061\":2}", "duplicate key in the object"},
        {"{\"a\":1} x", "something follows the document"},
        {"{\"a\":[1}", "',' or the end of the container was expected"},
        {"", "the document ends too early"},
    };
    salvor_canonicalizer *plain = salvor_canonicalizer_create(NULL, 0);
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct salvor_span json;
        struct salvor_scan_error error = {"", 0};
        assert_int_equal(salvor_canonicalize(plain, salvor_span_of(bad[i].text), &json, &error),
                         SALVOR_FAILED);
        assert_string_equal(error.problem, bad[i].problem);
    }
    expect(plain, "[1]", "[1]"); /* and goes on working */
    salvor_canonicalizer_free(plain);
}

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 16) & 0x7fff;
}

static json_t *random_json(unsigned *seed, int depth)
{
    static const char *const words[] = {"a",
                                        "b",
                                        "name",
                                        "\xc3\xa9",
                                        "x/y",
                                        "\n",
                                        "\"",
                                        "a key that passes sixteen bytes",
                                        "\x01",
                                        "",
                                        "\xf0\x9f\x98\x80"};
    const unsigned kind = next_random(seed) % (depth > 5 ? 4 : 7);
    const char *word = words[next_random(seed) % (sizeof words / sizeof *words)];
    json_t *json;
    switch (kind) {
    case 0:
        return json_integer((json_int_t)next_random(seed));
    case 1:
        return json_boolean(next_random(seed) % 2);
    case 2:
        return json_null();
    case 3:
        return json_string(word);
    case 4:
        json = json_array();
        for (unsigned i = next_random(seed) % 5; i > 0; i--)
            json_array_append_new(json, random_json(seed, depth + 1));
        return json;
    default:
        json = json_object();
        for (unsigned i = next_random(seed) % 60; i > 0; i--) {
            char key[64];
            (void)snprintf(key, sizeof key, "%s%u",
                           words[next_random(seed) % (sizeof words / sizeof *words)],
                           next_random(seed) % 40);
            json_object_set_new(json, key, random_json(seed, depth + 2));
        }
        return json;
    }
}

/* For documents without escapes beyond the short ones jansson's own canonical form is the same. */
static void agrees_with_jansson(void **state)
{
    salvor_canonicalizer *plain = salvor_canonicalizer_create(NULL, 0);
    unsigned seed = 4711;
    (void)state;
    for (int round = 0; round < 300; round++) {
        json_t *json = random_json(&seed, 0);
        char *shuffled = json_dumps(json, JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_INDENT(3));
        char *sorted = json_dumps(json, JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_COMPACT);
        expect(plain, shuffled, sorted);
        free(shuffled);
        free(sorted);
        json_decref(json);
    }
    salvor_canonicalizer_free(plain);
}

static void expect_edit(const char *text, const struct salvor_edit *edits, size_t count,
                        const char *expected)
{
    struct salvor_text out = SALVOR_TEXT_INIT(4096);
    struct salvor_scan_error error = {"", 0};
    if (salvor_json_edit(salvor_span_of(text), edits, count, &out, &error) != SALVOR_OK)
        fail_msg("'%s': %s", text, error.problem);
    assert_string_equal(salvor_text_get(&out), expected);
    salvor_text_clear(&out);
}

static void edits_in_passing(void **state)
{
    const struct salvor_edit edits[] = {
        {"/metadata/resourceVersion", {"\"42\"", 4}},
        {"/metadata/uid", {NULL, 0}},
        {"/secrets", {NULL, 0}},
        {"/spec/n~1m", {"{\"x\": 1}", 8}},
    };
    (void)state;
    expect_edit("{ \"z\" : [1, 2], \"metadata\":{\"uid\":\"u\",\"name\":\"n\"},\"secrets\":[1],"
                "\"spec\":{\"n/m\":0,\"k\": [ ]}}",
                edits, 4,
                "{\"z\":[1, 2],\"metadata\":{\"name\":\"n\",\"resourceVersion\":\"42\"},"
                "\"spec\":{\"n/m\":{\"x\": 1},\"k\":[ ]}}");
    expect_edit("{\"metadata\":{\"resourceVersion\":\"1\"},\"spec\":{}}", edits, 4,
                "{\"metadata\":{\"resourceVersion\":\"42\"},\"spec\":{\"n/m\":{\"x\": 1}}}");
    /* the order of edits of one member: the last wins; several new members of one object */
    const struct salvor_edit more[] = {
        {"/a", {"1", 1}}, {"/a", {"2", 1}}, {"/b", {"3", 1}}, {"/c", {NULL, 0}}};
    expect_edit("{\"a\":0}", more, 4, "{\"a\":2,\"b\":3}");
    expect_edit("[1]", more, 0, "[1]");
}

static void edits_all_or_nothing(void **state)
{
    const struct salvor_edit deep[] = {{"/metadata/labels/a", {"\"1\"", 3}}};
    const struct salvor_edit bad[] = {{"labels", {"1", 1}}};
    struct salvor_text out = SALVOR_TEXT_INIT(30);
    struct salvor_scan_error error = {"", 0};
    (void)state;
    salvor_text_put(&out, "before");
    assert_int_equal(salvor_json_edit(salvor_span_of("{\"metadata\":{}}"), deep, 1, &out, &error),
                     SALVOR_NOT_FOUND);
    assert_string_equal(error.problem, "a member was to be set in an object that is not there");
    assert_string_equal(salvor_text_get(&out), "before");
    assert_int_equal(salvor_json_edit(salvor_span_of("{\"a\":}"), deep, 1, &out, &error),
                     SALVOR_FAILED);
    assert_string_equal(salvor_text_get(&out), "before");
    assert_int_equal(salvor_json_edit(salvor_span_of("{}"), bad, 1, &out, &error), SALVOR_REFUSED);
    assert_int_equal(salvor_json_edit(salvor_span_of("{\"a\":\"longer than the limit allows\"}"),
                                      deep, 1, &out, &error),
                     SALVOR_REFUSED);
    assert_string_equal(error.problem, "the result is too large");
    assert_string_equal(salvor_text_get(&out), "before");
    salvor_text_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_one_spelling),
        cmocka_unit_test(leaves_out_what_it_is_told),
        cmocka_unit_test(refuses_duplicates_and_damage),
        cmocka_unit_test(agrees_with_jansson),
        cmocka_unit_test(edits_in_passing),
        cmocka_unit_test(edits_all_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
