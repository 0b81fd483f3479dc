/*
 * What a restore starts from: a set of a store, a set folder anywhere, or a bare vendor file or
 * folder that salvor never made.
 */
#ifndef SALVOR_BACKUP_BACKUP_SOURCE_H
#define SALVOR_BACKUP_BACKUP_SOURCE_H

#include <jansson.h>

#include "base/error.h"

struct backup_source {
    char *name;       /* set name, or file name of a bare one */
    char *path;       /* absolute; a bare file is the file itself (salvor_request.source_folder) */
    char *digest;     /* hexadecimal SHA-256 of the manifest; bare: of the file, or of the
                         canonical JSON of `artifacts` for a folder */
    json_t *open;     /* {"name","folder","set":bool,"artifacts":{name:{"size","sha256",
                         "encryption"}},"left_out":[names]} for OPEN.source */
    json_t *manifest; /* NULL: bare */
};

/*
 * `what`: "latest" (of `site`; NULL: of any), the name of a set, or a path (anything with a slash
 * or that exists). Bare files and folders are read once for their digests; a set's artifacts are
 * not (backup_source_verify). "latest" is refused when a damaged set may be the newer one; the
 * error names both.
 */
int backup_source_find(const char *store_folder, const char *provider, const char *site,
                       const char *what, struct backup_source **ret_source, struct error *reterr);

/* Reads every artifact: size and digest as the manifest says, nothing missing, no foreign file. All
 * that is wrong is named in the detail. */
int backup_source_verify(const struct backup_source *source, struct error *reterr);

void backup_source_free(struct backup_source *source);

#endif
