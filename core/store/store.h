/*
 * Where backup sets are kept: objects under keys ("PROVIDER/SET/manifest.json"), in a folder here
 * or in a bucket elsewhere. Sets and what is done with them stand on this alone (core/backup), so
 * that one more kind of store is one more table of operations.
 *
 * An object is there whole or not at all: put makes it durable under its name at its end, and
 * replaces one of that name. Keys are relative paths without "." and ".." parts. Where a function
 * looks for an object that does not exist it returns STORE_ABSENT and sets no error. Errors name
 * the place.
 */
#ifndef SALVOR_STORE_STORE_H
#define SALVOR_STORE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"

struct store;

enum { STORE_ABSENT = 1, STORE_KEY_LIMIT = 1024 };

enum store_kind {
    STORE_OBJECT,
    STORE_FOLDER, /* common beginning of further keys */
    STORE_OTHER   /* in a folder: neither file nor folder. It cannot be read */
};

struct store_info {
    enum store_kind kind;
    int64_t size;
    int64_t modified_ms;           /* by the store's clock */
    char sha256[DIGEST_TEXT_SIZE]; /* as the store has it from put; "" when it does not know */
};

/* Takes the next bytes of an object; -1 with *reterr ends the reading. */
typedef int (*store_sink)(void *data, const void *bytes, size_t size, struct error *reterr);

/* What put stores: bytes at hand or a whole file, and their SHA-256, which whoever keeps them
 * checks. */
struct store_body {
    const void *bytes; /* or NULL: */
    int fd;            /* a regular file; read with pread */
    int64_t size;
    const char *sha256; /* hexadecimal */
};

/* Visits an object or folder; non-zero ends the listing with that result. `key` is whole; that of a
 * folder ends with '/'. */
typedef int (*store_visit)(void *data, const char *key, const struct store_info *info,
                           struct error *reterr);

/* Takes the content of the index-th key; text NULL: there is none. Non-zero ends it. */
typedef int (*store_take)(void *data, size_t index, const char *text, size_t size,
                          struct error *reterr);

/* Hears of each piece that went one way or the other; non-zero stops the work (exit code 130). */
struct store_watch {
    int (*moved)(void *data, int64_t bytes);
    void *data;
};

struct store_operations {
    int renames_sets; /* a set gets its name by one rename, once it is whole */
    int (*list)(struct store *store, const char *prefix, int deep, store_visit visit, void *data,
                struct error *reterr);
    int (*head)(struct store *store, const char *key, struct store_info *ret_info,
                struct error *reterr);
    int (*get)(struct store *store, const char *key, store_sink sink, void *data,
               struct error *reterr);
    int (*put)(struct store *store, const char *key, const struct store_body *body,
               struct error *reterr);
    int (*remove)(struct store *store, const char *key, struct error *reterr);
    int (*remove_all)(struct store *store, const char *prefix, const char *first,
                      struct error *reterr);
    int (*read_many)(struct store *store, const char *const *keys, size_t count, size_t limit,
                     store_take take, void *data, struct error *reterr);      /* NULL: one by one */
    int (*probe)(struct store *store, const char *key, struct error *reterr); /* NULL: nothing more
                                                                        to try than the above */
    char *(*place)(const struct store *store, const char *key);
    void (*free)(struct store *store);
};

/* What every store begins with. */
struct store {
    const struct store_operations *operations;
    struct store_watch watch;
};

/* Visits what is below `prefix` ("" or ending with '/'), in the order of keys: `deep` all objects,
 * else the next level. Nothing there is no error. */
int store_list(struct store *store, const char *prefix, int deep, store_visit visit, void *data,
               struct error *reterr);

/* 0, STORE_ABSENT or -1. */
int store_head(struct store *store, const char *key, struct store_info *ret_info,
               struct error *reterr);

/* Hands the whole object to `sink`. 0, STORE_ABSENT or -1. */
int store_get(struct store *store, const char *key, store_sink sink, void *data,
              struct error *reterr);

/* A small object as text (owned by the caller, NUL-terminated). 0, STORE_ABSENT or -1. */
int store_read(struct store *store, const char *key, size_t limit, char **ret_text,
               size_t *ret_size, struct error *reterr);

/* Many small ones, in any order, several at once where that is faster. */
int store_read_many(struct store *store, const char *const *keys, size_t count, size_t limit,
                    store_take take, void *data, struct error *reterr);

int store_put(struct store *store, const char *key, const struct store_body *body,
              struct error *reterr);
int store_put_text(struct store *store, const char *key, const char *text, struct error *reterr);

/* Absent is success. */
int store_remove(struct store *store, const char *key, struct error *reterr);

/*
 * Removes everything below `prefix` (not ""), the object `first` (relative to it, or NULL) before
 * anything else: who is killed meanwhile leaves nothing that looks whole.
 */
int store_remove_all(struct store *store, const char *prefix, const char *first,
                     struct error *reterr);

/* Where an object is, for people; owned by the caller. */
char *store_place(const struct store *store, const char *key);

/* From now on; {NULL, NULL}: nobody. */
void store_set_watch(struct store *store, struct store_watch watch);

/* For operations: tells the watch; -1 with *reterr when the work shall stop. */
int store_moved(struct store *store, int64_t bytes, struct error *reterr);

/* 1 for a relative path of parts that are neither empty nor "." nor "..", without control
 * characters. */
int store_key_is_valid(const char *key);

void store_free(struct store *store);

static inline void store_free_at(struct store **slot)
{
    store_free(*slot);
}

#define cleanup_store __attribute__((cleanup(store_free_at)))

#endif
