/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * salvor/canonical.h - one spelling for equal JSON, and edits in passing: for bulk.
 *
 * Canonical: no white space, object members sorted by key (bytes of the UTF-8), strings with the
 * fewest escapes, numbers exactly as they stood. Two documents with equal canonical bytes are the
 * same; so they can be compared and hashed without being parsed into memory.
 */
#ifndef SALVOR_CANONICAL_H
#define SALVOR_CANONICAL_H

#include <salvor/scan.h>
#include <salvor/text.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SALVOR_CANONICAL_DROPS 32u /* most paths of one canonicalizer, and most edits at once */

typedef struct salvor_canonicalizer salvor_canonicalizer;

/*
 * Makes a canonicalizer that leaves out what stands at the given JSON pointers
 * ("/metadata/managedFields"); the word "*" stands for every element of an array. Its memory grows
 * to about three times the largest document. NULL: no memory, or a bad path. One thread at a time.
 */
salvor_canonicalizer *salvor_canonicalizer_create(const char *const *drops, size_t drop_count);
void salvor_canonicalizer_free(salvor_canonicalizer *canonicalizer);

/*
 * SALVOR_OK: *ret_json is valid until the next call. SALVOR_FAILED: *reterr (may be NULL) says what
 * is wrong; duplicate keys are. SALVOR_REFUSED: no memory (problem says so).
 */
salvor_status salvor_canonicalize(salvor_canonicalizer *canonicalizer, struct salvor_span json,
                                  struct salvor_span *ret_json, struct salvor_scan_error *reterr);

struct salvor_edit {
    const char *path;         /* JSON pointer to a member of an object */
    struct salvor_span value; /* new value as JSON; data NULL: the member is removed */
};

/*
 * Appends `json` to `out` with up to SALVOR_CANONICAL_DROPS members set, added or removed; all else
 * keeps its bytes and order. SALVOR_NOT_FOUND: a member was to be set in an object that is not
 * there. SALVOR_FAILED: malformed. SALVOR_REFUSED: no memory, or a bad path. Removing what is not
 * there is fine. On any failure `out` is as it was before.
 */
salvor_status salvor_json_edit(struct salvor_span json, const struct salvor_edit *edits,
                               size_t count, struct salvor_text *out,
                               struct salvor_scan_error *reterr);

#ifdef __cplusplus
}
#endif

#endif
