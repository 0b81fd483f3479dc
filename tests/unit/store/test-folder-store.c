#include "../unit.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "store/folder-store.h"

struct place {
    char *folder;
    struct store *store;
};

static int make_place(void **state)
{
    char pattern[] = "/dev/shm/salvor-test-store-XXXXXX";
    struct place *place = memory_new(1, sizeof *place);
    place->folder = text_copy(mkdtemp(pattern));
    place->store = folder_store_new(place->folder);
    *state = place;
    return 0;
}

static int drop_place(void **state)
{
    struct place *place = *state;
    int result = file_remove_tree(place->folder, NULL);
    store_free(place->store);
    free(place->folder);
    free(place);
    return result;
}

static void put(struct store *store, const char *key, const char *text)
{
    cleanup_error struct error err = ERROR_INIT;
    if (store_put_text(store, key, text, &err) != 0)
        fail_msg("%s: %s", key, err.message);
}

static void expect(struct store *store, const char *key, const char *text)
{
    cleanup_free char *found = NULL;
    cleanup_error struct error err = ERROR_INIT;
    int result = store_read(store, key, 1 << 20, &found, NULL, &err);
    if (result < 0)
        fail_msg("%s: %s", key, err.message);
    assert_int_equal(result, text != NULL ? 0 : STORE_ABSENT);
    if (text != NULL)
        assert_string_equal(found, text);
}

static int note(void *data, const char *key, const struct store_info *info, struct error *reterr)
{
    cleanup_free char *line = text_format("%s %d %lld", key, (int)info->kind,
                                          info->kind == STORE_OBJECT ? (long long)info->size : 0);
    (void)reterr;
    json_add(data, json_string(line));
    return 0;
}

static void expect_list(struct store *store, const char *prefix, int deep, const char *wanted)
{
    cleanup_json json_t *lines = json_array();
    assert_int_equal(store_list(store, prefix, deep, note, lines, NULL), 0);
    cleanup_free char *text = json_canonical(lines);
    assert_string_equal(text, wanted);
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void what_is_put_is_there(void **state)
{
    const struct place *place = *state;
    struct store *store = place->store;
    struct store_info info;
    expect(store, "p/s/a", NULL);
    assert_int_equal(store_head(store, "p/s/a", &info, NULL), STORE_ABSENT);
    expect_list(store, "", 1, "[]");
    put(store, "p/s/a", "one");
    put(store, "p/s/deep/er/b", "");
    put(store, "p/t/c", "three");
    put(store, "p/s/a", "second");
    expect(store, "p/s/a", "second");
    expect(store, "p/s/deep/er/b", "");
    expect(store, "p/s/deep", NULL);
    assert_int_equal(store_head(store, "p/s/a", &info, NULL), 0);
    assert_int_equal(info.size, 6);
    expect_list(store, "", 0, "[\"p/ 1 0\"]");
    expect_list(store, "p/", 0, "[\"p/s/ 1 0\",\"p/t/ 1 0\"]");
    expect_list(store, "p/s/", 1, "[\"p/s/a 0 6\",\"p/s/deep/er/b 0 0\"]");
    expect_list(store, "q/", 1, "[]");
    assert_int_equal(store_remove(store, "p/s/a", NULL), 0);
    assert_int_equal(store_remove(store, "p/s/a", NULL), 0);
    assert_int_equal(store_remove(store, "q/x/y", NULL), 0);
    assert_int_equal(store_remove_all(store, "p/s/", "a", NULL), 0);
    assert_int_equal(store_remove_all(store, "p/s/", "a", NULL), 0);
    expect_list(store, "", 1, "[\"p/t/c 0 5\"]");
    cleanup_free char *shown = store_place(store, "p/t/c");
    cleanup_free char *path = text_format("%s/p/t/c", place->folder);
    assert_string_equal(shown, path);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void files_are_stored_as_their_digest_says(void **state)
{
    const struct place *place = *state;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = text_format("%s/source", place->folder);
    cleanup_free char *bytes = memory_new(200000, 1);
    char sha256[DIGEST_TEXT_SIZE];
    memset(bytes, 'x', 200000);
    digest_text_of(bytes, 200000, sha256);
    assert_int_equal(file_write_atomic(path, bytes, 200000, 0600, NULL), 0);
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct store_body body = {NULL, fd, 200000, sha256};
    assert_int_equal(store_put(place->store, "p/s/big", &body, NULL), 0);
    struct store_info info;
    assert_int_equal(store_head(place->store, "p/s/big", &info, NULL), 0);
    assert_int_equal(info.size, 200000);
    sha256[0] = sha256[0] == '0' ? '1' : '0';
    assert_int_equal(store_put(place->store, "p/s/bad", &body, &err), -1);
    assert_non_null(strstr(err.message, "SHA-256"));
    error_clear(&err);
    body.size = 300000; /* it was cut meanwhile */
    assert_int_equal(store_put(place->store, "p/s/bad", &body, &err), -1);
    expect_list(place->store, "p/", 1, "[\"p/s/big 0 200000\"]");
}

static void nothing_leads_out_of_the_folder(void **state)
{
    const struct place *place = *state;
    static const char *const bad[] = {"", "/a", "../a", "a/../b", "a//b", "a/", "./a", "a\nb"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(store_key_is_valid(bad[i]));
        assert_int_equal(store_put_text(place->store, bad[i], "x", NULL), -1);
        assert_int_equal(store_remove(place->store, bad[i], NULL), -1);
    }
    cleanup_free char *link = text_format("%s/p/link", place->folder);
    cleanup_free char *way = text_format("%s/way", place->folder);
    put(place->store, "p/a", "x");
    assert_int_equal(symlink("/etc/hostname", link), 0);
    assert_int_equal(symlink("p", way), 0);
    cleanup_free char *text = NULL;
    assert_int_equal(store_read(place->store, "p/link", 1000, &text, NULL, NULL), -1);
    assert_int_equal(store_read(place->store, "way/a", 1000, &text, NULL, NULL), -1);
    expect_list(place->store, "", 1, "[\"p/a 0 1\",\"p/link 2 0\",\"way 2 0\"]");
    put(place->store, "p/link", "replaced, not followed");
    expect(place->store, "p/link", "replaced, not followed");
}

static int count_moves(void *data, int64_t bytes)
{
    int64_t *left = data;
    *left -= bytes;
    return *left < 0;
}

static void work_is_told_and_can_be_stopped(void **state)
{
    const struct place *place = *state;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *text = memory_new(300001, 1);
    cleanup_free char *found = NULL;
    memset(text, 'x', 300000);
    put(place->store, "p/a", text);
    int64_t left = 300000;
    store_set_watch(place->store, (struct store_watch){count_moves, &left});
    assert_int_equal(store_read(place->store, "p/a", 1 << 20, &found, NULL, &err), 0);
    assert_int_equal(left, 0);
    free(take_pointer(found));
    left = 100000;
    assert_int_equal(store_read(place->store, "p/a", 1 << 20, &found, NULL, &err), -1);
    assert_int_equal(err.code, EXIT_INTERRUPTED);
}

static void what_somebody_works_on_is_not_removed(void **state)
{
    const struct place *place = *state;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *folder = text_format("%s/p/s.partial", place->folder);
    put(place->store, "p/s.partial/a", "x");
    cleanup_close int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(flock(lock, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(store_remove_all(place->store, "p/s.partial/", NULL, &err), -1);
    assert_int_equal(err.code, EXIT_REFUSED);
    expect_list(place->store, "p/", 1, "[\"p/s.partial/a 0 1\"]");
    (void)close(take_fd(&lock));
    assert_int_equal(store_remove_all(place->store, "p/s.partial/", NULL, NULL), 0);
    expect_list(place->store, "", 1, "[]");
}

/* ---- kills ------------------------------------------------------------------------------------
 */

/* Runs `work` in a child that is killed at its n-th entry to or exit from the kernel. 1: it came
 * that far. */
static int killed_at(int n, void (*work)(struct store *store), struct store *store)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        (void)raise(SIGSTOP);
        work(store);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    for (int i = 0; i < n; i++) {
        assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status))
            return 0;
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return 1;
}

static void replace(struct store *store)
{
    put(store, "p/s/a", "the new content");
}

static void take_away(struct store *store)
{
    (void)store_remove_all(store, "p/s/", "a", NULL);
}

static void killed_anywhere_an_object_is_old_or_new(void **state)
{
    const struct place *place = *state;
    int points = 0;
    int old = 0;
    for (int n = 0;; n++, points++) {
        cleanup_free char *text = NULL;
        put(place->store, "p/s/a", "the old content");
        int killed = killed_at(n, replace, place->store);
        assert_int_equal(store_read(place->store, "p/s/a", 1000, &text, NULL, NULL), 0);
        if (text_equal(text, "the old content"))
            old++;
        else
            assert_string_equal(text, "the new content");
        expect_list(place->store, "p/", 1, "[\"p/s/a 0 15\"]"); /* nothing else is seen */
        if (!killed)
            break;
    }
    assert_true(points > 20 && old > 10 && old < points);
}

static void killed_anywhere_a_folder_is_there_or_gone(void **state)
{
    const struct place *place = *state;
    int points = 0;
    int there = 0;
    for (int n = 0;; n++, points++) {
        put(place->store, "p/s/a", "x");
        put(place->store, "p/s/deep/b", "x");
        int killed = killed_at(n, take_away, place->store);
        cleanup_json json_t *lines = json_array();
        assert_int_equal(store_list(place->store, "", 1, note, lines, NULL), 0);
        size_t left = json_array_size(lines);
        assert_true(left == 0 || left == 2);
        there += left == 2;
        take_away(place->store); /* and what was left behind goes, too */
        cleanup_free char *hidden = text_format("%s/p/.removed-s", place->folder);
        struct stat status;
        assert_int_not_equal(lstat(hidden, &status), 0);
        if (!killed)
            break;
    }
    assert_true(points > 20 && there > 5 && there < points);
}

#define placed(test) cmocka_unit_test_setup_teardown(test, make_place, drop_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        placed(what_is_put_is_there),
        placed(files_are_stored_as_their_digest_says),
        placed(nothing_leads_out_of_the_folder),
        placed(work_is_told_and_can_be_stopped),
        placed(what_somebody_works_on_is_not_removed),
        placed(killed_anywhere_an_object_is_old_or_new),
        placed(killed_anywhere_a_folder_is_there_or_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
