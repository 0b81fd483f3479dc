/*
 * Encrypted artifacts that somebody changed: it opens when nothing was changed, and else never to
 * its end, nor does a byte come out that is not the one of before. The input is a list of changes,
 * five bytes each (what, where, with what), on an artifact that is sealed once; its last byte says
 * in what pieces it is read.
 */
#include <sodium.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "seal/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PLAIN = 3 * SEAL_CHUNK + 100, ROOM = 1 << 20, CHANGE = 5 };

static unsigned char plain[PLAIN];
static struct identity *identity;
static struct buffer sealed = BUFFER_INIT(ROOM);

static void must(int good)
{
    if (!good)
        abort();
}

static int keep(void *data, const void *bytes, size_t size, struct error *reterr)
{
    (void)reterr;
    return buffer_append(data, bytes, size);
}

static void set_up(void)
{
    char recipient[KEY_TEXT_SIZE];
    unsigned char key[1][SEAL_KEY_SIZE];
    char *text = NULL;
    must(sodium_init() >= 0);
    identity = identity_new();
    identity_generate(&text, recipient);
    must(identity_add(identity, text, strlen(text), "key", NULL) == 0);
    must(recipient_parse(recipient, key[0], NULL) == 0);
    sodium_free(text);
    randombytes_buf(plain, sizeof plain);
    struct sealer *sealer =
        sealer_new((const unsigned char(*)[SEAL_KEY_SIZE])key, 1, keep, &sealed);
    must(sealer_write(sealer, plain, sizeof plain, NULL) == 0 && sealer_end(sealer, NULL) == 0);
    sealer_free(sealer);
}

/* flip, cut, insert, exchange two chunks, repeat a chunk */
static void change(struct buffer *bytes, const uint8_t *how)
{
    enum { STORED = SEAL_CHUNK + 17 };
    const size_t at = ((size_t)how[1] << 16 | (size_t)how[2] << 8 | how[3]) % (bytes->size + 1);
    const size_t other = at + STORED;
    switch (how[0] % 5) {
    case 0:
        if (at < bytes->size)
            bytes->data[at] = (char)(bytes->data[at] ^ (char)how[4]);
        break;
    case 1:
        bytes->size = at;
        break;
    case 2:
        if (bytes->size + 1 < ROOM) {
            (void)buffer_append(bytes, &how[4], 1);
            memmove(bytes->data + at + 1, bytes->data + at, bytes->size - 1 - at);
            bytes->data[at] = (char)how[4];
        }
        break;
    case 3:
        for (size_t i = 0; other + STORED <= bytes->size && i < STORED; i++) {
            const char one = bytes->data[at + i];
            bytes->data[at + i] = bytes->data[other + i];
            bytes->data[other + i] = one;
        }
        break;
    default:
        if (other + STORED <= bytes->size)
            memcpy(bytes->data + other, bytes->data + at, STORED);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = ERROR_INIT;
    cleanup_buffer struct buffer bytes = BUFFER_INIT(ROOM);
    cleanup_buffer struct buffer opened = BUFFER_INIT(ROOM);
    if (identity == NULL)
        set_up();
    (void)buffer_append(&bytes, sealed.data, sealed.size);
    for (size_t i = 0; i + CHANGE <= size && i < (size_t)16 * CHANGE; i += CHANGE)
        change(&bytes, data + i);
    const int same = bytes.size == sealed.size && memcmp(bytes.data, sealed.data, sealed.size) == 0;
    const size_t piece = size > 0 && data[size - 1] > 0 ? (size_t)data[size - 1] * 397 : bytes.size;
    struct unsealer *unsealer = unsealer_new(identity, NULL, keep, &opened);
    int result = 0;
    for (size_t at = 0; result == 0 && at < bytes.size; at += piece) {
        const size_t left = bytes.size - at;
        result = unsealer_write(unsealer, bytes.data + at, left < piece ? left : piece, &err);
    }
    if (result == 0)
        result = unsealer_end(unsealer, &err);
    unsealer_free(unsealer);
    must((result == 0) == same && (result == 0 || error_is_set(&err)));
    must(opened.size <= sizeof plain &&
         memcmp(opened.data != NULL ? opened.data : "", plain, opened.size) == 0);
    must(!same || opened.size == sizeof plain);
    error_clear(&err);
    return 0;
}
