#include "backup/backup-source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backup/artifact-file.h"
#include "backup/backup-set.h"
#include "backup/manifest.h"
#include "backup/set-pick.h"
#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

static struct backup_source *source_new(const char *name, const char *path, const char *folder,
                                        const char *digest, json_t *artifacts)
{
    struct backup_source *source = memory_new(1, sizeof *source);
    source->name = text_copy(name);
    source->path = text_copy(path);
    source->digest = text_copy(digest);
    source->open =
        json_make("{s:s, s:s, s:o}", "name", name, "folder", folder, "artifacts", artifacts);
    return source;
}

static int from_set(const char *folder, struct backup_source **ret_source, struct error *reterr)
{
    cleanup_json json_t *manifest = NULL;
    char digest[DIGEST_TEXT_SIZE];
    if (manifest_read(folder, &manifest, digest, reterr) != 0)
        return -1;
    *ret_source = source_new(json_text(manifest, "set"), folder, folder, digest,
                             manifest_artifacts(manifest));
    (*ret_source)->manifest = json_incref(manifest);
    json_put((*ret_source)->open, "set", json_true());
    json_put((*ret_source)->open, "left_out", manifest_left_out(manifest));
    return 0;
}

/* ---- what salvor never made --------------------------------------------------------------- */

static int from_file(const char *path, struct backup_source **ret_source, struct error *reterr)
{
    const char *slash = strrchr(path, '/');
    cleanup_free char *folder =
        slash == path ? text_copy("/") : text_copy_span(path, (size_t)(slash - path));
    int64_t size = 0;
    char digest[DIGEST_TEXT_SIZE];
    if (artifact_file_digest(folder, slash + 1, &size, digest, reterr) != 0)
        return -1;
    *ret_source = source_new(
        slash + 1, path, folder, digest,
        json_make("{s:{s:I, s:s}}", slash + 1, "size", (json_int_t)size, "sha256", digest));
    return 0;
}

struct bare_folder {
    const char *path;
    json_t *artifacts;
};

static int add_bare(void *data, const char *name, struct error *reterr)
{
    const struct bare_folder *bare = data;
    int64_t size = 0;
    char digest[DIGEST_TEXT_SIZE];
    if (artifact_file_digest(bare->path, name, &size, digest, reterr) != 0)
        return -1;
    json_put(bare->artifacts, name,
             json_make("{s:I, s:s}", "size", (json_int_t)size, "sha256", digest));
    return 0;
}

static int from_folder(const char *path, struct backup_source **ret_source, struct error *reterr)
{
    cleanup_free char *manifest = text_format("%s/%s", path, SET_MANIFEST);
    struct stat status;
    if (lstat(manifest, &status) == 0)
        return from_set(path, ret_source, reterr);
    cleanup_json json_t *artifacts = json_object();
    struct bare_folder bare = {path, artifacts};
    char digest[DIGEST_TEXT_SIZE];
    if (artifact_files_each(path, add_bare, &bare, reterr) != 0)
        return -1;
    json_digest(artifacts, digest);
    const char *slash = strrchr(path, '/');
    *ret_source =
        source_new(slash[1] != '\0' ? slash + 1 : path, path, path, digest, json_incref(artifacts));
    return 0;
}

static int from_path(const char *path, struct backup_source **ret_source, struct error *reterr)
{
    cleanup_free char *real = realpath(path, NULL);
    struct stat status;
    if (real == NULL || stat(real, &status) != 0) {
        (void)error_errno(reterr, EXIT_USAGE, errno, "cannot open backup '%s'", path);
        return -1;
    }
    if (S_ISDIR(status.st_mode))
        return from_folder(real, ret_source, reterr);
    return from_file(real, ret_source, reterr);
}

/* ---- which one ---------------------------------------------------------------------------- */

static int looks_like_path(const char *what)
{
    struct stat status;
    return strchr(what, '/') != NULL || lstat(what, &status) == 0;
}

int backup_source_find(const char *store_folder, const char *provider, const char *site,
                       const char *what, struct backup_source **ret_source, struct error *reterr)
{
    const struct set_wish wish = {provider, site, what, store_folder, 0};
    cleanup_json json_t *sets = NULL;
    const json_t *row = NULL;
    if (strchr(what, '/') != NULL)
        return from_path(what, ret_source, reterr);
    if (backup_set_list(store_folder, provider, &sets, reterr) != 0)
        return -1;
    int picked = set_pick(sets, &wish, &row, reterr);
    if (picked == 0)
        return from_set(json_text(row, "path"), ret_source, reterr);
    if (picked == SET_NOT_THERE && looks_like_path(what))
        return from_path(what, ret_source, reterr);
    return picked == SET_NOT_THERE ? set_pick_nothing(&wish, reterr) : -1;
}

/* ---- verify ------------------------------------------------------------------------------- */

struct verification {
    const struct backup_source *source;
    struct buffer problems;
    size_t count;
};

static void note_problem(struct verification *verification, const char *text)
{
    (void)buffer_format(&verification->problems, "%s%s", verification->count > 0 ? "; " : "", text);
    verification->count++;
}

static int note_foreign(void *data, const char *name, struct error *reterr)
{
    struct verification *verification = data;
    const json_t *artifacts = json_object_get(verification->source->open, "artifacts");
    (void)reterr;
    if (json_object_get(artifacts, name) == NULL && !text_equal(name, SET_MANIFEST) &&
        !text_equal(name, SET_SUMS)) {
        cleanup_free char *text = text_format("'%s' is not in the manifest", name);
        note_problem(verification, text);
    }
    return 0;
}

int backup_source_verify(const struct backup_source *source, struct error *reterr)
{
    struct verification verification = {source, BUFFER_INIT(65536), 0};
    const char *folder = json_text(source->open, "folder");
    const char *name = NULL;
    json_t *artifact = NULL;
    json_object_foreach (json_object_get(source->open, "artifacts"), name, artifact) {
        cleanup_error struct error err = ERROR_INIT;
        if (artifact_file_check(folder, name, json_whole(artifact, "size", -1),
                                json_text(artifact, "sha256"), &err) != 0)
            note_problem(&verification, err.message);
    }
    if (source->manifest != NULL &&
        artifact_files_each(folder, note_foreign, &verification, reterr) != 0) {
        buffer_clear(&verification.problems);
        return -1;
    }
    cleanup_free char *problems = buffer_take(&verification.problems);
    if (verification.count == 0)
        return 0;
    (void)error_set(reterr, EXIT_BLOCKED, "backup '%s' is not what it was: %zu problem%s",
                    source->name, verification.count, verification.count == 1 ? "" : "s");
    return error_detail(reterr, "%s", problems);
}

void backup_source_free(struct backup_source *source)
{
    if (source == NULL)
        return;
    free(source->name);
    free(source->path);
    free(source->digest);
    json_decref(source->open);
    json_decref(source->manifest);
    free(source);
}
