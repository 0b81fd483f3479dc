/* Proves that a set of a store is whole: all its bytes are read. */
#ifndef SALVOR_BACKUP_SET_VERIFY_H
#define SALVOR_BACKUP_SET_VERIFY_H

#include <jansson.h>

#include "backup/set-progress.h"
#include "base/error.h"
#include "seal/identity.h"
#include "store/store.h"

enum { SET_VERIFY_LISTED = 500 };

struct set_verify_request {
    const char *provider;
    const char *set;
    int read_data;                   /* open what is encrypted, too */
    const struct identity *identity; /* or NULL: then the stored bytes are all that is proven */
};

/*
 * *ret_verification, owned by the caller: {"set","provider","site","path","digest","state":
 * "whole|damaged","read":"stored|decrypted" (what was proven of every artifact),"artifacts"
 * (count), "encrypted" (count),"unopened":[names that no key
 * opened],"problems":[{"artifact","problem"}]}. -1: there is no such set, or the store cannot be
 * read; damage is no error here.
 */
int set_verify(struct store *store, const struct set_verify_request *request,
               const struct set_listener *listener, json_t **ret_verification,
               struct error *reterr);

#endif
