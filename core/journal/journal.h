/*
 * The record file of one run: insert-only, hash-chained, in SQLite. Record types and bodies are in
 * docs/internals.md. One process writes, any number read. Not for several threads.
 */
#ifndef SALVOR_JOURNAL_JOURNAL_H
#define SALVOR_JOURNAL_JOURNAL_H

#include <jansson.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"

struct journal;

enum journal_durability {
    JOURNAL_DURABLE, /* on disk, with all evidence before it, when the call returns */
    JOURNAL_EVIDENCE /* joins the next commit; journal_flush_due commits it in time */
};

enum { JOURNAL_FLUSH_MS = 250 };

/* Creates `path` (mode 0600; it must not exist). NULL: a journal in memory, for commands that look
 * only while the state folder cannot be written. */
int journal_create(const char *path, struct journal **ret_journal, struct error *reterr);

/* Opens for appending: checks the whole chain first; a damaged file is refused with an error that
 * names the first bad record, the cause and how to read what is left. */
int journal_open(const char *path, struct journal **ret_journal, struct error *reterr);

/* Opens for reading only, changes nothing on disk; a running writer does not disturb. The chain is
 * checked by journal_verify, so that a damaged journal can still be read up to the damage. */
int journal_open_readonly(const char *path, struct journal **ret_journal, struct error *reterr);

/* Commits what is pending (best effort) and closes; NULL is fine. */
void journal_close(struct journal *journal);

/*
 * Appends {"type":type,"at":…,"clock":…,"boot":…} merged with `body` (stolen, may be NULL). On
 * failure nothing of it is in the file, and every further append fails with the same error: a run
 * without its journal must not go on.
 */
int journal_append(struct journal *journal, const char *type, json_t *body,
                   enum journal_durability durability, struct error *reterr);

/* Commits pending evidence now, or only when it is JOURNAL_FLUSH_MS old. */
int journal_flush(struct journal *journal, struct error *reterr);
int journal_flush_due(struct journal *journal, struct error *reterr);

/* Hash of the last record, as hexadecimal; 64 zeros for an empty journal. */
void journal_head(const struct journal *journal, char ret_text[DIGEST_TEXT_SIZE]);

/* Calls `visit` with every record in order, pending ones too but none that `visit` appends (body
 * borrowed) until it returns non-zero; returns that, 0 at the end, or -1 with *reterr at the first
 * record that cannot be read. */
typedef int (*journal_visitor)(void *data, int64_t sequence, const json_t *body,
                               struct error *reterr);
int journal_each(struct journal *journal, journal_visitor visit, void *data, struct error *reterr);

/* The same from the last record back; for what the newest records say. Checks no hashes. */
int journal_each_backward(struct journal *journal, journal_visitor visit, void *data,
                          struct error *reterr);

/*
 * Every record that can still be read, for reports of a damaged journal: a record that cannot, or
 * that breaks the chain, is visited with `problem` set (body NULL when there is none to show), and
 * the reading goes on behind it. Returns how many problems there were, or what `visit` returned
 * when that was not 0 (use negative numbers).
 */
typedef int (*journal_salvager)(void *data, int64_t sequence, const json_t *body,
                                const char hash[DIGEST_TEXT_SIZE], const char *problem);
int64_t journal_salvage(struct journal *journal, journal_salvager visit, void *data);

/*
 * Proves the chain from the first to the last record. With `known_heads` (hexadecimal,
 * NULL-terminated, or NULL) each must be the hash of some record: otherwise records were cut off at
 * the end. *ret_readable: how many records are sound.
 */
int journal_verify(struct journal *journal, const char *const *known_heads, int64_t *ret_readable,
                   struct error *reterr);

#endif
