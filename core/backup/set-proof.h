/*
 * What verify found, kept in the store beside the sets: PROVIDER/.verified/SET.json,
 * {"salvor-proof":1, "set","digest" (of the manifest that was
 * proven),"state":"whole|damaged","read":"stored|decrypted", "at":RFC 3339,"salvor","problems"
 * (count)}. It speaks of exactly that manifest: beside another one it counts as none. prune never
 * removes the newest set that it calls whole.
 */
#ifndef SALVOR_BACKUP_SET_PROOF_H
#define SALVOR_BACKUP_SET_PROOF_H

#include <jansson.h>

#include "base/error.h"
#include "store/store.h"

/* Owned by the caller. */
char *set_proof_key(const char *provider, const char *set);

/* Records what set_verify returned. */
int set_proof_record(struct store *store, const json_t *verification, struct error *reterr);

/* {"state","read","at","problems"} of a record's text (NULL: there is none) when it speaks of the
 * manifest with this digest, else JSON null; owned by the caller. */
json_t *set_proof_of(const char *text, const char *digest);

#endif
