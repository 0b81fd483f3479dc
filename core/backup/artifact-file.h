/* Files of a set: names that cannot leave its folder, digests of what is in them. */
#ifndef SALVOR_BACKUP_ARTIFACT_FILE_H
#define SALVOR_BACKUP_ARTIFACT_FILE_H

#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"

#define SET_MANIFEST "manifest.json"
#define SET_SUMS "SHA256SUMS"

/* 1 for a relative path of [A-Za-z0-9._-] parts, none of them beginning with a dot, that is not one
 * of the set's own files. */
int artifact_name_is_valid(const char *name);

/* Reads `folder`/`name` to its end, following no link. */
int artifact_file_digest(const char *folder, const char *name, int64_t *ret_size,
                         char ret_sha256[DIGEST_TEXT_SIZE], struct error *reterr);

/* Compares with what is written of it; the error names the difference. */
int artifact_file_check(const char *folder, const char *name, int64_t size, const char *sha256,
                        struct error *reterr);

/* Calls `visit` with the path, relative to `folder`, of everything below it that is no folder. */
int artifact_files_each(const char *folder,
                        int (*visit)(void *data, const char *name, struct error *reterr),
                        void *data, struct error *reterr);

/* fsync of the folder and all folders below it. */
int artifact_folders_sync(const char *folder, struct error *reterr);

#endif
