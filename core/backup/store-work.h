/*
 * Everything that is done with a store, by name and with a request in JSON, so that the same work
 * runs in this process (folders) or in a service worker (what needs a network):
 *
 *   list      {"provider"|null,"touched":bool}         items "set": the rows of set-list.h
 *   manifest  {"provider","set","folder"}              both files into it; {"digest"}
 *   verify    {"provider","set","read_data","record"}  set-verify.h; "record": also set-proof.h,
 * and "recorded":bool,"record_problem" in the result push      {"folder"} set-push.h fetch
 * {"provider","set","folder"}              set-fetch.h fetch-bare {"key","folder"} set-fetch.h
 *   export    {"provider","set","folder"}              set-export.h
 *   remove    {"key","digest"|null}                    set-remove.h; {}
 *   reach     {}                                       whether the store answers and lets us look;
 * {} check     {}                                       {"rows"}: store-check.h
 */
#ifndef SALVOR_BACKUP_STORE_WORK_H
#define SALVOR_BACKUP_STORE_WORK_H

#include <jansson.h>

#include "backup/set-progress.h"
#include "base/error.h"
#include "seal/identity.h"
#include "store/store.h"

struct store_work {
    const char *name;
    int writes; /* to the store */
    int opens;  /* what is encrypted: it needs the private keys */
};

/* NULL when there is none of that name. */
const struct store_work *store_work_find(const char *name);

struct store_work_hearer {
    struct set_listener listener;
    /* A row of the answer; `details` is stolen. */
    void (*item)(void *data, const char *name, json_t *details);
    void *data;
};

/* `identity` (or NULL) opens what is encrypted. *ret_result: an object, owned by the caller. */
int store_work_run(struct store *store, const struct store_work *work, const json_t *request,
                   const struct identity *identity, const struct store_work_hearer *hearer,
                   json_t **ret_result, struct error *reterr);

#endif
