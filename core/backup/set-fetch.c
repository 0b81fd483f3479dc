#include "backup/set-fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/artifact-file.h"
#include "backup/manifest.h"
#include "backup/set-file.h"
#include "backup/set-list.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/kill-point.h"
#include "base/text.h"

struct fetch {
    struct store *store;
    const char *provider;
    const char *set;
    char *complete; /* folder of the copy */
    char *partial;  /* while it is brought */
    char *text;     /* manifest.json */
    size_t size;
    char *sums;
    json_t *manifest;
    char digest[DIGEST_TEXT_SIZE];
    struct set_progress progress;
    int64_t fetched;
    int64_t kept;
    int64_t bytes;
};

static void clear_fetch(struct fetch *fetch)
{
    set_progress_end(&fetch->progress);
    free(fetch->complete);
    free(fetch->partial);
    free(fetch->text);
    free(fetch->sums);
    json_decref(fetch->manifest);
}

static int exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

static int lock_folder(const char *folder, struct error *reterr)
{
    if (file_make_folder(folder, reterr) != 0)
        return -1;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot open '%s'", folder);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    (void)close(fd);
    (void)error_set(reterr, EXIT_REFUSED, "another process works on '%s'", folder);
    return error_hint(reterr, "wait for it, or end it");
}

/* ---- artifacts --------------------------------------------------------------------------------
 */

static int bring(struct fetch *fetch, const char *folder, const json_t *artifact,
                 struct error *reterr)
{
    const char *name = json_text(artifact, "name");
    const int64_t size = json_whole(artifact, "size", -1);
    cleanup_free char *key = set_key(fetch->provider, fetch->set, name);
    if (artifact_file_check(folder, name, size, json_text(artifact, "sha256"), NULL) == 0) {
        fetch->kept++;
        return set_progress_skip(&fetch->progress, size, reterr);
    }
    if (set_file_write(fetch->store, key, artifact, READ_STORED, NULL, folder, reterr) != 0)
        return -1;
    kill_point("-", "artifact-fetched");
    fetch->fetched++;
    fetch->bytes += size;
    return 0;
}

static int bring_all(struct fetch *fetch, const char *folder, const struct set_listener *listener,
                     struct error *reterr)
{
    const json_t *artifacts = json_object_get(fetch->manifest, "artifacts");
    int64_t total = 0;
    size_t index = 0;
    const json_t *artifact = NULL;
    json_array_foreach (artifacts, index, artifact)
        total += json_whole(artifact, "size", 0);
    set_progress_begin(&fetch->progress, fetch->store, listener, total, "download");
    json_array_foreach (artifacts, index, artifact) {
        if (bring(fetch, folder, artifact, reterr) != 0)
            return -1;
    }
    return 0;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static int write_texts(const struct fetch *fetch, struct error *reterr)
{
    cleanup_free char *manifest = text_format("%s/" SET_MANIFEST, fetch->partial);
    cleanup_free char *sums = text_format("%s/" SET_SUMS, fetch->partial);
    if (file_write_atomic(sums, fetch->sums, strlen(fetch->sums), 0600, reterr) != 0)
        return -1;
    return file_write_atomic(manifest, fetch->text, fetch->size, 0600, reterr);
}

static int name_copy(const struct fetch *fetch, struct error *reterr)
{
    cleanup_free char *parent =
        text_copy_span(fetch->complete, (size_t)(strrchr(fetch->complete, '/') - fetch->complete));
    if (artifact_folders_sync(fetch->partial, reterr) != 0)
        return -1;
    if (rename(fetch->partial, fetch->complete) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot complete '%s'", fetch->complete);
    kill_point("-", "copy-renamed");
    return file_sync_folder(parent, reterr);
}

/* A copy that is there already is looked through, and mended where it is not sound. */
static int check_copy(struct fetch *fetch, const struct set_listener *listener,
                      struct error *reterr)
{
    cleanup_json json_t *manifest = NULL;
    char digest[DIGEST_TEXT_SIZE];
    cleanup_close int lock = lock_folder(fetch->complete, reterr);
    if (lock < 0)
        return -1;
    if (manifest_read(fetch->complete, &manifest, digest, NULL) != 0 ||
        !text_equal(digest, fetch->digest)) {
        (void)error_set(reterr, EXIT_REFUSED, "'%s' is not a copy of the set that the store has",
                        fetch->complete);
        return error_hint(reterr, "look at it, and remove it when no run works from it");
    }
    return bring_all(fetch, fetch->complete, listener, reterr);
}

static int make_copy(struct fetch *fetch, const struct set_listener *listener, struct error *reterr)
{
    cleanup_close int lock = lock_folder(fetch->partial, reterr);
    if (lock < 0 || bring_all(fetch, fetch->partial, listener, reterr) != 0 ||
        write_texts(fetch, reterr) != 0)
        return -1;
    return name_copy(fetch, reterr);
}

int set_fetch(struct store *store, const char *provider, const char *set, const char *folder,
              const struct set_listener *listener, json_t **ret_result, struct error *reterr)
{
    __attribute__((cleanup(clear_fetch))) struct fetch fetch = {
        .store = store,
        .provider = provider,
        .set = set,
        .complete = text_format("%s/%s/%s", folder, provider, set),
        .partial = text_format("%s/%s/%s" SET_PARTIAL, folder, provider, set)};
    int found =
        set_manifest_texts(store, provider, set, &fetch.text, &fetch.size, &fetch.sums, reterr);
    if (found == STORE_ABSENT)
        return set_absent_error(store, provider, set, reterr);
    if (found != 0)
        return -1;
    if (manifest_parse(fetch.text, fetch.size, fetch.sums, &fetch.manifest, fetch.digest, reterr) !=
        0) {
        cleanup_free char *key = text_format("%s/%s", provider, set);
        cleanup_free char *place = store_place(store, key);
        return error_prefix(reterr, "set '%s'", place);
    }
    if ((exists(fetch.complete) ? check_copy(&fetch, listener, reterr)
                                : make_copy(&fetch, listener, reterr)) != 0)
        return -1;
    *ret_result = json_make("{s:s, s:s, s:I, s:I, s:I}", "path", fetch.complete, "digest",
                            fetch.digest, "fetched", (json_int_t)fetch.fetched, "kept",
                            (json_int_t)fetch.kept, "bytes", (json_int_t)fetch.bytes);
    return 0;
}

/* ---- what salvor never made -------------------------------------------------------------------
 */

struct bare {
    json_t *keys;
    int64_t total;
};

static int note_key(void *data, const char *key, const struct store_info *info,
                    struct error *reterr)
{
    struct bare *bare = data;
    if (info->kind != STORE_OBJECT || !store_key_is_valid(key))
        return error_set(reterr, EXIT_FAILED, "'%s' cannot be a file here", key);
    json_add(bare->keys, json_string(key));
    bare->total += info->size;
    return 0;
}

int set_fetch_bare(struct store *store, const char *key, const char *folder,
                   const struct set_listener *listener, json_t **ret_result, struct error *reterr)
{
    cleanup_progress struct set_progress progress = {.store = NULL};
    cleanup_free char *own = text_copy_span(key, strlen(key) - text_ends(key, "/"));
    cleanup_free char *prefix = text_format("%s/", own);
    cleanup_json json_t *keys = json_array();
    struct bare bare = {keys, 0};
    struct store_info info;
    const char *slash = strrchr(own, '/');
    const char *name = slash != NULL ? slash + 1 : own;
    size_t index = 0;
    const json_t *entry = NULL;
    int found = store_key_is_valid(own) ? store_head(store, own, &info, reterr) : STORE_ABSENT;
    if (found < 0)
        return -1;
    if (found == 0 && note_key(&bare, own, &info, reterr) != 0)
        return -1;
    if (found == STORE_ABSENT && store_list(store, prefix, 1, note_key, &bare, reterr) != 0)
        return -1;
    if (json_array_size(keys) == 0) {
        cleanup_free char *place = store_place(store, own);
        return error_set(reterr, EXIT_USAGE, "there is nothing at '%s'", place);
    }
    set_progress_begin(&progress, store, listener, bare.total, "download");
    json_array_foreach (keys, index, entry) {
        const char *from = json_string_value(entry);
        if (set_file_write_bare(store, from, folder, from + (name - own), reterr) != 0)
            return -1;
    }
    cleanup_free char *path = text_format("%s/%s", folder, name);
    *ret_result = json_make("{s:s, s:I}", "path", path, "bytes", (json_int_t)bare.total);
    return 0;
}
