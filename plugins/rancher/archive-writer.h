/*
 * Writes an archive in the operator's format, object by object, into an artifact: a tar (ustar, a
 * PAX header where a name needs one) with folders before their files, in gzip with the operator's
 * header. The same objects at the same time give the same bytes. Compression runs in a thread of
 * its own.
 */
#ifndef SALVOR_RANCHER_ARCHIVE_WRITER_H
#define SALVOR_RANCHER_ARCHIVE_WRITER_H

#include <salvor/plugin.h>

typedef struct archive_writer archive_writer;

#define ARCHIVE_MEDIA_TYPE "application/gzip"

/* flags: of salvor.stream (SALVOR_STREAM_SENSITIVE or 0). mtime: of all members. */
salvor_status archive_writer_open(salvor_call *call, const char *artifact, uint32_t flags,
                                  int64_t mtime, archive_writer **ret_writer);

/* Appends a file. path: "<type>/[<namespace>/]<name>.json"; its folders are written when they are
 * new. */
salvor_status archive_writer_add(archive_writer *writer, const char *path, struct salvor_span data);

/* Bytes of the tar so far. */
uint64_t archive_writer_size(const archive_writer *writer);

/* Ends and commits it; the writer is gone, also after a failure. */
salvor_status archive_writer_commit(archive_writer *writer, struct salvor_artifact *ret_artifact);

/* Gives up; nothing is left. NULL is fine. */
void archive_writer_abort(archive_writer *writer);

#endif
