/* Where plugins are looked for, and what their files are called. */
#ifndef SALVOR_PLUGIN_SEARCH_H
#define SALVOR_PLUGIN_SEARCH_H

#include "base/error.h"

/*
 * The folders in their order, absolute and without symbolic links: `given` (--plugin-dir; NULL or
 * ending with NULL; each must exist), those of $SALVOR_PLUGIN_PATH (separated by colons, absolute,
 * may be absent) and the built-in one. Ends with NULL; free with search_free.
 */
int search_folders(const char *const *given, char ***ret_folders, struct error *reterr);
void search_free(char **folders);

/* "salvor_some_vendor.so" of "some-vendor", owned by the caller. */
char *plugin_file_name(const char *name);

/* "some-vendor" of "salvor_some_vendor.so", owned by the caller; NULL for any other file name. */
char *plugin_name_of_file(const char *file_name);

/* "'PATH' is not named as a plugin file". Returns -1. */
int search_refuse_name(const char *path, struct error *reterr);

#endif
