/* Sizes and places of the format of docs/encryption.md; for the two files that write and read it.
 */
#ifndef SALVOR_SEAL_SEAL_FORMAT_H
#define SALVOR_SEAL_SEAL_FORMAT_H

#include <sodium.h>

#include "base/digest.h"
#include "seal/seal.h"

#define SEAL_MAGIC SEAL_FORMAT "\n"

enum {
    BOX_SIZE = crypto_box_SEALBYTES + SEAL_KEY_SIZE,
    ENTRY_SIZE = SEAL_KEY_SIZE + BOX_SIZE, /* a recipient and the data key sealed to it */
    STREAM_HEADER_SIZE = crypto_secretstream_xchacha20poly1305_HEADERBYTES,
    MESSAGE_EXTRA = crypto_secretstream_xchacha20poly1305_ABYTES,
    BLOCK_SIZE = SEAL_CHUNK + MESSAGE_EXTRA,
    COUNT_AT = SEAL_MAGIC_SIZE, /* number of recipients, one byte */
    ENTRIES_AT = COUNT_AT + 1,
    HEAD_LIMIT = ENTRIES_AT + SEAL_RECIPIENTS_LIMIT * ENTRY_SIZE + STREAM_HEADER_SIZE,
    TRAILER_SIZE = 8 + DIGEST_SIZE, /* number of plain bytes, their SHA-256 */
    END_SIZE = TRAILER_SIZE + MESSAGE_EXTRA
};

#endif
