#include "../unit.h"

#include <string.h>

#include "backup/set-pick.h"
#include "base/cleanup.h"
#include "base/json.h"

static json_t *row_of(const char *set, const char *verified)
{
    json_t *row = json_make("{s:s, s:s, s:s, s:s, s:n}", "set", set, "provider", "p", "site", "lab",
                            "state", "complete", "verified");
    if (verified != NULL)
        json_put(row, "verified", json_make("{s:s}", "state", verified));
    return row;
}

static void latest_is_not_one_that_verify_called_damaged(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *list =
        json_make("[o, o]", row_of("second", "damaged"), row_of("first", "whole"));
    const json_t *row = NULL;
    struct set_wish wish = {"p", "lab", "latest", "there", 1};
    (void)state;
    assert_int_equal(set_pick(list, &wish, &row, &err), -1);
    assert_int_equal(err.code, EXIT_REFUSED);
    assert_non_null(strstr(err.message, "'second' is the latest"));
    wish.sound = 0; /* to look at it, and to verify it once more */
    assert_int_equal(set_pick(list, &wish, &row, NULL), 0);
    assert_string_equal(json_text(row, "set"), "second");
    wish = (struct set_wish){"p", "lab", "second", "there", 1}; /* who names it wants it */
    assert_int_equal(set_pick(list, &wish, &row, NULL), 0);
}

static void what_verify_called_whole_or_never_saw_is_taken(void **state)
{
    const json_t *row = NULL;
    const struct set_wish wish = {"p", "lab", "latest", "there", 1};
    cleanup_json json_t *whole =
        json_make("[o, o]", row_of("second", "whole"), row_of("first", "damaged"));
    cleanup_json json_t *unseen =
        json_make("[o, o]", row_of("second", NULL), row_of("first", "whole"));
    (void)state;
    assert_int_equal(set_pick(whole, &wish, &row, NULL), 0);
    assert_string_equal(json_text(row, "set"), "second");
    assert_int_equal(set_pick(unseen, &wish, &row, NULL), 0);
    assert_string_equal(json_text(row, "set"), "second");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(latest_is_not_one_that_verify_called_damaged),
        cmocka_unit_test(what_verify_called_whole_or_never_saw_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
