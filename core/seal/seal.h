/*
 * Encrypted artifacts: readable by the holders of private keys only, not by the machine that made
 * them. A fresh data key an artifact, sealed to each recipient (libsodium's sealed box), then the
 * bytes in chunks of libsodium's secretstream, then a last message with their number and SHA-256.
 * Every flipped bit, cut, exchange or repetition is found. Exact format: docs/encryption.md.
 *
 * Nothing is kept but one chunk, and nothing goes to disk here.
 */
#ifndef SALVOR_SEAL_SEAL_H
#define SALVOR_SEAL_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "seal/identity.h"
#include "seal/key-text.h"

#define SEAL_FORMAT "salvor-sealed-1" /* in manifests */

enum {
    SEAL_CHUNK = 65536,
    SEAL_RECIPIENTS_LIMIT = 64,
    SEAL_MAGIC_SIZE = sizeof SEAL_FORMAT /* the format and a newline */
};

/* Takes `size` bytes; -1 with *reterr. */
typedef int (*seal_sink)(void *data, const void *bytes, size_t size, struct error *reterr);

/* ---- writing ----------------------------------------------------------------------------------
 */

struct sealer;

/* `recipients` (at most SEAL_RECIPIENTS_LIMIT) are parsed ones; with none the data key alone opens
 * it. The beginning goes to the sink with the first bytes. */
struct sealer *sealer_new(const unsigned char (*recipients)[SEAL_KEY_SIZE], size_t count,
                          seal_sink sink, void *data);
int sealer_write(struct sealer *sealer, const void *bytes, size_t size, struct error *reterr);
/* Writes what is left and the last message. */
int sealer_end(struct sealer *sealer, struct error *reterr);
/* The data key (SEAL_KEY_SIZE bytes, locked), as long as the sealer lives: who made the artifact
 * may keep it for a while. */
const unsigned char *sealer_key(const struct sealer *sealer);
void sealer_free(struct sealer *sealer);

/* ---- reading ----------------------------------------------------------------------------------
 */

/* 1 when these are the first bytes of an encrypted artifact. */
int seal_is_sealed(const void *bytes, size_t size);

struct unsealer;

/* Opens with one of the keys of `identity` or with the data key itself (either may be NULL);
 * both are borrowed. */
struct unsealer *unsealer_new(const struct identity *identity, const unsigned char *data_key,
                              seal_sink sink, void *data);
/*
 * Takes the next stored bytes; what was proven of them goes to the sink. That nothing is missing is
 * proven by unsealer_end alone. Errors have no subject: "it is damaged: …". EXIT_REFUSED when none
 * of the keys opens it; the hint says whose would.
 */
int unsealer_write(struct unsealer *unsealer, const void *bytes, size_t size, struct error *reterr);
int unsealer_end(struct unsealer *unsealer, struct error *reterr);
/* Starts over with the same keys. */
void unsealer_reset(struct unsealer *unsealer);
void unsealer_free(struct unsealer *unsealer);

#endif
