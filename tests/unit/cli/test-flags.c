#include "../unit.h"

#include <string.h>

#include "base/exit-code.h"
#include "base/text.h"
#include "cli/flags.h"
#include "cli/help.h"
#include "config/config-table.h"
#include "plugin/reserved-names.h"

static void test_no_plugin_may_take_a_flag_of_the_core(void **state)
{
    (void)state;
    for (const struct flag *flag = flag_table; flag->name != NULL; flag++)
        if (!name_is_reserved(flag->name))
            fail_msg("'--%s' is not in reserved-names.c", flag->name);
    for (const struct config_member *member = config_site_members; member->name != NULL; member++)
        if (!name_is_reserved(member->name))
            fail_msg("key '%s' of a site is not in reserved-names.c", member->name);
}

static void test_flags_are_told_apart(void **state)
{
    (void)state;
    for (const struct flag *flag = flag_table; flag->name != NULL; flag++) {
        assert_ptr_equal(flag_find(flag->name), flag);
        if (flag->letter != 0) {
            assert_ptr_equal(flag_by_letter(flag->letter), flag);
            assert_null(flag_option_by_letter(flag->letter));
        }
        assert_int_equal(flag->value_name == NULL, flag->value == VALUE_NONE);
        assert_int_not_equal(flag->commands, 0);
        assert_true(strlen(flag->name) <= 31);
    }
    for (int id = FLAG_PROVIDER; id <= FLAG_VERSION; id++) {
        const struct flag *flag = flag_table;
        while (flag->name != NULL && (int)flag->id != id)
            flag++;
        if (flag->name == NULL)
            fail_msg("flag %d has no row", id);
    }
    assert_null(flag_find("nothing"));
    assert_null(flag_by_letter('Z'));
}

static void test_commands_are_told_apart(void **state)
{
    (void)state;
    for (const struct command *command = command_table; command->name != NULL; command++) {
        assert_int_equal(command->id, command - command_table);
        assert_non_null(command->summary);
        assert_non_null(command->description);
        assert_non_null(command->run);
        assert_ptr_equal(command_find(command->name), command);
        for (const struct action *action = command->actions; action != NULL && action->name != NULL;
             action++)
            assert_ptr_equal(command_action(command, action->name), action);
    }
    assert_null(command_find("nothing"));
}

/* The numbers are interface; this table is what scripts rely on. */
static void test_exit_codes(void **state)
{
    (void)state;
    static const int wanted[] = {0, 1, 2, 3, 4, 5, 6, 130};
    static const enum exit_code codes[] = {
        EXIT_DONE,  EXIT_FAILED,  EXIT_USAGE,           EXIT_BLOCKED,
        EXIT_WAITS, EXIT_REFUSED, EXIT_OUTCOME_UNKNOWN, EXIT_INTERRUPTED};
    size_t count = 0;
    for (; exit_code_rows[count].meaning != NULL; count++) {
        assert_true(count < sizeof wanted / sizeof wanted[0]);
        assert_int_equal(exit_code_rows[count].code, wanted[count]);
        assert_int_equal(codes[count], wanted[count]);
    }
    assert_int_equal(count, sizeof wanted / sizeof wanted[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_plugin_may_take_a_flag_of_the_core),
        cmocka_unit_test(test_flags_are_told_apart),
        cmocka_unit_test(test_commands_are_told_apart),
        cmocka_unit_test(test_exit_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
