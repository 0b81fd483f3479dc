#include "../unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/artifact-file.h"
#include "backup/backup-set.h"
#include "backup/backup-source.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

static char *store;

static int make_store(void **state)
{
    char pattern[] = "/tmp/salvor-test-set-XXXXXX";
    (void)state;
    store = text_copy(mkdtemp(pattern));
    return 0;
}

static int drop_store(void **state)
{
    (void)state;
    int result = file_remove_tree(store, NULL);
    free(store);
    return result;
}

static void put(const char *folder, const char *name, const char *text)
{
    cleanup_free char *path = text_format("%s/%s", folder, name);
    assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, NULL), 0);
}

static json_t *artifact(const char *name, const char *text)
{
    char digest[DIGEST_TEXT_SIZE];
    digest_text_of(text, strlen(text), digest);
    return json_make("{s:s, s:s, s:i, s:s, s:b}", "name", name, "media_type", "text/plain", "size",
                     (int)strlen(text), "sha256", digest, "sensitive", 0);
}

static json_t *members(const char *site)
{
    return json_make("{s:s, s:s}", "site", site, "run", "r");
}

/* A complete set of one artifact. */
static void make_set(const char *name, const char *site)
{
    struct backup_set *set = NULL;
    cleanup_json json_t *about = members(site);
    cleanup_json json_t *artifacts = json_array();
    json_add(artifacts, artifact("data.txt", "hello"));
    assert_int_equal(backup_set_begin(store, "p", name, &set, NULL), 0);
    put(backup_set_folder(set), "data.txt", "hello");
    assert_int_equal(backup_set_commit(set, about, artifacts, NULL, NULL), 0);
    backup_set_close(set);
}

static void without_a_manifest_there_is_no_set(void **state)
{
    struct backup_set *set = NULL;
    struct backup_source *source = NULL;
    cleanup_error struct error err = ERROR_INIT;
    (void)state;
    assert_int_equal(backup_set_begin(store, "p", "s1", &set, NULL), 0);
    put(backup_set_folder(set), "data.txt", "hello");
    backup_set_close(set);
    assert_int_equal(backup_source_find(store, "p", NULL, "latest", &source, &err), -1);
    assert_int_equal(backup_source_find(store, "p", NULL, "s1", &source, &err), -1);
    assert_non_null(strstr(err.message, "never completed"));
    assert_non_null(strstr(err.hint, "salvor resume s1"));
}

static void a_killed_backup_goes_on_in_its_folder(void **state)
{
    struct backup_set *set = NULL;
    struct backup_set *second = NULL;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *about = members("lab");
    cleanup_json json_t *artifacts = json_array();
    (void)state;
    assert_int_equal(backup_set_begin(store, "p", "s1", &set, NULL), 0);
    put(backup_set_folder(set), "data.txt", "hello");
    put(backup_set_folder(set), "left-over.tmp", "of a killed attempt");
    assert_int_equal(backup_set_begin(store, "p", "s1", &second, &err), -1);
    assert_int_equal(err.code, EXIT_REFUSED);
    backup_set_close(set);
    assert_int_equal(backup_set_begin(store, "p", "s1", &set, NULL), 0);
    json_add(artifacts, artifact("data.txt", "an older attempt"));
    json_add(artifacts, artifact("data.txt", "hello"));
    char *digest = NULL;
    assert_int_equal(backup_set_commit(set, about, artifacts, &digest, &err), 0);
    cleanup_free char *left = text_format("%s/left-over.tmp", backup_set_folder(set));
    assert_int_equal(access(left, F_OK), -1);
    backup_set_close(set);

    struct backup_source *source = NULL;
    assert_int_equal(backup_source_find(store, "p", "lab", "latest", &source, &err), 0);
    assert_string_equal(source->digest, digest);
    assert_int_equal(backup_source_verify(source, &err), 0);
    backup_source_free(source);
    free(digest);

    /* after a kill behind the rename the same run finds it complete */
    assert_int_equal(backup_set_begin(store, "p", "s1", &set, NULL), 0);
    assert_true(backup_set_is_complete(set));
    assert_int_equal(backup_set_commit(set, about, artifacts, NULL, &err), 0);
    backup_set_close(set);
}

static void what_was_promised_must_be_there(void **state)
{
    struct backup_set *set = NULL;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *about = members("lab");
    cleanup_json json_t *artifacts = json_array();
    (void)state;
    json_add(artifacts, artifact("data.txt", "hello"));
    assert_int_equal(backup_set_begin(store, "p", "s1", &set, NULL), 0);
    assert_int_equal(backup_set_commit(set, about, artifacts, NULL, &err), -1);
    put(backup_set_folder(set), "data.txt", "hellx");
    assert_int_equal(backup_set_commit(set, about, artifacts, NULL, &err), -1);
    assert_non_null(strstr(err.message, "is damaged"));
    assert_false(backup_set_is_complete(set));
    backup_set_close(set);
}

static void flip_bit(const char *path, off_t offset, int bit)
{
    cleanup_close int fd = open(path, O_RDWR | O_CLOEXEC);
    unsigned char byte = 0;
    assert_int_equal(pread(fd, &byte, 1, offset), 1);
    byte ^= (unsigned char)(1U << bit);
    assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
}

static int is_found_whole(const char *folder)
{
    struct backup_source *source = NULL;
    int whole = backup_source_find(store, "p", NULL, folder, &source, NULL) == 0 &&
                backup_source_verify(source, NULL) == 0;
    backup_source_free(source);
    return whole;
}

/* Every bit and every truncation of every file of a set. */
static void no_damage_goes_unseen(void **state)
{
    static const char *const files[] = {"data.txt", SET_MANIFEST, SET_SUMS};
    (void)state;
    make_set("s1", "lab");
    cleanup_free char *folder = text_format("%s/p/s1", store);
    assert_true(is_found_whole(folder));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        cleanup_free char *path = text_format("%s/%s", folder, files[i]);
        struct stat status;
        assert_int_equal(stat(path, &status), 0);
        for (off_t offset = 0; offset < status.st_size; offset++) {
            for (int bit = 0; bit < 8; bit++) {
                flip_bit(path, offset, bit);
                if (is_found_whole(folder))
                    fail_msg("bit %d of byte %lld of '%s' is not seen", bit, (long long)offset,
                             files[i]);
                flip_bit(path, offset, bit);
            }
        }
        cleanup_free char *content = NULL;
        size_t size = 0;
        assert_int_equal(file_read(path, 1 << 20, &content, &size, NULL), 0);
        for (off_t length = 0; length < status.st_size; length++) {
            assert_int_equal(truncate(path, length), 0);
            assert_false(is_found_whole(folder));
        }
        assert_int_equal(file_write_atomic(path, content, size, 0600, NULL), 0);
    }
    put(folder, "foreign.txt", "x");
    assert_false(is_found_whole(folder));
}

static void the_manifest_tells_encryption_and_what_was_left_out(void **state)
{
    struct backup_set *set = NULL;
    struct backup_source *source = NULL;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *about =
        json_make("{s:s, s:s, s:[s]}", "site", "lab", "run", "r", "recipients", "salvor-pk1x");
    cleanup_json json_t *artifacts = json_array();
    (void)state;
    for (int encrypted = 0; encrypted < 2; encrypted++) {
        cleanup_free char *name = text_format("s%d", encrypted);
        (void)json_array_clear(artifacts);
        json_add(artifacts, artifact("data.txt", "hello"));
        if (encrypted)
            json_put_text(json_array_get(artifacts, 0), "encryption", "salvor-sealed-1");
        /* an attempt that was killed wrote it, the next one left it out */
        json_add(artifacts, artifact("vault", "x"));
        json_add(artifacts, artifact("vault", ""));
        json_put(json_array_get(artifacts, 2), "left_out", json_true());
        assert_int_equal(backup_set_begin(store, "p", name, &set, NULL), 0);
        put(backup_set_folder(set), "data.txt", "hello");
        put(backup_set_folder(set), "vault", "");
        if (backup_set_commit(set, about, artifacts, NULL, &err) != 0)
            fail_msg("%s", err.message);
        cleanup_free char *left = text_format("%s/vault", backup_set_folder(set));
        assert_int_equal(access(left, F_OK), -1);
        backup_set_close(set);
        assert_int_equal(backup_source_find(store, "p", "lab", name, &source, &err), 0);
        assert_true(json_flag(source->open, "set"));
        assert_string_equal(
            json_string_value(json_array_get(json_object_get(source->open, "left_out"), 0)),
            "vault");
        const json_t *entry =
            json_object_get(json_object_get(source->open, "artifacts"), "data.txt");
        assert_int_equal(json_text(entry, "encryption") != NULL, encrypted);
        assert_int_equal(json_object_get(source->manifest, "recipients") != NULL, encrypted);
        assert_int_equal(backup_source_verify(source, &err), 0);
        backup_source_free(source);
    }
}

static void latest_is_by_sequence_and_site(void **state)
{
    struct backup_source *source = NULL;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *list = NULL;
    (void)state;
    make_set("20260102-000000-backup-aaaa", "lab");
    make_set("20260101-000000-backup-bbbb", "lab"); /* made later, by a clock that went back */
    make_set("20260103-000000-backup-cccc", "other");
    assert_int_equal(backup_source_find(store, "p", "lab", "latest", &source, &err), 0);
    assert_string_equal(source->name, "20260101-000000-backup-bbbb");
    backup_source_free(source);
    assert_int_equal(backup_set_list(store, NULL, &list, &err), 0);
    assert_int_equal(json_array_size(list), 3);
    assert_string_equal(json_text(json_array_get(list, 0), "site"), "other");

    cleanup_free char *manifest =
        text_format("%s/p/20260103-000000-backup-cccc/%s", store, SET_MANIFEST);
    flip_bit(manifest, 5, 1);
    assert_int_equal(backup_source_find(store, "p", "lab", "latest", &source, &err), -1);
    assert_int_equal(err.code, EXIT_REFUSED);
    assert_non_null(strstr(err.hint, "20260101-000000-backup-bbbb"));
}

/* With a guessed number it would be the oldest, which prune removes first. */
static void a_set_that_cannot_be_numbered_is_not_completed(void **state)
{
    struct backup_set *set = NULL;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_json json_t *about = members("lab");
    cleanup_json json_t *artifacts = json_array();
    cleanup_free char *manifest = text_format("%s/p/s1/%s", store, SET_MANIFEST);
    cleanup_free char *aside = text_format("%s/aside", store);
    (void)state;
    make_set("s1", "lab");
    make_set("s2", "lab");
    assert_int_equal(rename(manifest, aside), 0);
    assert_int_equal(symlink(aside, manifest), 0);
    json_add(artifacts, artifact("data.txt", "hello"));
    assert_int_equal(backup_set_begin(store, "p", "s3", &set, NULL), 0);
    put(backup_set_folder(set), "data.txt", "hello");
    assert_int_equal(backup_set_commit(set, about, artifacts, NULL, &err), -1);
    assert_non_null(strstr(err.message, "cannot number backup set 's3'"));
    assert_false(backup_set_is_complete(set));
    assert_int_equal(rename(aside, manifest), 0);
    error_clear(&err);
    assert_int_equal(backup_set_commit(set, about, artifacts, NULL, &err), 0);
    backup_set_close(set);
    cleanup_json json_t *list = NULL;
    assert_int_equal(backup_set_list(store, "p", &list, NULL), 0);
    assert_string_equal(json_text(json_array_get(list, 0), "set"), "s3");
    assert_int_equal(json_whole(json_array_get(list, 0), "sequence", 0), 3);
}

static void bare_files_and_folders_need_no_salvor(void **state)
{
    struct backup_source *source = NULL;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *file = text_format("%s/snapshot.db", store);
    (void)state;
    put(store, "snapshot.db", "bytes");
    assert_int_equal(backup_source_find("/nonexistent", "p", NULL, file, &source, &err), 0);
    assert_string_equal(source->name, "snapshot.db");
    assert_null(source->manifest);
    assert_int_equal(
        json_whole(json_object_get(json_object_get(source->open, "artifacts"), "snapshot.db"),
                   "size", 0),
        5);
    assert_int_equal(backup_source_verify(source, &err), 0);
    backup_source_free(source);
    assert_int_equal(backup_source_find("/nonexistent", "p", NULL, store, &source, &err), 0);
    assert_null(source->manifest);
    backup_source_free(source);
    assert_int_equal(backup_source_find(store, "p", NULL, "/nonexistent/x", &source, &err), -1);
    assert_int_equal(err.code, EXIT_USAGE);
}

static void names_stay_in_their_folder(void **state)
{
    static const char *const bad[] = {"",        "..",  "a/../b", "/a",         "a/",    "a//b",
                                      ".hidden", "a b", "a\nb",   SET_MANIFEST, SET_SUMS};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(artifact_name_is_valid(bad[i]));
    assert_true(artifact_name_is_valid("crs/cluster-1.yaml"));
    struct backup_set *set = NULL;
    assert_int_equal(backup_set_begin(store, "p", "../x", &set, NULL), -1);
    assert_int_equal(backup_set_begin(store, "p", "x.partial", &set, NULL), -1);
}

#define IN_STORE(test) cmocka_unit_test_setup_teardown(test, make_store, drop_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_STORE(without_a_manifest_there_is_no_set),
        IN_STORE(a_killed_backup_goes_on_in_its_folder),
        IN_STORE(what_was_promised_must_be_there),
        IN_STORE(no_damage_goes_unseen),
        IN_STORE(the_manifest_tells_encryption_and_what_was_left_out),
        IN_STORE(latest_is_by_sequence_and_site),
        IN_STORE(a_set_that_cannot_be_numbered_is_not_completed),
        IN_STORE(bare_files_and_folders_need_no_salvor),
        IN_STORE(names_stay_in_their_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
