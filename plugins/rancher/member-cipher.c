#include "member-cipher.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <sodium.h>

#include <salvor/scan.h>

enum { IV_SIZE = 16, NONCE_SIZE = 12, TAG_SIZE = 16, BLOCK = 16, AAD_LIMIT = 1024 };

static const char prefix[] = "k8s:enc:";

const char *cipher_answer_text(enum cipher_answer answer)
{
    static const char *const texts[] = {
        [CIPHER_OPENED] = "it opens",
        [CIPHER_NO_CONFIG] = "no encryption configuration was given",
        [CIPHER_NOT_COVERED] = "the configuration does not cover its type",
        [CIPHER_NO_PROVIDER] = "the configuration has no provider of that kind for its type",
        [CIPHER_NO_KEY] = "the configuration has no key of that name",
        [CIPHER_WRONG_KEY] = "the key of that name does not open it",
        [CIPHER_NEEDS_KMS] = "only its key management service opens it",
        [CIPHER_NO_BLOB] = "it is neither an object nor encrypted",
        [CIPHER_NO_MEMORY] = "no memory",
    };
    return texts[answer];
}

int cipher_is_encrypted(struct salvor_span member)
{
    return member.size > 0 && member.data[0] == '"';
}

/* ---- blobs --------------------------------------------------------------------------------- */

struct blob {
    struct salvor_span provider;
    struct salvor_span version; /* "v1" */
    struct salvor_span key;
    struct salvor_span rest;
};

static int next_word(struct salvor_span *left, struct salvor_span *ret_word)
{
    const char *colon = memchr(left->data, ':', (size_t)left->size);
    if (colon == NULL)
        return -1;
    ret_word->data = left->data;
    ret_word->size = (uint64_t)(colon - left->data);
    left->data = colon + 1;
    left->size -= ret_word->size + 1;
    return 0;
}

static int read_blob(struct salvor_span bytes, struct blob *blob)
{
    const size_t size = sizeof prefix - 1;
    if (bytes.size < size || memcmp(bytes.data, prefix, size) != 0)
        return -1;
    blob->rest.data = bytes.data + size;
    blob->rest.size = bytes.size - size;
    if (next_word(&blob->rest, &blob->provider) != 0 ||
        next_word(&blob->rest, &blob->version) != 0 || next_word(&blob->rest, &blob->key) != 0)
        return -1;
    return 0;
}

/* The bytes in the base64 of a JSON string. */
static int decode(struct salvor_span member, struct salvor_text *bytes)
{
    struct salvor_scanner scanner;
    struct salvor_token token;
    size_t size = 0;
    salvor_scan_begin(&scanner, member);
    if (salvor_scan_next(&scanner, &token) != SALVOR_OK || token.type != SALVOR_TOKEN_STRING)
        return -1;
    struct salvor_token end;
    if (salvor_scan_next(&scanner, &end) != SALVOR_END)
        return -1;
    /* decoding shortens: the text may be decoded in the place where its bytes will be */
    char *room = salvor_text_reserve(bytes, (size_t)token.text.size + 1);
    if (room == NULL)
        return -2;
    if (token.escaped) {
        if (salvor_token_decode(&token, room, (size_t)token.text.size + 1) != SALVOR_OK)
            return -1;
        token.text = salvor_span_of(room);
    }
    if (sodium_base642bin((unsigned char *)room, (size_t)token.text.size, token.text.data,
                          (size_t)token.text.size, NULL, &size, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return -1;
    bytes->size += size;
    return 0;
}

static int copy_word(struct salvor_span word, char *buffer, size_t size)
{
    if (word.size >= size)
        return -1;
    for (uint64_t i = 0; i < word.size; i++)
        buffer[i] = (char)(word.data[i] >= ' ' && word.data[i] < 0x7f ? word.data[i] : '?');
    buffer[word.size] = '\0';
    return 0;
}

int cipher_label(struct salvor_span member, char *provider, size_t provider_size, char *key,
                 size_t key_size)
{
    salvor_auto_text struct salvor_text bytes = SALVOR_TEXT_INIT((size_t)1 << 30);
    struct blob blob;
    if (decode(member, &bytes) != 0 || read_blob(salvor_text_as_span(&bytes), &blob) != 0 ||
        copy_word(blob.provider, provider, provider_size) != 0 ||
        copy_word(blob.key, key, key_size) != 0)
        return -1;
    return 0;
}

/* What aesgcm authenticates beside the bytes: the place of the object. */
static int place(struct salvor_span ns, struct salvor_span name, char *buffer, size_t size)
{
    const int made = ns.size > 0 ? snprintf(buffer, size, "%.*s#%.*s", (int)ns.size, ns.data,
                                            (int)name.size, name.data)
                                 : snprintf(buffer, size, "%.*s", (int)name.size, name.data);
    return made >= 0 && (size_t)made < size ? made : -1;
}

/* ---- AES ----------------------------------------------------------------------------------- */

static const EVP_CIPHER *aes_cbc(size_t key_size)
{
    return key_size == 16   ? EVP_aes_128_cbc()
           : key_size == 24 ? EVP_aes_192_cbc()
                            : EVP_aes_256_cbc();
}

static const EVP_CIPHER *aes_gcm(size_t key_size)
{
    return key_size == 16   ? EVP_aes_128_gcm()
           : key_size == 24 ? EVP_aes_192_gcm()
                            : EVP_aes_256_gcm();
}

static const unsigned char *bytes_of(struct salvor_span span, size_t offset)
{
    return (const unsigned char *)span.data + offset;
}

/* 0: done, -1: this key does not open it. The padding may be longer than a block, which libcrypto
 * would refuse. */
static int open_cbc(EVP_CIPHER_CTX *context, const struct encryption_key *key,
                    struct salvor_span rest, unsigned char *room, size_t *ret_size)
{
    int made = 0;
    int more = 0;
    if (rest.size < IV_SIZE + BLOCK || rest.size % BLOCK != 0 || rest.size > INT_MAX)
        return -1;
    if (EVP_DecryptInit_ex(context, aes_cbc(key->size), NULL, key->secret, bytes_of(rest, 0)) !=
            1 ||
        EVP_CIPHER_CTX_set_padding(context, 0) != 1 ||
        EVP_DecryptUpdate(context, room, &made, bytes_of(rest, IV_SIZE),
                          (int)(rest.size - IV_SIZE)) != 1 ||
        EVP_DecryptFinal_ex(context, room + made, &more) != 1)
        return -1;
    const size_t size = (size_t)made + (size_t)more;
    const size_t padding = size > 0 ? room[size - 1] : 0;
    if (padding == 0 || padding > size)
        return -1;
    for (size_t i = size - padding; i < size; i++) {
        if (room[i] != padding)
            return -1;
    }
    *ret_size = size - padding;
    /* nothing authenticates: a wrong key shows in that it is no object */
    return *ret_size >= 2 && room[0] == '{' && room[*ret_size - 1] == '}' ? 0 : -1;
}

static int open_gcm(EVP_CIPHER_CTX *context, const struct encryption_key *key,
                    struct salvor_span rest, const char *aad, int aad_size, unsigned char *room,
                    size_t *ret_size)
{
    unsigned char tag[TAG_SIZE];
    int made = 0;
    int more = 0;
    if (rest.size < NONCE_SIZE + TAG_SIZE || rest.size > INT_MAX)
        return -1;
    const int size = (int)rest.size - NONCE_SIZE - TAG_SIZE;
    memcpy(tag, rest.data + NONCE_SIZE + size, TAG_SIZE);
    if (EVP_DecryptInit_ex(context, aes_gcm(key->size), NULL, key->secret, bytes_of(rest, 0)) !=
            1 ||
        EVP_DecryptUpdate(context, NULL, &made, (const unsigned char *)aad, aad_size) != 1 ||
        EVP_DecryptUpdate(context, room, &made, bytes_of(rest, NONCE_SIZE), size) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) != 1 ||
        EVP_DecryptFinal_ex(context, room + made, &more) != 1)
        return -1;
    *ret_size = (size_t)made + (size_t)more;
    return 0;
}

static int open_box(const struct encryption_key *key, struct salvor_span rest, unsigned char *room,
                    size_t *ret_size)
{
    if (rest.size < crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES)
        return -1;
    *ret_size = (size_t)rest.size - crypto_secretbox_NONCEBYTES - crypto_secretbox_MACBYTES;
    return crypto_secretbox_open_easy(room, bytes_of(rest, crypto_secretbox_NONCEBYTES),
                                      rest.size - crypto_secretbox_NONCEBYTES, bytes_of(rest, 0),
                                      key->secret);
}

/* ---- open ---------------------------------------------------------------------------------- */

struct opening {
    EVP_CIPHER_CTX *context;
    struct blob blob;
    char aad[AAD_LIMIT];
    int aad_size;
    unsigned char *room;
    size_t size;
};

static int open_with(struct opening *opening, enum cipher cipher, const struct encryption_key *key)
{
    switch (cipher) {
    case CIPHER_AESCBC:
        return open_cbc(opening->context, key, opening->blob.rest, opening->room, &opening->size);
    case CIPHER_AESGCM:
        return open_gcm(opening->context, key, opening->blob.rest, opening->aad, opening->aad_size,
                        opening->room, &opening->size);
    case CIPHER_SECRETBOX:
        return open_box(key, opening->blob.rest, opening->room, &opening->size);
    default:
        return -1;
    }
}

/* Every provider whose prefix matches, every key of that name, until one opens it. */
static enum cipher_answer try_all(struct opening *opening, const struct encryption_target *target)
{
    enum cipher_answer answer = CIPHER_NO_PROVIDER;
    for (size_t i = 0; i < target->provider_count; i++) {
        const struct encryption_provider *provider = target->providers[i];
        if (!salvor_span_is(opening->blob.provider, cipher_name(provider->cipher)) ||
            provider->cipher == CIPHER_IDENTITY)
            continue;
        if (provider->cipher == CIPHER_KMS)
            return CIPHER_NEEDS_KMS;
        if (answer == CIPHER_NO_PROVIDER)
            answer = CIPHER_NO_KEY;
        for (size_t j = 0; j < provider->key_count; j++) {
            if (!salvor_span_is(opening->blob.key, provider->keys[j].name))
                continue;
            if (open_with(opening, provider->cipher, &provider->keys[j]) == 0)
                return CIPHER_OPENED;
            answer = CIPHER_WRONG_KEY;
        }
    }
    return answer;
}

enum cipher_answer cipher_open(const struct encryption_target *target, struct salvor_span member,
                               struct salvor_span ns, struct salvor_span name,
                               struct salvor_text *out)
{
    salvor_auto_text struct salvor_text bytes = SALVOR_TEXT_INIT((size_t)1 << 30);
    struct opening opening = {.context = NULL};
    salvor_text_reset(out);
    const int decoded = decode(member, &bytes);
    if (decoded != 0)
        return decoded == -2 ? CIPHER_NO_MEMORY : CIPHER_NO_BLOB;
    if (read_blob(salvor_text_as_span(&bytes), &opening.blob) != 0)
        return CIPHER_NO_BLOB;
    if (target == NULL)
        return salvor_span_is(opening.blob.provider, "kms") ? CIPHER_NEEDS_KMS : CIPHER_NOT_COVERED;
    opening.aad_size = place(ns, name, opening.aad, sizeof opening.aad);
    opening.context = EVP_CIPHER_CTX_new();
    /* block ciphers may touch one block beyond what they leave */
    opening.room = (unsigned char *)salvor_text_reserve(out, bytes.size + BLOCK);
    enum cipher_answer answer = CIPHER_NO_MEMORY;
    if (opening.aad_size >= 0 && opening.context != NULL && opening.room != NULL)
        answer = try_all(&opening, target);
    EVP_CIPHER_CTX_free(opening.context);
    if (answer != CIPHER_OPENED)
        return answer;
    out->size += opening.size;
    return CIPHER_OPENED;
}

/* ---- seal ---------------------------------------------------------------------------------- */

static int seal_cbc(EVP_CIPHER_CTX *context, const struct encryption_key *key,
                    const unsigned char *iv, struct salvor_span plain, unsigned char *room)
{
    int made = 0;
    int more = 0;
    memcpy(room, iv, IV_SIZE);
    if (EVP_EncryptInit_ex(context, aes_cbc(key->size), NULL, key->secret, iv) != 1 ||
        EVP_EncryptUpdate(context, room + IV_SIZE, &made, bytes_of(plain, 0), (int)plain.size) !=
            1 ||
        EVP_EncryptFinal_ex(context, room + IV_SIZE + made, &more) != 1)
        return -1;
    return IV_SIZE + made + more;
}

static int seal_gcm(EVP_CIPHER_CTX *context, const struct encryption_key *key,
                    const unsigned char *nonce, struct salvor_span plain, const char *aad,
                    int aad_size, unsigned char *room)
{
    int made = 0;
    int more = 0;
    memcpy(room, nonce, NONCE_SIZE);
    if (EVP_EncryptInit_ex(context, aes_gcm(key->size), NULL, key->secret, nonce) != 1 ||
        EVP_EncryptUpdate(context, NULL, &made, (const unsigned char *)aad, aad_size) != 1 ||
        EVP_EncryptUpdate(context, room + NONCE_SIZE, &made, bytes_of(plain, 0), (int)plain.size) !=
            1 ||
        EVP_EncryptFinal_ex(context, room + NONCE_SIZE + made, &more) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_SIZE,
                            room + NONCE_SIZE + made + more) != 1)
        return -1;
    return NONCE_SIZE + made + more + TAG_SIZE;
}

static int seal_box(const struct encryption_key *key, const unsigned char *nonce,
                    struct salvor_span plain, unsigned char *room)
{
    memcpy(room, nonce, crypto_secretbox_NONCEBYTES);
    if (crypto_secretbox_easy(room + crypto_secretbox_NONCEBYTES, bytes_of(plain, 0), plain.size,
                              nonce, key->secret) != 0)
        return -1;
    return (int)(crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + plain.size);
}

static int seal_into(const struct encryption_provider *provider, const unsigned char *nonce,
                     struct salvor_span plain, const char *aad, int aad_size, unsigned char *room)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    const struct encryption_key *key = &provider->keys[0];
    int made = -1;
    if (context == NULL)
        return -1;
    if (provider->cipher == CIPHER_AESCBC)
        made = seal_cbc(context, key, nonce, plain, room);
    else if (provider->cipher == CIPHER_AESGCM)
        made = seal_gcm(context, key, nonce, plain, aad, aad_size, room);
    else
        made = seal_box(key, nonce, plain, room);
    EVP_CIPHER_CTX_free(context);
    return made;
}

static void put_base64(struct salvor_text *bytes, struct salvor_text *out)
{
    const size_t size = sodium_base64_encoded_len(bytes->size, sodium_base64_VARIANT_ORIGINAL);
    salvor_text_add(out, "\"", 1);
    char *room = salvor_text_reserve(out, size + 1);
    if (room == NULL || bytes->failed != SALVOR_OK) {
        out->failed = SALVOR_FAILED;
        return;
    }
    (void)sodium_bin2base64(room, size, (const unsigned char *)bytes->data, bytes->size,
                            sodium_base64_VARIANT_ORIGINAL);
    out->size += size - 1;
    salvor_text_add(out, "\"", 1);
}

enum cipher_answer cipher_seal(const struct encryption_target *target, struct salvor_span plain,
                               struct salvor_span ns, struct salvor_span name,
                               const unsigned char *nonce, struct salvor_text *out)
{
    salvor_auto_text struct salvor_text bytes = SALVOR_TEXT_INIT((size_t)1 << 30);
    unsigned char random[crypto_secretbox_NONCEBYTES];
    char aad[AAD_LIMIT];
    const struct encryption_provider *provider = target != NULL ? target->providers[0] : NULL;
    if (provider == NULL || provider->cipher == CIPHER_IDENTITY) {
        salvor_text_span(out, plain);
        return out->failed == SALVOR_OK ? CIPHER_OPENED : CIPHER_NO_MEMORY;
    }
    if (provider->cipher == CIPHER_KMS)
        return CIPHER_NEEDS_KMS;
    const int aad_size = place(ns, name, aad, sizeof aad);
    if (nonce == NULL)
        randombytes_buf(random, sizeof random);
    salvor_text_format(&bytes, "%s%s:v1:%s:", prefix, cipher_name(provider->cipher),
                       provider->keys[0].name);
    unsigned char *room = (unsigned char *)salvor_text_reserve(&bytes, (size_t)plain.size + 64);
    if (room == NULL || aad_size < 0 || plain.size > INT_MAX - 64)
        return CIPHER_NO_MEMORY;
    const int made =
        seal_into(provider, nonce != NULL ? nonce : random, plain, aad, aad_size, room);
    if (made < 0)
        return CIPHER_NO_MEMORY;
    bytes.size += (size_t)made;
    put_base64(&bytes, out);
    return out->failed == SALVOR_OK ? CIPHER_OPENED : CIPHER_NO_MEMORY;
}
