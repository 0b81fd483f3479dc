/* A folder for kubeconfig files of a test. */
#ifndef SALVOR_TESTS_CONFIG_FOLDER_H
#define SALVOR_TESTS_CONFIG_FOLDER_H

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

static char config_folder[] = "/tmp/salvor-test-kube-XXXXXX";

static int make_config_folder(void **state)
{
    (void)state;
    return mkdtemp(config_folder) != NULL ? 0 : -1;
}

static int drop_config_folder(void **state)
{
    (void)state;
    return file_remove_tree(config_folder, NULL);
}

/* Path of a file below the folder, owned by the caller. */
static inline char *config_path(const char *name)
{
    return text_format("%s/%s", config_folder, name);
}

static inline void config_file(const char *name, const char *text)
{
    cleanup_free char *path = config_path(name);
    cleanup_error struct error err = ERROR_INIT;
    char *slash = strrchr(path, '/');
    *slash = '\0';
    assert_int_equal(file_make_folder(path, &err), 0);
    *slash = '/';
    assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, &err), 0);
}

#endif
