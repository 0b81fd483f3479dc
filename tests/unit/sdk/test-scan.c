#include "../unit.h"

#include <jansson.h>
#include <salvor/scan.h>
#include <string.h>

static struct salvor_span span(const char *text)
{
    return salvor_span_of(text);
}

static void accepts_what_json_is(void **state)
{
    static const char *const good[] = {
        "0",
        "-0",
        "1.5e+10",
        "\"\"",
        "true",
        "false",
        "null",
        "{}",
        "[]",
        " [ 1 , 2 ] ",
        "{\"a\":{\"b\":[1,{\"c\":null}]},\"d\":\"\\u00e9\\ud83d\\ude00\\n\"}",
        "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
        "[\"a long string of plain text here\",2]",
        "\"\\ud800\""};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(salvor_scan_check(span(good[i]), NULL), SALVOR_OK);
}

static void refuses_what_json_is_not(void **state)
{
    static const struct {
        const char *text;
        const char *problem;
        uint64_t offset;
    } bad[] = {
        {"", "the document ends too early", 0},
        {"{", "the document ends too early", 1},
        {"[1,]", "a value was expected", 3},
        {"{\"a\":1,}", "a member name was expected", 7},
        {"{\"a\" 1}", "':' was expected", 5},
        {"[1 2]", "',' or the end of the container was expected", 3},
        {"[}", "a value was expected", 1},
        {"1 2", "something follows the document", 2},
        {"01", "something follows the document", 1},
        {"1.", "bad number", 2},
        {"-", "bad number", 1},
        {"1e", "bad number", 2},
        {"+1", "a value was expected", 0},
        {"nul", "a value was expected", 0},
        {"\"a", "a string does not end", 2},
        {"\"\\x\"", "bad escape in a string", 1},
        {"\"\\u12g4\"", "bad escape in a string", 1},
        {"\"a\nb\"", "control character in a string", 2},
        {"\"\xff\"", "a string is no UTF-8", 1},
        {"\"\xc0\x80\"", "a string is no UTF-8", 1},
        {"\"\xed\xa0\x80\"", "a string is no UTF-8", 1},
        {"\"\xf4\x90\x80\x80\"", "a string is no UTF-8", 1},
        {"\"0123456789abcdef\xe2\x82\"", "a string is no UTF-8", 17},
        {"'a'", "a value was expected", 0},
        {"{a:1}", "a member name was expected", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct salvor_scan_error error = {NULL, 0};
        assert_int_equal(salvor_scan_check(span(bad[i].text), &error), SALVOR_FAILED);
        assert_string_equal(error.problem, bad[i].problem);
        assert_int_equal(error.offset, bad[i].offset);
    }
}

static void bounds_the_depth(void **state)
{
    char text[2 * SALVOR_SCAN_DEPTH + 3];
    (void)state;
    memset(text, '[', SALVOR_SCAN_DEPTH);
    memset(text + SALVOR_SCAN_DEPTH, ']', SALVOR_SCAN_DEPTH);
    text[2 * SALVOR_SCAN_DEPTH] = '\0';
    assert_int_equal(salvor_scan_check(span(text), NULL), SALVOR_OK);

    struct salvor_scan_error error;
    memset(text, '[', SALVOR_SCAN_DEPTH + 1);
    memset(text + SALVOR_SCAN_DEPTH + 1, ']', SALVOR_SCAN_DEPTH + 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(salvor_scan_check(span(text), &error), SALVOR_FAILED);
    assert_string_equal(error.problem, "nested too deeply");
}

static void a_broken_document_stays_broken(void **state)
{
    struct salvor_scanner scanner;
    struct salvor_token token;
    (void)state;
    salvor_scan_begin(&scanner, span("[tru]"));
    assert_int_equal(salvor_scan_next(&scanner, &token), SALVOR_OK);
    assert_int_equal(salvor_scan_next(&scanner, &token), SALVOR_FAILED);
    assert_int_equal(salvor_scan_next(&scanner, &token), SALVOR_FAILED);
    assert_int_equal(scanner.error.offset, 1);
}

static void tokens_tell_their_place(void **state)
{
    static const struct {
        uint32_t type;
        uint32_t depth;
        const char *text;
    } expected[] = {
        {SALVOR_TOKEN_OBJECT, 0, "{"},     {SALVOR_TOKEN_KEY, 1, "a"},
        {SALVOR_TOKEN_ARRAY, 1, "["},      {SALVOR_TOKEN_NUMBER, 2, "1.50"},
        {SALVOR_TOKEN_TRUE, 2, "true"},    {SALVOR_TOKEN_ARRAY_END, 1, "]"},
        {SALVOR_TOKEN_KEY, 1, "b\\n"},     {SALVOR_TOKEN_STRING, 1, "x"},
        {SALVOR_TOKEN_OBJECT_END, 0, "}"},
    };
    struct salvor_scanner scanner;
    struct salvor_token token;
    (void)state;
    salvor_scan_begin(&scanner, span("{ \"a\" : [1.50,true], \"b\\n\":\"x\"} "));
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_int_equal(salvor_scan_next(&scanner, &token), SALVOR_OK);
        assert_int_equal(token.type, expected[i].type);
        assert_int_equal(token.depth, expected[i].depth);
        assert_true(salvor_span_is(token.text, expected[i].text));
    }
    assert_int_equal(salvor_scan_next(&scanner, &token), SALVOR_END);
    assert_int_equal(salvor_scan_next(&scanner, &token), SALVOR_END);
}

static void finds_by_pointer(void **state)
{
    const struct salvor_span json = span("{\"a\":{\"x\":[10,{\"deep\":\"v\\\"w\"},[]]},\"a~b/"
                                         "c\":7,\"\\u0061b\":true,\"\":3,\"z\":nul");
    struct salvor_span value;
    struct salvor_token token;
    (void)state;
    assert_int_equal(salvor_scan_find(json, "/a/x/1/deep", &token, &value, NULL), SALVOR_OK);
    assert_true(salvor_span_is(value, "\"v\\\"w\""));
    assert_int_equal(token.type, SALVOR_TOKEN_STRING);
    assert_true(salvor_token_is(&token, "v\"w"));
    assert_false(salvor_token_is(&token, "v\"wx"));
    assert_false(salvor_token_is(&token, "v\""));
    assert_int_equal(salvor_scan_find(json, "/a/x/2", NULL, &value, NULL), SALVOR_OK);
    assert_true(salvor_span_is(value, "[]"));
    assert_int_equal(salvor_scan_find(json, "/a~0b~1c", NULL, &value, NULL), SALVOR_OK);
    assert_true(salvor_span_is(value, "7"));
    assert_int_equal(salvor_scan_find(json, "/ab", NULL, &value, NULL), SALVOR_OK);
    assert_true(salvor_span_is(value, "true"));
    assert_int_equal(salvor_scan_find(json, "/", NULL, &value, NULL), SALVOR_OK);
    assert_true(salvor_span_is(value, "3"));
    assert_int_equal(salvor_scan_find(json, "/a/x/3", NULL, &value, NULL), SALVOR_NOT_FOUND);
    assert_int_equal(salvor_scan_find(json, "/a/x/01", NULL, &value, NULL), SALVOR_NOT_FOUND);
    assert_int_equal(salvor_scan_find(json, "/a/y", NULL, &value, NULL), SALVOR_NOT_FOUND);
    assert_int_equal(salvor_scan_find(json, "/a/x/0/no", NULL, &value, NULL), SALVOR_NOT_FOUND);
    assert_int_equal(salvor_scan_find(json, "a", NULL, &value, NULL), SALVOR_NOT_FOUND);
    /* only what lies behind the sought value is malformed */
    struct salvor_scan_error error;
    assert_int_equal(salvor_scan_find(json, "/z", NULL, &value, &error), SALVOR_FAILED);
    assert_string_equal(error.problem, "a value was expected");
}

static void decodes_within_bounds(void **state)
{
    struct salvor_span value;
    struct salvor_token token;
    char buffer[8];
    (void)state;
    assert_int_equal(
        salvor_scan_find(span("\"\\u00e9\\ud83d\\ude00\\t\""), "", &token, &value, NULL),
        SALVOR_OK);
    assert_int_equal(salvor_token_decode(&token, buffer, sizeof buffer), SALVOR_OK);
    assert_string_equal(buffer, "\xc3\xa9\xf0\x9f\x98\x80\t");
    assert_int_equal(salvor_token_decode(&token, buffer, 7), SALVOR_REFUSED);
    assert_int_equal(salvor_scan_find(span("\"a\\u0000\""), "", &token, &value, NULL), SALVOR_OK);
    assert_int_equal(salvor_token_decode(&token, buffer, sizeof buffer), SALVOR_REFUSED);
    assert_int_equal(salvor_scan_find(span("\"\\udc00\""), "", &token, &value, NULL), SALVOR_OK);
    assert_int_equal(salvor_token_decode(&token, buffer, sizeof buffer), SALVOR_REFUSED);
}

/* jansson is the independent judge: both accept or both refuse every one-byte change of a document.
 * Exempt is what jansson refuses beyond the grammar: NUL in strings, lone surrogates, huge reals.
 */
static void agrees_with_jansson(void **state)
{
    static const char text[] =
        "{\"apiVersion\":\"v1\",\"n\":[0,-1,2.5e3,true,false,null],\"s\":\"\\u00e9\\n\xc3\xa9\"}";
    char changed[sizeof text];
    size_t accepted = 0;
    (void)state;
    for (size_t at = 0; at < sizeof text - 1; at++) {
        for (unsigned byte = 1; byte < 256; byte++) {
            memcpy(changed, text, sizeof text);
            changed[at] = (char)byte;
            const struct salvor_span json = {changed, sizeof text - 1};
            json_error_t error;
            json_t *parsed = json_loadb(changed, sizeof text - 1, JSON_DECODE_ANY, &error);
            const int ours = salvor_scan_check(json, NULL) == SALVOR_OK;
            if (parsed == NULL && ours) {
                assert_true(strstr(error.text, "surrogate") != NULL ||
                            strstr(error.text, "\\u0000") != NULL ||
                            strstr(error.text, "invalid Unicode") != NULL ||
                            json_error_code(&error) == json_error_numeric_overflow);
            } else {
                assert_int_equal(parsed != NULL, ours);
            }
            accepted += (size_t)ours;
            json_decref(parsed);
        }
    }
    assert_true(accepted > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_what_json_is),    cmocka_unit_test(refuses_what_json_is_not),
        cmocka_unit_test(bounds_the_depth),        cmocka_unit_test(a_broken_document_stays_broken),
        cmocka_unit_test(tokens_tell_their_place), cmocka_unit_test(finds_by_pointer),
        cmocka_unit_test(decodes_within_bounds),   cmocka_unit_test(agrees_with_jansson),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
