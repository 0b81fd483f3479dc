#include "snapshot-file.h"

#include <sodium.h>
#include <string.h>

enum { HASH_SIZE = crypto_hash_sha256_BYTES, SECTOR = 512, CHUNK = 1 << 16, SMALLEST = 8192 };

static salvor_status is_there(salvor_call *call, const char *name)
{
    salvor_stream_reader *reader = NULL;
    SALVOR_TRY(salvor_stream_of(call)->open(call, name, 0, &reader));
    salvor_stream_of(call)->close(call, reader);
    return SALVOR_OK;
}

salvor_status snapshot_name(salvor_call *call, const char *source, const char **ret_name)
{
    *ret_name = SNAPSHOT_ARTIFACT;
    salvor_status status = is_there(call, SNAPSHOT_ARTIFACT);
    if (status != SALVOR_NOT_FOUND || source == NULL)
        return status;
    *ret_name = source;
    return is_there(call, source);
}

/* Digest of all bytes but the last 32, which are kept aside: a stream does not tell its end ahead.
 */
struct trailing {
    crypto_hash_sha256_state state;
    unsigned char tail[HASH_SIZE];
    size_t held;
    uint64_t size;
};

static void take(struct trailing *trailing, const unsigned char *data, size_t size)
{
    unsigned char joined[HASH_SIZE + CHUNK];
    memcpy(joined, trailing->tail, trailing->held);
    memcpy(joined + trailing->held, data, size);
    size_t all = trailing->held + size;
    size_t keep = all < HASH_SIZE ? all : HASH_SIZE;
    (void)crypto_hash_sha256_update(&trailing->state, joined, all - keep);
    memcpy(trailing->tail, joined + all - keep, keep);
    trailing->held = keep;
    trailing->size += size;
}

static enum trailer judge(struct trailing *trailing)
{
    unsigned char hash[HASH_SIZE];
    if (trailing->size < SMALLEST)
        return TRAILER_NO_SNAPSHOT;
    if (trailing->size % SECTOR == 0)
        return TRAILER_MISSING;
    (void)crypto_hash_sha256_final(&trailing->state, hash);
    int good = trailing->size % SECTOR == HASH_SIZE && memcmp(hash, trailing->tail, HASH_SIZE) == 0;
    return good ? TRAILER_GOOD : TRAILER_WRONG;
}

salvor_status snapshot_check_trailer(salvor_call *call, const char *name, enum trailer *ret_trailer,
                                     uint64_t *ret_size)
{
    const struct salvor_stream *stream = salvor_stream_of(call);
    salvor_stream_reader *reader = NULL;
    struct trailing trailing = {.held = 0};
    unsigned char chunk[CHUNK];
    uint64_t size = 0;
    (void)crypto_hash_sha256_init(&trailing.state);
    SALVOR_TRY(stream->open(call, name, 0, &reader));
    salvor_status status = stream->read(call, reader, chunk, sizeof chunk, &size);
    for (; status == SALVOR_OK; status = stream->read(call, reader, chunk, sizeof chunk, &size))
        take(&trailing, chunk, (size_t)size);
    stream->close(call, reader);
    if (status != SALVOR_END)
        return status;
    *ret_size = trailing.size;
    *ret_trailer = judge(&trailing);
    return SALVOR_OK;
}
