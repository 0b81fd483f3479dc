/* SHA-256, streaming and whole, as raw bytes and lower-case hexadecimal. Nettle's, because it uses
 * the processor's own instructions: backups are read and written at its speed. */
#ifndef SALVOR_BASE_DIGEST_H
#define SALVOR_BASE_DIGEST_H

#include <nettle/sha2.h>
#include <stddef.h>

enum { DIGEST_SIZE = 32, DIGEST_TEXT_SIZE = 65 };

struct digest {
    struct sha256_ctx state;
};

void digest_begin(struct digest *digest);
void digest_add(struct digest *digest, const void *data, size_t size);
void digest_end(struct digest *digest, unsigned char ret_hash[DIGEST_SIZE]);

/* NUL-terminated hexadecimal of a finished digest, or of `data` in one go. */
void digest_text(const unsigned char hash[DIGEST_SIZE], char ret_text[DIGEST_TEXT_SIZE]);
void digest_text_of(const void *data, size_t size, char ret_text[DIGEST_TEXT_SIZE]);

#endif
