/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * salvor/archive.h - reading tar.gz (or plain tar) artifacts member by member, to the proven end.
 *
 * Comes as its own library (libsalvor-plugin-archive: libarchive for the tar framing, zlib for
 * gzip), so that plugins without archives need neither. libarchive does not check the gzip
 * checksum; here zlib inflates, and SALVOR_END is answered only after every gzip member ended with
 * a good checksum and length, nothing but gzip members was found, and the stream itself was
 * verified. Until then everything read is unverified: act on it only after a first whole pass.
 * One failure is not reported: libarchive itself ends the process when there is no memory for one
 * of its names; the host takes that as a crash of the step.
 */
#ifndef SALVOR_ARCHIVE_H
#define SALVOR_ARCHIVE_H

#include <salvor/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SALVOR_MEMBER_FILE 1000u
#define SALVOR_MEMBER_FOLDER 2000u
#define SALVOR_MEMBER_OTHER 3000u /* links, devices: never followed, the caller decides */

typedef struct salvor_archive salvor_archive;

/* Bounds against archives that unpack to more than anybody meant. 0: the default. */
struct salvor_archive_limits {
    uint64_t members;     /* 10 million */
    uint64_t member_size; /* bytes of one member that load() gives; 64 MiB */
    uint64_t total_size;  /* inflated bytes; 64 GiB */
    uint32_t one_end;     /* 1: after the end mark only zeros may follow; 0: also further archives,
                             whose members other readers do not see */
    uint32_t reserved;    /* 0 */
};

struct salvor_archive_member {
    const char
        *path;     /* relative, no "..", no leading "./" or trailing "/"; until the next next() */
    uint64_t size; /* bytes */
    uint64_t ordinal; /* 0 for the first member of the archive */
    int64_t mtime;    /* seconds since the epoch */
    uint32_t kind;    /* SALVOR_MEMBER_* */
    uint32_t mode;    /* permission bits */
    uint32_t dotted;  /* 1: a leading "./" was left out of `path` */
    uint32_t reserved;
};

/* Opens artifact `name` through salvor.stream; nothing is read yet. limits may be NULL. Failures
 * are reported. The call must stay the same until close. */
salvor_status salvor_archive_open(salvor_call *call, const char *name,
                                  const struct salvor_archive_limits *limits,
                                  salvor_archive **ret_archive);

/*
 * The next member; what is left of the one before is passed over. SALVOR_END: the archive is
 * complete and verified. SALVOR_FAILED (reported): damaged, cut off, an unsafe path, or beyond a
 * limit. Every further call gives the same answer.
 */
salvor_status salvor_archive_next(salvor_archive *archive,
                                  struct salvor_archive_member *ret_member);

/* Reads on in the present member; *ret_size 0 with SALVOR_OK: its end. */
salvor_status salvor_archive_read(salvor_archive *archive, void *data, uint64_t size,
                                  uint64_t *ret_size);

/* All that is left of the present member, with a NUL behind it; valid until the next call. */
salvor_status salvor_archive_load(salvor_archive *archive, struct salvor_span *ret_data);

/* What went wrong, for a finding instead of an error: "checksum of the gzip data differs". "" when
 * nothing did. Until close. */
const char *salvor_archive_problem(const salvor_archive *archive);

/* Back to the first member. */
salvor_status salvor_archive_rewind(salvor_archive *archive);

/* NULL is fine. */
void salvor_archive_close(salvor_archive *archive);

#ifdef __cplusplus
}
#endif

#endif
