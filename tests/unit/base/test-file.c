#include "../unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

static int make_scratch(void **state)
{
    char pattern[] = "/tmp/salvor-test-file-XXXXXX";
    *state = text_copy(mkdtemp(pattern));
    return 0;
}

static int drop_scratch(void **state)
{
    int result = file_remove_tree(*state, NULL);
    free(*state);
    return result;
}

static void atomic_write_then_read_back(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *folder = text_format("%s/a/b", (char *)*state);
    cleanup_free char *path = text_format("%s/file", folder);
    assert_int_equal(file_make_folder(folder, &err), 0);
    assert_int_equal(file_make_folder(folder, &err), 0);
    assert_int_equal(file_write_atomic(path, "one\0two", 7, 0600, &err), 0);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    cleanup_free char *text = NULL;
    size_t size = 0;
    assert_int_equal(file_read(path, 7, &text, &size, &err), 0);
    assert_int_equal(size, 7);
    assert_memory_equal(text, "one\0two", 8);
}

static void too_large_a_folder_and_absent_are_told_apart(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = text_format("%s/big", (char *)*state);
    char *text = NULL;
    assert_int_equal(file_write_atomic(path, "12345678", 8, 0600, &err), 0);
    assert_int_equal(file_read(path, 7, &text, NULL, &err), -1);
    assert_non_null(strstr(err.message, "larger than 7 bytes"));
    assert_int_equal(file_read(*state, 7, &text, NULL, &err), -1);
    assert_non_null(strstr(err.message, "folder"));
    assert_int_equal(file_read("/nonexistent/x", 7, &text, NULL, &err), -1);
    assert_non_null(strstr(err.message, "No such file"));
    assert_null(text);
    assert_int_equal(file_make_folder(path, &err), -1);
    assert_non_null(strstr(err.message, "a file is in its place"));
}

static void remove_tree_does_not_follow_links(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *inside = text_format("%s/inside", (char *)*state);
    cleanup_free char *outside = text_format("%s/outside", (char *)*state);
    cleanup_free char *kept = text_format("%s/kept", outside);
    cleanup_free char *link_path = text_format("%s/link", inside);
    assert_int_equal(file_make_folder(inside, &err), 0);
    assert_int_equal(file_make_folder(outside, &err), 0);
    assert_int_equal(file_write_atomic(kept, "x", 1, 0600, &err), 0);
    assert_int_equal(symlink(outside, link_path), 0);
    assert_int_equal(file_remove_tree(inside, &err), 0);
    assert_int_equal(access(inside, F_OK), -1);
    assert_int_equal(access(kept, F_OK), 0);
    assert_int_equal(file_remove_tree(inside, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(atomic_write_then_read_back, make_scratch, drop_scratch),
        cmocka_unit_test_setup_teardown(too_large_a_folder_and_absent_are_told_apart, make_scratch,
                                        drop_scratch),
        cmocka_unit_test_setup_teardown(remove_tree_does_not_follow_links, make_scratch,
                                        drop_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
