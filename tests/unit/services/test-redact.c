#include "../unit.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "host/redact.h"

static int forget(void **state)
{
    (void)state;
    redact_clear();
    return 0;
}

static void assert_redacted(const char *text, const char *expected)
{
    cleanup_free char *hidden = redact_text(text);
    assert_string_equal(hidden, expected);
}

static void raw_wherever_it_stands(void **state)
{
    (void)state;
    assert_redacted("nothing is known yet: hunter22", "nothing is known yet: hunter22");
    redact_add("hunter22", 8);
    assert_redacted("hunter22", "[redacted]");
    assert_redacted("a hunter22 b hunter22", "a [redacted] b [redacted]");
    assert_redacted("hunter22hunter22", "[redacted]");
    assert_redacted("hunter2", "hunter2");
    assert_redacted("", "");
    redact_clear();
    assert_redacted("hunter22", "hunter22");
}

static void short_values_are_left(void **state)
{
    (void)state;
    redact_add("abc", 3);
    redact_add("", 0);
    redact_add("abc\n\r\n", 6);
    assert_redacted("abc", "abc");
    redact_add("abcd", 4);
    assert_redacted("abcde", "[redacted]e");
}

static void overlapping_values_leave_nothing(void **state)
{
    (void)state;
    redact_add("secret-one", 10);
    redact_add("one-two-three", 13);
    redact_add("two-", 4);
    assert_redacted("<secret-one-two-three>", "<[redacted]>");
    assert_redacted("<secret-one>", "<[redacted]>");
    assert_redacted("<two-one-two-three>", "<[redacted]>");
}

static void url_forms(void **state)
{
    (void)state;
    redact_add("p@ss w/rd?", 10);
    assert_redacted("x=p%40ss%20w%2Frd%3F&", "x=[redacted]&");
    assert_redacted("x=p%40ss%20w%2frd%3f&", "x=[redacted]&");
    assert_redacted("x=p%40ss+w%2Frd%3F&", "x=[redacted]&");
    assert_redacted("x=p%40ss%20w/rd%3F&", "x=[redacted]&");
}

/* Wherever the value lies in what is encoded, no four characters of its own encoding are left. */
static void base64_at_every_alignment(void **state)
{
    (void)state;
    static const char value[] = "\xfb\xff"
                                "canary?>value";
    const size_t size = sizeof value - 1;
    static const int variants[] = {sodium_base64_VARIANT_ORIGINAL,
                                   sodium_base64_VARIANT_URLSAFE_NO_PADDING};
    redact_add(value, size);
    for (size_t variant = 0; variant < 2; variant++) {
        for (size_t before = 0; before < 9; before++) {
            for (size_t after = 0; after < 4; after++) {
                unsigned char plain[64];
                char encoded[128];
                char bare[128];
                memset(plain, 'B', sizeof plain);
                memcpy(plain + before, value, size);
                (void)sodium_bin2base64(encoded, sizeof encoded, plain, before + size + after,
                                        variants[variant]);
                memset(plain + before, 'x', size);
                (void)sodium_bin2base64(bare, sizeof bare, plain, before + size + after,
                                        variants[variant]);
                cleanup_free char *hidden = redact_text(encoded);
                assert_non_null(strstr(hidden, "[redacted]"));
                /* What is left are the characters of the neighbours and the two that they share. */
                size_t left = strlen(hidden) - strlen("[redacted]");
                size_t own = (before * 8 + 5) / 6 + 1 + (after * 8 + 5) / 6 + 4;
                assert_true(left <= own);
            }
        }
    }
}

static void json_escaped(void **state)
{
    (void)state;
    static const char value[] = "a\"b\\c/d\n\xc3\xa9\xf0\x9f\x94\x91<&>";
    redact_add(value, sizeof value - 1);
    static const size_t flags[] = {0, JSON_ENSURE_ASCII, JSON_ESCAPE_SLASH,
                                   JSON_ENSURE_ASCII | JSON_ESCAPE_SLASH};
    cleanup_json json_t *string = json_string(value);
    for (size_t i = 0; i < 4; i++) {
        cleanup_free char *text = json_dumps(string, JSON_ENCODE_ANY | flags[i]);
        assert_redacted(text, "\"[redacted]\"");
    }
    /* As Go writes it, and with lower-case digits. */
    assert_redacted("\"a\\\"b\\\\c/d\\n\xc3\xa9\xf0\x9f\x94\x91\\u003c\\u0026\\u003e\"",
                    "\"[redacted]\"");
    assert_redacted("a\\\"b\\\\c/d\\n\\u00e9\\ud83d\\udd11<&>", "[redacted]");
}

static void keys_of_many_lines_line_by_line(void **state)
{
    (void)state;
    static const char key[] = "-----BEGIN PRIVATE KEY-----\n"
                              "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n"
                              "short\n"
                              "BKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n"
                              "-----END PRIVATE KEY-----\n";
    redact_add(key, sizeof key - 1);
    assert_redacted(key, "[redacted]\n");
    assert_redacted("line 2: MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "line 2: [redacted]");
    assert_redacted("short", "short");
    assert_redacted("-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----");
}

static void json_in_place(void **state)
{
    (void)state;
    redact_add("hunter22", 8);
    cleanup_json json_t *json = json_make("{s:s,s:[s,i,{s:s}],s:s,s:n}", "a", "x hunter22", "b",
                                          "hunter22", 5, "k hunter22", "v", "c", "clean", "d");
    redact_json(json);
    cleanup_free char *text = json_canonical(json);
    assert_string_equal(text, "{\"a\":\"x [redacted]\",\"b\":[\"[redacted]\",5,"
                              "{\"k [redacted]\":\"v\"}],\"c\":\"clean\",\"d\":null}");
    cleanup_json json_t *string = json_string("hunter22");
    redact_json(string);
    assert_string_equal(json_string_value(string), "[redacted]");
    redact_json(NULL);
}

static void a_value_given_twice_and_a_large_one(void **state)
{
    (void)state;
    cleanup_free char *large = memory_new(65537, 1);
    for (size_t i = 0; i < 65536; i++)
        large[i] = (char)('a' + i * 7 % 26 + (i / 26) % 2 * ('A' - 'a'));
    redact_add("hunter22", 8);
    redact_add("hunter22", 8);
    redact_add(large, 65536);
    cleanup_free char *text = text_format("<%s>hunter22", large);
    assert_redacted(text, "<[redacted]>[redacted]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(raw_wherever_it_stands, forget),
        cmocka_unit_test_teardown(short_values_are_left, forget),
        cmocka_unit_test_teardown(overlapping_values_leave_nothing, forget),
        cmocka_unit_test_teardown(url_forms, forget),
        cmocka_unit_test_teardown(base64_at_every_alignment, forget),
        cmocka_unit_test_teardown(json_escaped, forget),
        cmocka_unit_test_teardown(keys_of_many_lines_line_by_line, forget),
        cmocka_unit_test_teardown(json_in_place, forget),
        cmocka_unit_test_teardown(a_value_given_twice_and_a_large_one, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
