#include "../unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "config/path.h"

static void expect(const char *folder, const char *path, const char *wanted)
{
    cleanup_free char *absolute = path_absolute(folder, path);
    assert_string_equal(absolute, wanted);
}

static void test_absolute(void **state)
{
    (void)state;
    setenv("HOME", "/home/op", 1);
    assert_int_equal(chdir("/usr"), 0);
    expect(NULL, "/x/y", "/x/y");
    expect("/etc/salvor", "keys/a", "/etc/salvor/keys/a");
    expect("/etc/salvor/", "./keys", "/etc/salvor/keys");
    expect("/etc", "../a", "/etc/../a");
    expect(NULL, "a", "/usr/a");
    expect(NULL, ".//a", "/usr/a");
    expect("conf", "a", "/usr/conf/a");
    expect("/etc", "~/a", "/home/op/a");
    expect("/etc", "~other/a", "/etc/~other/a");
    unsetenv("HOME");
    expect("/etc", "~/a", "/etc/~/a");
}

static void test_state_folder(void **state)
{
    (void)state;
    setenv("XDG_STATE_HOME", "/state", 1);
    cleanup_free char *given = path_default_state_folder();
    assert_string_equal(given, "/state/salvor");
    setenv("XDG_STATE_HOME", "relative", 1); /* not valid by the XDG rules */
    setenv("HOME", "/home/op", 1);
    cleanup_free char *fallback = path_default_state_folder();
    assert_string_equal(fallback,
                        geteuid() == 0 ? "/var/lib/salvor" : "/home/op/.local/state/salvor");
    unsetenv("XDG_STATE_HOME");
    unsetenv("HOME");
    cleanup_free char *homeless = path_default_state_folder();
    assert_string_equal(homeless, "/var/lib/salvor");
}

static void test_user_config(void **state)
{
    (void)state;
    setenv("XDG_CONFIG_HOME", "/conf/", 1);
    cleanup_free char *given = path_user_config();
    assert_string_equal(given, "/conf/salvor/salvor.yaml");
    unsetenv("XDG_CONFIG_HOME");
    setenv("HOME", "/home/op", 1);
    cleanup_free char *fallback = path_user_config();
    assert_string_equal(fallback, "/home/op/.config/salvor/salvor.yaml");
    unsetenv("HOME");
    assert_null(path_user_config());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_absolute),
        cmocka_unit_test(test_state_folder),
        cmocka_unit_test(test_user_config),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
