#include "../unit.h"

#include <salvor/plugin.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "plugin/option-value.h"

static const char *choices[] = {"operator", "native", "auto", NULL};

static void texts_become_typed_values(void **state)
{
    (void)state;
    const struct {
        uint32_t type;
        const char *text, *json, *message;
    } cases[] = {
        {SALVOR_OPTION_STRING, "any thing", "\"any thing\"", NULL},
        {SALVOR_OPTION_STRING, "", "\"\"", NULL},
        {SALVOR_OPTION_STRING, "\xff", NULL, "the value is not UTF-8"},
        {SALVOR_OPTION_INTEGER, "-12", "-12", NULL},
        {SALVOR_OPTION_INTEGER, "12x", NULL, "'12x' is not a whole number"},
        {SALVOR_OPTION_BOOLEAN, "true", "true", NULL},
        {SALVOR_OPTION_BOOLEAN, "false", "false", NULL},
        {SALVOR_OPTION_BOOLEAN, "yes", NULL, "'yes' is neither true nor false"},
        {SALVOR_OPTION_DURATION, "5m", "300000", NULL},
        {SALVOR_OPTION_DURATION, "5", NULL, "'5' is not a duration such as 30s, 5m or 2h"},
        {SALVOR_OPTION_SIZE, "10MiB", "10485760", NULL},
        {SALVOR_OPTION_SIZE, "ten", NULL, "'ten' is not a size such as 512, 64KiB or 10MiB"},
        {SALVOR_OPTION_PATH, "a/b", "\"a/b\"", NULL},
        {SALVOR_OPTION_PATH, "", NULL, "the path is empty"},
        {SALVOR_OPTION_URL, "https://[::1]:2379/x", "\"https://[::1]:2379/x\"", NULL},
        {SALVOR_OPTION_URL, "etcd.local:2379", NULL,
         "'etcd.local:2379' is not a URL: it has no scheme (https://...)"},
        {SALVOR_OPTION_URL, "ht tp://x", NULL,
         "'ht tp://x' is not a URL: its scheme has a character that no scheme has"},
        {SALVOR_OPTION_URL, "https:///x", NULL, "'https:///x' is not a URL: it has no host"},
        {SALVOR_OPTION_URL, "https://:80", NULL, "'https://:80' is not a URL: it has no host"},
        {SALVOR_OPTION_URL, "https://u:p@h/", NULL,
         "'https://u:p@h/' is not a URL: credentials do not belong into it"},
        {SALVOR_OPTION_URL, "https://h/a b", NULL,
         "'https://h/a b' is not a URL: it has a space or a control character"},
        {SALVOR_OPTION_CHOICE, "native", "\"native\"", NULL},
        {SALVOR_OPTION_CHOICE, "natvie", NULL, "'natvie' is not one of operator, native, auto"},
        {SALVOR_OPTION_LIST, "a,b", "[\"a,b\"]", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct plugin_option option = {.type = cases[i].type, .choices = choices};
        cleanup_error struct error err = ERROR_INIT;
        cleanup_json json_t *value = NULL;
        int result = option_value_parse(&option, cases[i].text, &value, &err);
        cleanup_free char *text = value != NULL ? json_canonical(value) : NULL;
        assert_int_equal(result, cases[i].json != NULL ? 0 : -1);
        if (!text_equal(text, cases[i].json) || !text_equal(err.message, cases[i].message))
            fail_msg("'%s': %s, %s", cases[i].text, text, err.message);
    }
}

static void a_choice_is_suggested_and_a_secret_is_not_shown(void **state)
{
    (void)state;
    struct plugin_option option = {.type = SALVOR_OPTION_CHOICE, .choices = choices};
    cleanup_error struct error err = ERROR_INIT;
    json_t *value = NULL;
    assert_int_equal(option_value_parse(&option, "natvie", &value, &err), -1);
    assert_string_equal(err.hint, "did you mean 'native'?");
    option.secret = 1;
    assert_int_equal(option_value_parse(&option, "hunter22", &value, &err), -1);
    assert_null(strstr(err.message, "hunter22"));
    assert_null(err.hint);
    assert_null(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_become_typed_values),
        cmocka_unit_test(a_choice_is_suggested_and_a_secret_is_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
