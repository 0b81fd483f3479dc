/* What is done with sets of a store, on a store that behaves like a bucket and fails on demand. */
#include "../unit.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/artifact-file.h"
#include "backup/manifest.h"
#include "backup/set-export.h"
#include "backup/set-fetch.h"
#include "backup/set-list.h"
#include "backup/set-proof.h"
#include "backup/set-push.h"
#include "backup/set-remove.h"
#include "backup/set-verify.h"
#include "backup/store-check.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "sample-sets.h"
#include "shaky-store.h"
#include "store/folder-store.h"

struct far {
    struct store *inner;
    struct store *store;
};

static void close_far(struct far *far)
{
    store_free(far->store);
    store_free(far->inner);
}

#define open_far(samples)                                                                          \
    __attribute__((cleanup(close_far))) struct far far = {.inner =                                 \
                                                              folder_store_new((samples)->there)}; \
    far.store = shaky_store_new(far.inner)

static void push(struct store *store, const char *folder)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *result = NULL;
    if (set_push(store, folder, NULL, &result, &err) != 0)
        fail_msg("%s", err.message);
}

static json_t *only_row(struct store *store)
{
    cleanup_json json_t *list = NULL;
    assert_int_equal(set_list(store, NULL, &list, NULL), 0);
    assert_int_equal(json_array_size(list), 1);
    return json_incref(json_array_get(list, 0));
}

static int verify(struct store *store, const struct samples *samples, int read_data,
                  json_t **ret_result)
{
    const struct set_verify_request request = {"p", "one", read_data,
                                               samples != NULL ? samples->identity : NULL};
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *result = NULL;
    if (set_verify(store, &request, NULL, &result, &err) != 0)
        fail_msg("%s", err.message);
    int whole = text_equal(json_text(result, "state"), "whole");
    if (ret_result != NULL)
        *ret_result = json_incref(result);
    return whole;
}

/* ---- push -------------------------------------------------------------------------------------
 */

static void a_pushed_set_is_the_set(void **state)
{
    const struct samples *samples = *state;
    open_far(samples);
    cleanup_free char *folder = samples_make(samples, "one", "lab");
    cleanup_json json_t *result = NULL;
    cleanup_json json_t *again = NULL;
    assert_int_equal(set_push(far.store, folder, NULL, &result, NULL), 0);
    assert_int_equal(json_whole(result, "sent", 0), 3);
    assert_string_equal(json_text(result, "path"), "shaky://p/one");
    cleanup_free char *copy = text_format("%s/p/one", samples->there);
    cleanup_free char *ours = samples_content(folder);
    cleanup_free char *theirs = samples_content(copy);
    assert_string_equal(ours, theirs);
    assert_int_equal(set_push(far.store, folder, NULL, &again, NULL), 0);
    assert_int_equal(json_whole(again, "sent", -1), 0);
    assert_string_equal(json_text(again, "digest"), json_text(result, "digest"));
    cleanup_json json_t *row = only_row(far.store);
    assert_string_equal(json_text(row, "state"), "complete");
    assert_int_equal(json_whole(row, "encrypted", 0), 1);
    assert_string_equal(json_text(row, "digest"), json_text(result, "digest"));
}

static void sequences_count_in_the_store(void **state)
{
    const struct samples *samples = *state;
    open_far(samples);
    /* made on three machines: each counts its own; names and clocks say nothing */
    static const char *const names[] = {"20260102-one", "20260101-two", "20260103-three"};
    cleanup_json json_t *list = NULL;
    for (int i = 0; i < 3; i++) {
        cleanup_free char *folder = samples_make(samples, names[i], "lab");
        push(far.store, folder);
        assert_int_equal(file_remove_tree(samples->here, NULL), 0);
    }
    assert_int_equal(set_list(far.store, "p", &list, NULL), 0);
    for (int i = 0; i < 3; i++) {
        const json_t *row = json_array_get(list, (size_t)(2 - i));
        assert_string_equal(json_text(row, "set"), names[i]);
        assert_int_equal(json_whole(row, "sequence", 0), i + 1);
    }
}

/* Whatever operation fails, before or after it took effect: there is no set, or the whole one, and
 * the same push again ends well. */
static void a_push_that_fails_is_repeated(void **state)
{
    const struct samples *samples = *state;
    open_far(samples);
    cleanup_free char *folder = samples_make(samples, "one", "lab");
    int failures = 0;
    for (int n = 1;; n++) {
        int failed = 0;
        for (int after = 0; after < 2; after++) {
            cleanup_json json_t *result = NULL;
            cleanup_json json_t *list = NULL;
            cleanup_error struct error err = ERROR_INIT;
            assert_int_equal(file_remove_tree(samples->there, NULL), 0);
            shaky_store_fail_at(far.store, n, after);
            if (set_push(far.store, folder, NULL, &result, &err) != 0) {
                failed = 1;
                failures++;
                assert_string_equal(err.message, "the connection was lost");
            }
            shaky_store_fail_at(far.store, 0, 0);
            assert_int_equal(set_list(far.store, "p", &list, NULL), 0);
            for (size_t i = 0; i < json_array_size(list); i++) {
                const char *found = json_text(json_array_get(list, i), "state");
                if (text_equal(found, "complete"))
                    assert_true(verify(far.store, samples, 1, NULL));
                else
                    assert_string_equal(found, "partial");
            }
            push(far.store, folder);
            assert_true(verify(far.store, samples, 1, NULL));
        }
        if (!failed)
            break;
    }
    assert_true(failures > 20);
}

static void a_kill_between_digests_and_manifest_is_repeated(void **state)
{
    const struct samples *samples = *state;
    open_far(samples);
    cleanup_free char *folder = samples_make(samples, "one", "lab");
    push(far.store, folder);
    /* another SHA256SUMS than the manifest's: what a kill in the midst of a second commit leaves */
    assert_int_equal(store_put_text(far.inner, "p/one/SHA256SUMS", "x", NULL), 0);
    cleanup_json json_t *row = only_row(far.store);
    assert_string_equal(json_text(row, "state"), "damaged");
    push(far.store, folder);
    assert_true(verify(far.store, samples, 1, NULL));
}

static void leftovers_of_another_attempt_go(void **state)
{
    const struct samples *samples = *state;
    open_far(samples);
    cleanup_free char *folder = samples_make(samples, "one", "lab");
    assert_int_equal(store_put_text(far.inner, "p/one/snapshot.db", "half", NULL), 0);
    assert_int_equal(store_put_text(far.inner, "p/one/old/artifact", "x", NULL), 0);
    assert_int_equal(store_put_text(far.inner, "p/other/artifact", "x", NULL), 0);
    push(far.store, folder);
    assert_true(verify(far.store, samples, 1, NULL));
    struct store_info info;
    assert_int_equal(store_head(far.inner, "p/one/old/artifact", &info, NULL), STORE_ABSENT);
    assert_int_equal(store_head(far.inner, "p/other/artifact", &info, NULL), 0);
}

static void another_set_of_that_name_is_never_overwritten(void **state)
{
    const struct samples *samples = *state;
    open_far(samples);
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *result = NULL;
    cleanup_free char *folder = samples_make(samples, "one", "lab");
    push(far.store, folder);
    free(take_pointer(folder));
    assert_int_equal(file_remove_tree(samples->here, NULL), 0);
    folder = samples_make(samples, "one", "other");
    assert_int_equal(set_push(far.store, folder, NULL, &result, &err), -1);
    assert_int_equal(err.code, EXIT_REFUSED);
    cleanup_json json_t *row = only_row(far.store);
    assert_string_equal(json_text(row, "site"), "lab");
}

static void what_rotted_meanwhile_is_not_pushed(void **state)
{
    const struct samples *samples = *state;
    open_far(samples);
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *result = NULL;
    cleanup_free char *folder = samples_make(samples, "one", "lab");
    cleanup_free char *path = text_format("%s/deep/keys.txt", folder);
    assert_int_equal(file_write_atomic(path, "a=2\n", 4, 0600, NULL), 0);
    assert_int_equal(set_push(far.store, folder, NULL, &result, &err), -1);
    assert_non_null(strstr(err.message, "SHA-256"));
    cleanup_json json_t *row = only_row(far.store);
    assert_string_equal(json_text(row, "state"), "partial");
}

static void one_works_on_a_set_at_a_time(void **state)
{
    const struct samples *samples = *state;
    open_far(samples);
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *result = NULL;
    cleanup_free char *folder = samples_make(samples, "one", "lab");
    cleanup_close int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(flock(lock, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(set_push(far.store, folder, NULL, &result, &err), -1);
    assert_int_equal(err.code, EXIT_REFUSED);
}

/* ---- verify -----------------------------------------------------------------------------------
 */

static void every_flipped_bit_is_found(void **state)
{
    const struct samples *samples = *state;
    open_far(samples);
    static const char *const names[] = {"manifest.json", "SHA256SUMS", "snapshot.db",
                                        "deep/keys.txt", "vault"};
    cleanup_free char *folder = samples_make(samples, "one", "lab");
    int64_t tried = 0;
    push(far.store, folder);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cleanup_free char *key = set_key("p", "one", names[i]);
        struct store_info info;
        assert_int_equal(store_head(far.inner, key, &info, NULL), 0);
        for (int64_t bit = 0; bit < info.size * 8; bit++, tried++) {
            shaky_store_flip(far.store, key, bit);
            if (verify(far.store, NULL, 0, NULL))
                fail_msg("bit %lld of '%s' is not seen", (long long)bit, names[i]);
        }
        shaky_store_flip(far.store, NULL, 0);
        assert_true(verify(far.store, samples, 1, NULL));
    }
    assert_true(tried > 5000);
}

static void missing_and_foreign_files_are_found(void **state)
{
    const struct samples *samples = *state;
    open_far(samples);
    cleanup_free char *folder = samples_make(samples, "one", "lab");
    cleanup_json json_t *result = NULL;
    push(far.store, folder);
    assert_int_equal(store_remove(far.inner, "p/one/deep/keys.txt", NULL), 0);
    assert_int_equal(store_put_text(far.inner, "p/one/more", "x", NULL), 0);
    assert_false(verify(far.store, samples, 1, &result));
    cleanup_free char *text = json_canonical(json_object_get(result, "problems"));
    assert_string_equal(text, "[{\"artifact\":\"deep/keys.txt\",\"problem\":\"it is missing\"},"
                              "{\"artifact\":\"more\",\"problem\":\"it is not in the manifest\"}]");
}

static void without_the_key_the_ciphertext_is_proven(void **state)
{
    const struct samples *samples = *state;
    open_far(samples);
    cleanup_free char *folder = samples_make(samples, "one", "lab");
    push(far.store, folder);
    for (int with = 0; with < 3; with++) {
        cleanup_json json_t *result = NULL;
        struct samples stranger = {.identity = identity_new()};
        char *text = NULL;
        char recipient[KEY_TEXT_SIZE];
        identity_generate(&text, recipient);
        assert_int_equal(identity_add(stranger.identity, text, strlen(text), "k", NULL), 0);
        sodium_free(text);
        assert_true(verify(far.store,
                           with == 0   ? NULL
                           : with == 1 ? &stranger
                                       : samples,
                           1, &result));
        assert_string_equal(json_text(result, "read"), with == 2 ? "decrypted" : "stored");
        assert_int_equal(json_array_size(json_object_get(result, "unopened")), with == 2 ? 0 : 1);
        identity_free(stranger.identity);
    }
}

static void what_verify_found_is_remembered(void **state)
{
    const struct samples *samples = *state;
    open_far(samples);
    cleanup_free char *folder = samples_make(samples, "one", "lab");
    cleanup_json json_t *result = NULL;
    push(far.store, folder);
    cleanup_json json_t *before = only_row(far.store);
    assert_true(json_is_null(json_object_get(before, "verified")));
    assert_true(verify(far.store, samples, 1, &result));
    assert_int_equal(set_proof_record(far.store, result, NULL), 0);
    cleanup_json json_t *row = only_row(far.store);
    const json_t *verified = json_object_get(row, "verified");
    assert_string_equal(json_text(verified, "state"), "whole");
    assert_string_equal(json_text(verified, "read"), "decrypted");
    /* of another manifest it says nothing, and what is no record says nothing either */
    json_put_text(result, "digest", "00");
    assert_int_equal(set_proof_record(far.store, result, NULL), 0);
    cleanup_json json_t *other = only_row(far.store);
    assert_true(json_is_null(json_object_get(other, "verified")));
    assert_int_equal(store_put_text(far.inner, "p/.verified/one.json", "{", NULL), 0);
    cleanup_json json_t *broken = only_row(far.store);
    assert_true(json_is_null(json_object_get(broken, "verified")));
}

static void a_manifest_in_the_wrong_place_is_damage(void **state)
{
    const struct samples *samples = *state;
    open_far(samples);
    cleanup_free char *folder = samples_make(samples, "one", "lab");
    push(far.store, folder);
    cleanup_free char *from = text_format("%s/p/one", samples->there);
    cleanup_free char *to = text_format("%s/p/two", samples->there);
    assert_int_equal(rename(from, to), 0);
    cleanup_json json_t *row = only_row(far.store);
    assert_string_equal(json_text(row, "state"), "damaged");
    assert_string_equal(json_text(row, "problem"),
                        "the manifest is that of set 'one' of provider 'p'");
}

/* ---- fetch ------------------------------------------------------------------------------------
 */

static void what_is_fetched_is_what_was_pushed(void **state)
{
    const struct samples *samples = *state;
    open_far(samples);
    cleanup_free char *folder = samples_make(samples, "one", "lab");
    cleanup_free char *cache = text_format("%s/cache", samples->folder);
    cleanup_free char *ours = samples_content(folder);
    push(far.store, folder);
    for (int i = 0; i < 3; i++) {
        cleanup_json json_t *result = NULL;
        cleanup_error struct error err = ERROR_INIT;
        if (set_fetch(far.store, "p", "one", cache, NULL, &result, &err) != 0)
            fail_msg("%s", err.message);
        assert_int_equal(json_whole(result, "fetched", -1), i == 0 ? 3 : i == 1 ? 0 : 1);
        cleanup_free char *copy = samples_content(json_text(result, "path"));
        assert_string_equal(copy, ours);
        cleanup_free char *path = text_format("%s/vault", json_text(result, "path"));
        assert_int_equal(truncate(path, 10), 0); /* it is mended the next time */
        if (i == 0) {
            cleanup_free char *vault = text_format("%s/vault", folder);
            cleanup_free char *bytes = NULL;
            size_t size = 0;
            assert_int_equal(file_read(vault, 1 << 20, &bytes, &size, NULL), 0);
            assert_int_equal(file_write_atomic(path, bytes, size, 0600, NULL), 0);
        }
    }
}

static void a_fetch_that_fails_leaves_no_set(void **state)
{
    const struct samples *samples = *state;
    open_far(samples);
    cleanup_free char *folder = samples_make(samples, "one", "lab");
    cleanup_free char *cache = text_format("%s/cache", samples->folder);
    cleanup_free char *copy = text_format("%s/p/one", cache);
    int failures = 0;
    push(far.store, folder);
    for (int n = 1;; n++) {
        cleanup_json json_t *result = NULL;
        cleanup_json json_t *again = NULL;
        struct stat status;
        assert_int_equal(file_remove_tree(cache, NULL), 0);
        shaky_store_fail_at(far.store, n, 0);
        int failed = set_fetch(far.store, "p", "one", cache, NULL, &result, NULL) != 0;
        shaky_store_fail_at(far.store, 0, 0);
        if (!failed)
            break;
        failures++;
        assert_int_equal(lstat(copy, &status), -1);
        assert_int_equal(set_fetch(far.store, "p", "one", cache, NULL, &again, NULL), 0);
        assert_int_equal(json_whole(again, "fetched", 0) + json_whole(again, "kept", 0), 3);
    }
    assert_true(failures >= 5);
}

static void damage_on_the_way_is_found(void **state)
{
    const struct samples *samples = *state;
    open_far(samples);
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *result = NULL;
    cleanup_free char *folder = samples_make(samples, "one", "lab");
    cleanup_free char *cache = text_format("%s/cache", samples->folder);
    push(far.store, folder);
    shaky_store_flip(far.store, "p/one/deep/keys.txt", 5);
    assert_int_equal(set_fetch(far.store, "p", "one", cache, NULL, &result, &err), -1);
    assert_string_equal(err.message,
                        "artifact 'deep/keys.txt': its SHA-256 is not the recorded one");
    cleanup_free char *path = text_format("%s/p/one.partial/deep/keys.txt", cache);
    assert_int_equal(access(path, F_OK), -1);
}

/* A store that gives more than it said fills no disk. */
static void no_more_is_taken_than_the_manifest_says(void **state)
{
    const struct samples *samples = *state;
    open_far(samples);
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *result = NULL;
    cleanup_free char *folder = samples_make(samples, "one", "lab");
    cleanup_free char *cache = text_format("%s/cache", samples->folder);
    cleanup_free char *large = memory_new((1 << 20) + 1, 1);
    push(far.store, folder);
    memset(large, 'x', 1 << 20);
    assert_int_equal(store_put_text(far.inner, "p/one/deep/keys.txt", large, NULL), 0);
    assert_int_equal(set_fetch(far.store, "p", "one", cache, NULL, &result, &err), -1);
    assert_string_equal(err.message, "artifact 'deep/keys.txt': it has more than 4 bytes");
    assert_int_equal(err.code, EXIT_BLOCKED);
    assert_false(verify(far.store, samples, 0, &result));
}

/* Numbers of a manifest are added up and counted on from. */
static void numbers_that_no_set_has_are_damage(void **state)
{
    static const char *const texts[] = {
        "{\"salvor-set\":1,\"set\":\"one\",\"provider\":\"p\",\"sequence\":9223372036854775807,"
        "\"artifacts\":[]}",
        "{\"salvor-set\":1,\"set\":\"one\",\"provider\":\"p\",\"sequence\":1,\"artifacts\":["
        "{\"name\":\"a\",\"size\":9223372036854775807,\"sha256\":"
        "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"},"
        "{\"name\":\"b\",\"size\":1,\"sha256\":"
        "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}]}"};
    const struct samples *samples = *state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        open_far(samples);
        cleanup_json json_t *manifest = json_loads(texts[i], 0, NULL);
        cleanup_free char *text = NULL;
        cleanup_free char *sums = NULL;
        char digest[DIGEST_TEXT_SIZE];
        assert_int_equal(manifest_texts(manifest, &text, &sums, digest, NULL), 0);
        assert_int_equal(store_put_text(far.inner, "p/one/" SET_MANIFEST, text, NULL), 0);
        assert_int_equal(store_put_text(far.inner, "p/one/" SET_SUMS, sums, NULL), 0);
        cleanup_json json_t *row = only_row(far.store);
        assert_string_equal(json_text(row, "state"), "damaged");
        cleanup_free char *folder = samples_make(samples, "two", "lab");
        push(far.store, folder);
        cleanup_json json_t *list = NULL;
        assert_int_equal(set_list(far.store, "p", &list, NULL), 0);
        assert_string_equal(json_text(json_array_get(list, 0), "set"), "two");
        assert_int_equal(json_whole(json_array_get(list, 0), "sequence", 0), 1);
        assert_int_equal(file_remove_tree(samples->there, NULL), 0);
        assert_int_equal(file_remove_tree(samples->here, NULL), 0);
    }
}

static void what_salvor_never_made_is_fetched_too(void **state)
{
    const struct samples *samples = *state;
    open_far(samples);
    cleanup_json json_t *file = NULL;
    cleanup_json json_t *below = NULL;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *cache = text_format("%s/cache", samples->folder);
    assert_int_equal(store_put_text(far.inner, "archives/old.tar.gz", "bytes", NULL), 0);
    assert_int_equal(store_put_text(far.inner, "velero/b1/a b.json", "{}", NULL), 0);
    assert_int_equal(store_put_text(far.inner, "velero/b1/deep/x", "y", NULL), 0);
    assert_int_equal(set_fetch_bare(far.store, "archives/old.tar.gz", cache, NULL, &file, NULL), 0);
    cleanup_free char *wanted = text_format("%s/old.tar.gz", cache);
    assert_string_equal(json_text(file, "path"), wanted);
    cleanup_free char *text = NULL;
    assert_int_equal(file_read(wanted, 100, &text, NULL, NULL), 0);
    assert_string_equal(text, "bytes");
    assert_int_equal(set_fetch_bare(far.store, "velero/b1/", cache, NULL, &below, NULL), 0);
    cleanup_free char *deep = text_format("%s/deep/x", json_text(below, "path"));
    assert_int_equal(access(deep, F_OK), 0);
    cleanup_json json_t *none = NULL;
    assert_int_equal(set_fetch_bare(far.store, "nothing", cache, NULL, &none, &err), -1);
    assert_int_equal(err.code, EXIT_USAGE);
}

/* ---- export, remove, check --------------------------------------------------------------------
 */

static void an_export_is_plain(void **state)
{
    const struct samples *samples = *state;
    open_far(samples);
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *result = NULL;
    cleanup_free char *folder = samples_make(samples, "one", "lab");
    cleanup_free char *target = text_format("%s/out", samples->folder);
    cleanup_free char *vault = text_format("%s/vault", target);
    struct set_export_request request = {"p", "one", NULL, target};
    push(far.store, folder);
    assert_int_equal(set_export(far.store, &request, NULL, &result, &err), -1);
    assert_int_equal(err.code, EXIT_REFUSED);
    assert_int_equal(access(target, F_OK), -1);
    error_clear(&err);
    request.identity = samples->identity;
    if (set_export(far.store, &request, NULL, &result, &err) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(json_whole(result, "decrypted", 0), 1);
    cleanup_free char *text = NULL;
    assert_int_equal(file_read(vault, 1000, &text, NULL, NULL), 0);
    assert_string_equal(text, SECRET_TEXT);
    assert_int_equal(set_export(far.store, &request, NULL, &result, &err), -1);
    assert_int_equal(err.code, EXIT_USAGE);
    assert_int_equal(file_remove_tree(target, NULL), 0);
    shaky_store_flip(far.store, "p/one/vault", 1000);
    error_clear(&err);
    assert_int_equal(set_export(far.store, &request, NULL, &result, &err), -1);
    assert_non_null(strstr(err.message, "artifact 'vault'"));
    assert_int_equal(access(target, F_OK), -1);
}

/* A folder of that name may be anybody's: nothing goes but what an export has left. */
static void an_export_removes_nothing_of_others(void **state)
{
    const struct samples *samples = *state;
    open_far(samples);
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *result = NULL;
    cleanup_free char *folder = samples_make(samples, "one", "lab");
    cleanup_free char *target = text_format("%s/out", samples->folder);
    cleanup_free char *beside = text_format("%s.partial", target);
    cleanup_free char *diary = text_format("%s/diary", beside);
    cleanup_free char *half = text_format("%s/vault", beside);
    const struct set_export_request request = {"p", "one", samples->identity, target};
    push(far.store, folder);
    assert_int_equal(file_make_folder(beside, NULL), 0);
    assert_int_equal(file_write_atomic(half, "half", 4, 0600, NULL), 0);
    assert_int_equal(file_write_atomic(diary, "dear", 4, 0600, NULL), 0);
    assert_int_equal(set_export(far.store, &request, NULL, &result, &err), -1);
    assert_non_null(strstr(err.message, "'diary'"));
    assert_int_equal(access(diary, F_OK), 0);
    assert_int_equal(unlink(diary), 0);
    assert_int_equal(set_export(far.store, &request, NULL, &result, NULL), 0);
    assert_int_equal(access(beside, F_OK), -1);
}

/* Whatever fails: the set is a whole backup, or none, and never half of one. */
static void a_removal_that_fails_leaves_no_half_backup(void **state)
{
    const struct samples *samples = *state;
    open_far(samples);
    cleanup_free char *folder = samples_make(samples, "one", "lab");
    int failures = 0;
    for (int n = 1;; n++) {
        cleanup_json json_t *after = NULL;
        push(far.store, folder);
        cleanup_json json_t *row = only_row(far.store);
        const char *digest = json_text(row, "digest");
        shaky_store_fail_at(far.store, n, n % 2);
        int failed = set_remove(far.store, "p/one", digest, NULL) != 0;
        shaky_store_fail_at(far.store, 0, 0);
        assert_int_equal(set_list(far.store, "p", &after, NULL), 0);
        if (json_array_size(after) > 0) {
            const char *found = json_text(json_array_get(after, 0), "state");
            if (text_equal(found, "complete"))
                assert_true(verify(far.store, samples, 1, NULL));
            else
                assert_string_equal(found, "partial");
        }
        if (!failed)
            break;
        failures++;
        assert_int_equal(set_remove(far.store, "p/one", digest, NULL), 0);
        cleanup_free char *left = text_format("%s/p/one/vault", samples->there);
        assert_int_equal(access(left, F_OK), -1);
    }
    assert_true(failures >= 5);
}

static void a_set_that_changed_is_not_removed(void **state)
{
    const struct samples *samples = *state;
    open_far(samples);
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *folder = samples_make(samples, "one", "lab");
    push(far.store, folder);
    assert_int_equal(set_remove(far.store, "p/one", "another digest", &err), -1);
    assert_int_equal(err.code, EXIT_REFUSED);
    error_clear(&err);
    assert_int_equal(set_remove(far.store, "p/one", NULL, &err), -1);
    assert_true(verify(far.store, samples, 1, NULL));
}

static void a_check_tells_what_is_not_allowed(void **state)
{
    const struct samples *samples = *state;
    open_far(samples);
    static const char *const names[] = {"list", "write", "look", "read", "large", "remove"};
    for (int n = 0; n <= 4; n++) {
        cleanup_json json_t *rows = NULL;
        size_t failed = 0;
        shaky_store_fail_at(far.store, n, 0);
        assert_int_equal(store_check(far.store, &rows, NULL), 0);
        shaky_store_fail_at(far.store, 0, 0);
        assert_int_equal(json_array_size(rows), 6);
        for (size_t i = 0; i < 6; i++) {
            const json_t *row = json_array_get(rows, i);
            assert_string_equal(json_text(row, "check"), names[i]);
            failed += text_equal(json_text(row, "state"), "failed");
            if (n == 2 && i > 1)
                assert_string_equal(json_text(row, "state"), "not tried");
        }
        assert_int_equal(failed, n == 0 ? 0 : 1);
        cleanup_free char *left = samples_content(samples->there);
        assert_string_equal(left, "{}"); /* nothing stays behind */
    }
}

#define sampled(test) cmocka_unit_test_setup_teardown(test, samples_setup, samples_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        sampled(a_pushed_set_is_the_set),
        sampled(sequences_count_in_the_store),
        sampled(no_more_is_taken_than_the_manifest_says),
        sampled(numbers_that_no_set_has_are_damage),
        sampled(a_push_that_fails_is_repeated),
        sampled(a_kill_between_digests_and_manifest_is_repeated),
        sampled(leftovers_of_another_attempt_go),
        sampled(another_set_of_that_name_is_never_overwritten),
        sampled(what_rotted_meanwhile_is_not_pushed),
        sampled(one_works_on_a_set_at_a_time),
        sampled(every_flipped_bit_is_found),
        sampled(missing_and_foreign_files_are_found),
        sampled(without_the_key_the_ciphertext_is_proven),
        sampled(what_verify_found_is_remembered),
        sampled(a_manifest_in_the_wrong_place_is_damage),
        sampled(what_is_fetched_is_what_was_pushed),
        sampled(a_fetch_that_fails_leaves_no_set),
        sampled(damage_on_the_way_is_found),
        sampled(what_salvor_never_made_is_fetched_too),
        sampled(an_export_is_plain),
        sampled(an_export_removes_nothing_of_others),
        sampled(a_removal_that_fails_leaves_no_half_backup),
        sampled(a_set_that_changed_is_not_removed),
        sampled(a_check_tells_what_is_not_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
