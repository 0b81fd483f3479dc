#include <string.h>

#include "base/banned.h"
#include "base/locked.h"
#include "base/text.h"
#include "seal/seal-format.h"

struct sealer {
    seal_sink sink;
    void *data;
    struct secrets_of_sealer {
        unsigned char key[SEAL_KEY_SIZE];
        crypto_secretstream_xchacha20poly1305_state stream;
    } * secret; /* locked */
    unsigned char *head;
    size_t head_size;
    int head_written;
    unsigned char bound[DIGEST_SIZE]; /* SHA-256 of the head, additional data of each message */
    struct digest plain_digest;
    uint64_t plain_size;
    unsigned char chunk[SEAL_CHUNK];
    size_t filled;
    unsigned char message[BLOCK_SIZE];
};

static void bind_head(struct sealer *sealer)
{
    struct digest digest;
    digest_begin(&digest);
    digest_add(&digest, sealer->head, sealer->head_size);
    digest_end(&digest, sealer->bound);
}

struct sealer *sealer_new(const unsigned char (*recipients)[SEAL_KEY_SIZE], size_t count,
                          seal_sink sink, void *data)
{
    struct sealer *sealer = memory_new(1, sizeof *sealer);
    sealer->sink = sink;
    sealer->data = data;
    sealer->secret = locked_new(sizeof *sealer->secret);
    sealer->head = memory_new(HEAD_LIMIT, 1);
    crypto_secretstream_xchacha20poly1305_keygen(sealer->secret->key);
    memcpy(sealer->head, SEAL_MAGIC, SEAL_MAGIC_SIZE);
    sealer->head[COUNT_AT] = (unsigned char)count;
    unsigned char *at = sealer->head + ENTRIES_AT;
    for (size_t i = 0; i < count; i++, at += ENTRY_SIZE) {
        memcpy(at, recipients[i], SEAL_KEY_SIZE);
        /* fails for keys of low order only, and those are no recipients (key-text.h) */
        if (crypto_box_seal(at + SEAL_KEY_SIZE, sealer->secret->key, SEAL_KEY_SIZE,
                            recipients[i]) != 0)
            memset(at + SEAL_KEY_SIZE, 0, BOX_SIZE);
    }
    (void)crypto_secretstream_xchacha20poly1305_init_push(&sealer->secret->stream, at,
                                                          sealer->secret->key);
    sealer->head_size = (size_t)(at - sealer->head) + STREAM_HEADER_SIZE;
    bind_head(sealer);
    digest_begin(&sealer->plain_digest);
    return sealer;
}

static int write_head(struct sealer *sealer, struct error *reterr)
{
    if (sealer->head_written)
        return 0;
    sealer->head_written = 1;
    return sealer->sink(sealer->data, sealer->head, sealer->head_size, reterr);
}

static int write_message(struct sealer *sealer, const unsigned char *bytes, size_t size,
                         unsigned char tag, struct error *reterr)
{
    unsigned long long made = 0;
    (void)crypto_secretstream_xchacha20poly1305_push(&sealer->secret->stream, sealer->message,
                                                     &made, bytes, size, sealer->bound,
                                                     sizeof sealer->bound, tag);
    return sealer->sink(sealer->data, sealer->message, (size_t)made, reterr);
}

static int write_chunk(struct sealer *sealer, const unsigned char *bytes, size_t size,
                       struct error *reterr)
{
    digest_add(&sealer->plain_digest, bytes, size);
    sealer->plain_size += size;
    return write_message(sealer, bytes, size, crypto_secretstream_xchacha20poly1305_TAG_MESSAGE,
                         reterr);
}

int sealer_write(struct sealer *sealer, const void *bytes, size_t size, struct error *reterr)
{
    const unsigned char *next = bytes;
    if (write_head(sealer, reterr) != 0)
        return -1;
    while (size > 0) {
        size_t part = SEAL_CHUNK - sealer->filled;
        if (part > size)
            part = size;
        memcpy(sealer->chunk + sealer->filled, next, part);
        sealer->filled += part;
        next += part;
        size -= part;
        if (sealer->filled == SEAL_CHUNK) {
            sealer->filled = 0;
            if (write_chunk(sealer, sealer->chunk, SEAL_CHUNK, reterr) != 0)
                return -1;
        }
    }
    return 0;
}

int sealer_end(struct sealer *sealer, struct error *reterr)
{
    unsigned char trailer[TRAILER_SIZE];
    if (write_head(sealer, reterr) != 0)
        return -1;
    if (sealer->filled > 0 && write_chunk(sealer, sealer->chunk, sealer->filled, reterr) != 0)
        return -1;
    for (int i = 0; i < 8; i++)
        trailer[i] = (unsigned char)(sealer->plain_size >> 8 * i);
    digest_end(&sealer->plain_digest, trailer + 8);
    return write_message(sealer, trailer, sizeof trailer,
                         crypto_secretstream_xchacha20poly1305_TAG_FINAL, reterr);
}

const unsigned char *sealer_key(const struct sealer *sealer)
{
    return sealer->secret->key;
}

void sealer_free(struct sealer *sealer)
{
    if (sealer == NULL)
        return;
    sodium_free(sealer->secret);
    sodium_memzero(sealer->chunk, sizeof sealer->chunk);
    free(sealer->head);
    free(sealer);
}
