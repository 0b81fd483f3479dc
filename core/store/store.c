#include "store/store.h"

#include <string.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/text.h"

int store_list(struct store *store, const char *prefix, int deep, store_visit visit, void *data,
               struct error *reterr)
{
    return store->operations->list(store, prefix, deep, visit, data, reterr);
}

int store_head(struct store *store, const char *key, struct store_info *ret_info,
               struct error *reterr)
{
    return store->operations->head(store, key, ret_info, reterr);
}

int store_get(struct store *store, const char *key, store_sink sink, void *data,
              struct error *reterr)
{
    return store->operations->get(store, key, sink, data, reterr);
}

struct text {
    struct buffer content;
    const char *key;
};

static int take_text(void *data, const void *bytes, size_t size, struct error *reterr)
{
    struct text *text = data;
    if (buffer_append(&text->content, bytes, size) != 0)
        return error_set(reterr, EXIT_FAILED, "'%s' is larger than %zu bytes", text->key,
                         text->content.limit);
    return 0;
}

int store_read(struct store *store, const char *key, size_t limit, char **ret_text,
               size_t *ret_size, struct error *reterr)
{
    struct text text = {BUFFER_INIT(limit), key};
    int result = store_get(store, key, take_text, &text, reterr);
    if (result != 0) {
        buffer_clear(&text.content);
        return result;
    }
    if (ret_size != NULL)
        *ret_size = text.content.size;
    *ret_text = buffer_take(&text.content);
    return 0;
}

int store_read_many(struct store *store, const char *const *keys, size_t count, size_t limit,
                    store_take take, void *data, struct error *reterr)
{
    if (store->operations->read_many != NULL)
        return store->operations->read_many(store, keys, count, limit, take, data, reterr);
    for (size_t i = 0; i < count; i++) {
        cleanup_free char *text = NULL;
        size_t size = 0;
        if (store_read(store, keys[i], limit, &text, &size, reterr) < 0)
            return -1;
        int result = take(data, i, text, size, reterr);
        if (result != 0)
            return result;
    }
    return 0;
}

int store_put(struct store *store, const char *key, const struct store_body *body,
              struct error *reterr)
{
    return store->operations->put(store, key, body, reterr);
}

int store_put_text(struct store *store, const char *key, const char *text, struct error *reterr)
{
    char sha256[DIGEST_TEXT_SIZE];
    size_t size = strlen(text);
    digest_text_of(text, size, sha256);
    const struct store_body body = {text, -1, (int64_t)size, sha256};
    return store_put(store, key, &body, reterr);
}

int store_remove(struct store *store, const char *key, struct error *reterr)
{
    return store->operations->remove(store, key, reterr);
}

int store_remove_all(struct store *store, const char *prefix, const char *first,
                     struct error *reterr)
{
    return store->operations->remove_all(store, prefix, first, reterr);
}

char *store_place(const struct store *store, const char *key)
{
    return store->operations->place(store, key);
}

void store_set_watch(struct store *store, struct store_watch watch)
{
    store->watch = watch;
}

int store_moved(struct store *store, int64_t bytes, struct error *reterr)
{
    if (store->watch.moved == NULL || store->watch.moved(store->watch.data, bytes) == 0)
        return 0;
    return error_set(reterr, EXIT_INTERRUPTED, "interrupted");
}

int store_key_is_valid(const char *key)
{
    if (*key == '\0' || strlen(key) > STORE_KEY_LIMIT)
        return 0;
    for (const char *part = key;; part++) {
        size_t size = strcspn(part, "/");
        if (size == 0 || (size == 1 && part[0] == '.') ||
            (size == 2 && part[0] == '.' && part[1] == '.'))
            return 0;
        for (size_t i = 0; i < size; i++) {
            if ((unsigned char)part[i] < 0x20 || part[i] == 0x7f)
                return 0;
        }
        part += size;
        if (*part == '\0')
            return 1;
    }
}

void store_free(struct store *store)
{
    if (store != NULL)
        store->operations->free(store);
}
