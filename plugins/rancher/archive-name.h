/*
 * File names of archives: "<backup>-<UID of kube-system>-<time>.tar.gz[.enc]", read from the right.
 * The name is all that says which cluster an archive comes from: kube-system itself is not in it.
 */
#ifndef SALVOR_RANCHER_ARCHIVE_NAME_H
#define SALVOR_RANCHER_ARCHIVE_NAME_H

#include <stddef.h>
#include <stdint.h>

struct archive_name {
    int is_archive;   /* it ends in .tar.gz or .tar.gz.enc */
    int encrypted;    /* .enc */
    int is_known;     /* the rest has the operator's form: the members below are set */
    char backup[254]; /* name of the Backup */
    char cluster_uid[37];
    char time[26];   /* RFC 3339 */
    int64_t seconds; /* the same, since the epoch */
};

/* Reads the last component of a path. */
void archive_name_read(const char *path, struct archive_name *ret_name);

/* Writes the operator's name for an archive made at `seconds` (in UTC). -1: it does not fit. */
int archive_name_write(const char *backup, const char *cluster_uid, int64_t seconds, int encrypted,
                       char *buffer, size_t size);

#endif
