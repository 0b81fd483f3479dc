#include "backup/set-export.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "backup/artifact-file.h"
#include "backup/manifest.h"
#include "backup/set-file.h"
#include "backup/set-list.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

static char *parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return text_copy(".");
    return slash == path ? text_copy("/") : text_copy_span(path, (size_t)(slash - path));
}

struct leftover {
    const json_t *names; /* of the set: name -> anything */
    const char *folder;
};

static int check_leftover(void *data, const char *name, struct error *reterr)
{
    const struct leftover *leftover = data;
    const char *slash = strrchr(name, '/');
    if (json_object_get(leftover->names, name) != NULL ||
        text_starts(slash != NULL ? slash + 1 : name, ".tmp-"))
        return 0;
    (void)error_set(reterr, EXIT_USAGE,
                    "'%s' is there, and no export of this set has left it: '%s'", leftover->folder,
                    name);
    return error_hint(reterr, "move it away, or export to another folder");
}

/* What an earlier attempt has left may be half a file of another set: it goes, if it is that. */
static int make_partial(const char *folder, const json_t *manifest, struct error *reterr)
{
    cleanup_json json_t *names = manifest_artifacts(manifest);
    struct leftover leftover = {names, folder};
    struct stat status;
    if (lstat(folder, &status) == 0 &&
        (artifact_files_each(folder, check_leftover, &leftover, reterr) != 0 ||
         file_remove_tree(folder, reterr) != 0))
        return -1;
    return file_make_folder(folder, reterr);
}

static int write_artifacts(struct store *store, const struct set_export_request *request,
                           const json_t *manifest, const char *folder, json_t *result,
                           struct error *reterr)
{
    int64_t decrypted = 0;
    size_t index = 0;
    const json_t *artifact = NULL;
    json_array_foreach (json_object_get(manifest, "artifacts"), index, artifact) {
        cleanup_free char *key =
            set_key(request->provider, request->set, json_text(artifact, "name"));
        if (set_file_write(store, key, artifact, READ_OPENED, request->identity, folder, reterr) !=
            0)
            return -1;
        decrypted += json_text(artifact, "encryption") != NULL;
    }
    json_put(result, "artifacts", json_integer((json_int_t)index));
    json_put(result, "decrypted", json_integer(decrypted));
    return artifact_folders_sync(folder, reterr);
}

static int name_folder(const char *from, const char *to, struct error *reterr)
{
    cleanup_free char *parent = parent_of(to);
    if (rename(from, to) != 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot write '%s'", to);
    return file_sync_folder(parent, reterr);
}

int set_export(struct store *store, const struct set_export_request *request,
               const struct set_listener *listener, json_t **ret_result, struct error *reterr)
{
    cleanup_progress struct set_progress progress = {.store = NULL};
    cleanup_free char *partial = text_format("%s" SET_PARTIAL, request->folder);
    cleanup_json json_t *manifest = NULL;
    struct stat status;
    char digest[DIGEST_TEXT_SIZE];
    int64_t total = 0;
    size_t index = 0;
    const json_t *artifact = NULL;
    if (lstat(request->folder, &status) == 0)
        return error_set(reterr, EXIT_USAGE, "'%s' is there already", request->folder);
    int found =
        set_manifest(store, request->provider, request->set, &manifest, digest, NULL, reterr);
    if (found == STORE_ABSENT)
        return set_absent_error(store, request->provider, request->set, reterr);
    if (found != 0)
        return -1;
    json_array_foreach (json_object_get(manifest, "artifacts"), index, artifact)
        total += json_whole(artifact, "size", 0);
    cleanup_json json_t *result =
        json_make("{s:s, s:o, s:I}", "path", request->folder, "left_out",
                  manifest_left_out(manifest), "bytes", (json_int_t)total);
    if (make_partial(partial, manifest, reterr) != 0)
        return -1;
    set_progress_begin(&progress, store, listener, total, "export");
    if (write_artifacts(store, request, manifest, partial, result, reterr) != 0 ||
        name_folder(partial, request->folder, reterr) != 0) {
        (void)file_remove_tree(partial, NULL);
        return -1;
    }
    *ret_result = json_incref(result);
    return 0;
}
