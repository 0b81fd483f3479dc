#include "journal/journal-database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "journal/private-copy.h"

#include "base/banned.h"

enum { BUSY_TIMEOUT_MS = 10000 };

/* One line each: SQLite keeps the text, and the check compares it byte for byte. */
static const struct definition {
    const char *name;
    const char *sql;
} definitions[] = {
    {"records", "CREATE TABLE records(sequence INTEGER PRIMARY KEY, previous BLOB NOT NULL, "
                "hash BLOB NOT NULL, body TEXT NOT NULL)"},
    {"records_no_update", "CREATE TRIGGER records_no_update BEFORE UPDATE ON records BEGIN "
                          "SELECT RAISE(ABORT, 'records are insert-only'); END"},
    {"records_no_delete", "CREATE TRIGGER records_no_delete BEFORE DELETE ON records BEGIN "
                          "SELECT RAISE(ABORT, 'records are insert-only'); END"},
    {"records_in_order",
     "CREATE TRIGGER records_in_order BEFORE INSERT ON records WHEN NEW.sequence IS NOT "
     "(SELECT coalesce(max(sequence), 0) + 1 FROM records) OR NEW.previous IS NOT "
     "coalesce((SELECT hash FROM records ORDER BY sequence DESC LIMIT 1), zeroblob(32)) BEGIN "
     "SELECT RAISE(ABORT, 'records are appended in order'); END"},
};
enum { DEFINITIONS = sizeof definitions / sizeof definitions[0] };

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return text_copy(".");
    return slash == path ? text_copy("/") : text_copy_span(path, (size_t)(slash - path));
}

char *journal_database_run_name(const struct journal *journal)
{
    cleanup_free char *folder = folder_of(journal->path != NULL ? journal->path : "-");
    const char *name = strrchr(folder, '/');
    name = name != NULL ? name + 1 : folder;
    /* Only a file in a run folder has a run's name; any other is named by its path. */
    size_t digits = strspn(name, "0123456789");
    if (digits == 8 && name[8] == '-')
        return text_copy(name);
    return text_copy(journal->path != NULL ? journal->path : "-");
}

void journal_record_hash(const unsigned char previous[DIGEST_SIZE], int64_t sequence,
                         const void *body, size_t size, unsigned char ret_hash[DIGEST_SIZE])
{
    unsigned char number[8];
    for (int i = 0; i < 8; i++)
        number[i] = (unsigned char)((uint64_t)sequence >> (56 - 8 * i));
    struct digest digest;
    digest_begin(&digest);
    digest_add(&digest, previous, DIGEST_SIZE);
    digest_add(&digest, number, sizeof number);
    digest_add(&digest, body, size);
    digest_end(&digest, ret_hash);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static int is_read_only(int primary, int errnum)
{
    return primary == SQLITE_READONLY || errnum == EROFS || errnum == EACCES || errnum == EPERM;
}

int journal_database_error(const struct journal *journal, int code, const char *what,
                           struct error *reterr)
{
    int primary = code & 0xff;
    int errnum = 0;
    if (primary == SQLITE_IOERR || primary == SQLITE_FULL || primary == SQLITE_CANTOPEN)
        errnum = journal->database != NULL ? sqlite3_system_errno(journal->database) : 0;
    const char *path = journal->path != NULL ? journal->path : ":memory:";
    if (primary == SQLITE_FULL && errnum == 0)
        errnum = ENOSPC;
    if (errnum != 0)
        (void)error_errno(reterr, EXIT_FAILED, errnum, "cannot %s journal '%s'", what, path);
    else if (primary == SQLITE_CONSTRAINT || primary == SQLITE_ERROR)
        (void)error_set(reterr, EXIT_FAILED, "cannot %s journal '%s': %s", what, path,
                        journal->database != NULL ? sqlite3_errmsg(journal->database)
                                                  : "no memory");
    else
        (void)error_set(reterr, EXIT_FAILED, "cannot %s journal '%s': %s", what, path,
                        sqlite3_errstr(code));
    cleanup_free char *folder = folder_of(path);
    if (errnum == ENOSPC || errnum == EDQUOT)
        return error_hint(
            reterr, "free space on the file system of '%s'; what was recorded so far is intact",
            folder);
    if (is_read_only(primary, errnum))
        return error_hint(reterr, "make '%s' writable, or choose another folder with --state-dir",
                          folder);
    if (primary == SQLITE_BUSY)
        return error_hint(reterr, "another process is writing it; wait for that one to end");
    cleanup_free char *run = journal_database_run_name(journal);
    if (journal->readonly)
        return error_hint(reterr, "keep a copy of the file; backups are not affected by its loss");
    return error_hint(
        reterr, "keep a copy of the file; 'salvor report %s' shows what is still readable", run);
}

/* ---- small SQL ------------------------------------------------------------------------------- */

static int run(sqlite3 *database, const char *sql)
{
    return sqlite3_exec(database, sql, NULL, NULL, NULL);
}

static int read_integer(sqlite3 *database, const char *sql, int64_t *ret)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW) {
            *ret = sqlite3_column_int64(statement, 0);
            code = SQLITE_OK;
        } else if (code == SQLITE_DONE) {
            code = SQLITE_CORRUPT;
        }
    }
    (void)sqlite3_finalize(statement);
    return code;
}

/* True when `sql`, which answers with one word, answers `word`. */
static int answers(sqlite3 *database, const char *sql, const char *word)
{
    sqlite3_stmt *statement = NULL;
    int same = sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK &&
               sqlite3_step(statement) == SQLITE_ROW &&
               text_equal((const char *)sqlite3_column_text(statement, 0), word);
    (void)sqlite3_finalize(statement);
    return same;
}

static int set_up_connection(sqlite3 *database)
{
    (void)sqlite3_extended_result_codes(database, 1);
    (void)sqlite3_busy_timeout(database, BUSY_TIMEOUT_MS);
    (void)sqlite3_limit(database, SQLITE_LIMIT_LENGTH, JOURNAL_BODY_LIMIT + 4096);
    (void)sqlite3_limit(database, SQLITE_LIMIT_ATTACHED, 0);
    (void)sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    (void)sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    return run(database, "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY");
}

/* ---- durability ------------------------------------------------------------------------------ */

/* WAL needs shared memory between all readers, which these file systems do not have. */
static int is_network_file_system(const char *path)
{
    static const unsigned long magics[] = {
        0x6969,     /* NFS */
        0xff534d42, /* CIFS */
        0xfe534d42, /* SMB 2 */
        0x517b,     /* SMB */
        0x65735546, /* FUSE: sshfs, GlusterFS and others */
        0x01021997, /* 9P */
        0x5346414f, /* AFS */
        0x73757245, /* Coda */
        0x00c36400, /* Ceph */
        0x0bd00bd0, /* Lustre */
        0x47504653, /* GPFS */
        0x7461636f, /* OCFS2 */
        0x01161970, /* GFS2 */
        0x786f4256, /* VirtualBox shared folder */
    };
    struct statfs status;
    if (statfs(path, &status) != 0)
        return 1;
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++)
        if (((unsigned long)status.f_type & 0xffffffffUL) == magics[i])
            return 1;
    return 0;
}

/*
 * The rollback journal needs EXTRA: with FULL the removal of the journal file, which is the commit,
 * is not synced, and a power cut would roll an acknowledged record back. For WAL both are the same.
 */
static const char *synchronous(void)
{
#ifdef SALVOR_TEST_HOOKS
    const char *weaker = getenv("SALVOR_TEST_JOURNAL_SYNC");
    if (text_equal(weaker, "off"))
        return "PRAGMA synchronous=OFF";
    if (text_equal(weaker, "full"))
        return "PRAGMA synchronous=FULL";
#endif
    return "PRAGMA synchronous=EXTRA";
}

static int set_durability(struct journal *journal)
{
    int code = run(journal->database, synchronous());
    if (code != SQLITE_OK)
        return code;
    const char *forced = NULL;
#ifdef SALVOR_TEST_HOOKS
    forced = getenv("SALVOR_TEST_JOURNAL_MODE");
#endif
    int rollback = is_network_file_system(journal->path) || text_equal(forced, "rollback");
    if (!rollback && answers(journal->database, "PRAGMA journal_mode=WAL", "wal"))
        return SQLITE_OK;
    code = sqlite3_errcode(journal->database);
    if (answers(journal->database, "PRAGMA journal_mode=DELETE", "delete"))
        return SQLITE_OK;
    int second = sqlite3_errcode(journal->database);
    if ((second & 0xff) != SQLITE_OK && (second & 0xff) != SQLITE_ROW &&
        (second & 0xff) != SQLITE_DONE)
        return second;
    return (code & 0xff) != SQLITE_OK && (code & 0xff) < SQLITE_ROW ? code : SQLITE_BUSY;
}

/* ---- create ---------------------------------------------------------------------------------- */

static int create_schema(sqlite3 *database)
{
    cleanup_buffer struct buffer sql = BUFFER_INIT(1 << 14);
    (void)buffer_format(&sql, "BEGIN IMMEDIATE; PRAGMA application_id=%d; PRAGMA user_version=%d;",
                        (int)JOURNAL_APPLICATION_ID, (int)JOURNAL_FORMAT);
    for (size_t i = 0; i < DEFINITIONS; i++)
        (void)buffer_format(&sql, "%s;", definitions[i].sql);
    (void)buffer_append_text(&sql, "COMMIT");
    return run(database, sql.data);
}

static void remove_new_files(const char *path)
{
    static const char *const suffixes[] = {"-wal", "-shm", "-journal", ""};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        cleanup_free char *name = text_format("%s%s", path, suffixes[i]);
        (void)unlink(name);
    }
}

int journal_database_create(struct journal *journal, struct error *reterr)
{
    cleanup_free char *folder = folder_of(journal->path);
    int fd = open(journal->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        int errnum = errno;
        (void)error_errno(reterr, EXIT_FAILED, errnum, "cannot create journal '%s'", journal->path);
        if (is_read_only(SQLITE_OK, errnum))
            (void)error_hint(
                reterr, "make '%s' writable, or choose another folder with --state-dir", folder);
        else if (errnum == ENOSPC || errnum == EDQUOT)
            (void)error_hint(reterr, "free space on the file system of '%s'", folder);
        return -1;
    }
    (void)close(fd);
    int code = sqlite3_open_v2(journal->path, &journal->database, SQLITE_OPEN_READWRITE, NULL);
    if (code == SQLITE_OK)
        code = set_up_connection(journal->database);
    if (code == SQLITE_OK)
        code = run(journal->database, "PRAGMA page_size=4096; PRAGMA encoding='UTF-8'");
    if (code == SQLITE_OK)
        code = run(journal->database, synchronous());
    if (code == SQLITE_OK)
        code = create_schema(journal->database);
    if (code == SQLITE_OK)
        code = set_durability(journal);
    int result = 0;
    if (code != SQLITE_OK)
        result = journal_database_error(journal, code, "create", reterr);
    else
        result = file_sync_folder(folder, reterr);
    if (result != 0) {
        (void)sqlite3_close(take_pointer(journal->database));
        remove_new_files(journal->path);
    }
    return result;
}

int journal_database_create_in_memory(struct journal *journal, struct error *reterr)
{
    int code =
        sqlite3_open_v2(":memory:", &journal->database,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY, NULL);
    if (code == SQLITE_OK)
        code = set_up_connection(journal->database);
    if (code == SQLITE_OK)
        code = create_schema(journal->database);
    return code == SQLITE_OK ? 0 : journal_database_error(journal, code, "create", reterr);
}

/* ---- open ------------------------------------------------------------------------------------ */

static int check_is_journal(struct journal *journal, struct error *reterr)
{
    int64_t id = 0;
    int64_t format = 0;
    int code = read_integer(journal->database, "PRAGMA application_id", &id);
    if (code == SQLITE_OK)
        code = read_integer(journal->database, "PRAGMA user_version", &format);
    if (code != SQLITE_OK)
        return journal_database_error(journal, code, "read", reterr);
    if (id == JOURNAL_APPLICATION_ID && format > JOURNAL_FORMAT) {
        (void)error_set(reterr, EXIT_FAILED,
                        "journal '%s' has format %lld, this salvor reads up to %d", journal->path,
                        (long long)format, (int)JOURNAL_FORMAT);
        return error_hint(reterr, "use the salvor that wrote it, or a newer one");
    }
    return 0;
}

int journal_database_check_schema(struct journal *journal, struct error *reterr)
{
    sqlite3_stmt *statement = NULL;
    int64_t id = 0;
    int64_t format = 0;
    int code = read_integer(journal->database, "PRAGMA application_id", &id);
    if (code == SQLITE_OK)
        code = read_integer(journal->database, "PRAGMA user_version", &format);
    if (code == SQLITE_OK && (id != JOURNAL_APPLICATION_ID || format != JOURNAL_FORMAT))
        return error_set(reterr, EXIT_FAILED, "its application id or format was changed");
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(journal->database,
                                  "SELECT name, sql FROM sqlite_schema ORDER BY rowid", -1,
                                  &statement, NULL);
    size_t found = 0;
    int same = 1;
    while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        same =
            same && found < DEFINITIONS &&
            text_equal((const char *)sqlite3_column_text(statement, 0), definitions[found].name) &&
            text_equal((const char *)sqlite3_column_text(statement, 1), definitions[found].sql);
        found++;
        code = SQLITE_OK;
    }
    (void)sqlite3_finalize(statement);
    if (code != SQLITE_DONE)
        return error_set(reterr, EXIT_FAILED, "its schema cannot be read: %s",
                         sqlite3_errstr(code));
    if (!same || found != DEFINITIONS)
        return error_set(reterr, EXIT_FAILED,
                         "its table or the guards against update and delete were changed");
    return 0;
}

/* Reads nothing from a table that is not exactly ours: a view of that name could do anything. */
static int check_table(struct journal *journal, struct error *reterr)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(
        journal->database, "SELECT type, sql FROM sqlite_schema WHERE lower(name) = 'records'", -1,
        &statement, NULL);
    int rows = 0;
    int same = 1;
    while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        rows++;
        same = same && text_equal((const char *)sqlite3_column_text(statement, 0), "table") &&
               text_equal((const char *)sqlite3_column_text(statement, 1), definitions[0].sql);
        code = SQLITE_OK;
    }
    (void)sqlite3_finalize(statement);
    if (code != SQLITE_DONE)
        return journal_database_error(journal, code, "read", reterr);
    if (rows == 1 && same)
        return 0;
    (void)error_set(reterr, EXIT_FAILED, "'%s' is not a journal of salvor%s", journal->path,
                    rows == 0 ? ": it holds no records table" : ": its records table was changed");
    return error_hint(reterr, "keep a copy of the file; nothing in it can be read as a record");
}

static int check_file(const char *path, struct error *reterr)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        int errnum = errno;
        (void)error_errno(reterr, EXIT_FAILED, errnum, "cannot open journal '%s'", path);
        return errnum == ENOENT ? error_hint(reterr, "'salvor runs' lists the runs that there are")
                                : -1;
    }
    if (!S_ISREG(status.st_mode))
        return error_set(reterr, EXIT_FAILED, "cannot open journal '%s': it is not a file", path);
    if (status.st_size == 0) {
        (void)error_set(reterr, EXIT_FAILED, "journal '%s' is empty", path);
        return error_hint(reterr, "the run ended before its first record and changed nothing");
    }
    return 0;
}

int journal_database_open(struct journal *journal, struct error *reterr)
{
    if (check_file(journal->path, reterr) != 0)
        return -1;
    int code = sqlite3_open_v2(journal->path, &journal->database, SQLITE_OPEN_READWRITE, NULL);
    if (code == SQLITE_OK && sqlite3_db_readonly(journal->database, "main") == 1)
        code = access(journal->path, W_OK) != 0 ? SQLITE_READONLY : SQLITE_READONLY_DBMOVED;
    if (code == SQLITE_OK)
        code = set_up_connection(journal->database);
    if (code != SQLITE_OK)
        return journal_database_error(journal, code, "open", reterr);
    (void)sqlite3_db_config(journal->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (check_is_journal(journal, reterr) != 0 || check_table(journal, reterr) != 0)
        return -1;
    code = set_durability(journal);
    return code == SQLITE_OK ? 0 : journal_database_error(journal, code, "open", reterr);
}

/* ---- open for reading ------------------------------------------------------------------------ */

/* Through SQLite's own handle: closing another one of ours would drop the locks that a writer in
 * this process holds. */
static int is_in_wal_mode(sqlite3 *database)
{
    sqlite3_file *file = NULL;
    unsigned char header[100];
    if (sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
        file == NULL || file->pMethods == NULL ||
        file->pMethods->xRead(file, header, sizeof header, 0) != SQLITE_OK)
        return 0;
    return header[18] == 2 || header[19] == 2;
}

static int has_file_beside(const char *path, const char *suffix)
{
    cleanup_free char *name = text_format("%s%s", path, suffix);
    return access(name, F_OK) == 0;
}

static int probe(sqlite3 *database)
{
    int64_t ignored = 0;
    return read_integer(database, "SELECT count(*) FROM sqlite_schema", &ignored);
}

static int open_in_place(struct journal *journal)
{
    int code = sqlite3_open_v2(journal->path, &journal->database, SQLITE_OPEN_READONLY, NULL);
    if (code == SQLITE_OK)
        code = set_up_connection(journal->database);
    /* Without the shared memory file SQLite would make one, and an empty log. */
    if (code == SQLITE_OK && is_in_wal_mode(journal->database) &&
        !has_file_beside(journal->path, "-shm"))
        code = SQLITE_CANTOPEN;
    return code == SQLITE_OK ? probe(journal->database) : code;
}

/* A copy is read where the file itself cannot be without writing: a log or rollback journal that a
 * killed run left has to be applied first. With `repair` the fixed part of the header is renewed.
 */
static int open_copy(struct journal *journal, int repair, struct error *reterr)
{
    (void)sqlite3_close(take_pointer(journal->database));
    struct private_copy copy;
    if (private_copy_make(journal->path, repair, &copy, reterr) != 0)
        return -1;
    int code = sqlite3_open_v2(copy.path, &journal->database, SQLITE_OPEN_READWRITE, NULL);
    if (code == SQLITE_OK)
        code = set_up_connection(journal->database);
    if (code == SQLITE_OK)
        code = run(journal->database, "PRAGMA locking_mode=EXCLUSIVE");
    if (code == SQLITE_OK)
        code = probe(journal->database);
    if ((code & 0xff) == SQLITE_CORRUPT) {
        (void)run(journal->database, "PRAGMA writable_schema=ON");
        code = probe(journal->database);
    }
    private_copy_remove(&copy);
    return code == SQLITE_OK ? 0 : journal_database_error(journal, code, "read", reterr);
}

int journal_database_open_readonly(struct journal *journal, struct error *reterr)
{
    if (check_file(journal->path, reterr) != 0)
        return -1;
    int code = open_in_place(journal);
    if ((code & 0xff) == SQLITE_CORRUPT) {
        (void)error_set(&journal->structure, EXIT_FAILED, "%s", sqlite3_errstr(code));
        /* SQLite then reads a file that is shorter than its header says. */
        (void)run(journal->database, "PRAGMA writable_schema=ON");
        code = probe(journal->database);
    }
    if (code == SQLITE_NOTADB || code == SQLITE_ERROR || (code & 0xff) == SQLITE_CORRUPT) {
        (void)error_set(&journal->structure, EXIT_FAILED, "%s", sqlite3_errstr(code));
        if (open_copy(journal, 1, reterr) != 0)
            return -1;
    } else if ((code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_READONLY ||
               (code & 0xff) == SQLITE_IOERR) {
        if (access(journal->path, R_OK) != 0)
            return journal_database_error(journal, code, "read", reterr);
        if (open_copy(journal, 0, reterr) != 0)
            return -1;
    } else if (code != SQLITE_OK) {
        return journal_database_error(journal, code, "read", reterr);
    }
    if (run(journal->database, "PRAGMA query_only=ON") != SQLITE_OK)
        return journal_database_error(journal, sqlite3_errcode(journal->database), "read", reterr);
    if (check_is_journal(journal, reterr) != 0 || check_table(journal, reterr) != 0)
        return -1;
    return 0;
}

/* ---- close ----------------------------------------------------------------------------------- */

void journal_database_close(struct journal *journal)
{
    (void)sqlite3_finalize(journal->insert);
    (void)sqlite3_finalize(journal->begin);
    (void)sqlite3_finalize(journal->commit);
    if (journal->database == NULL)
        return;
    if (!journal->readonly && journal->path != NULL && !error_is_set(&journal->failure)) {
        /* One file that can be copied and read anywhere. With a reader it stays as it is. */
        (void)sqlite3_busy_timeout(journal->database, 0);
        (void)run(journal->database, "PRAGMA journal_mode=DELETE");
    }
    (void)sqlite3_close(journal->database);
}
