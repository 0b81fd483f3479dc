#include "../unit.h"

#include <salvor/scan.h>

#include "go-json.h"

static void escapes_what_go_escapes(void **state)
{
    static const struct {
        const char *plain;
        const char *escaped;
    } rows[] = {
        {"{\"a\":\"b\"}", "{\"a\":\"b\"}"},
        {"\"<a>&\"", "\"\\u003ca\\u003e\\u0026\""},
        {"\"\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\"", "\"\\u2028\\u2029\xe2\x80\xaa\""},
        {"\"\xe2\x82\xac\"", "\"\xe2\x82\xac\""},
        {"\"\xe2\"", "\"\xe2\""},
        {"", ""},
    };
    salvor_auto_text struct salvor_text buffer = SALVOR_TEXT_INIT(1024);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_true(salvor_span_is(go_json_escape(salvor_span_of(rows[i].plain), &buffer),
                                   rows[i].escaped));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(escapes_what_go_escapes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
