/* A folder of its own for each test, and files in it. */
#ifndef SALVOR_TESTS_PLUGIN_SCRATCH_H
#define SALVOR_TESTS_PLUGIN_SCRATCH_H

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

static char *scratch;

static inline int scratch_make(void **state)
{
    (void)state;
    char pattern[] = "/tmp/salvor-test-XXXXXX";
    scratch = text_copy(mkdtemp(pattern));
    return 0;
}

static inline int scratch_drop(void **state)
{
    (void)state;
    int result = file_remove_tree(scratch, NULL);
    free(scratch);
    scratch = NULL;
    return result;
}

/* Path below the scratch folder, owned by the caller. */
static inline char *scratch_path(const char *name)
{
    return text_format("%s/%s", scratch, name);
}

/* The same, with a folder made of it. */
static inline char *scratch_folder(const char *name)
{
    char *path = scratch_path(name);
    assert_int_equal(file_make_folder(path, NULL), 0);
    return path;
}

static inline char *scratch_file(const char *name, const char *content)
{
    char *path = scratch_path(name);
    assert_int_equal(file_write_atomic(path, content, strlen(content), 0644, NULL), 0);
    return path;
}

#define scratch_test(function) cmocka_unit_test_setup_teardown(function, scratch_make, scratch_drop)

#endif
