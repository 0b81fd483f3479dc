#include "../unit.h"

#include <jansson.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "capture.h"
#include "cli/message.h"

static struct capture capture;

static void fill(struct error *err)
{
    error_set(err, EXIT_REFUSED, "cannot lock site '%s'", "prod");
    error_detail(err, "held by run 7\nsince noon");
    error_hint(err, "wait for it, or `salvor runs`");
}

static void test_plain(void **state)
{
    (void)state;
    cleanup_error struct error err = ERROR_INIT;
    fill(&err);
    capture_pipe(&capture);
    message_setup(0, 0);
    message_error(&err);
    message_warn_error(&err);
    message(MESSAGE_INFO, "line %d\nsecond", 1);
    message(MESSAGE_WARNING, "esc \x1b[31m");
    message(MESSAGE_DEBUG, "not shown");
    cleanup_free char *text = text_copy(capture_text(&capture));
    capture_end(&capture);
    assert_string_equal(text, "error: cannot lock site 'prod'\n"
                              "detail: held by run 7\ndetail: since noon\n"
                              "hint: wait for it, or `salvor runs`\n"
                              "warning: cannot lock site 'prod'\n"
                              "detail: held by run 7\ndetail: since noon\n"
                              "hint: wait for it, or `salvor runs`\n"
                              "line 1\n  second\n"
                              "warning: esc ?[31m\n");
}

static void test_json(void **state)
{
    (void)state;
    cleanup_error struct error err = ERROR_INIT;
    fill(&err);
    capture_pipe(&capture);
    message_setup(1, 0);
    message_error(&err);
    message(MESSAGE_WARNING, "quote \" and \n line");
    cleanup_free char *text = text_copy(capture_text(&capture));
    capture_end(&capture);
    message_setup(0, 0);
    char *end = strchr(text, '\n');
    assert_non_null(end);
    *end = '\0';
    cleanup_json json_t *first = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    cleanup_json json_t *second = json_loads(end + 1, JSON_REJECT_DUPLICATES, NULL);
    assert_string_equal(json_text(first, "level"), "error");
    assert_string_equal(json_text(first, "message"), "cannot lock site 'prod'");
    assert_string_equal(json_text(first, "detail"), "held by run 7\nsince noon");
    assert_string_equal(json_text(first, "hint"), "wait for it, or `salvor runs`");
    assert_int_equal(json_whole(first, "exit_code", -1), 5);
    assert_int_equal(strlen(json_text(first, "time")), strlen("2026-01-02T03:04:05.678Z"));
    assert_string_equal(json_text(second, "level"), "warning");
    assert_string_equal(json_text(second, "message"), "quote \" and \n line");
    assert_null(json_object_get(second, "exit_code"));
    assert_string_equal(end + 1 + strcspn(end + 1, "\n"), "\n");
}

static void test_verbosity(void **state)
{
    (void)state;
    message_setup(0, -1);
    assert_false(message_shows(MESSAGE_WARNING));
    assert_true(message_shows(MESSAGE_ERROR));
    message_setup(0, 1);
    assert_true(message_shows(MESSAGE_DEBUG));
    message_setup(0, 0);
    assert_false(message_shows(MESSAGE_DEBUG));
    assert_true(message_shows(MESSAGE_INFO));
}

static char *hide(const char *text)
{
    return text_copy(strstr(text, "hunter2") != NULL ? "[redacted]" : text);
}

static void test_everything_is_redacted(void **state)
{
    (void)state;
    cleanup_error struct error err = ERROR_INIT;
    error_set(&err, EXIT_FAILED, "a hunter2");
    error_detail(&err, "b hunter2");
    error_hint(&err, "c hunter2");
    capture_pipe(&capture);
    message_set_filter(hide);
    for (int json = 0; json < 2; json++) {
        message_setup(json, 0);
        message_error(&err);
        message(MESSAGE_INFO, "d hunter2");
    }
    message_set_filter(NULL);
    message_setup(0, 0);
    cleanup_free char *text = text_copy(capture_text(&capture));
    capture_end(&capture);
    assert_null(strstr(text, "hunter2"));
    assert_non_null(strstr(text, "error: [redacted]\ndetail: [redacted]\nhint: [redacted]\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_verbosity),
        cmocka_unit_test(test_everything_is_redacted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
