/* manifest.json and SHA256SUMS of a set: writing them, and reading them without believing them. */
#ifndef SALVOR_BACKUP_MANIFEST_H
#define SALVOR_BACKUP_MANIFEST_H

#include <jansson.h>

#include "base/digest.h"
#include "base/error.h"

/* Writes both files, durable. `manifest` is borrowed; its digest goes to `ret_sha256`. */
int manifest_write(const char *folder, const json_t *manifest, char ret_sha256[DIGEST_TEXT_SIZE],
                   struct error *reterr);

/*
 * Reads the manifest and checks it against SHA256SUMS and its own rules (names, sizes, digests of
 * each artifact, no name twice). The caller owns *ret_manifest.
 */
int manifest_read(const char *folder, json_t **ret_manifest, char ret_sha256[DIGEST_TEXT_SIZE],
                  struct error *reterr);

/* {name:{"size","sha256","encryption"}} of a manifest; and the names of what was
 * left out. Owned by the caller. */
json_t *manifest_artifacts(const json_t *manifest);
json_t *manifest_left_out(const json_t *manifest);

#endif
