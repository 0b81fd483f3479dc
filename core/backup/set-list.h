/* The sets of a store, and what is known of them without reading artifacts. */
#ifndef SALVOR_BACKUP_SET_LIST_H
#define SALVOR_BACKUP_SET_LIST_H

#include <jansson.h>

#include "base/error.h"
#include "store/store.h"

#define SET_PARTIAL ".partial"

/* 1 for what a set or provider may be called: one part of an artifact's name, not ending with
 * ".partial". */
int set_name_is_valid(const char *name);

/*
 * Newest first (by sequence, which counts the sets of a provider in this store, so that no clock
 * matters): [{"set","provider","key" (of its folder in the store),"path" (for
 * people),"state":"complete|partial|damaged", "problem" (damaged: why),
 * "sequence","created","site","size","artifacts" (count),"sensitive":bool, "encrypted"
 * (count),"left_out" (count),"digest" (of the manifest), "verified":{see set-proof.h}|null}].
 * provider NULL: of all. Manifests are checked against SHA256SUMS, artifacts are not read.
 *
 * A set without manifest is partial: its upload was not finished. In a folder, where a set gets its
 * name by a rename once it is whole, it is damaged.
 */
int set_list(struct store *store, const char *provider, json_t **ret_list, struct error *reterr);

/* Adds to partial sets when something of them was written last, by the store's clock: "touched_ms".
 */
int set_list_touched(struct store *store, json_t *list, struct error *reterr);

/* Key of a file of a set; owned by the caller. */
char *set_key(const char *provider, const char *set, const char *name);

/*
 * Reads and checks the manifest of a set; owned by the caller. STORE_ABSENT when there is none; -1:
 * it is damaged, or the store cannot be read (*ret_unreadable then 1; may be NULL).
 */
int set_manifest(struct store *store, const char *provider, const char *set, json_t **ret_manifest,
                 char ret_sha256[DIGEST_TEXT_SIZE], int *ret_unreadable, struct error *reterr);

/* The two files as they are (sums NULL: there is none), owned by the caller. 0, STORE_ABSENT (no
 * manifest) or -1. */
int set_manifest_texts(struct store *store, const char *provider, const char *set, char **ret_text,
                       size_t *ret_size, char **ret_sums, struct error *reterr);

/* "there is no backup set at …". Always -1. */
int set_absent_error(const struct store *store, const char *provider, const char *set,
                     struct error *reterr);

/* Highest sequence of a provider's sets but the one called `except` (or NULL); 0: there is none. */
int64_t set_list_highest(const json_t *list, const char *except);

#endif
