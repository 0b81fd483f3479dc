#include "../unit.h"

#include "plugin/trust.h"
#include "scratch.h"

static void assert_refused(const char *path, const char *message)
{
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(trust_check("x", path, &err), -1);
    assert_string_equal(err.message, message);
    assert_int_equal(err.code, EXIT_USAGE);
}

static void own_files_below_own_folders_are_trusted(void **state)
{
    (void)state;
    free(scratch_folder("a/b"));
    cleanup_free char *file = scratch_file("a/b/x.so", "");
    /* /tmp, above the scratch folder, is writable by all and sticky. */
    assert_int_equal(trust_check("x", file, NULL), 0);
    assert_int_equal(trust_check("x", "/", NULL), 0);
}

static void what_others_can_write_is_refused(void **state)
{
    (void)state;
    cleanup_free char *above = scratch_folder("a");
    cleanup_free char *folder = scratch_folder("a/b");
    cleanup_free char *file = scratch_file("a/b/x.so", "");
    const mode_t modes[] = {0664, 0646, 0666};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        assert_int_equal(chmod(file, modes[i]), 0);
        cleanup_free char *message =
            text_format("refusing plugin 'x': '%s' is writable by group or others", file);
        assert_refused(file, message);
    }
    assert_int_equal(chmod(file, 0644), 0);
    const char *folders[] = {folder, above};
    for (size_t i = 0; i < 2; i++) {
        cleanup_free char *message = text_format(
            "refusing plugin 'x': folder '%s' is writable by group or others", folders[i]);
        assert_int_equal(chmod(folders[i], 0775), 0);
        assert_refused(file, message);
        assert_int_equal(chmod(folders[i], 0757), 0);
        assert_refused(file, message);
        assert_int_equal(chmod(folders[i], 01777), 0);
        assert_int_equal(trust_check("x", file, NULL), 0);
        assert_int_equal(chmod(folders[i], 0700), 0);
    }
}

static void what_belongs_to_others_is_refused(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    cleanup_free char *folder = scratch_folder("a");
    cleanup_free char *file = scratch_file("a/x.so", "");
    assert_int_equal(chown(file, 4321, 0), 0);
    cleanup_free char *message =
        text_format("refusing plugin 'x': '%s' belongs to user 4321, not to root or to you", file);
    assert_refused(file, message);
    assert_int_equal(chown(file, 0, 0), 0);
    assert_int_equal(chown(folder, 4321, 0), 0);
    cleanup_free char *folder_message = text_format(
        "refusing plugin 'x': folder '%s' belongs to user 4321, not to root or to you", folder);
    assert_refused(file, folder_message);
}

static void what_is_not_there_is_refused(void **state)
{
    (void)state;
    assert_refused("/nonexistent/x.so", "refusing plugin 'x': cannot look at '/nonexistent/x.so': "
                                        "No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(own_files_below_own_folders_are_trusted),
        scratch_test(what_others_can_write_is_refused),
        scratch_test(what_belongs_to_others_is_refused),
        cmocka_unit_test(what_is_not_there_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
