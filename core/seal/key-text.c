#include "seal/key-text.h"

#include <sodium.h>
#include <string.h>

#include "base/banned.h"
#include "base/digest.h"
#include "base/text.h"

#define PUBLIC "salvor-pk1"
#define PRIVATE "salvor-sk1"

enum {
    PREFIX_SIZE = sizeof PUBLIC - 1,
    CHECKSUM_SIZE = 4,
    BYTES = SEAL_KEY_SIZE + CHECKSUM_SIZE,
    TEXT_LENGTH = KEY_TEXT_SIZE - 1,
    VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING
};

static void checksum_of(const char *prefix, const unsigned char key[SEAL_KEY_SIZE],
                        unsigned char ret[CHECKSUM_SIZE])
{
    struct digest digest;
    unsigned char hash[DIGEST_SIZE];
    digest_begin(&digest);
    digest_add(&digest, prefix, PREFIX_SIZE);
    digest_add(&digest, key, SEAL_KEY_SIZE);
    digest_end(&digest, hash);
    memcpy(ret, hash, CHECKSUM_SIZE);
    sodium_memzero(&digest, sizeof digest);
}

static void text_of(const char *prefix, const unsigned char key[SEAL_KEY_SIZE],
                    char ret_text[KEY_TEXT_SIZE])
{
    unsigned char bytes[BYTES];
    memcpy(bytes, key, SEAL_KEY_SIZE);
    checksum_of(prefix, key, bytes + SEAL_KEY_SIZE);
    memcpy(ret_text, prefix, PREFIX_SIZE);
    (void)sodium_bin2base64(ret_text + PREFIX_SIZE, KEY_TEXT_SIZE - PREFIX_SIZE, bytes, BYTES,
                            VARIANT);
    sodium_memzero(bytes, sizeof bytes);
}

/* 0, or -1 when it is no key with that prefix. */
static int parse(const char *prefix, const char *text, size_t size,
                 unsigned char ret_key[SEAL_KEY_SIZE])
{
    unsigned char bytes[BYTES];
    unsigned char checksum[CHECKSUM_SIZE];
    size_t used = 0;
    int result = -1;
    if (size == TEXT_LENGTH && memcmp(text, prefix, PREFIX_SIZE) == 0 &&
        sodium_base642bin(bytes, BYTES, text + PREFIX_SIZE, size - PREFIX_SIZE, NULL, &used, NULL,
                          VARIANT) == 0 &&
        used == BYTES) {
        checksum_of(prefix, bytes, checksum);
        result = sodium_memcmp(checksum, bytes + SEAL_KEY_SIZE, CHECKSUM_SIZE);
        memcpy(ret_key, bytes, SEAL_KEY_SIZE);
    }
    sodium_memzero(bytes, sizeof bytes);
    return result;
}

/* Points of low order make the shared secret a constant: libsodium refuses them. */
static int can_be_encrypted_to(const unsigned char key[SEAL_KEY_SIZE])
{
    unsigned char sealed[crypto_box_SEALBYTES];
    return crypto_box_seal(sealed, NULL, 0, key) == 0;
}

int recipient_parse(const char *text, unsigned char ret_key[SEAL_KEY_SIZE], struct error *reterr)
{
    if (text_starts(text, PRIVATE)) {
        (void)error_set(reterr, EXIT_USAGE, "a private key stands where a recipient belongs");
        return error_hint(reterr, "a recipient begins with '" PUBLIC "'; take the private key "
                                  "away from here, and make a new one if others could read it");
    }
    if (parse(PUBLIC, text, strlen(text), ret_key) == 0 && can_be_encrypted_to(ret_key))
        return 0;
    (void)error_set(reterr, EXIT_USAGE, "'%s' is no recipient", text);
    if (!text_starts(text, PUBLIC))
        return error_hint(reterr, "a recipient begins with '" PUBLIC "'; 'salvor backups keygen "
                                  "FILE' makes a key and prints its recipient");
    return error_hint(reterr, "a character was lost or changed: copy it again");
}

void recipient_text(const unsigned char key[SEAL_KEY_SIZE], char ret_text[KEY_TEXT_SIZE])
{
    text_of(PUBLIC, key, ret_text);
}

int private_key_parse(const char *text, size_t size, unsigned char ret_key[SEAL_KEY_SIZE],
                      struct error *reterr)
{
    if (parse(PRIVATE, text, size, ret_key) == 0)
        return 0;
    (void)error_set(reterr, EXIT_USAGE, "a line is no private key");
    if (size >= PREFIX_SIZE && memcmp(text, PUBLIC, PREFIX_SIZE) == 0)
        return error_hint(reterr, "it is a recipient, which only encrypts: the private key is in "
                                  "the file that 'salvor backups keygen' wrote");
    return error_hint(reterr, "it must be as 'salvor backups keygen' wrote it");
}

void private_key_text(const unsigned char key[SEAL_KEY_SIZE], char ret_text[KEY_TEXT_SIZE])
{
    text_of(PRIVATE, key, ret_text);
}
