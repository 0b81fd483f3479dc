#include "plugin/plugin-examine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "plugin/host-abi.h"
#include "plugin/search.h"
#include "plugin/trust.h"

int examine_refuse_note(const char *path, const char *detail, struct error *reterr)
{
    error_set(reterr, EXIT_USAGE, "'%s' is not a salvor plugin", path);
    error_detail(reterr, "%s", detail);
    return error_hint(reterr, "rebuild it, or write its note anew: 'salvor plugin note FILE'");
}

/* Other versions may have other rules: what cannot run here is told before its rules are asked. */
int examine_identity(const char *name, const char *path, const json_t *identity,
                     struct error *reterr)
{
    struct negotiate_host host = host_abi(NULL, 0);
    struct negotiate_plugin facts = {.requested = name,
                                     .path = path,
                                     .entry_major = 1,
                                     .head_read = 1,
                                     .magic = host.magic,
                                     .size = host.first_size,
                                     .body_read = 1,
                                     .name = json_text(identity, "name")};
    memcpy(facts.tag, host.tag, strlen(host.tag));
    if (abi_parse(json_text(identity, "abi"), &facts.major, &facts.minor) != 0)
        return examine_refuse_note(path, "its note names no ABI", reterr);
    if (facts.name == NULL)
        return examine_refuse_note(path, "its note names no plugin", reterr);
    return negotiate(&host, &facts, NULL, reterr);
}

int examine_file(const char *name, const char *found, int untrusted, char **ret_path,
                 struct plugin_note *ret_note, struct error *reterr)
{
    char *path = *ret_path = realpath(found, NULL);
    if (path == NULL) {
        int saved = errno;
        *ret_path = text_copy(found);
        return error_errno(reterr, EXIT_USAGE, saved, "cannot open plugin file '%s'", found);
    }
    if (!untrusted) {
        cleanup_free char *folder = text_copy(found);
        *strrchr(folder, '/') = '\0';
        /* Whoever can write where the link is can point it elsewhere. */
        if ((folder[0] != '\0' && trust_check(name, folder, reterr) != 0) ||
            trust_check(name, path, reterr) != 0)
            return -1;
    }
    return note_read(path, ret_note, reterr);
}

/* ---- all of the search path ------------------------------------------------------------------ */

/* File names seen so far: the nearest of a name hides the others, usable or not. */
struct seen {
    char **names;
    size_t count;
};

static int is_seen(const struct seen *seen, const char *file_name)
{
    for (size_t i = 0; i < seen->count; i++) {
        if (text_equal(seen->names[i], file_name))
            return 1;
    }
    return 0;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of the plugin files of a folder, sorted, ending with NULL. */
static int read_folder(const char *folder, char ***ret_names, struct error *reterr)
{
    cleanup_dir DIR *dir = opendir(folder);
    if (dir == NULL)
        return error_errno(reterr, EXIT_USAGE, errno, "cannot search plugin folder '%s'", folder);
    char **names = memory_new(1, sizeof *names);
    size_t count = 0;
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (!text_starts(entry->d_name, "salvor_") || !text_ends(entry->d_name, ".so"))
            continue;
        names = memory_resize(names, count + 2, sizeof *names);
        names[count++] = text_copy(entry->d_name);
    }
    names[count] = NULL;
    qsort(names, count, sizeof *names, compare_texts);
    *ret_names = names;
    return 0;
}

static void visit_folder(const char *folder, char **names, struct seen *seen,
                         void (*visit)(void *data, const char *name, const char *found), void *data)
{
    for (char **file_name = names; *file_name != NULL; file_name++) {
        if (is_seen(seen, *file_name))
            continue;
        seen->names = memory_resize(seen->names, seen->count + 1, sizeof *seen->names);
        seen->names[seen->count++] = text_copy(*file_name);
        cleanup_free char *found = text_format("%s/%s", folder, *file_name);
        cleanup_free char *name = plugin_name_of_file(*file_name);
        visit(data, name, found);
    }
}

int examine_all(const char *const *folders,
                void (*visit)(void *data, const char *name, const char *found), void *data,
                struct error *reterr)
{
    char **path = NULL;
    if (search_folders(folders, &path, reterr) != 0)
        return -1;
    struct seen seen = {NULL, 0};
    int failed = 0;
    for (char **folder = path; *folder != NULL && !failed; folder++) {
        char **names = NULL;
        failed = read_folder(*folder, &names, reterr) != 0;
        if (!failed)
            visit_folder(*folder, names, &seen, visit, data);
        search_free(names);
    }
    for (size_t i = 0; i < seen.count; i++)
        free(seen.names[i]);
    free(seen.names);
    search_free(path);
    return failed ? -1 : 0;
}
