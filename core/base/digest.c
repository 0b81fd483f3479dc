#include "base/digest.h"

#include <sodium.h>

#include "base/banned.h"

void digest_begin(struct digest *digest)
{
    sha256_init(&digest->state);
}

void digest_add(struct digest *digest, const void *data, size_t size)
{
    sha256_update(&digest->state, size, data);
}

void digest_end(struct digest *digest, unsigned char ret_hash[DIGEST_SIZE])
{
    sha256_digest(&digest->state, DIGEST_SIZE, ret_hash);
}

void digest_text(const unsigned char hash[DIGEST_SIZE], char ret_text[DIGEST_TEXT_SIZE])
{
    (void)sodium_bin2hex(ret_text, DIGEST_TEXT_SIZE, hash, DIGEST_SIZE);
}

void digest_text_of(const void *data, size_t size, char ret_text[DIGEST_TEXT_SIZE])
{
    struct digest digest;
    unsigned char hash[DIGEST_SIZE];
    digest_begin(&digest);
    digest_add(&digest, data, size);
    digest_end(&digest, hash);
    digest_text(hash, ret_text);
}
