#include "shaky-store.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct shaky_store {
    struct store store; /* first */
    struct store *inner;
    int fail_at;
    int after;
    int count;
    char *flip_key;
    int64_t flip_bit;
};

static struct shaky_store *shaky_of(struct store *store)
{
    return (struct shaky_store *)store;
}

/* 1 when this operation shall fail. */
static int begin(struct store *store)
{
    struct shaky_store *shaky = shaky_of(store);
    store_set_watch(shaky->inner, store->watch);
    return ++shaky->count == shaky->fail_at;
}

static int lost(struct error *reterr)
{
    if (reterr != NULL)
        error_clear(reterr);
    return error_set(reterr, EXIT_FAILED, "the connection was lost");
}

#define ATTEMPT(call)                           \
    do {                                        \
        int fails_ = begin(store);              \
        if (fails_ && !shaky_of(store)->after)  \
            return lost(reterr);                \
        int result_ = (call);                   \
        return fails_ ? lost(reterr) : result_; \
    } while (0)

static int list(struct store *store, const char *prefix, int deep, store_visit visit, void *data,
                struct error *reterr)
{
    ATTEMPT(store_list(shaky_of(store)->inner, prefix, deep, visit, data, reterr));
}

static int head(struct store *store, const char *key, struct store_info *ret_info,
                struct error *reterr)
{
    ATTEMPT(store_head(shaky_of(store)->inner, key, ret_info, reterr));
}

struct flip {
    store_sink sink;
    void *data;
    int64_t at;
    int64_t bit;
};

static int flip_piece(void *data, const void *bytes, size_t size, struct error *reterr)
{
    struct flip *flip = data;
    char *copy = memory_new(size, 1);
    memcpy(copy, bytes, size);
    const int64_t byte = flip->bit / 8 - flip->at;
    if (byte >= 0 && byte < (int64_t)size)
        copy[byte] = (char)(copy[byte] ^ 1 << flip->bit % 8);
    flip->at += (int64_t)size;
    int result = flip->sink(flip->data, copy, size, reterr);
    free(copy);
    return result;
}

static int get(struct store *store, const char *key, store_sink sink, void *data,
               struct error *reterr)
{
    struct shaky_store *shaky = shaky_of(store);
    struct flip flip = {sink, data, 0, shaky->flip_bit};
    const int flips = text_equal(shaky->flip_key, key) && key != NULL;
    ATTEMPT(store_get(shaky->inner, key, flips ? flip_piece : sink, flips ? &flip : data, reterr));
}

static int put(struct store *store, const char *key, const struct store_body *body,
               struct error *reterr)
{
    ATTEMPT(store_put(shaky_of(store)->inner, key, body, reterr));
}

static int remove_one(struct store *store, const char *key, struct error *reterr)
{
    ATTEMPT(store_remove(shaky_of(store)->inner, key, reterr));
}

static int remove_each(void *data, const char *key, const struct store_info *info,
                       struct error *reterr)
{
    (void)info;
    return store_remove(data, key, reterr);
}

/* As in a bucket: one by one, `first` before the others. */
static int remove_all(struct store *store, const char *prefix, const char *first,
                      struct error *reterr)
{
    if (first != NULL) {
        char *key = text_format("%s%s", prefix, first);
        int result = store_remove(store, key, reterr);
        free(key);
        if (result != 0)
            return -1;
    }
    return store_list(store, prefix, 1, remove_each, store, reterr);
}

static char *place(const struct store *store, const char *key)
{
    (void)store;
    return text_format("shaky://%s", key);
}

static void free_store(struct store *store)
{
    free(shaky_of(store)->flip_key);
    free(store);
}

struct store *shaky_store_new(struct store *inner)
{
    static const struct store_operations operations = {
        .list = list,
        .head = head,
        .get = get,
        .put = put,
        .remove = remove_one,
        .remove_all = remove_all,
        .place = place,
        .free = free_store,
    };
    struct shaky_store *shaky = memory_new(1, sizeof *shaky);
    shaky->store.operations = &operations;
    shaky->inner = inner;
    return &shaky->store;
}

void shaky_store_fail_at(struct store *store, int n, int after)
{
    shaky_of(store)->fail_at = n;
    shaky_of(store)->after = after;
    shaky_of(store)->count = 0;
}

int shaky_store_count(const struct store *store)
{
    return ((const struct shaky_store *)store)->count;
}

void shaky_store_flip(struct store *store, const char *key, int64_t bit)
{
    struct shaky_store *shaky = shaky_of(store);
    free(shaky->flip_key);
    shaky->flip_key = key != NULL ? text_copy(key) : NULL;
    shaky->flip_bit = bit;
}
