#include "../unit.h"

#include <salvor/json.h>
#include <salvor/report.h>
#include <salvor/text.h>
#include <string.h>

#include "fake-host.h"

static void reads_by_path(void **state)
{
    struct fake_host host = {0};
    salvor_call *call = fake_call(&host);
    json_t *json = NULL;
    const char *text = NULL;
    (void)state;
    assert_int_equal(
        salvor_json_parse_text(call, "{\"a\":{\"b/c\":[1,{\"x\":\"y\"}],\"t\":true},\"~\":2}",
                               "the answer", &json),
        SALVOR_OK);
    assert_ptr_equal(salvor_json_at(json, ""), json);
    assert_string_equal(salvor_json_text(json, "/a/b~1c/1/x", "no"), "y");
    assert_string_equal(salvor_json_text(json, "/a/b~1c/0", "no"), "no");
    assert_string_equal(salvor_json_text(json, "/a/b~1c/01/x", "no"), "no");
    assert_string_equal(salvor_json_text(json, "/a/b~2c", "no"), "no");
    assert_string_equal(salvor_json_text(json, "a", "no"), "no");
    assert_string_equal(salvor_json_text(NULL, "/a", "no"), "no");
    assert_int_equal(salvor_json_integer(json, "/~0", -1), 2);
    assert_int_equal(salvor_json_integer(json, "/a/t", -1), -1);
    assert_int_equal(salvor_json_flag(json, "/a/t", 0), 1);
    assert_int_equal(salvor_json_flag(json, "/~0", 0), 0);
    assert_int_equal(salvor_json_count(json, "/a/b~1c"), 2);
    assert_int_equal(salvor_json_count(json, "/a"), 2);
    assert_int_equal(salvor_json_count(json, "/no"), 0);
    assert_int_equal(salvor_json_need(call, json, "/a/b~1c/1/x", "the answer", &text), SALVOR_OK);
    assert_string_equal(text, "y");
    assert_int_equal(salvor_json_need(call, json, "/a/t", "the answer", &text), SALVOR_FAILED);
    assert_string_equal(host.message, "the answer has no text at '/a/t'");
    json_decref(json);
}

static void reports_what_is_no_json(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } bad[] = {
        {"{\"a\":1,\n\"a\":2}", "the answer is no valid JSON at line 2, column 3"},
        {"", "the answer is no valid JSON at line 1, column 0"},
        {"{}}", "the answer is no valid JSON at line 1, column 3"},
    };
    struct fake_host host = {0};
    salvor_call *call = fake_call(&host);
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *json = NULL;
        assert_int_equal(salvor_json_parse_text(call, bad[i].text, "the answer", &json),
                         SALVOR_FAILED);
        assert_null(json);
        assert_string_equal(host.message, bad[i].message);
        assert_true(host.detail[0] != '\0');
    }
}

static void builds_and_writes(void **state)
{
    struct fake_host host = {0};
    salvor_call *call = fake_call(&host);
    json_t *json = salvor_json_build(call, "{s:s, s:i}", "z", "last", "a", 1);
    (void)state;
    assert_non_null(json);
    assert_int_equal(salvor_json_put(json, "/m/b~1c/x", json_true()), SALVOR_OK);
    assert_int_equal(salvor_json_put(json, "/m/y", json_string("t")), SALVOR_OK);
    assert_int_equal(salvor_json_put(json, "/a/x", json_null()), SALVOR_REFUSED);
    assert_int_equal(salvor_json_put(json, "", json_null()), SALVOR_REFUSED);
    assert_int_equal(salvor_json_put(json, "/n", NULL), SALVOR_FAILED);
    char *text = salvor_json_write(json);
    assert_string_equal(text, "{\"a\":1,\"m\":{\"b/c\":{\"x\":true},\"y\":\"t\"},\"z\":\"last\"}");
    salvor_release(text);
    json_decref(json);
    assert_null(salvor_json_build(call, "{s:s}", "a", "\xff"));
    assert_string_equal(host.message, "cannot build a JSON document");
}

static void text_grows_to_its_limit(void **state)
{
    struct salvor_text text = SALVOR_TEXT_INIT(1000);
    (void)state;
    assert_string_equal(salvor_text_get(&text), "");
    for (int i = 0; i < 100; i++)
        salvor_text_format(&text, "%d,", i);
    assert_int_equal(text.size, 290);
    salvor_text_format(&text, "%0600d", 1);
    assert_int_equal(text.size, 890);
    assert_int_equal(strlen(salvor_text_get(&text)), 890);
    salvor_text_format(&text, "%0111d", 1);
    assert_null(salvor_text_get(&text));
    assert_int_equal(text.failed, SALVOR_REFUSED);
    salvor_text_put(&text, "x"); /* the failure sticks */
    assert_null(salvor_text_get(&text));

    struct fake_host host = {0};
    assert_int_equal(salvor_text_check(fake_call(&host), &text, "the request"), SALVOR_FAILED);
    assert_string_equal(host.message, "the request is larger than 1000 bytes");
    salvor_text_reset(&text);
    assert_string_equal(salvor_text_get(&text), "");
    salvor_text_clear(&text);
}

static void text_quotes_and_encodes(void **state)
{
    static const char raw[] = "a\"\\/\n\x01\xc3\xa9\xff\xed\xa0\x80z";
    struct salvor_text text = SALVOR_TEXT_INIT(1000);
    (void)state;
    salvor_text_quote(&text, raw, sizeof raw - 1);
    assert_string_equal(salvor_text_get(&text),
                        "\"a\\\"\\\\/\\n\\u0001\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                        "\xef\xbf\xbdz\"");
    json_t *json = json_loads(salvor_text_get(&text), JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    json_decref(json);
    salvor_text_reset(&text);
    salvor_text_encode(&text, "a b/c?d=\xc3\xa9~-_.");
    assert_string_equal(salvor_text_get(&text), "a%20b%2Fc%3Fd%3D%C3%A9~-_.");
    salvor_text_clear(&text);
}

static void long_messages_end_in_dots(void **state)
{
    struct fake_host host = {0};
    salvor_call *call = fake_call(&host);
    static char words[6000];
    (void)state;
    /* two-byte letters from an odd offset, so that the cut would split one */
    for (size_t i = 0; i + 2 < sizeof words; i += 2)
        memcpy(words + i, "\xc3\xa9", 2);
    assert_int_equal(salvor_fail(call, SALVOR_RETRY, "wait", "x%s", words), SALVOR_RETRY);
    assert_int_equal(host.reported, SALVOR_RETRY);
    assert_string_equal(host.hint, "wait");
    assert_int_equal(host.message[0], 'x');
    const size_t size = strlen(host.message);
    assert_in_range(size, 4090, 4095);
    assert_string_equal(host.message + size - 5, "\xc3\xa9...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_by_path),           cmocka_unit_test(reports_what_is_no_json),
        cmocka_unit_test(builds_and_writes),       cmocka_unit_test(text_grows_to_its_limit),
        cmocka_unit_test(text_quotes_and_encodes), cmocka_unit_test(long_messages_end_in_dots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
