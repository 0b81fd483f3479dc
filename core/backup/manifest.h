/* manifest.json and SHA256SUMS of a set: writing them, and reading them without believing them. */
#ifndef SALVOR_BACKUP_MANIFEST_H
#define SALVOR_BACKUP_MANIFEST_H

#include <jansson.h>

#include "base/digest.h"
#include "base/error.h"

/* Writes both files, durable. `manifest` is borrowed; its digest goes to `ret_sha256`. */
int manifest_write(const char *folder, const json_t *manifest, char ret_sha256[DIGEST_TEXT_SIZE],
                   struct error *reterr);

enum { MANIFEST_LIMIT = 64 << 20 };

/* The two files of a set as they will be written, owned by the caller. */
int manifest_texts(const json_t *manifest, char **ret_manifest, char **ret_sums,
                   char ret_sha256[DIGEST_TEXT_SIZE], struct error *reterr);

/*
 * Checks a manifest against SHA256SUMS beside it (`sums`, NULL: there is none) and its own rules
 * (names, sizes, digests of each artifact, no name twice). The caller owns *ret_manifest; errors
 * have no subject: "the manifest …".
 */
int manifest_parse(const char *text, size_t size, const char *sums, json_t **ret_manifest,
                   char ret_sha256[DIGEST_TEXT_SIZE], struct error *reterr);

/*
 * Reads the manifest and checks it against SHA256SUMS as manifest_parse does. The caller owns
 * *ret_manifest.
 */
int manifest_read(const char *folder, json_t **ret_manifest, char ret_sha256[DIGEST_TEXT_SIZE],
                  struct error *reterr);

/* {name:{"size","sha256","encryption"}} of a manifest; and the names of what was
 * left out. Owned by the caller. */
json_t *manifest_artifacts(const json_t *manifest);
json_t *manifest_left_out(const json_t *manifest);

#endif
