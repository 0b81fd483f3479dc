#include "backup/backup-set.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/artifact-file.h"
#include "backup/manifest.h"
#include "backup/set-list.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/kill-point.h"
#include "base/text.h"
#include "store/folder-store.h"

struct backup_set {
    char *store;
    char *provider_folder;
    char *provider;
    char *name;
    char *folder; /* of the partial set, then of the complete one */
    int lock;     /* the folder itself; a rename keeps the lock */
    int complete;
};

static int exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

/* ---- begin -------------------------------------------------------------------------------- */

static int lock_folder(struct backup_set *set, struct error *reterr)
{
    set->lock = open(set->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (set->lock < 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot open '%s'", set->folder);
    if (flock(set->lock, LOCK_EX | LOCK_NB) == 0)
        return 0;
    (void)error_set(reterr, EXIT_REFUSED, "another process works on backup set '%s'", set->name);
    return error_hint(reterr, "wait for it, or end it");
}

static int begin(struct backup_set *set, struct error *reterr)
{
    cleanup_free char *complete = text_format("%s/%s", set->provider_folder, set->name);
    if (file_make_folder(set->provider_folder, reterr) != 0)
        return -1;
    set->complete = exists(complete);
    set->folder = set->complete ? text_copy(complete) : text_format("%s%s", complete, SET_PARTIAL);
    if (!set->complete && file_make_folder(set->folder, reterr) != 0)
        return -1;
    return lock_folder(set, reterr);
}

int backup_set_begin(const char *store_folder, const char *provider, const char *name,
                     struct backup_set **ret_set, struct error *reterr)
{
    if (!set_name_is_valid(name) || !set_name_is_valid(provider))
        return error_set(reterr, EXIT_USAGE, "'%s/%s' cannot be the name of a backup set", provider,
                         name);
    struct backup_set *set = memory_new(1, sizeof *set);
    set->store = text_copy(store_folder);
    set->provider = text_copy(provider);
    set->provider_folder = text_format("%s/%s", store_folder, provider);
    set->name = text_copy(name);
    set->lock = -1;
    if (begin(set, reterr) != 0) {
        backup_set_close(set);
        return -1;
    }
    *ret_set = set;
    return 0;
}

const char *backup_set_folder(const struct backup_set *set)
{
    return set->folder;
}

int backup_set_is_complete(const struct backup_set *set)
{
    return set->complete;
}

/* ---- commit ------------------------------------------------------------------------------- */

static json_t *artifact_entry(const json_t *artifact)
{
    return json_make(
        "{s:O, s:O?, s:O?, s:O?, s:b, s:O?}", "name", json_object_get(artifact, "name"),
        "media_type", json_object_get(artifact, "media_type"), "size",
        json_object_get(artifact, "size"), "sha256", json_object_get(artifact, "sha256"),
        "sensitive", json_flag(artifact, "sensitive"), "encryption",
        json_object_get(artifact, "encryption"));
}

static json_t *left_out_entry(const json_t *artifact)
{
    return json_make("{s:O, s:O?}", "name", json_object_get(artifact, "name"), "media_type",
                     json_object_get(artifact, "media_type"));
}

/* Of a name given twice the last counts: an attempt that was killed may have made the first. */
static json_t *last_of_each_name(const json_t *artifacts, int left_out)
{
    cleanup_json json_t *by_name = json_object();
    json_t *list = json_array();
    size_t index = 0;
    const json_t *artifact = NULL;
    const char *name = NULL;
    json_t *kept = NULL;
    json_array_foreach (artifacts, index, artifact) {
        if (json_text(artifact, "name") != NULL)
            json_put(by_name, json_text(artifact, "name"), json_incref((json_t *)artifact));
    }
    json_object_foreach (by_name, name, kept) {
        if (json_flag(kept, "left_out") == left_out)
            json_add(list, left_out ? left_out_entry(kept) : artifact_entry(kept));
    }
    return list;
}

static int check_artifacts(const struct backup_set *set, const json_t *artifacts,
                           struct error *reterr)
{
    size_t index = 0;
    const json_t *artifact = NULL;
    json_array_foreach (artifacts, index, artifact) {
        const char *name = json_text(artifact, "name");
        if (!artifact_name_is_valid(name))
            return error_set(reterr, EXIT_FAILED, "'%s' cannot be the name of an artifact", name);
        if (artifact_file_check(set->folder, name, json_whole(artifact, "size", -1),
                                json_text(artifact, "sha256"), reterr) != 0)
            return error_prefix(reterr, "backup set '%s'", set->name);
    }
    return 0;
}

struct foreign {
    const struct backup_set *set;
    const json_t *artifacts;
};

static int remove_foreign(void *data, const char *name, struct error *reterr)
{
    const struct foreign *foreign = data;
    size_t index = 0;
    const json_t *artifact = NULL;
    json_array_foreach (foreign->artifacts, index, artifact) {
        if (text_equal(json_text(artifact, "name"), name))
            return 0;
    }
    cleanup_free char *path = text_format("%s/%s", foreign->set->folder, name);
    if (unlink(path) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot remove '%s'", path);
    return 0;
}

/* -1 when it is not known: a set with a guessed number could pass for the oldest, and prune removes
 * the oldest first. */
static int64_t next_sequence(const struct backup_set *set, struct error *reterr)
{
    cleanup_json json_t *list = NULL;
    if (backup_set_list(set->store, set->provider, &list, reterr) != 0)
        return error_prefix(reterr, "cannot number backup set '%s'", set->name);
    return set_list_highest(list, NULL) + 1;
}

static int is_any_encrypted(const json_t *artifacts)
{
    size_t index = 0;
    const json_t *artifact = NULL;
    json_array_foreach (artifacts, index, artifact) {
        if (json_text(artifact, "encryption") != NULL)
            return 1;
    }
    return 0;
}

static json_t *manifest_of(const struct backup_set *set, const json_t *members, json_t *artifacts,
                           json_t *left_out, int64_t sequence)
{
    char created[CLOCK_TEXT_SIZE];
    clock_format(clock_realtime_ms(), created);
    json_t *manifest = json_clone(members);
    if (!is_any_encrypted(artifacts))
        (void)json_object_del(manifest, "recipients");
    if (json_array_size(left_out) > 0)
        json_put(manifest, "left_out", json_incref(left_out));
    json_put(manifest, "salvor-set", json_integer(1));
    json_put_text(manifest, "set", set->name);
    json_put_text(manifest, "provider", set->provider);
    json_put_text(manifest, "created", created);
    json_put(manifest, "sequence", json_integer(sequence));
    json_put(manifest, "artifacts", json_incref(artifacts));
    return manifest;
}

static int rename_complete(struct backup_set *set, struct error *reterr)
{
    char *complete = text_format("%s/%s", set->provider_folder, set->name);
    if (rename(set->folder, complete) != 0) {
        (void)error_errno(reterr, EXIT_FAILED, errno, "cannot complete backup set '%s'", set->name);
        free(complete);
        return -1;
    }
    free(set->folder);
    set->folder = complete;
    set->complete = 1;
    kill_point("-", "set-renamed");
    return file_sync_folder(set->provider_folder, reterr);
}

/* Sets of one provider are numbered one after the other, also when two runs end at once. */
static int lock_provider(const struct backup_set *set, struct error *reterr)
{
    int fd = open(set->provider_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX) == 0)
        return fd;
    int saved = errno;
    if (fd >= 0)
        (void)close(fd);
    return error_errno(reterr, EXIT_FAILED, saved, "cannot lock '%s'", set->provider_folder);
}

static int commit(struct backup_set *set, const json_t *members, json_t *artifacts,
                  json_t *left_out, char digest[DIGEST_TEXT_SIZE], struct error *reterr)
{
    struct foreign foreign = {set, artifacts};
    if (check_artifacts(set, artifacts, reterr) != 0 ||
        artifact_files_each(set->folder, remove_foreign, &foreign, reterr) != 0)
        return -1;
    cleanup_close int lock = lock_provider(set, reterr);
    const int64_t sequence = lock >= 0 ? next_sequence(set, reterr) : -1;
    if (sequence < 0)
        return -1;
    cleanup_json json_t *manifest = manifest_of(set, members, artifacts, left_out, sequence);
    if (manifest_write(set->folder, manifest, digest, reterr) != 0)
        return -1;
    kill_point("-", "set-manifest-written");
    if (artifact_folders_sync(set->folder, reterr) != 0)
        return -1;
    return rename_complete(set, reterr);
}

int backup_set_commit(struct backup_set *set, const json_t *members, const json_t *artifacts,
                      char **ret_digest, struct error *reterr)
{
    cleanup_json json_t *own = last_of_each_name(artifacts, 0);
    cleanup_json json_t *left_out = last_of_each_name(artifacts, 1);
    char digest[DIGEST_TEXT_SIZE];
    if (set->complete) {
        cleanup_json json_t *manifest = NULL;
        if (manifest_read(set->folder, &manifest, digest, reterr) != 0)
            return -1;
    } else if (commit(set, members, own, left_out, digest, reterr) != 0) {
        return -1;
    }
    if (ret_digest != NULL)
        *ret_digest = text_copy(digest);
    return 0;
}

int backup_set_discard(struct backup_set *set, struct error *reterr)
{
    return set->complete ? 0 : file_remove_tree(set->folder, reterr);
}

void backup_set_close(struct backup_set *set)
{
    if (set == NULL)
        return;
    if (set->lock >= 0)
        (void)close(set->lock);
    free(set->store);
    free(set->provider_folder);
    free(set->provider);
    free(set->name);
    free(set->folder);
    free(set);
}

int backup_set_list(const char *store_folder, const char *provider, json_t **ret_list,
                    struct error *reterr)
{
    cleanup_store struct store *store = folder_store_new(store_folder);
    return set_list(store, provider, ret_list, reterr);
}
