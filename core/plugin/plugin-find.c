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
#include "plugin/elf-note.h"
#include "plugin/host-abi.h"
#include "plugin/search.h"
#include "plugin/trust.h"

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static int note_error(const char *path, const char *detail, struct error *reterr)
{
    error_set(reterr, EXIT_USAGE, "'%s' is not a salvor plugin", path);
    error_detail(reterr, "%s", detail);
    return error_hint(reterr, "rebuild it, or write its note anew: 'salvor plugin note FILE'");
}

/* Other versions may have other rules: what cannot run here is told before its rules are asked. */
static int negotiate_note(const json_t *json, const char *name, const char *path,
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
                                     .name = json_text(json, "name")};
    memcpy(facts.tag, host.tag, strlen(host.tag));
    if (abi_parse(json_text(json, "abi"), &facts.major, &facts.minor) != 0)
        return note_error(path, "its note names no ABI", reterr);
    if (facts.name == NULL)
        return note_error(path, "its note names no plugin", reterr);
    return negotiate(&host, &facts, NULL, reterr);
}

static int parse_note(struct plugin_file *file, const char *name, const struct plugin_note *note,
                      struct error *reterr)
{
    json_error_t fault;
    cleanup_json json_t *json = json_loadb(note->text, note->size, JSON_REJECT_DUPLICATES, &fault);
    if (json == NULL) {
        cleanup_free char *detail = text_format("its note is not JSON: %s", fault.text);
        return note_error(file->path, detail, reterr);
    }
    if (negotiate_note(json, name, file->path, reterr) != 0)
        return -1;
    return plugin_info_parse(json, &file->info, reterr);
}

/* `file->path` is set; fills the rest. */
static int read_file(struct plugin_file *file, const char *name, struct error *reterr)
{
    cleanup_note struct plugin_note note = {NULL, 0, NULL};
    if (note_read(file->path, &note, reterr) != 0)
        return -1;
    free(file->build_id);
    file->build_id = take_pointer(note.build_id);
    return parse_note(file, name, &note, reterr);
}

/* `found`: where the search found it; a symbolic link there is followed, the name is the link's. */
static int examine(const char *name, const char *found, int untrusted, struct plugin_file *file,
                   struct error *reterr)
{
    file->path = realpath(found, NULL);
    if (file->path == NULL) {
        int saved = errno;
        file->path = text_copy(found);
        return error_errno(reterr, EXIT_USAGE, saved, "cannot open plugin file '%s'", found);
    }
    if (!untrusted) {
        cleanup_free char *folder = text_copy(found);
        *strrchr(folder, '/') = '\0';
        /* Whoever can write where the link is can point it elsewhere. */
        if ((folder[0] != '\0' && trust_check(name, folder, reterr) != 0) ||
            trust_check(name, file->path, reterr) != 0)
            return -1;
    }
    return read_file(file, name, reterr);
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
    if (name == NULL) {
        error_set(reterr, EXIT_USAGE, "'%s' is not named as a plugin file", path);
        return error_hint(reterr, "the file of plugin 'a-b' must be named 'salvor_a_b.so'");
    }
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

struct listing {
    struct plugin_file **files;
    size_t count;
    char **names; /* of the files, usable or not: the nearest of a name hides the others */
    json_t *problems;
};

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

static void add_problem(struct listing *listing, const char *path, const struct error *err)
{
    json_t *problem = json_make("{s:s, s:s}", "path", path, "message", err->message);
    json_put_text(problem, "detail", err->detail);
    json_put_text(problem, "hint", err->hint);
    json_add(listing->problems, problem);
}

static int is_listed(const struct listing *listing, const char *file_name)
{
    for (size_t i = 0; i < listing->count; i++) {
        if (text_equal(listing->names[i], file_name))
            return 1;
    }
    return 0;
}

static void list_file(struct listing *listing, const char *folder, const char *file_name)
{
    if (is_listed(listing, file_name))
        return;
    cleanup_free char *found = text_format("%s/%s", folder, file_name);
    cleanup_free char *name = plugin_name_of_file(file_name);
    cleanup_error struct error err = ERROR_INIT;
    struct plugin_file *file = new_file();
    if (name == NULL) {
        file->path = text_copy(found);
        error_set(&err, EXIT_USAGE, "'%s' is not named as a plugin file", found);
        error_hint(&err, "the file of plugin 'a-b' must be named 'salvor_a_b.so'");
    } else {
        (void)examine(name, found, 0, file, &err);
    }
    if (error_is_set(&err)) {
        add_problem(listing, file->path, &err);
        plugin_info_free(file->info);
        file->info = NULL;
    }
    listing->files = memory_resize(listing->files, listing->count + 2, sizeof *listing->files);
    listing->names = memory_resize(listing->names, listing->count + 2, sizeof *listing->names);
    listing->names[listing->count] = text_copy(file_name);
    listing->files[listing->count++] = file;
    listing->files[listing->count] = NULL;
}

int plugin_find_all(const char *const *folders, struct plugin_file ***ret_files,
                    json_t **ret_problems, struct error *reterr)
{
    char **path = NULL;
    if (search_folders(folders, &path, reterr) != 0)
        return -1;
    struct listing listing = {memory_new(1, sizeof *listing.files), 0, NULL, json_make("[]")};
    listing.files[0] = NULL;
    int failed = 0;
    for (char **folder = path; *folder != NULL && !failed; folder++) {
        char **names = NULL;
        failed = read_folder(*folder, &names, reterr) != 0;
        for (char **name = names; name != NULL && *name != NULL; name++)
            list_file(&listing, *folder, *name);
        search_free(names);
    }
    search_free(path);
    for (size_t i = 0; i < listing.count; i++)
        free(listing.names[i]);
    free(listing.names);
    if (failed) {
        plugin_files_free(listing.files);
        json_decref(listing.problems);
        return -1;
    }
    *ret_files = listing.files;
    *ret_problems = listing.problems;
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
