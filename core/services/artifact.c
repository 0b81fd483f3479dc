#include "services/artifact.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "services/beneath.h"

enum { NOTE_LIMIT = 4096, DEPTH_LIMIT = 16 };

static const json_t *source_of(const struct worker_call *call)
{
    return json_object_get(call->session->open, "source");
}

int artifact_is_of_source(const struct worker_call *call, const char *name)
{
    return json_object_get(json_object_get(source_of(call), "artifacts"), name) != NULL;
}

/* 1 when the source is a set that was made without the artifact. */
static int is_left_out(const struct worker_call *call, const char *name)
{
    size_t index = 0;
    const json_t *left = NULL;
    json_array_foreach (json_object_get(source_of(call), "left_out"), index, left) {
        if (text_equal(json_string_value(left), name))
            return 1;
    }
    return 0;
}

static void take_about(const json_t *about, struct artifact *ret)
{
    const char *sha256 = json_text(about, "sha256");
    ret->size = json_whole(about, "size", -1);
    ret->encrypted = json_text(about, "encryption") != NULL;
    ret->left_out = json_flag(about, "left_out");
    (void)snprintf(ret->sha256, sizeof ret->sha256, "%s", sha256 != NULL ? sha256 : "");
}

static char *note_name(const char *name)
{
    return text_format(".meta/%s.json", name);
}

/* NULL with errno 0 when there is none. */
static json_t *read_note(const char *folder, const char *name)
{
    cleanup_free char *note = note_name(name);
    cleanup_free char *path = text_format("%s/%s", folder, note);
    cleanup_free char *text = NULL;
    size_t size = 0;
    if (file_read(path, NOTE_LIMIT, &text, &size, NULL) != 0)
        return NULL;
    return json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
}

char *artifact_note_key(const struct worker_call *call, const char *name)
{
    const char *folder = call_setting(call, "artifact_folder");
    cleanup_json json_t *note = folder != NULL ? read_note(folder, name) : NULL;
    const char *key = json_text(note, "key");
    return key != NULL ? text_copy(key) : NULL;
}

salvor_status artifact_find(struct worker_call *call, const char *name, struct artifact *ret)
{
    cleanup_error struct error err = ERROR_INIT;
    if (name == NULL || beneath_check(name, 0, &err) != 0)
        return err.message != NULL ? call_fail_error(call, SALVOR_BUG, &err)
                                   : call_fail(call, SALVOR_BUG, "an artifact has no name");
    if (artifact_is_of_source(call, name)) {
        *ret =
            (struct artifact){.origin = "source", .folder = json_text(source_of(call), "folder")};
        take_about(json_object_get(json_object_get(source_of(call), "artifacts"), name), ret);
        ret->maybe_encrypted = !json_flag(source_of(call), "set");
        if (ret->folder == NULL)
            return call_fail(call, SALVOR_FAILED, "the source of '%s' is not in a local folder",
                             name);
        return SALVOR_OK;
    }
    const char *folder = call_setting(call, "artifact_folder");
    cleanup_json json_t *note = folder != NULL ? read_note(folder, name) : NULL;
    if (note != NULL) {
        *ret = (struct artifact){.origin = "run", .folder = folder};
        take_about(note, ret);
        return SALVOR_OK;
    }
    if (is_left_out(call, name)) {
        (void)call_fail(call, SALVOR_REFUSED, "backup '%s' was made without artifact '%s'",
                        json_text(source_of(call), "name"), name);
        return call_hint(call, SALVOR_REFUSED,
                         "it is sensitive, and --without-secrets left it out: take another backup");
    }
    (void)call_fail(call, SALVOR_NOT_FOUND, "there is no artifact '%s'", name);
    const char *source = json_text(source_of(call), "name");
    if (source == NULL)
        return call_hint(call, SALVOR_NOT_FOUND, "no source was given: name one with --from");
    return call_hint(call, SALVOR_NOT_FOUND, "neither backup '%s' nor this run has it", source);
}

/* ---- list ------------------------------------------------------------------------------------ */

static json_t *entry_of(const char *name, const json_t *about, const char *origin)
{
    json_t *entry = json_make("{s:s,s:s}", "name", name, "origin", origin);
    static const char *const members[] = {"media_type", "size", "sha256"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        json_t *value = json_object_get(about, members[i]);
        json_put(entry, members[i], value != NULL ? json_incref(value) : json_null());
    }
    json_put(entry, "encrypted", json_boolean(json_text(about, "encryption") != NULL));
    json_put(entry, "left_out", json_boolean(json_flag(about, "left_out")));
    return entry;
}

/* Collects the notes below .meta: name -> entry. */
static int collect_notes(const char *folder, const char *prefix, int depth, json_t *found,
                         struct error *reterr)
{
    cleanup_free char *path = text_format("%s/.meta/%s", folder, prefix);
    cleanup_dir DIR *entries = opendir(path);
    if (entries == NULL && errno == ENOENT)
        return 0;
    if (entries == NULL || depth > DEPTH_LIMIT)
        return error_errno(reterr, EXIT_FAILED, entries != NULL ? ELOOP : errno,
                           "cannot read folder '%s'", path);
    for (struct dirent *entry = NULL; (entry = readdir(entries)) != NULL;) {
        cleanup_free char *name =
            text_format("%s%s%s", prefix, *prefix != '\0' ? "/" : "", entry->d_name);
        struct stat status;
        if (entry->d_name[0] == '.' ||
            fstatat(dirfd(entries), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (S_ISDIR(status.st_mode)) {
            if (collect_notes(folder, name, depth + 1, found, reterr) != 0)
                return -1;
        } else if (text_ends(name, ".json")) {
            name[strlen(name) - 5] = '\0';
            cleanup_json json_t *note = read_note(folder, name);
            if (note != NULL)
                json_put(found, name, entry_of(name, note, "run"));
        }
    }
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *sorted_values(const json_t *found)
{
    size_t count = json_object_size(found);
    cleanup_free const char **names = memory_new(count + 1, sizeof *names);
    json_t *list = json_make("[]");
    const char *name = NULL;
    json_t *entry = NULL;
    size_t used = 0;
    json_object_foreach ((json_t *)found, name, entry)
        names[used++] = name;
    qsort(names, count, sizeof *names, by_text);
    for (size_t i = 0; i < count; i++)
        json_add(list, json_incref(json_object_get(found, names[i])));
    return list;
}

salvor_status artifact_list(struct worker_call *call, json_t **ret_list)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *found = json_make("{}");
    const char *folder = call_setting(call, "artifact_folder");
    const char *name = NULL;
    json_t *about = NULL;
    if (folder != NULL && collect_notes(folder, "", 0, found, &err) != 0)
        return call_fail_error(call, SALVOR_FAILED, &err);
    json_object_foreach (json_object_get(source_of(call), "artifacts"), name, about)
        json_put(found, name, entry_of(name, about, "source"));
    size_t index = 0;
    const json_t *left = NULL;
    cleanup_json json_t *nothing = json_make("{s:b}", "left_out", 1);
    json_array_foreach (json_object_get(source_of(call), "left_out"), index, left)
        json_put(found, json_string_value(left),
                 entry_of(json_string_value(left), nothing, "source"));
    *ret_list = sorted_values(found);
    return SALVOR_OK;
}

/* ---- notes ----------------------------------------------------------------------------------- */

int artifact_note_write(const char *folder, const char *name, const json_t *about,
                        struct error *reterr)
{
    cleanup_free char *note = note_name(name);
    cleanup_free char *path = text_format("%s/%s", folder, note);
    cleanup_free char *parent = text_copy_span(path, (size_t)(strrchr(path, '/') - path));
    cleanup_free char *text = json_canonical(about);
    if (file_make_folder(parent, reterr) != 0)
        return -1;
    return file_write_atomic(path, text, strlen(text), 0600, reterr);
}

int artifact_note_remove(int folder, const char *name, struct error *reterr)
{
    cleanup_free char *note = note_name(name);
    const char *last = NULL;
    cleanup_close int parent = beneath_open_parent(folder, note, &last);
    if (parent < 0 && errno == ENOENT)
        return 0;
    if (parent < 0 || (unlinkat(parent, last, 0) != 0 && errno != ENOENT) || fsync(parent) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot replace artifact '%s'", name);
    return 0;
}
