#include "backup/set-list.h"

#include <stdlib.h>
#include <string.h>

#include "backup/artifact-file.h"
#include "backup/manifest.h"
#include "backup/set-proof.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

enum { AT_ONCE = 64, FILES_OF_A_SET = 3 };

int set_name_is_valid(const char *name)
{
    return artifact_name_is_valid(name) && strchr(name, '/') == NULL &&
           !text_ends(name, SET_PARTIAL);
}

char *set_key(const char *provider, const char *set, const char *name)
{
    return text_format("%s/%s/%s", provider, set, name);
}

/* ---- names ------------------------------------------------------------------------------------
 */

/* Appends the last part of each folder's key to a JSON array. */
static int take_folder(void *data, const char *key, const struct store_info *info,
                       struct error *reterr)
{
    (void)reterr;
    if (info->kind != STORE_FOLDER)
        return 0;
    cleanup_free char *name = text_copy_span(key, strlen(key) - 1);
    const char *slash = strrchr(name, '/');
    json_add(data, json_string(slash != NULL ? slash + 1 : name));
    return 0;
}

static int folders_below(struct store *store, const char *prefix, json_t **ret_names,
                         struct error *reterr)
{
    cleanup_json json_t *names = json_array();
    if (store_list(store, prefix, 0, take_folder, names, reterr) != 0)
        return -1;
    *ret_names = json_incref(names);
    return 0;
}

/* A row for each set of the provider, not looked into yet. */
static int add_rows(struct store *store, const char *provider, json_t *rows, struct error *reterr)
{
    cleanup_free char *prefix = text_format("%s/", provider);
    cleanup_json json_t *names = NULL;
    size_t index = 0;
    const json_t *entry = NULL;
    if (folders_below(store, prefix, &names, reterr) != 0)
        return -1;
    json_array_foreach (names, index, entry) {
        const char *folder = json_string_value(entry);
        const int partial = text_ends(folder, SET_PARTIAL);
        cleanup_free char *name =
            text_copy_span(folder, strlen(folder) - (partial ? strlen(SET_PARTIAL) : 0));
        if (!set_name_is_valid(name))
            continue;
        cleanup_free char *key = text_format("%s/%s", provider, folder);
        cleanup_free char *path = store_place(store, key);
        json_add(rows, json_make("{s:s, s:s, s:s, s:s, s:s?}", "set", name, "provider", provider,
                                 "key", key, "path", path, "state", partial ? "partial" : NULL));
    }
    return 0;
}

/* ---- manifests --------------------------------------------------------------------------------
 */

struct texts {
    char *of[AT_ONCE * FILES_OF_A_SET];
    size_t sizes[AT_ONCE * FILES_OF_A_SET];
};

static int keep_text(void *data, size_t index, const char *text, size_t size, struct error *reterr)
{
    struct texts *texts = data;
    (void)reterr;
    if (text == NULL)
        return 0;
    texts->of[index] = text_copy_span(text, size);
    texts->sizes[index] = size;
    return 0;
}

static void drop_texts(struct texts *texts)
{
    for (size_t i = 0; i < (size_t)AT_ONCE * FILES_OF_A_SET; i++)
        free(texts->of[i]);
}

static void describe(json_t *row, const json_t *manifest, const char *digest)
{
    const json_t *artifacts = json_object_get(manifest, "artifacts");
    int64_t size = 0;
    int64_t encrypted = 0;
    int sensitive = 0;
    size_t index = 0;
    const json_t *artifact = NULL;
    json_array_foreach (artifacts, index, artifact) {
        size += json_whole(artifact, "size", 0);
        encrypted += json_text(artifact, "encryption") != NULL;
        sensitive |= json_flag(artifact, "sensitive");
    }
    json_put_text(row, "state", "complete");
    json_put(row, "sequence", json_integer(json_whole(manifest, "sequence", 0)));
    json_put_text(row, "created", json_text(manifest, "created"));
    json_put_text(row, "site", json_text(manifest, "site"));
    json_put(row, "size", json_integer(size));
    json_put(row, "artifacts", json_integer((json_int_t)json_array_size(artifacts)));
    json_put(row, "sensitive", json_boolean(sensitive));
    json_put(row, "encrypted", json_integer(encrypted));
    json_put(row, "left_out",
             json_integer((json_int_t)json_array_size(json_object_get(manifest, "left_out"))));
    json_put_text(row, "digest", digest);
}

/* A manifest in another set's place tells of that set. */
static int check_place(const json_t *manifest, const char *provider, const char *set,
                       struct error *reterr)
{
    if (text_equal(json_text(manifest, "set"), set) &&
        text_equal(json_text(manifest, "provider"), provider))
        return 0;
    return error_set(reterr, EXIT_FAILED, "the manifest is that of set '%s' of provider '%s'",
                     json_text(manifest, "set"), json_text(manifest, "provider"));
}

static void judge(const struct store *store, json_t *row, const char *manifest_text, size_t size,
                  const char *sums, const char *proof_text)
{
    cleanup_json json_t *manifest = NULL;
    cleanup_error struct error err = ERROR_INIT;
    char digest[DIGEST_TEXT_SIZE];
    if (manifest_text == NULL) {
        const int is_damage = store->operations->renames_sets;
        json_put_text(row, "state", is_damage ? "damaged" : "partial");
        if (is_damage)
            json_put_text(row, "problem", "it has no manifest");
    } else if (manifest_parse(manifest_text, size, sums, &manifest, digest, &err) != 0 ||
               check_place(manifest, json_text(row, "provider"), json_text(row, "set"), &err) !=
                   0) {
        json_put_text(row, "state", "damaged");
        json_put_text(row, "problem", err.message);
    } else {
        describe(row, manifest, digest);
        json_put(row, "verified", set_proof_of(proof_text, digest));
    }
}

static int look_into(struct store *store, json_t *const *rows, size_t count, struct error *reterr)
{
    __attribute__((cleanup(drop_texts))) struct texts texts = {{NULL}, {0}};
    const char *keys[AT_ONCE * FILES_OF_A_SET];
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const char *provider = json_text(rows[i], "provider");
        const char *set = json_text(rows[i], "set");
        keys[used++] = set_key(provider, set, SET_MANIFEST);
        keys[used++] = set_key(provider, set, SET_SUMS);
        keys[used++] = set_proof_key(provider, set);
    }
    int result = store_read_many(store, keys, used, MANIFEST_LIMIT, keep_text, &texts, reterr);
    for (size_t i = 0; i < used; i++)
        free((char *)(uintptr_t)keys[i]);
    for (size_t i = 0; i < count && result == 0; i++)
        judge(store, rows[i], texts.of[3 * i], texts.sizes[3 * i], texts.of[3 * i + 1],
              texts.of[3 * i + 2]);
    return result;
}

static int look_into_all(struct store *store, json_t *rows, struct error *reterr)
{
    json_t *batch[AT_ONCE];
    size_t count = 0;
    size_t index = 0;
    json_t *row = NULL;
    json_array_foreach (rows, index, row) {
        if (json_text(row, "state") == NULL)
            batch[count++] = row;
        if ((count == AT_ONCE || index + 1 == json_array_size(rows)) && count > 0) {
            if (look_into(store, batch, count, reterr) != 0)
                return -1;
            count = 0;
        }
    }
    return 0;
}

int set_manifest_texts(struct store *store, const char *provider, const char *set, char **ret_text,
                       size_t *ret_size, char **ret_sums, struct error *reterr)
{
    cleanup_free char *manifest_key = set_key(provider, set, SET_MANIFEST);
    cleanup_free char *sums_key = set_key(provider, set, SET_SUMS);
    cleanup_free char *text = NULL;
    cleanup_free char *sums = NULL;
    int found = store_read(store, manifest_key, MANIFEST_LIMIT, &text, ret_size, reterr);
    if (found != 0)
        return found;
    if (store_read(store, sums_key, MANIFEST_LIMIT, &sums, NULL, reterr) < 0)
        return -1;
    *ret_text = take_pointer(text);
    *ret_sums = take_pointer(sums);
    return 0;
}

int set_manifest(struct store *store, const char *provider, const char *set, json_t **ret_manifest,
                 char ret_sha256[DIGEST_TEXT_SIZE], int *ret_unreadable, struct error *reterr)
{
    cleanup_free char *text = NULL;
    cleanup_free char *sums = NULL;
    cleanup_json json_t *manifest = NULL;
    size_t size = 0;
    int found = set_manifest_texts(store, provider, set, &text, &size, &sums, reterr);
    if (ret_unreadable != NULL)
        *ret_unreadable = found < 0;
    if (found != 0)
        return found;
    if (manifest_parse(text, size, sums, &manifest, ret_sha256, reterr) == 0 &&
        check_place(manifest, provider, set, reterr) == 0) {
        *ret_manifest = json_incref(manifest);
        return 0;
    }
    cleanup_free char *key = text_format("%s/%s", provider, set);
    cleanup_free char *place = store_place(store, key);
    return error_prefix(reterr, "set '%s'", place);
}

int set_absent_error(const struct store *store, const char *provider, const char *set,
                     struct error *reterr)
{
    cleanup_free char *key = text_format("%s/%s", provider, set);
    cleanup_free char *place = store_place(store, key);
    (void)error_set(reterr, EXIT_USAGE, "there is no backup set at '%s'", place);
    return error_hint(reterr, "'salvor backups list' shows the sets");
}

/* ---- the list ---------------------------------------------------------------------------------
 */

static int newest_first(const void *left, const void *right)
{
    const json_t *a = *(const json_t *const *)left;
    const json_t *b = *(const json_t *const *)right;
    int64_t difference = json_whole(b, "sequence", 0) - json_whole(a, "sequence", 0);
    if (difference != 0)
        return difference > 0 ? 1 : -1;
    return strcmp(json_text(b, "set"), json_text(a, "set"));
}

static json_t *sorted(const json_t *list)
{
    size_t count = json_array_size(list);
    cleanup_free json_t **rows = memory_new(count + 1, sizeof(json_t *));
    json_t *result = json_array();
    for (size_t i = 0; i < count; i++)
        rows[i] = json_array_get(list, i);
    qsort(rows, count, sizeof *rows, newest_first);
    for (size_t i = 0; i < count; i++)
        json_add(result, json_incref(rows[i]));
    return result;
}

int set_list(struct store *store, const char *provider, json_t **ret_list, struct error *reterr)
{
    cleanup_json json_t *rows = json_array();
    cleanup_json json_t *providers = provider != NULL ? json_make("[s]", provider) : NULL;
    size_t index = 0;
    const json_t *name = NULL;
    if (providers == NULL && folders_below(store, "", &providers, reterr) != 0)
        return -1;
    json_array_foreach (providers, index, name) {
        if (set_name_is_valid(json_string_value(name)) &&
            add_rows(store, json_string_value(name), rows, reterr) != 0)
            return -1;
    }
    if (look_into_all(store, rows, reterr) != 0)
        return -1;
    *ret_list = sorted(rows);
    return 0;
}

static int note_touched(void *data, const char *key, const struct store_info *info,
                        struct error *reterr)
{
    int64_t *newest = data;
    (void)key;
    (void)reterr;
    if (info->modified_ms > *newest)
        *newest = info->modified_ms;
    return 0;
}

int set_list_touched(struct store *store, json_t *list, struct error *reterr)
{
    size_t index = 0;
    json_t *row = NULL;
    json_array_foreach (list, index, row) {
        cleanup_free char *prefix = text_format("%s/", json_text(row, "key"));
        int64_t newest = 0;
        if (!text_equal(json_text(row, "state"), "partial"))
            continue;
        if (store_list(store, prefix, 1, note_touched, &newest, reterr) != 0)
            return -1;
        json_put(row, "touched_ms", json_integer(newest));
    }
    return 0;
}

int64_t set_list_highest(const json_t *list, const char *except)
{
    int64_t highest = 0;
    size_t index = 0;
    const json_t *row = NULL;
    json_array_foreach (list, index, row) {
        if (json_whole(row, "sequence", 0) > highest && !text_equal(json_text(row, "set"), except))
            highest = json_whole(row, "sequence", 0);
    }
    return highest;
}
