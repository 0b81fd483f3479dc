#include "plugin/plugin-find.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "plugin/descriptor-rules.h"
#include "plugin/plugin-examine.h"
#include "plugin/search.h"

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* Fills `file`, whose path is set even when -1 is returned. */
static int examine(const char *name, const char *found, int untrusted, struct plugin_file *file,
                   struct error *reterr)
{
    cleanup_note struct plugin_note note = {NULL, 0, NULL};
    if (examine_file(name, found, untrusted, &file->path, &note, reterr) != 0)
        return -1;
    free(file->build_id);
    file->build_id = take_pointer(note.build_id);
    json_error_t fault;
    cleanup_json json_t *json = json_loadb(note.text, note.size, JSON_REJECT_DUPLICATES, &fault);
    if (json == NULL) {
        cleanup_free char *detail = text_format("its note is not JSON: %s", fault.text);
        return examine_refuse_note(file->path, detail, reterr);
    }
    /* Other versions may have other rules: what cannot run here is told before they are asked. */
    if (examine_identity(name, file->path, json, reterr) != 0)
        return -1;
    return plugin_info_parse(json, &file->info, reterr);
}

static struct plugin_file *new_file(void)
{
    struct plugin_file *file = memory_new(1, sizeof *file);
    *file = (struct plugin_file){.build_id = text_copy("")};
    return file;
}

static int not_found(const char *name, char **folders, struct error *reterr)
{
    cleanup_buffer struct buffer list = BUFFER_INIT(65536);
    for (char **folder = folders; *folder != NULL; folder++)
        (void)buffer_format(&list, "%s'%s'", folder == folders ? "" : ", ", *folder);
    error_set(reterr, EXIT_USAGE, "cannot find plugin '%s'", name);
    if (list.size > 0)
        error_detail(reterr, "searched in %s", list.data);
    else
        error_detail(reterr, "no folder of the search path exists");
    return error_hint(reterr,
                      "'salvor plugin list' names what is there; install the package "
                      "'salvor-plugin-%s', or name the folder of the plugin with --plugin-dir",
                      name);
}

int plugin_find(const char *name, const char *const *folders, struct plugin_file **ret_file,
                struct error *reterr)
{
    if (!name_is_well_formed(name)) {
        error_set(reterr, EXIT_USAGE, "'%s' cannot be the name of a plugin", name);
        return error_hint(reterr, "names are lower-case letters, digits and hyphens: 'a-b'");
    }
    char **path = NULL;
    if (search_folders(folders, &path, reterr) != 0)
        return -1;
    cleanup_free char *file_name = plugin_file_name(name);
    struct plugin_file *file = new_file();
    int result = 0;
    char **folder = path;
    for (; *folder != NULL; folder++) {
        struct stat status;
        cleanup_free char *candidate = text_format("%s/%s", *folder, file_name);
        if (lstat(candidate, &status) != 0 && (errno == ENOENT || errno == ENOTDIR))
            continue;
        result = examine(name, candidate, 0, file, reterr);
        break;
    }
    if (*folder == NULL)
        result = not_found(name, path, reterr);
    search_free(path);
    if (result != 0) {
        plugin_file_free(file);
        return -1;
    }
    *ret_file = file;
    return 0;
}

int plugin_find_file(const char *path, int untrusted, struct plugin_file **ret_file,
                     struct error *reterr)
{
    cleanup_free char *name = plugin_name_of_file(base_name(path));
    if (name == NULL)
        return search_refuse_name(path, reterr);
    cleanup_free char *folder = NULL;
    const char *slash = strrchr(path, '/');
    cleanup_free char *above =
        slash == NULL ? text_copy(".") : text_copy_span(path, (size_t)(slash - path) + 1);
    folder = realpath(above, NULL);
    if (folder == NULL)
        return error_errno(reterr, EXIT_USAGE, errno, "cannot open plugin file '%s'", path);
    cleanup_free char *found =
        text_format("%s/%s", strcmp(folder, "/") == 0 ? "" : folder, base_name(path));
    struct plugin_file *file = new_file();
    if (examine(name, found, untrusted, file, reterr) != 0) {
        plugin_file_free(file);
        return -1;
    }
    *ret_file = file;
    return 0;
}

/* ---- all of them ---------------------------------------------------------------------------- */

struct collection {
    struct plugin_file **files;
    size_t count;
    json_t *problems;
};

static void collect(void *data, const char *name, const char *found)
{
    struct collection *collection = data;
    cleanup_error struct error err = ERROR_INIT;
    struct plugin_file *file = new_file();
    if (name == NULL) {
        file->path = text_copy(found);
        search_refuse_name(found, &err);
    } else {
        (void)examine(name, found, 0, file, &err);
    }
    if (error_is_set(&err)) {
        json_add(collection->problems,
                 json_make("{s:s, s:s, s:s?, s:s?}", "path", file->path, "message", err.message,
                           "detail", err.detail, "hint", err.hint));
        plugin_info_free(file->info);
        file->info = NULL;
    }
    collection->files =
        memory_resize(collection->files, collection->count + 2, sizeof *collection->files);
    collection->files[collection->count++] = file;
    collection->files[collection->count] = NULL;
}

int plugin_find_all(const char *const *folders, struct plugin_file ***ret_files,
                    json_t **ret_problems, struct error *reterr)
{
    struct collection collection = {memory_new(1, sizeof *collection.files), 0, json_make("[]")};
    if (examine_all(folders, collect, &collection, reterr) != 0) {
        plugin_files_free(collection.files);
        json_decref(collection.problems);
        return -1;
    }
    *ret_files = collection.files;
    *ret_problems = collection.problems;
    return 0;
}

/* ---- the rest ------------------------------------------------------------------------------- */

int plugin_file_digest(const struct plugin_file *file, char ret_text[DIGEST_TEXT_SIZE],
                       struct error *reterr)
{
    cleanup_close int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(reterr, EXIT_USAGE, errno, "cannot open plugin file '%s'", file->path);
    struct digest digest;
    digest_begin(&digest);
    for (;;) {
        char chunk[65536];
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(reterr, EXIT_USAGE, errno, "cannot read '%s'", file->path);
        if (got == 0)
            break;
        digest_add(&digest, chunk, (size_t)got);
    }
    unsigned char hash[DIGEST_SIZE];
    digest_end(&digest, hash);
    digest_text(hash, ret_text);
    return 0;
}

void plugin_file_free(struct plugin_file *file)
{
    if (file == NULL)
        return;
    free(file->path);
    free(file->build_id);
    plugin_info_free(file->info);
    free(file);
}

void plugin_files_free(struct plugin_file **files)
{
    for (struct plugin_file **file = files; file != NULL && *file != NULL; file++)
        plugin_file_free(*file);
    free(files);
}
