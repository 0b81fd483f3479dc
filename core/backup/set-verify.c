#include "backup/set-verify.h"

#include <string.h>

#include "backup/artifact-file.h"
#include "backup/manifest.h"
#include "backup/set-list.h"
#include "backup/set-reader.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

struct verification {
    struct store *store;
    const struct set_verify_request *request;
    const char *prefix; /* of all keys of the set */
    json_t *names;      /* name -> true, of the manifest */
    json_t *result;
};

static void note_problem(struct verification *verification, const char *artifact,
                         const char *problem)
{
    json_t *result = verification->result;
    json_t *problems = json_object_get(result, "problems");
    json_put_text(result, "state", "damaged");
    json_put(result, "problem_count", json_integer(json_whole(result, "problem_count", 0) + 1));
    if (json_array_size(problems) < SET_VERIFY_LISTED)
        json_add(problems, json_make("{s:s, s:s}", "artifact", artifact, "problem", problem));
}

static void note_unopened(struct verification *verification, const char *name)
{
    json_t *unopened = json_object_get(verification->result, "unopened");
    if (json_array_size(unopened) < SET_VERIFY_LISTED)
        json_add(unopened, json_string(name));
}

static int64_t total_size(const json_t *manifest)
{
    int64_t total = 0;
    size_t index = 0;
    const json_t *artifact = NULL;
    json_array_foreach (json_object_get(manifest, "artifacts"), index, artifact)
        total += json_whole(artifact, "size", 0);
    return total;
}

/* 0 also when it is damaged. */
static int verify_artifact(struct verification *verification, const json_t *artifact,
                           struct error *reterr)
{
    const struct set_verify_request *request = verification->request;
    const char *name = json_text(artifact, "name");
    const int encrypted = json_text(artifact, "encryption") != NULL;
    const int opens = request->read_data && request->identity != NULL && encrypted;
    cleanup_free char *key = text_format("%s%s", verification->prefix, name);
    cleanup_error struct error err = ERROR_INIT;
    json_put(verification->names, name, json_true());
    int result =
        set_read_artifact(verification->store, key, artifact, opens ? READ_OPENED : READ_STORED,
                          request->identity, NULL, NULL, &err);
    if (result != 0 && err.code == EXIT_REFUSED) {
        /* none of the keys is its: the bytes can be proven all the same */
        error_clear(&err);
        note_unopened(verification, name);
        result = set_read_artifact(verification->store, key, artifact, READ_STORED, NULL, NULL,
                                   NULL, &err);
    } else if (encrypted && !opens) {
        note_unopened(verification, name);
    }
    if (result == 0)
        return 0;
    if (err.code != EXIT_BLOCKED)
        return error_move(reterr, &err);
    note_problem(verification, name, err.message);
    return 0;
}

static int note_foreign(void *data, const char *key, const struct store_info *info,
                        struct error *reterr)
{
    struct verification *verification = data;
    const char *name = key + strlen(verification->prefix);
    (void)reterr;
    if (info->kind == STORE_OTHER)
        note_problem(verification, name, "it is no ordinary file");
    else if (json_object_get(verification->names, name) == NULL &&
             !text_equal(name, SET_MANIFEST) && !text_equal(name, SET_SUMS))
        note_problem(verification, name, "it is not in the manifest");
    return 0;
}

static int verify_all(struct verification *verification, const json_t *manifest,
                      const struct set_listener *listener, struct error *reterr)
{
    cleanup_progress struct set_progress progress = {.store = NULL};
    const json_t *artifacts = json_object_get(manifest, "artifacts");
    json_t *result = verification->result;
    int64_t encrypted = 0;
    size_t index = 0;
    const json_t *artifact = NULL;
    set_progress_begin(&progress, verification->store, listener, total_size(manifest), "verify");
    json_array_foreach (artifacts, index, artifact) {
        encrypted += json_text(artifact, "encryption") != NULL;
        if (verify_artifact(verification, artifact, reterr) != 0)
            return -1;
    }
    json_put(result, "site", json_incref(json_object_get(manifest, "site")));
    json_put(result, "artifacts", json_integer((json_int_t)json_array_size(artifacts)));
    json_put(result, "encrypted", json_integer(encrypted));
    json_put_text(result, "read",
                  verification->request->read_data &&
                          json_array_size(json_object_get(result, "unopened")) == 0
                      ? "decrypted"
                      : "stored");
    return store_list(verification->store, verification->prefix, 1, note_foreign, verification,
                      reterr);
}

int set_verify(struct store *store, const struct set_verify_request *request,
               const struct set_listener *listener, json_t **ret_verification, struct error *reterr)
{
    cleanup_free char *prefix = set_key(request->provider, request->set, "");
    cleanup_free char *key = text_format("%s/%s", request->provider, request->set);
    cleanup_free char *place = store_place(store, key);
    cleanup_json json_t *manifest = NULL;
    cleanup_json json_t *names = json_object();
    cleanup_json json_t *result =
        json_make("{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:[], s:[]}", "set", request->set,
                  "provider", request->provider, "path", place, "state", "whole", "read", "stored",
                  "artifacts", 0, "encrypted", 0, "problem_count", 0, "unopened", "problems");
    struct verification verification = {store, request, prefix, names, result};
    cleanup_error struct error err = ERROR_INIT;
    char digest[DIGEST_TEXT_SIZE];
    int unreadable = 0;
    int found =
        set_manifest(store, request->provider, request->set, &manifest, digest, &unreadable, &err);
    if (found == STORE_ABSENT)
        return set_absent_error(store, request->provider, request->set, reterr);
    if (found != 0 && unreadable)
        return error_move(reterr, &err);
    if (found != 0) {
        note_problem(&verification, SET_MANIFEST, err.message);
    } else {
        json_put_text(result, "digest", digest);
        if (verify_all(&verification, manifest, listener, reterr) != 0)
            return -1;
    }
    *ret_verification = json_incref(result);
    return 0;
}
