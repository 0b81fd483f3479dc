/*
 * An archive object by object, opened where it is encrypted. Nothing read is proven before
 * SALVOR_END: act on it only in a later pass.
 */
#ifndef SALVOR_RANCHER_ARCHIVE_READER_H
#define SALVOR_RANCHER_ARCHIVE_READER_H

#include <salvor/archive.h>

#include "encryption-config.h"
#include "member-cipher.h"
#include "member-path.h"

typedef struct archive_reader archive_reader;

struct archive_member {
    enum member_role role;     /* of a file; MEMBER_ODD for what is neither file nor folder */
    int is_file;               /* 0: a link or a device, with nothing to load */
    const char *path;          /* until the next call, as everything here */
    const char *problem;       /* MEMBER_ODD: why */
    struct member_path at;     /* MEMBER_OBJECT */
    uint64_t number;           /* MEMBER_OBJECT: from 0, in the order of the archive */
    int encrypted;             /* MEMBER_OBJECT: it begins with a quote */
    enum cipher_answer answer; /* encrypted: whether it opened */
    struct salvor_span json;   /* size 0: empty, or it did not open */
    struct salvor_span stored; /* as it stands in the archive */
};

/* config (may be NULL) must outlive the reader. Failures are reported. */
salvor_status archive_reader_open(salvor_call *call, const char *artifact,
                                  const struct encryption_config *config,
                                  archive_reader **ret_reader);

/* The next file; folders are passed over. SALVOR_END: all is read and proven. SALVOR_FAILED
 * (reported): the archive is damaged. */
salvor_status archive_reader_next(archive_reader *reader, struct archive_member *ret_member);

/* What is in the present file, opened if it is encrypted. For files only, once each. */
salvor_status archive_reader_load(archive_reader *reader, struct archive_member *member);

/* What is wrong with the archive itself, for a finding; "" when nothing is. */
const char *archive_reader_problem(const archive_reader *reader);

salvor_status archive_reader_rewind(archive_reader *reader);
void archive_reader_close(archive_reader *reader);

#if defined(__GNUC__)
static inline void archive_reader_close_at(archive_reader **reader)
{
    archive_reader_close(*reader);
}
#define auto_archive_reader __attribute__((__cleanup__(archive_reader_close_at)))
#endif

#endif
