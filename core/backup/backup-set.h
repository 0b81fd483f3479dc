/*
 * Backup sets in a local store: <store>/<provider>/<set>/ holds the artifacts, manifest.json and
 * SHA256SUMS (for a person with nothing but coreutils). While it is made, the folder is called
 * <set>.partial; one rename makes it a backup. No manifest, no backup.
 *
 * manifest.json: {"salvor-set":1,"set","sequence","provider","created":RFC 3339,
 *  "artifacts":[{"name","media_type","size","sha256","sensitive","encryption"}],
 *  "left_out":[{"name","media_type"}] (sensitive ones, with --without-secrets)} and the members
 * given to commit; "encryption" is null, or the format that the stored bytes are in. The sequence
 * counts the sets of a provider in this store, so that "latest" does not depend on clocks.
 * SHA256SUMS covers the manifest too: every flipped bit of a set is found.
 *
 * Reading sets and bare vendor files: backup-source.h.
 */
#ifndef SALVOR_BACKUP_BACKUP_SET_H
#define SALVOR_BACKUP_BACKUP_SET_H

#include <jansson.h>

#include "base/error.h"

struct backup_set; /* one being made; holds a lock on its folder */

/*
 * Begins the set `name` (the run id: [A-Za-z0-9._-], not beginning with a dot), or goes on with it
 * after a kill: what was committed to the folder before stays. A set that is already complete is no
 * error (backup_set_is_complete): the kill came after the commit. Fails while another process works
 * on the same set.
 */
int backup_set_begin(const char *store_folder, const char *provider, const char *name,
                     struct backup_set **ret_set, struct error *reterr);

/* Absolute folder for OPEN.artifact_folder; after the commit it is that of the complete set.
 * Lives until close. */
const char *backup_set_folder(const struct backup_set *set);

/* 1 after the commit, also one by an earlier process. */
int backup_set_is_complete(const struct backup_set *set);

/*
 * Makes it a backup. `artifacts`: JSON array of ARTIFACT frame bodies ({"name","media_type","size",
 * "sha256","sensitive","encryption","left_out"}); of a name given twice the last counts. Every one
 * is read again and compared, files that are not named are removed, everything is synced before the
 * rename. `members` (object) must hold "run", "site", "salvor" (version), "plugin"
 * ({"version","build_id"}) and "journal_head", and may hold more ("subject": what was saved, from
 * where, product versions); both are borrowed; "recipients" is kept where anything is encrypted.
 * *ret_digest (may be NULL): SHA-256 of the manifest as hexadecimal, owned by the caller.
 * Committing a complete set does nothing.
 */
int backup_set_commit(struct backup_set *set, const json_t *members, const json_t *artifacts,
                      char **ret_digest, struct error *reterr);

/* Removes the unfinished set with all that is in it. A complete one is left alone. */
int backup_set_discard(struct backup_set *set, struct error *reterr);

/* Releases the handle and its lock; an unfinished set stays for a resume. NULL is fine. */
void backup_set_close(struct backup_set *set);

/* set_list (set-list.h) of a store folder. */
int backup_set_list(const char *store_folder, const char *provider, json_t **ret_list,
                    struct error *reterr);

#endif
