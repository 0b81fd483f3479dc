#include "journal/journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "journal/journal-database.h"

#include "base/banned.h"

static void read_boot_id(char *ret_boot, size_t size)
{
    cleanup_free char *text = NULL;
    size_t length = 0;
    if (file_read("/proc/sys/kernel/random/boot_id", 256, &text, &length, NULL) != 0)
        return;
    text[strcspn(text, "\n")] = '\0';
    (void)snprintf(ret_boot, size, "%s", text);
}

static struct journal *journal_new(const char *path)
{
    struct journal *journal = memory_new(1, sizeof *journal);
    journal->path = path != NULL ? text_copy(path) : NULL;
    return journal;
}

static int prepare_for_append(struct journal *journal, struct error *reterr)
{
    static const char insert[] =
        "INSERT INTO records(sequence, previous, hash, body) VALUES(?, ?, ?, ?)";
    read_boot_id(journal->boot, sizeof journal->boot);
    int code = sqlite3_prepare_v3(journal->database, insert, -1, SQLITE_PREPARE_PERSISTENT,
                                  &journal->insert, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v3(journal->database, "BEGIN IMMEDIATE", -1,
                                  SQLITE_PREPARE_PERSISTENT, &journal->begin, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v3(journal->database, "COMMIT", -1, SQLITE_PREPARE_PERSISTENT,
                                  &journal->commit, NULL);
    return code == SQLITE_OK ? 0 : journal_database_error(journal, code, "write", reterr);
}

int journal_create(const char *path, struct journal **ret_journal, struct error *reterr)
{
    struct journal *journal = journal_new(path);
    int result = path != NULL ? journal_database_create(journal, reterr)
                              : journal_database_create_in_memory(journal, reterr);
    if (result == 0)
        result = prepare_for_append(journal, reterr);
    if (result != 0) {
        journal_close(journal);
        return -1;
    }
    *ret_journal = journal;
    return 0;
}

/* Where the chain stands; only called on a chain that was proven. */
static int find_head(struct journal *journal, struct error *reterr)
{
    sqlite3_stmt *last = NULL;
    int code = sqlite3_prepare_v2(
        journal->database, "SELECT sequence, hash FROM records ORDER BY sequence DESC LIMIT 1", -1,
        &last, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(last);
    if (code == SQLITE_ROW && sqlite3_column_bytes(last, 1) == DIGEST_SIZE) {
        journal->sequence = sqlite3_column_int64(last, 0);
        memcpy(journal->head, sqlite3_column_blob(last, 1), DIGEST_SIZE);
        code = SQLITE_DONE;
    }
    (void)sqlite3_finalize(last);
    return code == SQLITE_DONE ? 0 : journal_database_error(journal, code, "read", reterr);
}

int journal_open(const char *path, struct journal **ret_journal, struct error *reterr)
{
    struct journal *journal = journal_new(path);
    int64_t readable = 0;
    if (journal_database_open(journal, reterr) != 0 ||
        journal_verify(journal, NULL, &readable, reterr) != 0 || find_head(journal, reterr) != 0 ||
        prepare_for_append(journal, reterr) != 0) {
        journal_close(journal);
        return -1;
    }
    *ret_journal = journal;
    return 0;
}

int journal_open_readonly(const char *path, struct journal **ret_journal, struct error *reterr)
{
    struct journal *journal = journal_new(path);
    journal->readonly = 1;
    if (journal_database_open_readonly(journal, reterr) != 0) {
        journal_close(journal);
        return -1;
    }
    /* A damaged file has the head that its last readable record claims; verify tells the truth. */
    (void)find_head(journal, NULL);
    *ret_journal = journal;
    return 0;
}

void journal_close(struct journal *journal)
{
    if (journal == NULL)
        return;
    if (!journal->readonly && journal->insert != NULL)
        (void)journal_flush(journal, NULL);
    journal_database_close(journal);
    error_clear(&journal->structure);
    error_clear(&journal->failure);
    free(journal->path);
    free(journal);
}

/* ---- append ---------------------------------------------------------------------------------- */

static int repeat_failure(const struct journal *journal, struct error *reterr)
{
    (void)error_set(reterr, journal->failure.code, "%s", journal->failure.message);
    if (journal->failure.hint != NULL)
        (void)error_hint(reterr, "%s", journal->failure.hint);
    return -1;
}

/* The uncommitted tail is gone with the transaction: from here on nothing is recorded. */
static int fail(struct journal *journal, int code, struct error *reterr)
{
    (void)journal_database_error(journal, code, "append to", &journal->failure);
    if (!sqlite3_get_autocommit(journal->database))
        (void)sqlite3_exec(journal->database, "ROLLBACK", NULL, NULL, NULL);
    journal->in_transaction = 0;
    if (find_head(journal, NULL) != 0)
        memset(journal->head, 0, sizeof journal->head);
    return repeat_failure(journal, reterr);
}

static int step_once(sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    int reset = sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : reset != SQLITE_OK ? reset : code;
}

static int commit(struct journal *journal, struct error *reterr)
{
    int code = step_once(journal->commit);
    if (code != SQLITE_OK)
        return fail(journal, code, reterr);
    journal->in_transaction = 0;
    return 0;
}

/* The record's own head wins over keys of the same name in `body`. */
static char *serialise(const struct journal *journal, const char *type, json_t *body,
                       size_t *ret_size)
{
    char at[CLOCK_TEXT_SIZE];
    clock_format(clock_realtime_ms(), at);
    cleanup_json json_t *record =
        json_pack("{s:s, s:s, s:I, s:s}", "type", type, "at", at, "clock",
                  (json_int_t)clock_monotonic_ms(), "boot", journal->boot);
    if (record == NULL || (body != NULL && json_object_update_missing(record, body) != 0))
        return NULL;
    char *text = json_dumps(record, JSON_COMPACT | JSON_REAL_PRECISION(17));
    if (text != NULL)
        *ret_size = strlen(text);
    return text;
}

int journal_append(struct journal *journal, const char *type, json_t *body,
                   enum journal_durability durability, struct error *reterr)
{
    cleanup_json json_t *owned = body;
    if (error_is_set(&journal->failure))
        return repeat_failure(journal, reterr);
    if (journal->readonly)
        return error_set(reterr, EXIT_FAILED, "journal '%s' was opened for reading", journal->path);

    size_t size = 0;
    cleanup_free char *text = serialise(journal, type, owned, &size);
    if (text == NULL || size > JOURNAL_BODY_LIMIT) {
        (void)error_set(&journal->failure, EXIT_FAILED,
                        text == NULL ? "record '%s' cannot be written as JSON"
                                     : "record '%s' is larger than a journal takes",
                        type);
        return repeat_failure(journal, reterr);
    }
    unsigned char hash[DIGEST_SIZE];
    journal_record_hash(journal->head, journal->sequence + 1, text, size, hash);

    if (!journal->in_transaction) {
        int code = step_once(journal->begin);
        if (code != SQLITE_OK)
            return fail(journal, code, reterr);
        journal->in_transaction = 1;
        journal->oldest_pending_ms = clock_monotonic_ms();
    }
    sqlite3_stmt *insert = journal->insert;
    (void)sqlite3_bind_int64(insert, 1, journal->sequence + 1);
    (void)sqlite3_bind_blob(insert, 2, journal->head, DIGEST_SIZE, SQLITE_STATIC);
    (void)sqlite3_bind_blob(insert, 3, hash, DIGEST_SIZE, SQLITE_STATIC);
    (void)sqlite3_bind_text(insert, 4, text, (int)size, SQLITE_STATIC);
    int code = step_once(insert);
    (void)sqlite3_clear_bindings(insert);
    if (code != SQLITE_OK)
        return fail(journal, code, reterr);
    journal->sequence++;
    memcpy(journal->head, hash, DIGEST_SIZE);
    return durability == JOURNAL_DURABLE ? commit(journal, reterr)
                                         : journal_flush_due(journal, reterr);
}

int journal_flush(struct journal *journal, struct error *reterr)
{
    if (error_is_set(&journal->failure))
        return repeat_failure(journal, reterr);
    return journal->in_transaction ? commit(journal, reterr) : 0;
}

int journal_flush_due(struct journal *journal, struct error *reterr)
{
    if (error_is_set(&journal->failure))
        return repeat_failure(journal, reterr);
    if (!journal->in_transaction ||
        clock_monotonic_ms() - journal->oldest_pending_ms < JOURNAL_FLUSH_MS)
        return 0;
    return commit(journal, reterr);
}

void journal_head(const struct journal *journal, char ret_text[DIGEST_TEXT_SIZE])
{
    digest_text(journal->head, ret_text);
}
