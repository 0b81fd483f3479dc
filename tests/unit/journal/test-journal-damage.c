#include "scratch.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "journal/journal-database.h"

enum { RECORDS = 24, TEXT = 400 };

/* ---- tampering through SQL, guards taken away first -------------------------------------------
 */

static sqlite3 *open_without_guards(const char *path)
{
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database,
                                  "PRAGMA writable_schema=ON; CREATE TEMP TABLE kept AS SELECT sql "
                                  "FROM sqlite_schema WHERE type='trigger' ORDER BY rowid;"
                                  "DROP TRIGGER records_no_update; DROP TRIGGER records_no_delete;"
                                  "DROP TRIGGER records_in_order",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    return database;
}

static int run_again(void *database, int columns, char **values, char **names)
{
    (void)columns;
    (void)names;
    return sqlite3_exec(database, values[0], NULL, NULL, NULL);
}

/* The careful forger puts the guards back. */
static void tamper(const char *path, const char *sql)
{
    sqlite3 *database = open_without_guards(path);
    char *message = NULL;
    if (sqlite3_exec(database, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    assert_int_equal(sqlite3_exec(database, "SELECT sql FROM kept", run_again, database, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

static void expect_damage(const char *path, int64_t sound, const char *message)
{
    cleanup_error struct error err = ERROR_INIT;
    struct journal *journal = NULL;
    int64_t readable = -1;
    assert_int_equal(journal_open(path, &journal, &err), -1);
    assert_null(journal);
    if (strstr(err.message, message) == NULL)
        fail_msg("expected '%s' in '%s'", message, err.message);
    assert_non_null(strstr(err.hint, "salvor report "));
    assert_ok(journal_open_readonly(path, &journal, &err), &err);
    assert_int_equal(journal_verify(journal, NULL, &readable, &err), -1);
    assert_int_equal(err.code, EXIT_FAILED);
    assert_int_equal(readable, sound);
    journal_close(journal);
}

static void recompute_hash(const char *path, int64_t sequence, const char *body)
{
    sqlite3 *database = open_without_guards(path);
    sqlite3_stmt *read = NULL;
    sqlite3_stmt *write = NULL;
    unsigned char hash[DIGEST_SIZE];
    assert_int_equal(sqlite3_prepare_v2(database, "SELECT previous FROM records WHERE sequence=?",
                                        -1, &read, NULL),
                     SQLITE_OK);
    (void)sqlite3_bind_int64(read, 1, sequence);
    assert_int_equal(sqlite3_step(read), SQLITE_ROW);
    journal_record_hash(sqlite3_column_blob(read, 0), sequence, body, strlen(body), hash);
    (void)sqlite3_finalize(read);
    assert_int_equal(sqlite3_prepare_v2(database,
                                        "UPDATE records SET body=?, hash=? WHERE sequence=?", -1,
                                        &write, NULL),
                     SQLITE_OK);
    (void)sqlite3_bind_text(write, 1, body, -1, SQLITE_STATIC);
    (void)sqlite3_bind_blob(write, 2, hash, DIGEST_SIZE, SQLITE_STATIC);
    (void)sqlite3_bind_int64(write, 3, sequence);
    assert_int_equal(sqlite3_step(write), SQLITE_DONE);
    (void)sqlite3_finalize(write);
    assert_int_equal(sqlite3_exec(database, "SELECT sql FROM kept", run_again, database, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

static void edits_deletions_and_reorders_name_the_first_bad_record(void **state)
{
    static const struct {
        const char *sql;
        int64_t sound;
        const char *message;
    } cases[] = {
        {"UPDATE records SET body=replace(body, '\"n\":7,', '\"n\":8,') WHERE sequence=7", 6,
         "damaged at record 7: its hash does not match its content"},
        {"UPDATE records SET body=replace(body, '\"n\":1,', '\"n\":8,') WHERE sequence=1", 0,
         "damaged at record 1: its hash"},
        {"UPDATE records SET hash=randomblob(32) WHERE sequence=24", 23,
         "damaged at record 24: its hash"},
        {"UPDATE records SET hash=x'00' WHERE sequence=5", 4, "wrong type or size"},
        {"UPDATE records SET body='' WHERE sequence=5", 4, "damaged at record 5"},
        {"UPDATE records SET previous=randomblob(32) WHERE sequence=9", 8,
         "damaged at record 9: it does not follow record 8"},
        {"DELETE FROM records WHERE sequence=10", 9,
         "damaged at record 10: record 10 is missing, 11 is there instead"},
        {"DELETE FROM records WHERE sequence<4", 0, "record 1 is missing, 4 is there instead"},
        {"DELETE FROM records WHERE sequence=12; UPDATE records SET sequence=sequence-1 "
         "WHERE sequence>12",
         11, "damaged at record 12: it does not follow record 11"},
        {"UPDATE records SET sequence=100 WHERE sequence=3; UPDATE records SET sequence=3 WHERE "
         "sequence=4; UPDATE records SET sequence=4 WHERE sequence=100",
         2, "damaged at record 3"},
        {"UPDATE records SET body=(SELECT body FROM records WHERE sequence=5) WHERE sequence=6", 5,
         "damaged at record 6"},
        {"INSERT INTO records VALUES(0, zeroblob(32), zeroblob(32), '{}')", 0,
         "record 1 is missing, 0 is there instead"},
        {"INSERT INTO records VALUES(25, (SELECT hash FROM records WHERE sequence=24), "
         "zeroblob(32), '{}')",
         24, "damaged at record 25"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cleanup_free char *path = in_scratch(state, "journal.db");
        (void)unlink(path);
        write_journal(path, RECORDS, TEXT);
        tamper(path, cases[i].sql);
        expect_damage(path, cases[i].sound, cases[i].message);
    }
}

static void an_edit_with_its_own_hash_recomputed_shows_at_the_next_record(void **state)
{
    cleanup_free char *path = in_scratch(state, "journal.db");
    write_journal(path, RECORDS, TEXT);
    recompute_hash(path, 11, "{\"type\":\"note\",\"n\":11,\"text\":\"forged\"}");
    expect_damage(path, 11, "damaged at record 12: it does not follow record 11");
}

static void guards_taken_away_are_noticed(void **state)
{
    cleanup_free char *path = in_scratch(state, "journal.db");
    write_journal(path, RECORDS, TEXT);
    sqlite3 *database = open_without_guards(path);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
    expect_damage(path, RECORDS, "guards against update and delete were changed");
}

static void known_heads_find_what_was_cut_off_or_replaced_at_the_end(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = in_scratch(state, "journal.db");
    write_journal(path, RECORDS, TEXT);
    struct journal *journal = NULL;
    int64_t readable = 0;
    char head[DIGEST_TEXT_SIZE];
    assert_ok(journal_open_readonly(path, &journal, &err), &err);
    journal_head(journal, head);
    const char *const heads[] = {head, NULL};
    assert_ok(journal_verify(journal, heads, &readable, &err), &err);
    assert_int_equal(readable, RECORDS);
    journal_close(journal);

    tamper(path, "DELETE FROM records WHERE sequence=24");
    assert_ok(journal_open_readonly(path, &journal, &err), &err);
    assert_ok(journal_verify(journal, NULL, &readable, &err), &err);
    assert_int_equal(journal_verify(journal, heads, &readable, &err), -1);
    assert_int_equal(readable, 23);
    assert_non_null(strstr(err.message, head));
    assert_non_null(strstr(err.detail, "ends with record 23"));
    const char *const bad[] = {"0123", NULL};
    assert_int_equal(journal_verify(journal, bad, &readable, &err), -1);
    assert_int_equal(err.code, EXIT_USAGE);
    journal_close(journal);

    /* The last record replaced by one with a proper hash: only a head from outside can tell. */
    recompute_hash(path, 23, "{\"type\":\"end\",\"status\":\"done\"}");
    assert_ok(journal_open_readonly(path, &journal, &err), &err);
    assert_ok(journal_verify(journal, NULL, &readable, &err), &err);
    assert_int_equal(journal_verify(journal, heads, &readable, &err), -1);
    journal_close(journal);
}

/* ---- bits and bytes ---------------------------------------------------------------------------
 */

struct seen {
    int count;
    int problems;
    int wrong;
};

static int salvage_count(void *data, int64_t sequence, const json_t *body,
                         const char hash[DIGEST_TEXT_SIZE], const char *problem)
{
    struct seen *seen = data;
    (void)hash;
    if (problem != NULL) {
        seen->problems++;
        return 0;
    }
    seen->count++;
    /* A record said to be sound must be the one that was written. */
    seen->wrong += json_integer_value(json_object_get(body, "n")) != sequence;
    return 0;
}

static int each_count(void *data, int64_t sequence, const json_t *body, struct error *reterr)
{
    struct seen *seen = data;
    (void)reterr;
    seen->count++;
    seen->wrong += json_integer_value(json_object_get(body, "n")) != sequence;
    return 0;
}

struct tally {
    int found;      /* refused, or shown as damaged */
    int harmless;   /* passes, and every record is as it was */
    int unreadable; /* found, but nothing of it can be shown */
    int64_t shown;  /* sound records shown in the damaged ones */
};

/* What a damaged image must never do: pass with other records than were written. */
static void judge(const char *path, const char *what, size_t offset, struct tally *tally)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_journal struct journal *reader = NULL;
    struct journal *writer = NULL;
    struct seen seen = {0, 0, 0};
    int64_t readable = 0;
    if (journal_open_readonly(path, &reader, &err) != 0) {
        tally->found++;
        tally->unreadable++;
        if (err.hint == NULL)
            fail_msg("%s at %zu: no hint in '%s'", what, offset, err.message);
        assert_int_equal(journal_open(path, &writer, &err), -1);
        return;
    }
    if (journal_verify(reader, NULL, &readable, &err) == 0) {
        assert_ok(journal_each(reader, each_count, &seen, &err), &err);
        if (seen.count != RECORDS || seen.wrong != 0)
            fail_msg("%s at %zu passes with %d records, %d of them wrong", what, offset, seen.count,
                     seen.wrong);
        tally->harmless++;
        return;
    }
    tally->found++;
    (void)journal_salvage(reader, salvage_count, &seen);
    if (seen.wrong != 0)
        fail_msg("%s at %zu shows %d wrong records as sound", what, offset, seen.wrong);
    tally->shown += seen.count;
    tally->unreadable += seen.count == 0;
    journal_close(take_pointer(reader));
    if (journal_open(path, &writer, &err) == 0) {
        journal_close(writer);
        fail_msg("%s at %zu is seen by the reader but not by the writer", what, offset);
    }
}

static void write_image(const char *path, const char *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, data, size), 0);
    assert_int_equal(close(fd), 0);
}

static void no_flipped_bit_passes_for_another_content(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = in_scratch(state, "journal.db");
    cleanup_free char *image = NULL;
    size_t size = 0;
    write_journal(path, RECORDS, TEXT);
    assert_ok(file_read(path, 1 << 20, &image, &size, &err), &err);
    assert_true(size >= 5 * 4096);
    const char *every = getenv("SALVOR_TEST_EVERY_BIT");
    struct tally tally = {0, 0, 0, 0};
    for (size_t offset = 0; offset < size; offset++) {
        /* Headers of the file and of its pages byte by byte, cell contents at a stride. */
        if (every == NULL && offset % 4096 > 112 && offset % 29 != 0)
            continue;
        for (int bit = 0; bit < 8; bit++) {
            if (every == NULL && bit != (int)(offset % 8))
                continue;
            image[offset] = (char)(image[offset] ^ (1 << bit));
            write_image(path, image, size);
            judge(path, "a flipped bit", offset, &tally);
            image[offset] = (char)(image[offset] ^ (1 << bit));
        }
    }
    print_message("flipped bits: %d found, %d harmless, %d unreadable, %.1f of %d records shown\n",
                  tally.found, tally.harmless, tally.unreadable,
                  (double)tally.shown / (tally.found > 0 ? tally.found : 1), (int)RECORDS);
    assert_true(tally.found > 100);
    assert_true(tally.unreadable * 10 < tally.found);
}

static void no_truncation_passes(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = in_scratch(state, "journal.db");
    cleanup_free char *image = NULL;
    size_t size = 0;
    write_journal(path, RECORDS, TEXT);
    assert_ok(file_read(path, 1 << 20, &image, &size, &err), &err);
    struct tally tally = {0, 0, 0, 0};
    size_t step = 1;
    for (size_t kept = 1; kept < size; kept += step) {
        step = kept % 4096 < 100 ? 1 : 211;
        write_image(path, image, kept);
        judge(path, "a truncation", kept, &tally);
    }
    print_message("truncations: %d found, %d unreadable, %.1f of %d records shown\n", tally.found,
                  tally.unreadable, (double)tally.shown / tally.found, (int)RECORDS);
    assert_int_equal(tally.harmless, 0);
}

static void overwritten_pages_leave_the_others_readable(void **state)
{
    cleanup_error struct error err = ERROR_INIT;
    cleanup_free char *path = in_scratch(state, "journal.db");
    cleanup_free char *image = NULL;
    size_t size = 0;
    write_journal(path, RECORDS, TEXT);
    assert_ok(file_read(path, 1 << 20, &image, &size, &err), &err);
    for (size_t page = 2; page < size / 4096; page++) {
        cleanup_free char *hit = memory_new(size, 1);
        memcpy(hit, image, size);
        memset(hit + page * 4096, 0, 4096);
        write_image(path, hit, size);
        struct tally tally = {0, 0, 0, 0};
        judge(path, "an overwritten page", page, &tally);
        assert_int_equal(tally.found, 1);
        /* Some nine records to a page: losing one page loses those and the one that follows. */
        if (tally.shown < RECORDS - 11)
            fail_msg("page %zu overwritten: only %d records shown", page, (int)tally.shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_scratch(edits_deletions_and_reorders_name_the_first_bad_record),
        test_in_scratch(an_edit_with_its_own_hash_recomputed_shows_at_the_next_record),
        test_in_scratch(guards_taken_away_are_noticed),
        test_in_scratch(known_heads_find_what_was_cut_off_or_replaced_at_the_end),
        test_in_scratch(no_flipped_bit_passes_for_another_content),
        test_in_scratch(no_truncation_passes),
        test_in_scratch(overwritten_pages_leave_the_others_readable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
