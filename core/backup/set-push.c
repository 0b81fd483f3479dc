#include "backup/set-push.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/artifact-file.h"
#include "backup/manifest.h"
#include "backup/set-list.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/kill-point.h"
#include "base/text.h"
#include "store/folder-store.h"

struct push {
    struct store *store;
    const char *folder;
    const char *provider;
    const char *set;
    const json_t *manifest; /* the local one */
    struct set_progress progress;
    int64_t sent;
    int64_t skipped;
    int64_t bytes;
};

static int lock_folder(const char *folder, struct error *reterr)
{
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

/* 1 when the store has exactly this; 0: it has to be sent; -1. */
static int is_there(const struct push *push, const char *key, const json_t *artifact,
                    struct error *reterr)
{
    struct store_info info;
    int found = store_head(push->store, key, &info, reterr);
    if (found != 0)
        return found == STORE_ABSENT ? 0 : -1;
    return info.size == json_whole(artifact, "size", -1) &&
           text_equal(info.sha256, json_text(artifact, "sha256"));
}

static int send(struct push *push, const char *key, const json_t *artifact, struct error *reterr)
{
    const char *name = json_text(artifact, "name");
    struct stat status;
    cleanup_close int fd = folder_open(push->folder, name);
    if (fd < 0 || fstat(fd, &status) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot open '%s/%s'", push->folder, name);
    if (!S_ISREG(status.st_mode) || status.st_size != json_whole(artifact, "size", -1))
        return error_set(reterr, EXIT_FAILED, "artifact '%s' of '%s' is not what its manifest says",
                         name, push->folder);
    const struct store_body body = {NULL, fd, status.st_size, json_text(artifact, "sha256")};
    return store_put(push->store, key, &body, reterr);
}

static int push_artifact(struct push *push, const json_t *artifact, struct error *reterr)
{
    cleanup_free char *key = set_key(push->provider, push->set, json_text(artifact, "name"));
    const int64_t size = json_whole(artifact, "size", 0);
    int there = is_there(push, key, artifact, reterr);
    if (there < 0)
        return -1;
    if (there) {
        push->skipped++;
        return set_progress_skip(&push->progress, size, reterr);
    }
    if (send(push, key, artifact, reterr) != 0)
        return -1;
    kill_point("-", "artifact-pushed");
    push->sent++;
    push->bytes += size;
    return 0;
}

/* ---- what an earlier attempt has left ---------------------------------------------------------
 */

struct foreign {
    struct push *push;
    json_t *keys; /* to be removed */
};

static int note_foreign(void *data, const char *key, const struct store_info *info,
                        struct error *reterr)
{
    struct foreign *foreign = data;
    cleanup_free char *prefix = set_key(foreign->push->provider, foreign->push->set, "");
    const char *name = key + strlen(prefix);
    size_t index = 0;
    const json_t *artifact = NULL;
    (void)info;
    (void)reterr;
    json_array_foreach (json_object_get(foreign->push->manifest, "artifacts"), index, artifact) {
        if (text_equal(json_text(artifact, "name"), name))
            return 0;
    }
    json_add(foreign->keys, json_string(key));
    return 0;
}

static int remove_foreign(struct push *push, struct error *reterr)
{
    cleanup_free char *prefix = set_key(push->provider, push->set, "");
    cleanup_json json_t *keys = json_array();
    struct foreign foreign = {push, keys};
    size_t index = 0;
    const json_t *key = NULL;
    if (store_list(push->store, prefix, 1, note_foreign, &foreign, reterr) != 0)
        return -1;
    json_array_foreach (keys, index, key) {
        if (store_remove(push->store, json_string_value(key), reterr) != 0)
            return -1;
    }
    return 0;
}

/* ---- commit -----------------------------------------------------------------------------------
 */

static json_t *numbered(const json_t *manifest, int64_t sequence)
{
    json_t *copy = json_clone(manifest);
    json_put(copy, "sequence", json_integer(sequence));
    return copy;
}

static json_t *result_of(const struct push *push, const char *digest, int64_t sequence)
{
    cleanup_free char *key = text_format("%s/%s", push->provider, push->set);
    cleanup_free char *place = store_place(push->store, key);
    return json_make("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "set", push->set, "provider",
                     push->provider, "path", place, "digest", digest, "sequence",
                     (json_int_t)sequence, "sent", (json_int_t)push->sent, "skipped",
                     (json_int_t)push->skipped, "bytes", (json_int_t)push->bytes);
}

static int commit(struct push *push, json_t **ret_result, struct error *reterr)
{
    cleanup_json json_t *others = NULL;
    cleanup_json json_t *back = NULL;
    cleanup_free char *text = NULL;
    cleanup_free char *sums = NULL;
    cleanup_free char *manifest_key = set_key(push->provider, push->set, SET_MANIFEST);
    cleanup_free char *sums_key = set_key(push->provider, push->set, SET_SUMS);
    char digest[DIGEST_TEXT_SIZE];
    char found[DIGEST_TEXT_SIZE];
    if (set_list(push->store, push->provider, &others, reterr) != 0)
        return -1;
    const int64_t sequence = set_list_highest(others, push->set) + 1;
    cleanup_json json_t *manifest = numbered(push->manifest, sequence);
    if (manifest_texts(manifest, &text, &sums, digest, reterr) != 0 ||
        store_put_text(push->store, sums_key, sums, reterr) != 0)
        return -1;
    kill_point("-", "sums-pushed");
    if (store_put_text(push->store, manifest_key, text, reterr) != 0)
        return -1;
    kill_point("-", "manifest-pushed");
    int read = set_manifest(push->store, push->provider, push->set, &back, found, NULL, reterr);
    if (read < 0)
        return -1;
    if (read == STORE_ABSENT || !text_equal(found, digest))
        return error_set(reterr, EXIT_FAILED,
                         "the store does not give back the manifest of set '%s' that it was given",
                         push->set);
    *ret_result = result_of(push, digest, sequence);
    return 0;
}

/* 1 when the store has this set already, whole by its manifest; 0: no; -1. */
static int was_pushed(struct push *push, json_t **ret_result, struct error *reterr)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *there = NULL;
    char digest[DIGEST_TEXT_SIZE];
    int unreadable = 0;
    int found =
        set_manifest(push->store, push->provider, push->set, &there, digest, &unreadable, &err);
    if (found == STORE_ABSENT)
        return 0;
    if (found != 0 && unreadable)
        return error_move(reterr, &err);
    if (found != 0) /* a push that was killed in the midst of its commit */
        return 0;
    const int64_t sequence = json_whole(there, "sequence", 0);
    cleanup_json json_t *same = numbered(push->manifest, sequence);
    if (!json_equal(same, there)) {
        cleanup_free char *key = text_format("%s/%s", push->provider, push->set);
        cleanup_free char *place = store_place(push->store, key);
        (void)error_set(reterr, EXIT_REFUSED, "'%s' is another set than '%s'", place, push->folder);
        return error_hint(reterr, "look at both with 'salvor backups show', and remove one");
    }
    *ret_result = result_of(push, digest, sequence);
    return 1;
}

static int push_all(struct push *push, const struct set_listener *listener, json_t **ret_result,
                    struct error *reterr)
{
    const json_t *artifacts = json_object_get(push->manifest, "artifacts");
    int64_t total = 0;
    size_t index = 0;
    const json_t *artifact = NULL;
    int there = was_pushed(push, ret_result, reterr);
    if (there != 0)
        return there < 0 ? -1 : 0;
    json_array_foreach (artifacts, index, artifact)
        total += json_whole(artifact, "size", 0);
    set_progress_begin(&push->progress, push->store, listener, total, "upload");
    if (remove_foreign(push, reterr) != 0)
        return -1;
    json_array_foreach (artifacts, index, artifact) {
        if (push_artifact(push, artifact, reterr) != 0)
            return -1;
    }
    return commit(push, ret_result, reterr);
}

int set_push(struct store *store, const char *folder, const struct set_listener *listener,
             json_t **ret_result, struct error *reterr)
{
    cleanup_json json_t *manifest = NULL;
    char digest[DIGEST_TEXT_SIZE];
    cleanup_close int lock = lock_folder(folder, reterr);
    if (lock < 0 || manifest_read(folder, &manifest, digest, reterr) != 0)
        return -1;
    struct push push = {.store = store,
                        .folder = folder,
                        .provider = json_text(manifest, "provider"),
                        .set = json_text(manifest, "set"),
                        .manifest = manifest};
    int result = push_all(&push, listener, ret_result, reterr);
    set_progress_end(&push.progress);
    return result;
}
