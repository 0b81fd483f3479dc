/* Reading a journal: in order, backward, past damage, and the proof of its chain. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "journal/journal-database.h"
#include "journal/journal.h"

#include "base/banned.h"

/* How far past an unreadable page the next readable record is looked for. */
enum { SALVAGE_REACH = 4096 };

struct record {
    int64_t sequence;
    const unsigned char *previous; /* DIGEST_SIZE bytes, or NULL when it has another size */
    const unsigned char *hash;
    const char *body;
    size_t size;
};

static void read_record(sqlite3_stmt *row, struct record *ret_record)
{
    ret_record->sequence = sqlite3_column_int64(row, 0);
    ret_record->previous =
        sqlite3_column_bytes(row, 1) == DIGEST_SIZE ? sqlite3_column_blob(row, 1) : NULL;
    ret_record->hash =
        sqlite3_column_bytes(row, 2) == DIGEST_SIZE ? sqlite3_column_blob(row, 2) : NULL;
    ret_record->body = (const char *)sqlite3_column_text(row, 3);
    ret_record->size = (size_t)sqlite3_column_bytes(row, 3);
}

static json_t *parse_body(const struct record *record)
{
    if (record->body == NULL)
        return NULL;
    json_t *body = json_loadb(record->body, record->size, JSON_ALLOW_NUL, NULL);
    if (body != NULL && !json_is_object(body)) {
        json_decref(body);
        return NULL;
    }
    return body;
}

static sqlite3_stmt *select_records(struct journal *journal, const char *tail)
{
    cleanup_free char *sql =
        text_format("SELECT sequence, previous, hash, body FROM records %s", tail);
    sqlite3_stmt *statement = NULL;
    (void)sqlite3_prepare_v2(journal->database, sql, -1, &statement, NULL);
    return statement;
}

/* ---- in order and backward ------------------------------------------------------------------- */

static int visit_all(struct journal *journal, sqlite3_stmt *rows, journal_visitor visit, void *data,
                     struct error *reterr)
{
    int result = 0;
    int code = rows != NULL ? SQLITE_ROW : sqlite3_errcode(journal->database);
    while (result == 0 && rows != NULL && (code = sqlite3_step(rows)) == SQLITE_ROW) {
        struct record record;
        read_record(rows, &record);
        cleanup_json json_t *body = parse_body(&record);
        if (body == NULL)
            result = error_set(reterr, EXIT_FAILED, "record %lld of journal '%s' cannot be read",
                               (long long)record.sequence,
                               journal->path != NULL ? journal->path : ":memory:");
        else
            result = visit(data, record.sequence, body, reterr);
    }
    (void)sqlite3_finalize(rows);
    if (result == 0 && code != SQLITE_DONE)
        result = journal_database_error(journal, code, "read", reterr);
    return result;
}

int journal_each(struct journal *journal, journal_visitor visit, void *data, struct error *reterr)
{
    /* A reader sees one snapshot anyway; the bound is for a writer whose visitor appends. */
    sqlite3_stmt *rows = journal->readonly
                             ? select_records(journal, "ORDER BY sequence")
                             : select_records(journal, "WHERE sequence <= ? ORDER BY sequence");
    if (rows != NULL && !journal->readonly)
        (void)sqlite3_bind_int64(rows, 1, journal->sequence);
    return visit_all(journal, rows, visit, data, reterr);
}

int journal_each_backward(struct journal *journal, journal_visitor visit, void *data,
                          struct error *reterr)
{
    return visit_all(journal, select_records(journal, "ORDER BY sequence DESC"), visit, data,
                     reterr);
}

/* ---- the chain ------------------------------------------------------------------------------- */

struct chain {
    int64_t sequence; /* of the last record followed */
    unsigned char head[DIGEST_SIZE];
};

/* Text of what is wrong with `record` as the next of the chain, or NULL. Owned by the caller. */
static char *follow(struct chain *chain, const struct record *record)
{
    int64_t expected = chain->sequence + 1;
    unsigned char hash[DIGEST_SIZE];
    char *problem = NULL;
    if (record->body == NULL || record->previous == NULL || record->hash == NULL)
        problem = text_copy("a field of it has the wrong type or size");
    else if (record->sequence != expected)
        problem = text_format("record %lld is missing, %lld is there instead", (long long)expected,
                              (long long)record->sequence);
    else if (memcmp(record->previous, chain->head, DIGEST_SIZE) != 0)
        problem =
            expected == 1
                ? text_copy("it does not begin the chain: it or records before it were changed")
                : text_format("it does not follow record %lld: one of the two was changed",
                              (long long)chain->sequence);
    if (problem == NULL && record->hash != NULL) {
        journal_record_hash(record->previous, record->sequence, record->body, record->size, hash);
        if (memcmp(hash, record->hash, DIGEST_SIZE) != 0)
            problem = text_copy("its hash does not match its content: it was changed");
    }
    if (record->hash != NULL)
        memcpy(chain->head, record->hash, DIGEST_SIZE);
    chain->sequence = record->sequence;
    return problem;
}

static int damaged(const struct journal *journal, int in_chain, int64_t readable,
                   const char *problem, struct error *reterr)
{
    cleanup_free char *run = journal_database_run_name(journal);
    const char *path = journal->path != NULL ? journal->path : ":memory:";
    if (in_chain)
        (void)error_set(reterr, EXIT_FAILED, "journal '%s' is damaged at record %lld: %s", path,
                        (long long)readable + 1, problem);
    else
        (void)error_set(reterr, EXIT_FAILED, "journal '%s' is damaged: %s", path, problem);
    if (readable == 0)
        (void)error_detail(reterr, "no record of it is proven");
    else if (readable == 1)
        (void)error_detail(reterr, "record 1 is sound");
    else
        (void)error_detail(reterr, "records 1 to %lld are sound", (long long)readable);
    return error_hint(reterr, "'salvor report %s' shows what is still readable", run);
}

/* Pages that no record stands on are not covered by the chain, but show that the file was hit. */
static char *structure_problem(struct journal *journal)
{
    if (error_is_set(&journal->structure))
        return text_copy(journal->structure.message);
    cleanup_error struct error err = ERROR_INIT;
    if (journal_database_check_schema(journal, &err) != 0)
        return text_copy(err.message);
    sqlite3_stmt *check = NULL;
    char *problem = NULL;
    int code = sqlite3_prepare_v2(journal->database, "PRAGMA integrity_check(1)", -1, &check, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(check);
    if (code != SQLITE_ROW) {
        problem = text_copy(sqlite3_errstr(code));
    } else {
        const char *answer = (const char *)sqlite3_column_text(check, 0);
        if (answer == NULL || strcmp(answer, "ok") != 0)
            problem = text_copy(answer != NULL ? answer : "no memory");
    }
    (void)sqlite3_finalize(check);
    for (char *newline = problem; newline != NULL && (newline = strchr(newline, '\n')) != NULL;)
        *newline = ' ';
    return problem;
}

static size_t count_heads(const char *const *known_heads)
{
    size_t count = 0;
    while (known_heads != NULL && known_heads[count] != NULL)
        count++;
    return count;
}

static int parse_head(const char *text, unsigned char ret_head[DIGEST_SIZE], struct error *reterr)
{
    size_t size = 0;
    const char *end = NULL;
    if (sodium_hex2bin(ret_head, DIGEST_SIZE, text, strlen(text), NULL, &size, &end) == 0 &&
        size == DIGEST_SIZE && *end == '\0')
        return 0;
    (void)error_set(reterr, EXIT_USAGE, "'%s' is not a journal head", text);
    return error_hint(reterr, "a head is the 64 hexadecimal digits printed at each approval and at "
                              "the end of a run");
}

struct expected_heads {
    size_t count;
    unsigned char (*heads)[DIGEST_SIZE];
    char *seen;
};

static void clear_expected(struct expected_heads *expected)
{
    free(expected->heads);
    free(expected->seen);
}

static void mark_seen(struct expected_heads *expected, const unsigned char head[DIGEST_SIZE])
{
    for (size_t i = 0; i < expected->count; i++)
        if (memcmp(expected->heads[i], head, DIGEST_SIZE) == 0)
            expected->seen[i] = 1;
}

int journal_verify(struct journal *journal, const char *const *known_heads, int64_t *ret_readable,
                   struct error *reterr)
{
    __attribute__((cleanup(clear_expected))) struct expected_heads expected = {0, NULL, NULL};
    expected.count = count_heads(known_heads);
    expected.heads = memory_new(expected.count, sizeof *expected.heads);
    expected.seen = memory_new(expected.count, 1);
    *ret_readable = 0;
    for (size_t i = 0; i < expected.count; i++)
        if (parse_head(known_heads[i], expected.heads[i], reterr) != 0)
            return -1;

    struct chain chain = {0, {0}};
    mark_seen(&expected, chain.head);
    sqlite3_stmt *rows = select_records(journal, "ORDER BY sequence");
    cleanup_free char *problem = NULL;
    int code = rows != NULL ? SQLITE_ROW : sqlite3_errcode(journal->database);
    while (problem == NULL && rows != NULL && (code = sqlite3_step(rows)) == SQLITE_ROW) {
        struct record record;
        read_record(rows, &record);
        problem = follow(&chain, &record);
        if (problem == NULL) {
            cleanup_json json_t *body = parse_body(&record);
            if (body == NULL)
                problem = text_copy("it is not a JSON object");
        }
        if (problem == NULL) {
            *ret_readable = record.sequence;
            mark_seen(&expected, chain.head);
        }
    }
    (void)sqlite3_finalize(rows);
    if (problem == NULL && code != SQLITE_DONE)
        problem = text_copy(sqlite3_errstr(code));
    if (problem != NULL)
        return damaged(journal, 1, *ret_readable, problem, reterr);
    problem = structure_problem(journal);
    if (problem != NULL)
        return damaged(journal, 0, *ret_readable, problem, reterr);
    for (size_t i = 0; i < expected.count; i++) {
        if (expected.seen[i])
            continue;
        (void)error_set(reterr, EXIT_FAILED,
                        "journal '%s' holds no record with the known head '%s'",
                        journal->path != NULL ? journal->path : ":memory:", known_heads[i]);
        (void)error_detail(reterr, "it ends with record %lld: records were cut off or replaced",
                           (long long)*ret_readable);
        return error_hint(reterr, "check that the head belongs to this run; the records that are "
                                  "there are consistent among themselves");
    }
    return 0;
}

/* ---- past damage ----------------------------------------------------------------------------- */

static int64_t last_sequence(struct journal *journal)
{
    sqlite3_stmt *last = NULL;
    int64_t sequence = 0;
    if (sqlite3_prepare_v2(journal->database, "SELECT max(sequence) FROM records", -1, &last,
                           NULL) == SQLITE_OK &&
        sqlite3_step(last) == SQLITE_ROW)
        sequence = sqlite3_column_int64(last, 0);
    (void)sqlite3_finalize(last);
    return sequence;
}

struct salvage {
    journal_salvager visit;
    void *data;
    struct chain chain;
    int64_t problems;
};

static int salvage_record(struct salvage *salvage, const struct record *record)
{
    cleanup_free char *problem = follow(&salvage->chain, record);
    cleanup_json json_t *body = parse_body(record);
    if (body == NULL && problem == NULL)
        problem = text_copy("it is not a JSON object");
    char hash[DIGEST_TEXT_SIZE] = "";
    if (record->hash != NULL)
        digest_text(record->hash, hash);
    salvage->problems += problem != NULL;
    return salvage->visit(salvage->data, record->sequence, body, hash, problem);
}

int64_t journal_salvage(struct journal *journal, journal_salvager visit, void *data)
{
    struct salvage salvage = {visit, data, {0, {0}}, 0};
    int64_t next = INT64_MIN;
    int64_t last = last_sequence(journal);
    sqlite3_stmt *rows = select_records(journal, "WHERE sequence >= ? ORDER BY sequence");
    int result = 0;
    int reach = 0;
    for (;;) {
        int code = rows != NULL ? SQLITE_OK : SQLITE_CORRUPT;
        if (rows != NULL)
            (void)sqlite3_bind_int64(rows, 1, next);
        int64_t before = next;
        while (result == 0 && rows != NULL && (code = sqlite3_step(rows)) == SQLITE_ROW) {
            struct record record;
            read_record(rows, &record);
            /* A page that was hit can lead back: never read a record twice. */
            if (record.sequence < next)
                continue;
            result = salvage_record(&salvage, &record);
            next = record.sequence < INT64_MAX ? record.sequence + 1 : record.sequence;
            if (record.sequence == INT64_MAX)
                break;
        }
        if (rows != NULL)
            (void)sqlite3_reset(rows);
        if (result != 0 || code == SQLITE_DONE || code == SQLITE_ROW)
            break;
        if (next != before || reach == 0) {
            /* The first failure at this place is the one to tell of. */
            int64_t at = next == INT64_MIN ? 1 : next;
            salvage.problems++;
            result = visit(data, at, NULL, "", sqlite3_errstr(code));
            reach = 0;
            next = at;
        }
        if (result != 0 || rows == NULL || next >= last || ++reach > SALVAGE_REACH)
            break;
        next++;
    }
    (void)sqlite3_finalize(rows);
    return result != 0 ? result : salvage.problems;
}
