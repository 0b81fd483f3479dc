/*
 * Where work on a store is given to (backup/store-work.h): done in this process for a folder, by a
 * service worker for a store that needs a network. Whoever asks sees no difference.
 */
#ifndef SALVOR_ENGINE_STORE_DESK_H
#define SALVOR_ENGINE_STORE_DESK_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

struct store_desk;

struct store_desk_hearer {
    void *data;
    void (*item)(void *data, const char *name, const json_t *details);             /* or NULL */
    void (*progress)(void *data, uint64_t done, uint64_t total, const char *what); /* or NULL */
    void (*log)(void *data, uint32_t level, const char *text);                     /* or NULL */
    int (*evidence)(void *data, const json_t *body, struct error *reterr);         /* or NULL */
    /* At least every 100 ms while a worker is at it, with each piece here. 1: stop; 2: stop now. */
    int (*tick)(void *data); /* or NULL */
};

/* `store`: as config_store has it; `identity`: references of private keys (an array, or NULL). Both
 * are borrowed until the desk is freed. Nothing is started yet. */
struct store_desk *store_desk_new(const json_t *store, const json_t *identity);
void store_desk_free(struct store_desk *desk);

/* 1 for a store that is a folder here. */
int store_is_folder(const json_t *store);

/* Does the work; `request` and `hearer` (may be NULL) are borrowed. *ret_result (may be NULL) is
 * owned by the caller. */
int store_desk_do(struct store_desk *desk, const char *work, const json_t *request,
                  const struct store_desk_hearer *hearer, json_t **ret_result,
                  struct error *reterr);

static inline void store_desk_free_at(struct store_desk **slot)
{
    store_desk_free(*slot);
}

#define cleanup_store_desk __attribute__((cleanup(store_desk_free_at)))

#endif
