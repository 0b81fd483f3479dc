/*
 * Encrypted members: bytes as the API server stores them, "k8s:enc:<provider>:v1:<key>:...", in
 * base64 within quotes. With aesgcm the place of the object is authenticated, too.
 */
#ifndef SALVOR_RANCHER_MEMBER_CIPHER_H
#define SALVOR_RANCHER_MEMBER_CIPHER_H

#include <salvor/text.h>

#include "encryption-config.h"

/* Why a member does not open. */
enum cipher_answer {
    CIPHER_OPENED,
    CIPHER_NO_CONFIG,   /* none was given */
    CIPHER_NOT_COVERED, /* the configuration leaves the type plain */
    CIPHER_NO_PROVIDER, /* no provider of the member's kind */
    CIPHER_NO_KEY,      /* no key of the member's name */
    CIPHER_WRONG_KEY,   /* a key of that name, and it is not the one, or the bytes are damaged */
    CIPHER_NEEDS_KMS,   /* only the key management service can */
    CIPHER_NO_BLOB,     /* no base64, or no such prefix */
    CIPHER_NO_MEMORY
};

const char *cipher_answer_text(enum cipher_answer answer);

/* Provider and key name of a member, for messages. -1: it is no such member. */
int cipher_label(struct salvor_span member, char *provider, size_t provider_size, char *key,
                 size_t key_size);

/* 1: the first byte is a quote: that is how the operator tells. */
int cipher_is_encrypted(struct salvor_span member);

/*
 * Opens a member with what holds for its type (NULL: nothing does). ns of size 0: cluster scope.
 * The plain bytes are appended to `out`, which is emptied first.
 */
enum cipher_answer cipher_open(const struct encryption_target *target, struct salvor_span member,
                               struct salvor_span ns, struct salvor_span name,
                               struct salvor_text *out);

/*
 * Encrypts with the first provider and its first key and appends the whole member, quotes included.
 * `nonce`: 24 bytes to be used once, NULL: random ones. With "identity" first the bytes stay plain.
 * CIPHER_NEEDS_KMS: cannot be done here.
 */
enum cipher_answer cipher_seal(const struct encryption_target *target, struct salvor_span plain,
                               struct salvor_span ns, struct salvor_span name,
                               const unsigned char *nonce, struct salvor_text *out);

#endif
