#include "../unit.h"

#include "plugin/search.h"
#include "scratch.h"

static void names_and_file_names_lead_to_each_other(void **state)
{
    (void)state;
    const char *pairs[][2] = {
        {"eksa", "salvor_eksa.so"}, {"nsx-antrea", "salvor_nsx_antrea.so"}, {"a", "salvor_a.so"}};
    for (size_t i = 0; i < 3; i++) {
        cleanup_free char *file_name = plugin_file_name(pairs[i][0]);
        cleanup_free char *name = plugin_name_of_file(pairs[i][1]);
        assert_string_equal(file_name, pairs[i][1]);
        assert_string_equal(name, pairs[i][0]);
    }
    const char *foreign[] = {"salvor_.so",    "salvor_a-b.so", "salvor_A.so", "libsalvor_a.so",
                             "salvor_a.so.1", "salvor_a.la",   "salvor_1.so", "",
                             ".so",           "salvor_a b.so"};
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        assert_null(plugin_name_of_file(foreign[i]));
}

static void folders_come_in_their_order(void **state)
{
    (void)state;
    cleanup_free char *first = scratch_folder("first");
    cleanup_free char *second = scratch_folder("second");
    cleanup_free char *third = scratch_folder("third");
    cleanup_free char *link_path = scratch_path("link");
    assert_int_equal(symlink(first, link_path), 0);
    cleanup_free char *variable = text_format("%s::%s/absent:%s", second, scratch, third);
    assert_int_equal(setenv("SALVOR_PLUGIN_PATH", variable, 1), 0);
    const char *given[] = {link_path, NULL};
    char **folders = NULL;
    assert_int_equal(search_folders(given, &folders, NULL), 0);
    assert_string_equal(folders[0], first);
    assert_string_equal(folders[1], second);
    assert_string_equal(folders[2], third);
    search_free(folders);
    assert_int_equal(unsetenv("SALVOR_PLUGIN_PATH"), 0);
    assert_int_equal(search_folders(NULL, &folders, NULL), 0);
    assert_true(folders[0] == NULL || folders[1] == NULL);
    search_free(folders);
}

static void wrong_folders_are_named(void **state)
{
    (void)state;
    cleanup_free char *file = scratch_file("file", "");
    const char *absent[] = {"/nonexistent/plugins", NULL};
    const char *no_folder[] = {file, NULL};
    char **folders = NULL;
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(search_folders(absent, &folders, &err), -1);
    assert_string_equal(err.message, "cannot search plugin folder '/nonexistent/plugins': No such "
                                     "file or directory");
    assert_int_equal(search_folders(no_folder, &folders, &err), -1);
    cleanup_free char *message =
        text_format("cannot search plugin folder '%s': it is a file", file);
    assert_string_equal(err.message, message);
    assert_int_equal(setenv("SALVOR_PLUGIN_PATH", "plugins", 1), 0);
    assert_int_equal(search_folders(NULL, &folders, &err), -1);
    assert_string_equal(err.message, "SALVOR_PLUGIN_PATH: folder 'plugins' is not absolute");
    assert_int_equal(err.code, EXIT_USAGE);
    assert_int_equal(unsetenv("SALVOR_PLUGIN_PATH"), 0);
    assert_null(folders);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_file_names_lead_to_each_other),
        scratch_test(folders_come_in_their_order),
        scratch_test(wrong_folders_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
