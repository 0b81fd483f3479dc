/*
 * A copy of a database and of the log or rollback journal beside it, in a folder of our own: some
 * files can only be read by a process that may write to them, and evidence is not written to.
 */
#ifndef SALVOR_JOURNAL_PRIVATE_COPY_H
#define SALVOR_JOURNAL_PRIVATE_COPY_H

#include "base/error.h"

struct private_copy {
    char *folder;
    char *path; /* of the database */
};

/*
 * Copies `path`, "PATH-wal" and "PATH-journal" below $TMPDIR (default /tmp), again when a writer
 * came in between. With `repair` the fixed bytes of the SQLite header are renewed.
 */
int private_copy_make(const char *path, int repair, struct private_copy *ret_copy,
                      struct error *reterr);

/* Removes the files (open handles keep working) and releases the names. */
void private_copy_remove(struct private_copy *copy);

#endif
