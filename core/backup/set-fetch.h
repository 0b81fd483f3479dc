/*
 * Brings what a restore starts from out of a store into a folder here, proven, and only then under
 * its name. What is there already and sound is not brought again.
 */
#ifndef SALVOR_BACKUP_SET_FETCH_H
#define SALVOR_BACKUP_SET_FETCH_H

#include <jansson.h>

#include "backup/set-progress.h"
#include "base/error.h"
#include "store/store.h"

/*
 * The set below `folder` as PROVIDER/SET, byte for byte as it is in the store (encrypted artifacts
 * stay so). *ret_result, owned by the caller: {"path","digest","fetched","kept" (artifacts),
 * "bytes"}. Refused (exit code 5) while another process brings the same one, and when a copy is
 * there that is of another set.
 */
int set_fetch(struct store *store, const char *provider, const char *set, const char *folder,
              const struct set_listener *listener, json_t **ret_result, struct error *reterr);

/*
 * Something that salvor never made, a vendor's file or folder: the object `key`, or all that is
 * below it, into `folder` under its last part. *ret_result: {"path","bytes"}.
 */
int set_fetch_bare(struct store *store, const char *key, const char *folder,
                   const struct set_listener *listener, json_t **ret_result, struct error *reterr);

#endif
