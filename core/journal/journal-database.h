/*
 * The SQLite side of a journal: how its database is created, opened, and named in errors. Shared by
 * the files of this room only.
 */
#ifndef SALVOR_JOURNAL_JOURNAL_DATABASE_H
#define SALVOR_JOURNAL_JOURNAL_DATABASE_H

#include <sqlite3.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"

enum {
    JOURNAL_APPLICATION_ID = 0x534c5652, /* "SLVR", so that file(1) and we know it */
    JOURNAL_FORMAT = 1,                  /* user_version: refuse what a later salvor wrote */
    JOURNAL_BODY_LIMIT = 64 << 20        /* bytes of one record */
};

struct journal {
    sqlite3 *database;
    sqlite3_stmt *insert;
    sqlite3_stmt *begin;
    sqlite3_stmt *commit;
    char *path; /* for messages; NULL in memory */
    int readonly;
    int in_transaction;
    int64_t oldest_pending_ms; /* monotonic, of the first uncommitted record */
    int64_t sequence;          /* of the last record */
    unsigned char head[DIGEST_SIZE];
    char boot[64];
    struct error structure; /* read-only: damage found while opening, else empty */
    struct error failure;   /* first failed append; all later ones repeat it */
};

/* Makes a new file and its table; on failure nothing is left of it. */
int journal_database_create(struct journal *journal, struct error *reterr);
int journal_database_create_in_memory(struct journal *journal, struct error *reterr);

/* Opens for writing; the content is not checked beyond being a journal. */
int journal_database_open(struct journal *journal, struct error *reterr);

/* Opens for reading without changing a byte beside it; what damage it had to work around is in
 * journal->structure. */
int journal_database_open_readonly(struct journal *journal, struct error *reterr);

/* Leaves one plain file at rest when nobody else reads it. */
void journal_database_close(struct journal *journal);

/* Error of a failed SQLite call: "cannot WHAT journal 'PATH': cause", with the hint for full and
 * read-only file systems. Returns -1. */
int journal_database_error(const struct journal *journal, int code, const char *what,
                           struct error *reterr);

/* The expected definition of each schema entry, or -1 when one is missing, changed or added. */
int journal_database_check_schema(struct journal *journal, struct error *reterr);

/* Argument for `salvor report` and `salvor resume` that names this journal; owned by the caller. */
char *journal_database_run_name(const struct journal *journal);

/* SHA-256(previous hash, sequence as 8 bytes big-endian, body). */
void journal_record_hash(const unsigned char previous[DIGEST_SIZE], int64_t sequence,
                         const void *body, size_t size, unsigned char ret_hash[DIGEST_SIZE]);

#endif
