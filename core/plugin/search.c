#include "plugin/search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "plugin/descriptor-rules.h"

#define FILE_PREFIX "salvor_"
#define FILE_SUFFIX ".so"
#define PATH_VARIABLE "SALVOR_PLUGIN_PATH"

struct folder_list {
    char **items;
    size_t count;
};

static void folder_add(struct folder_list *list, char *folder)
{
    list->items = memory_resize(list->items, list->count + 2, sizeof *list->items);
    list->items[list->count++] = folder;
    list->items[list->count] = NULL;
}

static int add_given(struct folder_list *list, const char *folder, struct error *reterr)
{
    char *resolved = realpath(folder, NULL);
    struct stat status;
    if (resolved == NULL || stat(resolved, &status) != 0) {
        int saved = errno;
        free(resolved);
        return error_errno(reterr, EXIT_USAGE, saved, "cannot search plugin folder '%s'", folder);
    }
    folder_add(list, resolved);
    if (!S_ISDIR(status.st_mode))
        return error_set(reterr, EXIT_USAGE, "cannot search plugin folder '%s': it is a file",
                         folder);
    return 0;
}

/* A folder that may be absent; any other trouble must not pass in silence, or a plugin further
 * down the path would run in the place of the one that was meant. */
static int add_optional(struct folder_list *list, const char *folder, struct error *reterr)
{
    char *resolved = realpath(folder, NULL);
    if (resolved != NULL) {
        folder_add(list, resolved);
        return 0;
    }
    if (errno == ENOENT || errno == ENOTDIR)
        return 0;
    return error_errno(reterr, EXIT_USAGE, errno, "cannot search plugin folder '%s'", folder);
}

static int add_variable(struct folder_list *list, const char *value, struct error *reterr)
{
    for (const char *from = value;;) {
        size_t length = strcspn(from, ":");
        cleanup_free char *folder = text_copy_span(from, length);
        if (length > 0 && folder[0] != '/') {
            error_set(reterr, EXIT_USAGE, PATH_VARIABLE ": folder '%s' is not absolute", folder);
            return error_hint(reterr, "write it from the root on: '/...'");
        }
        if (length > 0 && add_optional(list, folder, reterr) != 0)
            return -1;
        if (from[length] == '\0')
            return 0;
        from += length + 1;
    }
}

int search_folders(const char *const *given, char ***ret_folders, struct error *reterr)
{
    struct folder_list list = {memory_new(1, sizeof *list.items), 0};
    list.items[0] = NULL;
    int failed = 0;
    for (; given != NULL && *given != NULL && !failed; given++)
        failed = add_given(&list, *given, reterr) != 0;
    const char *variable = secure_getenv(PATH_VARIABLE);
    if (!failed && variable != NULL)
        failed = add_variable(&list, variable, reterr) != 0;
    if (!failed)
        failed = add_optional(&list, SALVOR_BUILTIN_PLUGIN_DIR, reterr) != 0;
    if (failed) {
        search_free(list.items);
        return -1;
    }
    *ret_folders = list.items;
    return 0;
}

void search_free(char **folders)
{
    for (char **folder = folders; folder != NULL && *folder != NULL; folder++)
        free(*folder);
    free(folders);
}

char *plugin_file_name(const char *name)
{
    char *file_name = text_format(FILE_PREFIX "%s" FILE_SUFFIX, name);
    for (char *at = file_name; *at != '\0'; at++) {
        if (*at == '-')
            *at = '_';
    }
    return file_name;
}

char *plugin_name_of_file(const char *file_name)
{
    size_t length = strlen(file_name);
    size_t around = strlen(FILE_PREFIX FILE_SUFFIX);
    if (length <= around || !text_starts(file_name, FILE_PREFIX) ||
        !text_ends(file_name, FILE_SUFFIX) || strchr(file_name, '-') != NULL)
        return NULL;
    cleanup_free char *name = text_copy_span(file_name + strlen(FILE_PREFIX), length - around);
    for (char *at = name; *at != '\0'; at++) {
        if (*at == '_')
            *at = '-';
    }
    return name_is_well_formed(name) ? take_pointer(name) : NULL;
}

int search_refuse_name(const char *path, struct error *reterr)
{
    error_set(reterr, EXIT_USAGE, "'%s' is not named as a plugin file", path);
    return error_hint(reterr, "the file of plugin 'a-b' must be named 'salvor_a_b.so'");
}
