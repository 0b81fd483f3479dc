#include "../unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "config/config-file.h"
#include "config/config.h"

struct place {
    char folder[64];
    char *file;
};

static int make_place(void **state)
{
    struct place *place = memory_new(1, sizeof *place);
    (void)snprintf(place->folder, sizeof place->folder, "/tmp/salvor-test-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    place->file = text_format("%s/salvor.yaml", place->folder);
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;
    file_remove_tree(place->folder, NULL);
    free(place->file);
    free(place);
    return 0;
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    assert_int_equal(file_write_atomic(path, text, strlen(text), mode, NULL), 0);
}

static void expect_error(const char *path, const char *part, const char *hint_part)
{
    char *found = NULL;
    char *text = NULL;
    size_t size = 0;
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(config_file_read(path, &found, &text, &size, &err), -1);
    assert_non_null(strstr(err.message, part));
    if (hint_part != NULL)
        assert_non_null(strstr(err.hint, hint_part));
    assert_int_equal(err.code, EXIT_USAGE);
}

static void test_named_file(void **state)
{
    struct place *place = *state;
    expect_error(place->file, "there is no configuration file", "leave --config out");
    expect_error(place->folder, "it is a folder", NULL);
    write_file(place->file, "sites: {}\n", 0600);
    cleanup_free char *found = NULL;
    cleanup_free char *text = NULL;
    size_t size = 0;
    assert_int_equal(config_file_read(place->file, &found, &text, &size, NULL), 0);
    assert_string_equal(found, place->file);
    assert_string_equal(text, "sites: {}\n");
    assert_int_equal(size, 10);
}

static void test_files_that_others_could_change(void **state)
{
    struct place *place = *state;
    write_file(place->file, "", 0646);
    expect_error(place->file, "can be written by others (mode 0646)", "chmod go-w");
    write_file(place->file, "", 0660); /* the own group is as good as oneself */
    cleanup_free char *found = NULL;
    cleanup_free char *text = NULL;
    size_t size = 0;
    assert_int_equal(config_file_read(place->file, &found, &text, &size, NULL), 0);
    if (geteuid() != 0)
        return;
    assert_int_equal(chown(place->file, 0, 12345), 0);
    expect_error(place->file, "can be written by others (mode 0660)", "chmod go-w");
    assert_int_equal(chown(place->file, 12345, 0), 0);
    expect_error(place->file, "belongs to another user (uid 12345)", "chown 0");
}

static void test_size_limit(void **state)
{
    struct place *place = *state;
    cleanup_free char *big = memory_new(CONFIG_SIZE_LIMIT + 1, 1);
    memset(big, '#', CONFIG_SIZE_LIMIT + 1);
    assert_int_equal(file_write_atomic(place->file, big, CONFIG_SIZE_LIMIT + 1, 0600, NULL), 0);
    expect_error(place->file, "is larger than 1 MiB", NULL);
    assert_int_equal(file_write_atomic(place->file, big, CONFIG_SIZE_LIMIT, 0600, NULL), 0);
    struct config *config = NULL;
    assert_int_equal(config_load(place->file, &config, NULL), 0);
    config_free(config);
    expect_error("/dev/zero", "is larger than 1 MiB", NULL);
}

static void test_searches_the_user_folder(void **state)
{
    struct place *place = *state;
    cleanup_free char *folder = text_format("%s/salvor", place->folder);
    cleanup_free char *file = text_format("%s/salvor.yaml", folder);
    setenv("XDG_CONFIG_HOME", place->folder, 1);
    assert_int_equal(file_make_folder(folder, NULL), 0);
    write_file(file, "defaults: {timeout: 5m}\n", 0600);
    struct config *config = NULL;
    assert_int_equal(config_load(NULL, &config, NULL), 0);
    assert_string_equal(config_path(config), file);
    assert_int_equal(config_default_timeout_ms(config), 300000);
    config_free(config);
    unsetenv("XDG_CONFIG_HOME");
}

static void test_empty_device_is_an_empty_configuration(void **state)
{
    (void)state;
    struct config *config = NULL;
    assert_int_equal(config_load("/dev/null", &config, NULL), 0);
    assert_null(config_sites(config)[0]);
    config_free(config);
}

static void test_load_reports_all_problems(void **state)
{
    struct place *place = *state;
    write_file(place->file, "sites: 1\nstores: 2\n", 0600);
    struct config *config = NULL;
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(config_load(place->file, &config, &err), -1);
    assert_non_null(strstr(err.message, ":1:8: 'sites' must be a map, not a text"));
    assert_non_null(strstr(err.detail, ":2:9: 'stores' must be a map, not a text"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_named_file, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_files_that_others_could_change, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(test_size_limit, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_searches_the_user_folder, make_place, remove_place),
        cmocka_unit_test(test_empty_device_is_an_empty_configuration),
        cmocka_unit_test_setup_teardown(test_load_reports_all_problems, make_place, remove_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
