#include "backup/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "backup/artifact-file.h"
#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

enum { MANIFEST_FORMAT = 1 };

/* Of what is counted on from: the store may be anybody's. */
#define SEQUENCE_LIMIT (INT64_C(1) << 53)

static char *in_folder(const char *folder, const char *name)
{
    return text_format("%s/%s", folder, name);
}

/* The manifest first, so that a person's `sha256sum -c` begins with it. */
static int sums_text(const json_t *manifest, const char *sha256, char **ret_text,
                     struct error *reterr)
{
    cleanup_buffer struct buffer sums = BUFFER_INIT(MANIFEST_LIMIT);
    size_t index = 0;
    const json_t *artifact = NULL;
    int full = buffer_format(&sums, "%s  %s\n", sha256, SET_MANIFEST);
    json_array_foreach (json_object_get(manifest, "artifacts"), index, artifact)
        full |= buffer_format(&sums, "%s  %s\n", json_text(artifact, "sha256"),
                              json_text(artifact, "name"));
    if (full != 0)
        return error_set(reterr, EXIT_FAILED, "the set has too many artifacts for its manifest");
    *ret_text = buffer_take(&sums);
    return 0;
}

int manifest_texts(const json_t *manifest, char **ret_manifest, char **ret_sums,
                   char ret_sha256[DIGEST_TEXT_SIZE], struct error *reterr)
{
    cleanup_free char *text = json_dumps(manifest, JSON_INDENT(2) | JSON_SORT_KEYS);
    if (text == NULL)
        out_of_memory();
    digest_text_of(text, strlen(text), ret_sha256);
    if (sums_text(manifest, ret_sha256, ret_sums, reterr) != 0)
        return -1;
    *ret_manifest = take_pointer(text);
    return 0;
}

int manifest_write(const char *folder, const json_t *manifest, char ret_sha256[DIGEST_TEXT_SIZE],
                   struct error *reterr)
{
    cleanup_free char *manifest_path = in_folder(folder, SET_MANIFEST);
    cleanup_free char *sums_path = in_folder(folder, SET_SUMS);
    cleanup_free char *text = NULL;
    cleanup_free char *sums = NULL;
    if (manifest_texts(manifest, &text, &sums, ret_sha256, reterr) != 0 ||
        file_write_atomic(sums_path, sums, strlen(sums), 0600, reterr) != 0)
        return -1;
    return file_write_atomic(manifest_path, text, strlen(text), 0600, reterr);
}

static int check_artifact(const json_t *artifact, json_t *seen, struct error *reterr)
{
    const char *name = json_text(artifact, "name");
    const char *sha256 = json_text(artifact, "sha256");
    if (name == NULL || !artifact_name_is_valid(name))
        return error_set(reterr, EXIT_FAILED, "the manifest names an artifact '%s'",
                         name != NULL ? name : "");
    if (sha256 == NULL || strlen(sha256) != DIGEST_TEXT_SIZE - 1 ||
        json_whole(artifact, "size", -1) < 0)
        return error_set(reterr, EXIT_FAILED, "the manifest lacks size or digest of '%s'", name);
    if (json_object_get(seen, name) != NULL)
        return error_set(reterr, EXIT_FAILED, "the manifest names '%s' twice", name);
    json_put(seen, name, json_true());
    return 0;
}

static int check_total(const json_t *artifacts, struct error *reterr)
{
    int64_t left = INT64_MAX;
    size_t index = 0;
    const json_t *artifact = NULL;
    json_array_foreach (artifacts, index, artifact) {
        const int64_t size = json_whole(artifact, "size", 0);
        if (size > left)
            return error_set(reterr, EXIT_FAILED,
                             "the manifest names more bytes than there can be");
        left -= size;
    }
    return 0;
}

static int check_manifest(const json_t *manifest, struct error *reterr)
{
    cleanup_json json_t *seen = json_object();
    const json_t *artifacts = json_object_get(manifest, "artifacts");
    size_t index = 0;
    const json_t *artifact = NULL;
    if (json_whole(manifest, "salvor-set", 0) != MANIFEST_FORMAT) {
        (void)error_set(reterr, EXIT_FAILED, "the manifest is of a format that is not known here");
        return error_hint(reterr, "it may be of a newer salvor");
    }
    if (!json_is_array(artifacts) || json_text(manifest, "set") == NULL ||
        json_text(manifest, "provider") == NULL || json_whole(manifest, "sequence", 0) <= 0 ||
        json_whole(manifest, "sequence", 0) > SEQUENCE_LIMIT)
        return error_set(reterr, EXIT_FAILED, "the manifest lacks what every set has");
    json_array_foreach (artifacts, index, artifact) {
        if (check_artifact(artifact, seen, reterr) != 0)
            return -1;
    }
    return check_total(artifacts, reterr);
}

int manifest_parse(const char *text, size_t size, const char *sums, json_t **ret_manifest,
                   char ret_sha256[DIGEST_TEXT_SIZE], struct error *reterr)
{
    json_error_t json_error;
    cleanup_free char *expected = NULL;
    cleanup_json json_t *manifest = json_loadb(text, size, JSON_REJECT_DUPLICATES, &json_error);
    if (manifest == NULL)
        return error_set(reterr, EXIT_FAILED, "the manifest cannot be read: %s", json_error.text);
    digest_text_of(text, size, ret_sha256);
    if (check_manifest(manifest, reterr) != 0 ||
        sums_text(manifest, ret_sha256, &expected, reterr) != 0)
        return -1;
    if (sums == NULL)
        return error_set(reterr, EXIT_FAILED, "there is no " SET_SUMS " beside the manifest");
    /* it is derived from nothing else than this manifest */
    if (!text_equal(expected, sums))
        return error_set(reterr, EXIT_FAILED,
                         "the manifest and " SET_SUMS " beside it do not agree");
    *ret_manifest = json_incref(manifest);
    return 0;
}

int manifest_read(const char *folder, json_t **ret_manifest, char ret_sha256[DIGEST_TEXT_SIZE],
                  struct error *reterr)
{
    cleanup_free char *path = in_folder(folder, SET_MANIFEST);
    cleanup_free char *sums_path = in_folder(folder, SET_SUMS);
    cleanup_free char *text = NULL;
    cleanup_free char *sums = NULL;
    size_t size = 0;
    if (file_read(path, MANIFEST_LIMIT, &text, &size, reterr) != 0 ||
        file_read(sums_path, MANIFEST_LIMIT, &sums, NULL, reterr) != 0)
        return -1;
    if (manifest_parse(text, size, sums, ret_manifest, ret_sha256, reterr) != 0)
        return error_prefix(reterr, "set '%s'", folder);
    return 0;
}

json_t *manifest_artifacts(const json_t *manifest)
{
    json_t *artifacts = json_object();
    size_t index = 0;
    const json_t *artifact = NULL;
    json_array_foreach (json_object_get(manifest, "artifacts"), index, artifact)
        json_put(artifacts, json_text(artifact, "name"),
                 json_make("{s:O, s:O, s:O?}", "size", json_object_get(artifact, "size"), "sha256",
                           json_object_get(artifact, "sha256"), "encryption",
                           json_object_get(artifact, "encryption")));
    return artifacts;
}

json_t *manifest_left_out(const json_t *manifest)
{
    json_t *names = json_array();
    size_t index = 0;
    const json_t *artifact = NULL;
    json_array_foreach (json_object_get(manifest, "left_out"), index, artifact) {
        if (json_text(artifact, "name") != NULL)
            json_add(names, json_string(json_text(artifact, "name")));
    }
    return names;
}
