#include "../unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backup/backup-set.h"
#include "backup/backup-source.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

static int make_store(void **state)
{
    char pattern[] = "/dev/shm/salvor-test-backup-XXXXXX";
    *state = text_copy(mkdtemp(pattern));
    return 0;
}

static int drop_store(void **state)
{
    int result = file_remove_tree(*state, NULL);
    free(*state);
    return result;
}

static json_t *members(const char *site)
{
    return json_make("{s:s,s:s,s:s,s:{s:s,s:s},s:s,s:{s:s}}", "run", "r", "site", site, "salvor",
                     "0.1", "plugin", "version", "1", "build_id", "ab", "journal_head", "00",
                     "subject", "cluster", "c");
}

static json_t *put_artifact(const char *folder, const char *name, const char *text)
{
    char sha256[DIGEST_TEXT_SIZE];
    cleanup_free char *path = text_format("%s/%s", folder, name);
    cleanup_free char *parent = text_copy_span(path, (size_t)(strrchr(path, '/') - path));
    assert_int_equal(file_make_folder(parent, NULL), 0);
    assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, NULL), 0);
    digest_text_of(text, strlen(text), sha256);
    return json_make("{s:s,s:s,s:I,s:s,s:b}", "name", name, "media_type", "text/plain", "size",
                     (json_int_t)strlen(text), "sha256", sha256, "sensitive", 0);
}

/* A set of two artifacts; its digest, owned by the caller. */
static char *make_set(const char *store, const char *name, const char *site)
{
    cleanup_error struct error err = ERROR_INIT;
    struct backup_set *set = NULL;
    char *digest = NULL;
    if (backup_set_begin(store, "example", name, &set, &err) != 0)
        fail_msg("%s", err.message);
    cleanup_json json_t *artifacts = json_make("[]");
    json_add(artifacts, put_artifact(backup_set_folder(set), "snapshot.db", name));
    json_add(artifacts, put_artifact(backup_set_folder(set), "objects/all.json", "{}"));
    cleanup_json json_t *about = members(site);
    if (backup_set_commit(set, about, artifacts, &digest, &err) != 0)
        fail_msg("%s", err.message);
    backup_set_close(set);
    return digest;
}

static int find(const char *store, const char *site, const char *what, struct backup_source **ret,
                struct error *reterr)
{
    return backup_source_find(store, "example", site, what, ret, reterr);
}

/* ---- damage ---------------------------------------------------------------------------------- */

static int is_sound(const char *store, struct error *reterr)
{
    struct backup_source *source = NULL;
    if (find(store, NULL, "one", &source, reterr) != 0)
        return 0;
    int sound = backup_source_verify(source, reterr) == 0;
    backup_source_free(source);
    return sound;
}

static void every_flipped_bit_and_truncation_is_found(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    const char *store = *state;
    static const char *const names[] = {"manifest.json", "SHA256SUMS", "snapshot.db",
                                        "objects/all.json"};
    free(make_set(store, "one", "a"));
    size_t tried = 0;
    for (size_t i = 0; i < 4; i++) {
        cleanup_free char *path = text_format("%s/example/one/%s", store, names[i]);
        cleanup_free char *text = NULL;
        size_t size = 0;
        assert_int_equal(file_read(path, 1 << 20, &text, &size, &err), 0);
        FILE *file = fopen(path, "r+");
        assert_non_null(file);
        for (size_t bit = 0; bit < size * 8; bit++, tried++) {
            for (int back = 0; back < 2; back++) {
                text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
                assert_int_equal(fseek(file, (long)(bit / 8), SEEK_SET), 0);
                assert_int_equal(fputc(text[bit / 8], file), text[bit / 8] & 0xff);
                assert_int_equal(fflush(file), 0);
                if (is_sound(store, &err) != back)
                    fail_msg("bit %zu of %s", bit, names[i]);
            }
        }
        (void)fclose(file);
        for (size_t cut = 0; cut < size; cut++) {
            assert_int_equal(file_write_atomic(path, text, cut, 0600, &err), 0);
            assert_false(is_sound(store, &err));
        }
        assert_int_equal(unlink(path), 0);
        assert_false(is_sound(store, &err));
        assert_int_equal(file_write_atomic(path, text, size, 0600, &err), 0);
        assert_true(is_sound(store, &err));
    }
    assert_true(tried > 5000);
    cleanup_free char *foreign = text_format("%s/example/one/objects/more", store);
    assert_int_equal(file_write_atomic(foreign, "x", 1, 0600, &err), 0);
    assert_false(is_sound(store, &err));
    assert_int_equal(unlink(foreign), 0);
    assert_int_equal(symlink("/etc/hostname", foreign), 0);
    assert_false(is_sound(store, &err));
}

/* ---- kills ----------------------------------------------------------------------------------- */

static void set_up_again(const char *store)
{
    assert_int_equal(file_remove_tree(store, NULL), 0);
    free(make_set(store, "old", "a"));
}

/* Runs a commit that is killed at its n-th entry to or exit from the kernel. 1: it came that far.
 */
static int commit_killed_at(const char *store, int n)
{
    pid_t maker = fork();
    if (maker == 0) {
        (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        (void)raise(SIGSTOP);
        free(make_set(store, "new", "a"));
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(maker, &status, 0), maker);
    for (int i = 0; i < n; i++) {
        assert_int_equal(ptrace(PTRACE_SYSCALL, maker, NULL, NULL), 0);
        assert_int_equal(waitpid(maker, &status, 0), maker);
        if (WIFEXITED(status))
            return 0;
    }
    assert_int_equal(kill(maker, SIGKILL), 0);
    assert_int_equal(waitpid(maker, &status, 0), maker);
    return 1;
}

static void killed_anywhere_it_is_a_backup_or_none(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    const char *store = *state;
    int points = 0;
    int old = 0;
    for (int n = 0;; n++) {
        struct backup_source *source = NULL;
        set_up_again(store);
        int killed = commit_killed_at(store, n);
        assert_int_equal(find(store, "a", "latest", &source, &err), 0);
        assert_int_equal(backup_source_verify(source, &err), 0);
        old += text_equal(source->name, "old");
        backup_source_free(source);
        if (!killed)
            break;
        points++;
        free(make_set(store, "new", "a"));
        assert_int_equal(find(store, "a", "latest", &source, &err), 0);
        assert_string_equal(source->name, "new");
        assert_int_equal(json_whole(source->manifest, "sequence", 0), 2);
        assert_int_equal(backup_source_verify(source, &err), 0);
        backup_source_free(source);
    }
    print_message("covers: %d points\n", points);
    assert_true(points > 100 && old > 0 && old < points);
}

#define stored(test) cmocka_unit_test_setup_teardown(test, make_store, drop_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        stored(every_flipped_bit_and_truncation_is_found),
        stored(killed_anywhere_it_is_a_backup_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
