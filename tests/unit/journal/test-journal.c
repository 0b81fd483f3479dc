#include "scratch.h"

#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

struct collected {
    int count;
    int64_t last;
    char types[4096];
};

static int collect(void *data, int64_t sequence, const json_t *body, struct error *reterr)
{
    (void)reterr;
    struct collected *collected = data;
    collected->count++;
    collected->last = sequence;
    size_t used = strlen(collected->types);
    (void)snprintf(collected->types + used, sizeof collected->types - used, "%s ",
                   json_string_value(json_object_get(body, "type")));
    return 0;
}

static int count_from_outside(const char *path)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_journal struct journal *journal = NULL;
    struct collected collected = {0, 0, ""};
    assert_ok(journal_open_readonly(path, &journal, &err), &err);
    assert_int_equal(journal_each(journal, collect, &collected, &err), 0);
    return collected.count;
}

static void records_come_back_in_order_after_reopening(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = in_scratch(state, "journal.db");
    struct journal *journal = NULL;
    char head[DIGEST_TEXT_SIZE];
    assert_ok(journal_create(path, &journal, &err), &err);
    journal_head(journal, head);
    assert_int_equal(strspn(head, "0"), 64);
    assert_ok(journal_append(journal, "run", json_pack("{s:s}", "run", "r"), JOURNAL_DURABLE, &err),
              &err);
    assert_ok(journal_append(journal, "evidence", NULL, JOURNAL_EVIDENCE, &err), &err);
    assert_ok(journal_append(journal, "intent", NULL, JOURNAL_DURABLE, &err), &err);
    journal_head(journal, head);
    journal_close(journal);

    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    cleanup_free char *log = text_format("%s-wal", path);
    assert_int_equal(access(log, F_OK), -1);

    assert_ok(journal_open(path, &journal, &err), &err);
    char again[DIGEST_TEXT_SIZE];
    journal_head(journal, again);
    assert_string_equal(head, again);
    assert_ok(journal_append(journal, "end", NULL, JOURNAL_DURABLE, &err), &err);
    struct collected collected = {0, 0, ""};
    assert_int_equal(journal_each(journal, collect, &collected, &err), 0);
    assert_string_equal(collected.types, "run evidence intent end ");
    assert_int_equal(collected.last, 4);
    memset(&collected, 0, sizeof collected);
    assert_int_equal(journal_each_backward(journal, collect, &collected, &err), 0);
    assert_string_equal(collected.types, "end intent evidence run ");
    journal_close(journal);
}

static int check_header(void *data, int64_t sequence, const json_t *body, struct error *reterr)
{
    (void)reterr;
    (void)sequence;
    *(int *)data = 1;
    assert_string_equal(json_string_value(json_object_get(body, "type")), "fact");
    assert_int_equal(strlen(json_string_value(json_object_get(body, "at"))), 24);
    assert_int_equal(strlen(json_string_value(json_object_get(body, "boot"))), 36);
    assert_true(json_integer_value(json_object_get(body, "clock")) > 0);
    assert_string_equal(json_string_value(json_object_get(body, "name")), "nul \xc3\xa4 \" </x>");
    return 7;
}

static void the_record_head_wins_and_the_visitor_can_stop(void **state)
{
    (void)state;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_journal struct journal *journal = NULL;
    int called = 0;
    assert_ok(journal_create(NULL, &journal, &err), &err);
    assert_ok(journal_append(journal, "fact",
                             json_pack("{s:s, s:s, s:s}", "type", "forged", "at", "never", "name",
                                       "nul \xc3\xa4 \" </x>"),
                             JOURNAL_DURABLE, &err),
              &err);
    assert_ok(journal_append(journal, "fact", NULL, JOURNAL_DURABLE, &err), &err);
    assert_int_equal(journal_each(journal, check_header, &called, &err), 7);
    assert_true(called);
    int64_t readable = 0;
    assert_ok(journal_verify(journal, NULL, &readable, &err), &err);
    assert_int_equal(readable, 2);
}

static void evidence_is_seen_outside_when_due_or_with_the_next_durable_record(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = in_scratch(state, "journal.db");
    cleanup_journal struct journal *journal = NULL;
    assert_ok(journal_create(path, &journal, &err), &err);
    for (int i = 0; i < 3; i++)
        assert_ok(journal_append(journal, "run", NULL, JOURNAL_DURABLE, &err), &err);
    int64_t start = clock_monotonic_ms();
    assert_ok(journal_append(journal, "evidence", NULL, JOURNAL_EVIDENCE, &err), &err);
    if (clock_monotonic_ms() - start < JOURNAL_FLUSH_MS)
        assert_int_equal(count_from_outside(path), 3);
    while (count_from_outside(path) == 3) {
        assert_ok(journal_flush_due(journal, &err), &err);
        assert_true(clock_monotonic_ms() - start < 60000);
    }
    assert_true(clock_monotonic_ms() - start >= JOURNAL_FLUSH_MS);
    assert_ok(journal_append(journal, "evidence", NULL, JOURNAL_EVIDENCE, &err), &err);
    assert_ok(journal_append(journal, "evidence", NULL, JOURNAL_EVIDENCE, &err), &err);
    assert_ok(journal_append(journal, "intent", NULL, JOURNAL_DURABLE, &err), &err);
    assert_int_equal(count_from_outside(path), 7);
    assert_ok(journal_append(journal, "evidence", NULL, JOURNAL_EVIDENCE, &err), &err);
    assert_ok(journal_flush(journal, &err), &err);
    assert_int_equal(count_from_outside(path), 8);
}

static void steady_evidence_is_committed_in_time_without_a_flush_call(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = in_scratch(state, "journal.db");
    cleanup_journal struct journal *journal = NULL;
    assert_ok(journal_create(path, &journal, &err), &err);
    int64_t start = clock_monotonic_ms();
    while (clock_monotonic_ms() - start < JOURNAL_FLUSH_MS + 50)
        assert_ok(journal_append(journal, "evidence", NULL, JOURNAL_EVIDENCE, &err), &err);
    assert_true(count_from_outside(path) > 0);
}

/* A child that dies with a log and shared memory left; the parent reads what it acknowledged. */
static void a_killed_writer_leaves_a_journal_that_reading_does_not_touch(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = in_scratch(state, "journal.db");
    cleanup_free char *log = text_format("%s-wal", path);
    cleanup_free char *shared = text_format("%s-shm", path);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct journal *journal = NULL;
        if (journal_create(path, &journal, NULL) == 0)
            for (int i = 0; i < 20; i++)
                if (journal_append(journal, "run", NULL, JOURNAL_DURABLE, NULL) != 0)
                    _exit(1);
        (void)journal_append(journal, "evidence", NULL, JOURNAL_EVIDENCE, NULL);
        (void)kill(getpid(), SIGKILL);
        _exit(1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(access(log, F_OK), 0);

    char *before[2] = {NULL, NULL};
    char *after[2] = {NULL, NULL};
    size_t sizes[4];
    assert_ok(file_read(path, 1 << 22, &before[0], &sizes[0], &err), &err);
    assert_ok(file_read(log, 1 << 22, &before[1], &sizes[1], &err), &err);
    assert_int_equal(count_from_outside(path), 20);
    /* As after a power cut or in a copy sent by mail: the log alone, in a folder without writing.
     */
    assert_int_equal(unlink(shared), 0);
    assert_int_equal(chmod(*state, 0500), 0);
    assert_int_equal(count_from_outside(path), 20);
    assert_int_equal(access(shared, F_OK), -1);
    assert_int_equal(chmod(*state, 0700), 0);
    assert_int_equal(count_from_outside(path), 20);
    assert_int_equal(access(shared, F_OK), -1);
    assert_ok(file_read(path, 1 << 22, &after[0], &sizes[2], &err), &err);
    assert_ok(file_read(log, 1 << 22, &after[1], &sizes[3], &err), &err);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sizes[i], sizes[i + 2]);
        assert_memory_equal(before[i], after[i], sizes[i]);
        free(before[i]);
        free(after[i]);
    }

    cleanup_journal struct journal *journal = NULL;
    assert_ok(journal_open(path, &journal, &err), &err);
    assert_ok(journal_append(journal, "resume", NULL, JOURNAL_DURABLE, &err), &err);
    assert_int_equal(count_from_outside(path), 21);
}

static void rollback_mode_works_too_and_a_hot_journal_can_be_read(void **state)
{
#ifndef SALVOR_TEST_HOOKS
    (void)state;
    skip();
#else
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = in_scratch(state, "journal.db");
    cleanup_free char *log = text_format("%s-wal", path);
    assert_int_equal(setenv("SALVOR_TEST_JOURNAL_MODE", "rollback", 1), 0);
    struct journal *journal = NULL;
    assert_ok(journal_create(path, &journal, &err), &err);
    assert_ok(journal_append(journal, "run", NULL, JOURNAL_DURABLE, &err), &err);
    assert_int_equal(access(log, F_OK), -1);
    assert_int_equal(count_from_outside(path), 1);
    journal_close(journal);
    assert_ok(journal_open(path, &journal, &err), &err);
    assert_ok(journal_append(journal, "end", NULL, JOURNAL_DURABLE, &err), &err);
    journal_close(journal);
    assert_int_equal(unsetenv("SALVOR_TEST_JOURNAL_MODE"), 0);
    assert_int_equal(count_from_outside(path), 2);

    /* Dies inside a commit, when the pages are written and the rollback journal still stands. */
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        sqlite3 *database = NULL;
        (void)sqlite3_open(path, &database);
        (void)sqlite3_exec(database,
                           "PRAGMA journal_mode=DELETE; PRAGMA cache_spill=1; PRAGMA cache_size=1;"
                           "DROP TRIGGER records_no_update; BEGIN EXCLUSIVE;"
                           "UPDATE records SET body = hex(randomblob(200000));",
                           NULL, NULL, NULL);
        (void)kill(getpid(), SIGKILL);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    cleanup_free char *hot = text_format("%s-journal", path);
    assert_int_equal(access(hot, F_OK), 0);
    assert_int_equal(count_from_outside(path), 2);
    assert_int_equal(access(hot, F_OK), 0);
#endif
}

static void nobody_can_update_delete_or_reorder_through_sql(void **state)
{
    cleanup_free char *path = in_scratch(state, "journal.db");
    write_journal(path, 3, 10);
    static const char *const attempts[] = {
        "UPDATE records SET body='{}' WHERE sequence=2",
        "DELETE FROM records WHERE sequence=3",
        "INSERT INTO records VALUES(3, zeroblob(32), zeroblob(32), '{}')",
        "INSERT INTO records VALUES(5, (SELECT hash FROM records WHERE sequence=3), x'00', '{}')",
        "INSERT INTO records VALUES(4, (SELECT hash FROM records WHERE sequence=2), x'00', '{}')",
        "INSERT OR REPLACE INTO records VALUES(2, zeroblob(32), zeroblob(32), '{}')",
        "REPLACE INTO records(previous, hash, body) VALUES(zeroblob(32), zeroblob(32), '{}')",
    };
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++)
        assert_int_equal(sqlite3_exec(database, attempts[i], NULL, NULL, NULL), SQLITE_CONSTRAINT);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

static void a_second_writer_cannot_fork_the_chain(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = in_scratch(state, "journal.db");
    cleanup_journal struct journal *first = NULL;
    cleanup_journal struct journal *second = NULL;
    assert_ok(journal_create(path, &first, &err), &err);
    assert_ok(journal_append(first, "run", NULL, JOURNAL_DURABLE, &err), &err);
    assert_ok(journal_open(path, &second, &err), &err);
    assert_ok(journal_append(first, "intent", NULL, JOURNAL_DURABLE, &err), &err);
    assert_int_equal(journal_append(second, "resume", NULL, JOURNAL_DURABLE, &err), -1);
    assert_non_null(strstr(err.message, "records are appended in order"));
    assert_int_equal(journal_append(second, "resume", NULL, JOURNAL_EVIDENCE, &err), -1);
    assert_ok(journal_append(first, "outcome", NULL, JOURNAL_DURABLE, &err), &err);
    assert_int_equal(count_from_outside(path), 3);
}

static void existing_absent_and_foreign_files_are_refused(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = in_scratch(state, "journal.db");
    struct journal *journal = NULL;
    assert_int_equal(journal_open(path, &journal, &err), -1);
    assert_non_null(strstr(err.message, "No such file"));
    assert_non_null(strstr(err.hint, "salvor runs"));
    assert_int_equal(journal_open_readonly(*state, &journal, &err), -1);
    assert_non_null(strstr(err.message, "it is not a file"));
    assert_ok(file_write_atomic(path, "", 0, 0600, &err), &err);
    assert_int_equal(journal_open_readonly(path, &journal, &err), -1);
    assert_non_null(strstr(err.message, "is empty"));
    assert_int_equal(journal_create(path, &journal, &err), -1);
    assert_non_null(strstr(err.message, "File exists"));
    assert_ok(file_write_atomic(path, "hello, this is no database", 26, 0600, &err), &err);
    assert_int_equal(journal_open(path, &journal, &err), -1);
    assert_non_null(strstr(err.message, "not a database"));
    assert_int_equal(journal_open_readonly(path, &journal, &err), -1);
    assert_int_equal(unlink(path), 0);

    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(database, "CREATE TABLE other(x); INSERT INTO other VALUES(1)", 0, 0, 0), 0);
    assert_int_equal(journal_open(path, &journal, &err), -1);
    assert_non_null(strstr(err.message, "is not a journal of salvor"));
    /* A view of that name would run whatever its author wrote. */
    assert_int_equal(sqlite3_exec(database,
                                  "CREATE VIEW records AS SELECT 1 AS sequence, x AS previous, "
                                  "x AS hash, x AS body FROM other",
                                  0, 0, 0),
                     0);
    assert_int_equal(journal_open_readonly(path, &journal, &err), -1);
    assert_non_null(strstr(err.message, "its records table was changed"));
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
    assert_null(journal);
}

static void the_format_of_a_later_salvor_is_refused_with_a_hint(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = in_scratch(state, "journal.db");
    struct journal *journal = NULL;
    write_journal(path, 1, 1);
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, "PRAGMA user_version=2", 0, 0, 0), 0);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
    assert_int_equal(journal_open(path, &journal, &err), -1);
    assert_non_null(strstr(err.message, "has format 2, this salvor reads up to 1"));
    assert_int_equal(journal_open_readonly(path, &journal, &err), -1);
    assert_non_null(err.hint);
}

static void a_record_that_is_no_json_stops_the_journal_for_good(void **state)
{
    (void)state;
    cleanup_error struct error err = ERROR_INIT;
    cleanup_journal struct journal *journal = NULL;
    assert_ok(journal_create(NULL, &journal, &err), &err);
    assert_int_equal(journal_append(journal, "note", json_array(), JOURNAL_DURABLE, &err), -1);
    assert_non_null(strstr(err.message, "'note'"));
    assert_int_equal(journal_append(journal, "note", NULL, JOURNAL_DURABLE, &err), -1);
    assert_non_null(strstr(err.message, "'note'"));
    assert_int_equal(journal_flush(journal, &err), -1);
}

static void odd_paths_are_plain_paths(void **state)
{
    cleanup_free char *path = in_scratch(state, "a?mode=memory&b#c%20d 'q'.db");
    write_journal(path, 2, 1);
    assert_int_equal(count_from_outside(path), 2);
    cleanup_free char *uri = in_scratch(state, "file:x.db");
    write_journal(uri, 2, 1);
    assert_int_equal(access(uri, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_scratch(records_come_back_in_order_after_reopening),
        test_in_scratch(the_record_head_wins_and_the_visitor_can_stop),
        test_in_scratch(evidence_is_seen_outside_when_due_or_with_the_next_durable_record),
        test_in_scratch(steady_evidence_is_committed_in_time_without_a_flush_call),
        test_in_scratch(a_killed_writer_leaves_a_journal_that_reading_does_not_touch),
        test_in_scratch(rollback_mode_works_too_and_a_hot_journal_can_be_read),
        test_in_scratch(nobody_can_update_delete_or_reorder_through_sql),
        test_in_scratch(a_second_writer_cannot_fork_the_chain),
        test_in_scratch(existing_absent_and_foreign_files_are_refused),
        test_in_scratch(the_format_of_a_later_salvor_is_refused_with_a_hint),
        test_in_scratch(a_record_that_is_no_json_stops_the_journal_for_good),
        test_in_scratch(odd_paths_are_plain_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
