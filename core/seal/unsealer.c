#include <string.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/locked.h"
#include "base/text.h"
#include "seal/seal-format.h"

struct unsealer {
    const struct identity *identity;
    const unsigned char *data_key;
    seal_sink sink;
    void *data;
    struct secrets_of_unsealer {
        unsigned char key[SEAL_KEY_SIZE];
        crypto_secretstream_xchacha20poly1305_state stream;
    } * secret; /* locked */
    int opened;
    unsigned char bound[DIGEST_SIZE];
    struct digest plain_digest;
    uint64_t plain_size;
    /* The last END_SIZE bytes of all are not a chunk: so much is always held back. */
    unsigned char held[BLOCK_SIZE + END_SIZE];
    size_t filled;
    unsigned char plain[SEAL_CHUNK];
};

_Static_assert(sizeof((struct unsealer *)0)->held >= HEAD_LIMIT, "the head fits in, too");

int seal_is_sealed(const void *bytes, size_t size)
{
    return size >= SEAL_MAGIC_SIZE && memcmp(bytes, SEAL_MAGIC, SEAL_MAGIC_SIZE) == 0;
}

struct unsealer *unsealer_new(const struct identity *identity, const unsigned char *data_key,
                              seal_sink sink, void *data)
{
    struct unsealer *unsealer = memory_new(1, sizeof *unsealer);
    unsealer->identity = identity;
    unsealer->data_key = data_key;
    unsealer->sink = sink;
    unsealer->data = data;
    unsealer->secret = locked_new(sizeof *unsealer->secret);
    unsealer_reset(unsealer);
    return unsealer;
}

void unsealer_reset(struct unsealer *unsealer)
{
    unsealer->opened = 0;
    unsealer->filled = 0;
    unsealer->plain_size = 0;
    digest_begin(&unsealer->plain_digest);
}

void unsealer_free(struct unsealer *unsealer)
{
    if (unsealer == NULL)
        return;
    sodium_free(unsealer->secret);
    sodium_memzero(unsealer->plain, sizeof unsealer->plain);
    free(unsealer);
}

/* ---- the head ---------------------------------------------------------------------------------
 */

static int damaged(struct error *reterr, const char *how)
{
    return error_set(reterr, EXIT_FAILED, "it is damaged: %s", how);
}

/* Size of the whole head, or 0 while that is not known yet. */
static size_t head_size(const struct unsealer *unsealer)
{
    if (unsealer->filled < ENTRIES_AT)
        return 0;
    return ENTRIES_AT + (size_t)unsealer->held[COUNT_AT] * ENTRY_SIZE + STREAM_HEADER_SIZE;
}

static const unsigned char *entry_at(const struct unsealer *unsealer, size_t index)
{
    return unsealer->held + ENTRIES_AT + index * ENTRY_SIZE;
}

static int refuse(const struct unsealer *unsealer, struct error *reterr)
{
    cleanup_buffer struct buffer names = BUFFER_INIT(65536);
    for (size_t i = 0; i < unsealer->held[COUNT_AT]; i++) {
        char text[KEY_TEXT_SIZE];
        recipient_text(entry_at(unsealer, i), text);
        (void)buffer_format(&names, "%s%s", i > 0 ? ", " : "", text);
    }
    if (unsealer->identity == NULL)
        (void)error_set(reterr, EXIT_REFUSED, "it is encrypted, and no private key is given");
    else
        (void)error_set(reterr, EXIT_REFUSED,
                        "it is encrypted, and none of the private keys given opens it");
    return error_hint(reterr, "give --identity file:FILE with the private key of %s", names.data);
}

/* 1 when the entry is of one of the keys and its box opens; -1 when it is, and does not. */
static int open_entry(struct unsealer *unsealer, const unsigned char *entry)
{
    size_t count = unsealer->identity != NULL ? identity_count(unsealer->identity) : 0;
    for (size_t i = 0; i < count; i++) {
        const unsigned char *public = identity_public(unsealer->identity, i);
        if (memcmp(public, entry, SEAL_KEY_SIZE) == 0)
            return crypto_box_seal_open(unsealer->secret->key, entry + SEAL_KEY_SIZE, BOX_SIZE,
                                        public, identity_secret(unsealer->identity, i)) == 0
                       ? 1
                       : -1;
    }
    return 0;
}

static int find_key(struct unsealer *unsealer, struct error *reterr)
{
    if (unsealer->data_key != NULL) {
        memcpy(unsealer->secret->key, unsealer->data_key, SEAL_KEY_SIZE);
        return 0;
    }
    int broken = 0;
    for (size_t i = 0; i < unsealer->held[COUNT_AT]; i++) {
        int opened = open_entry(unsealer, entry_at(unsealer, i));
        if (opened == 1)
            return 0;
        broken |= opened != 0;
    }
    return broken ? damaged(reterr, "the data key in it does not open") : refuse(unsealer, reterr);
}

static int open_head(struct unsealer *unsealer, size_t size, struct error *reterr)
{
    struct digest digest;
    const unsigned char *header = unsealer->held + size - STREAM_HEADER_SIZE;
    digest_begin(&digest);
    digest_add(&digest, unsealer->held, size);
    digest_end(&digest, unsealer->bound);
    if (find_key(unsealer, reterr) != 0)
        return -1;
    if (crypto_secretstream_xchacha20poly1305_init_pull(&unsealer->secret->stream, header,
                                                        unsealer->secret->key) != 0)
        return damaged(reterr, "its beginning is not sound");
    unsealer->opened = 1;
    unsealer->filled -= size;
    memmove(unsealer->held, unsealer->held + size, unsealer->filled);
    return 0;
}

/* 0: opened or not enough bytes yet. */
static int take_head(struct unsealer *unsealer, struct error *reterr)
{
    size_t size = head_size(unsealer);
    if (unsealer->opened || size == 0)
        return 0;
    if (!seal_is_sealed(unsealer->held, unsealer->filled) ||
        (unsealer->held[COUNT_AT] == 0 && unsealer->data_key == NULL) ||
        unsealer->held[COUNT_AT] > SEAL_RECIPIENTS_LIMIT)
        return damaged(reterr, "it does not begin as an encrypted artifact");
    return unsealer->filled < size ? 0 : open_head(unsealer, size, reterr);
}

/* ---- messages ---------------------------------------------------------------------------------
 */

static int pull(struct unsealer *unsealer, const unsigned char *message, size_t size,
                unsigned char wanted_tag, struct error *reterr)
{
    unsigned char tag = 0;
    if (crypto_secretstream_xchacha20poly1305_pull(&unsealer->secret->stream, unsealer->plain, NULL,
                                                   &tag, message, size, unsealer->bound,
                                                   sizeof unsealer->bound) != 0 ||
        tag != wanted_tag)
        return damaged(reterr, "bytes of it were changed, cut off or exchanged");
    return 0;
}

static int take_chunk(struct unsealer *unsealer, size_t size, struct error *reterr)
{
    const size_t plain = size - MESSAGE_EXTRA;
    if (pull(unsealer, unsealer->held, size, crypto_secretstream_xchacha20poly1305_TAG_MESSAGE,
             reterr) != 0)
        return -1;
    unsealer->filled -= size;
    memmove(unsealer->held, unsealer->held + size, unsealer->filled);
    digest_add(&unsealer->plain_digest, unsealer->plain, plain);
    unsealer->plain_size += plain;
    return unsealer->sink(unsealer->data, unsealer->plain, plain, reterr);
}

int unsealer_write(struct unsealer *unsealer, const void *bytes, size_t size, struct error *reterr)
{
    const unsigned char *next = bytes;
    while (size > 0) {
        size_t part = sizeof unsealer->held - unsealer->filled;
        if (part > size)
            part = size;
        memcpy(unsealer->held + unsealer->filled, next, part);
        unsealer->filled += part;
        next += part;
        size -= part;
        if (take_head(unsealer, reterr) != 0)
            return -1;
        if (unsealer->opened && unsealer->filled == sizeof unsealer->held &&
            take_chunk(unsealer, BLOCK_SIZE, reterr) != 0)
            return -1;
    }
    return 0;
}

int unsealer_end(struct unsealer *unsealer, struct error *reterr)
{
    struct digest digest = unsealer->plain_digest;
    unsigned char hash[DIGEST_SIZE];
    if (!unsealer->opened || unsealer->filled < END_SIZE)
        return damaged(reterr, "its end is missing");
    const size_t last = unsealer->filled - END_SIZE;
    if (last > 0) {
        if (last <= MESSAGE_EXTRA)
            return damaged(reterr, "its end is missing");
        if (take_chunk(unsealer, last, reterr) != 0)
            return -1;
        digest = unsealer->plain_digest;
    }
    if (pull(unsealer, unsealer->held, END_SIZE, crypto_secretstream_xchacha20poly1305_TAG_FINAL,
             reterr) != 0)
        return -1;
    uint64_t size = 0;
    for (int i = 0; i < 8; i++)
        size |= (uint64_t)unsealer->plain[i] << 8 * i;
    digest_end(&digest, hash);
    if (size != unsealer->plain_size || memcmp(hash, unsealer->plain + 8, DIGEST_SIZE) != 0)
        return damaged(reterr, "its content is not what was encrypted");
    return 0;
}
