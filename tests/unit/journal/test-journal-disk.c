/* Full disks and folders that cannot be written, on a small tmpfs in a mount namespace of our own.
 */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Runs `body` in a child whose scratch folder is a tmpfs of `size`; its exit status is the verdict.
 * Machines that forbid new namespaces skip the test.
 */
static void on_small_disk(void **state, const char *size, void (*body)(const char *folder))
{
    enum { CANNOT_MOUNT = 77 };
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        uid_t uid = getuid();
        if (unshare(CLONE_NEWNS) != 0) {
            if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
                _exit(CANNOT_MOUNT);
            cleanup_free char *map = text_format("0 %d 1", (int)uid);
            int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
            if (fd < 0 || file_write_all(fd, map, strlen(map)) != 0)
                _exit(CANNOT_MOUNT);
            (void)close(fd);
        }
        cleanup_free char *options = text_format("mode=0700,size=%s", size);
        if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
            mount("tmpfs", *state, "tmpfs", 0, options) != 0)
            _exit(CANNOT_MOUNT);
        body(*state);
        (void)fflush(NULL);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_MOUNT) {
        print_message("no mount namespace here\n");
        skip();
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("the child ended with status 0x%x", (unsigned)status);
}

/* cmocka's own assertions would return into the parent's test list. */
#define require(condition)                                                                      \
    do {                                                                                        \
        if (!(condition)) {                                                                     \
            (void)fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
            _exit(1);                                                                           \
        }                                                                                       \
    } while (0)

static int count_up(void *data, int64_t sequence, const json_t *body, struct error *reterr)
{
    (void)reterr;
    require(json_integer_value(json_object_get(body, "n")) == sequence);
    *(int64_t *)data = sequence;
    return 0;
}

static int append_number(struct journal *journal, int number, enum journal_durability durability,
                         struct error *err)
{
    char text[901];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    return journal_append(journal, "note", json_pack("{s:i, s:s}", "n", number, "text", text),
                          durability, err);
}

static int64_t count_records(const char *path)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_journal struct journal *journal = NULL;
    int64_t readable = 0;
    int64_t last = 0;
    require(journal_open_readonly(path, &journal, &err) == 0);
    require(journal_verify(journal, NULL, &readable, &err) == 0);
    require(journal_each(journal, count_up, &last, &err) == 0);
    require(last == readable);
    return readable;
}

static void fill(const char *path)
{
    char block[4096] = {0};
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    require(fd >= 0);
    while (write(fd, block, sizeof block) > 0)
        continue;
    require(errno == ENOSPC);
    (void)close(fd);
}

static void fill_up_while_appending(const char *folder, enum journal_durability durability)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = text_format("%s/journal.db", folder);
    cleanup_free char *ballast = text_format("%s/ballast", folder);
    struct journal *journal = NULL;
    char head[DIGEST_TEXT_SIZE];
    char head_after[DIGEST_TEXT_SIZE];
    int acknowledged = 0;
    require(journal_create(path, &journal, &err) == 0);
    for (int i = 1; i <= 5; i++, acknowledged++)
        require(append_number(journal, i, JOURNAL_DURABLE, &err) == 0);
    fill(ballast);
    int result = 0;
    for (int i = 6; result == 0; i++) {
        journal_head(journal, head);
        result = append_number(journal, i, durability, &err);
        if (result == 0 && durability == JOURNAL_EVIDENCE && i % 3 == 0) {
            result = journal_flush(journal, &err);
            acknowledged = result == 0 ? i : acknowledged;
        } else if (result == 0 && durability == JOURNAL_DURABLE) {
            acknowledged = i;
        }
        require(i < 100000);
    }
    require(strstr(err.message, "cannot append to journal") != NULL);
    require(strstr(err.message, "No space left on device") != NULL);
    require(strstr(err.hint, "free space on the file system of") != NULL);
    require(err.code == EXIT_FAILED);
    journal_head(journal, head_after);
    require(durability != JOURNAL_DURABLE || strcmp(head, head_after) == 0);

    /* With space again the same handle stays refused: the run must not go on with a gap. */
    require(unlink(ballast) == 0);
    require(append_number(journal, 1, JOURNAL_DURABLE, &err) == -1);
    require(strstr(err.message, "No space left on device") != NULL);
    journal_close(journal);
    require(count_records(path) == acknowledged);

    require(journal_open(path, &journal, &err) == 0);
    require(append_number(journal, acknowledged + 1, JOURNAL_DURABLE, &err) == 0);
    journal_close(journal);
    require(count_records(path) == acknowledged + 1);
}

static void fill_up_with_durable_records(const char *folder)
{
    fill_up_while_appending(folder, JOURNAL_DURABLE);
}

static void fill_up_with_evidence(const char *folder)
{
    fill_up_while_appending(folder, JOURNAL_EVIDENCE);
}

static void create_on_full_disk(const char *folder)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = text_format("%s/journal.db", folder);
    cleanup_free char *ballast = text_format("%s/ballast", folder);
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    /* Every number of free pages from none up: each place where the disk can fill comes up. */
    int made = 0;
    for (int free_pages = 0; !made; free_pages++) {
        struct journal *journal = NULL;
        fill(ballast);
        int fd = open(ballast, O_WRONLY | O_CLOEXEC);
        off_t size = lseek(fd, 0, SEEK_END);
        require(fd >= 0 && size > 0);
        require(ftruncate(fd, size - (off_t)free_pages * 4096) == 0);
        (void)close(fd);
        made = journal_create(path, &journal, &err) == 0;
        if (!made) {
            require(strstr(err.message, "No space left on device") != NULL);
            require(err.hint != NULL);
            for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
                cleanup_free char *left = text_format("%s%s", path, suffixes[i]);
                require(access(left, F_OK) != 0);
            }
        }
        journal_close(journal);
        require(free_pages < 200);
    }
}

static void make_read_only(const char *folder)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = text_format("%s/journal.db", folder);
    cleanup_free char *other = text_format("%s/other.db", folder);
    struct journal *journal = NULL;
    require(journal_create(path, &journal, &err) == 0);
    for (int i = 1; i <= 5; i++)
        require(append_number(journal, i, JOURNAL_DURABLE, &err) == 0);
    journal_close(journal);
    require(mount("none", folder, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL) == 0);
    require(journal_create(other, &journal, &err) == -1);
    require(strstr(err.message, "Read-only file system") != NULL);
    require(strstr(err.hint, "--state-dir") != NULL);
    require(journal_open(path, &journal, &err) == -1);
    require(strstr(err.message, "readonly") != NULL || strstr(err.message, "Read-only") != NULL);
    require(strstr(err.hint, "--state-dir") != NULL);
    require(count_records(path) == 5);
}

static void a_full_disk_stops_durable_records_and_loses_none(void **state)
{
    on_small_disk(state, "512k", fill_up_with_durable_records);
}

static void a_full_disk_stops_evidence_at_a_commit(void **state)
{
    on_small_disk(state, "512k", fill_up_with_evidence);
}

static void nothing_is_left_of_a_journal_that_did_not_fit(void **state)
{
    on_small_disk(state, "512k", create_on_full_disk);
}

static void a_read_only_folder_can_be_read_and_nothing_else(void **state)
{
    on_small_disk(state, "512k", make_read_only);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_scratch(a_full_disk_stops_durable_records_and_loses_none),
        test_in_scratch(a_full_disk_stops_evidence_at_a_commit),
        test_in_scratch(nothing_is_left_of_a_journal_that_did_not_fit),
        test_in_scratch(a_read_only_folder_can_be_read_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
