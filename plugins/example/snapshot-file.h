/* An etcd snapshot as a file: the database, then its SHA-256 as a trailer of 32 bytes. */
#ifndef SALVOR_EXAMPLE_SNAPSHOT_FILE_H
#define SALVOR_EXAMPLE_SNAPSHOT_FILE_H

#include <salvor/helpers.h>

#define SNAPSHOT_ARTIFACT "snapshot.db"

/*
 * Name of the snapshot among the artifacts of the source: SNAPSHOT_ARTIFACT in a set, the file's
 * own name (which is then the source's) when somebody points at a bare snapshot. NOT_FOUND:
 * neither.
 */
salvor_status snapshot_name(salvor_call *call, const char *source, const char **ret_name);

enum trailer {
    TRAILER_GOOD,
    TRAILER_MISSING, /* a whole number of pages: copied from a data folder, or cut at the end */
    TRAILER_WRONG,   /* the digest is not that of the bytes before it */
    TRAILER_NO_SNAPSHOT
};

/* Reads the snapshot of the source (an artifact of a set, or a bare file) to its end. */
salvor_status snapshot_check_trailer(salvor_call *call, const char *name, enum trailer *ret_trailer,
                                     uint64_t *ret_size);

#endif
