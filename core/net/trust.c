#include "net/trust.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sodium.h>
#include <string.h>

#include "base/banned.h"
#include "base/text.h"

struct trust {
    const struct settings *settings;
    X509_STORE *store; /* NULL: a pin alone, or insecure */
    X509 *certificate; /* of the client, or NULL */
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
    char peer[DIGEST_TEXT_SIZE];
    const char *refusal;
};

/* ---- PEM ------------------------------------------------------------------------------------- */

/* OpenSSL would ask the terminal. */
static int no_passphrase(char *buffer, // NOLINT(readability-non-const-parameter): OpenSSL's type
                         int size, int writing, void *data)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)data;
    return -1;
}

static BIO *open_pem(const struct settings_pem *pem)
{
    BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->size);
    if (bio == NULL)
        out_of_memory();
    return bio;
}

static X509 *next_certificate(BIO *bio)
{
    X509 *certificate = PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, NULL);
    if (certificate == NULL)
        ERR_clear_error();
    return certificate;
}

static int read_authorities(struct trust *trust, struct error *reterr)
{
    BIO *bio = open_pem(&trust->settings->ca);
    int count = 0;
    for (X509 *each = NULL; (each = next_certificate(bio)) != NULL; count++) {
        (void)X509_STORE_add_cert(trust->store, each); /* a second copy is no harm */
        X509_free(each);
    }
    (void)BIO_free(bio);
    ERR_clear_error();
    if (count == 0)
        return error_set(reterr, EXIT_USAGE, "the authorities hold no PEM certificate");
    return 0;
}

static int read_identity(struct trust *trust, struct error *reterr)
{
    BIO *bio = open_pem(&trust->settings->certificate);
    trust->certificate = next_certificate(bio);
    trust->chain = sk_X509_new_null();
    for (X509 *each = NULL; trust->certificate != NULL && (each = next_certificate(bio)) != NULL;)
        (void)sk_X509_push(trust->chain, each);
    (void)BIO_free(bio);
    bio = open_pem(&trust->settings->key);
    trust->key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    (void)BIO_free(bio);
    ERR_clear_error();
    if (trust->certificate == NULL)
        return error_set(reterr, EXIT_USAGE, "the client certificate is no PEM certificate");
    if (trust->key == NULL) {
        (void)error_set(reterr, EXIT_USAGE, "the client key is no PEM key that can be read");
        return error_hint(reterr, "a key with a passphrase cannot be used: 'openssl pkey -in KEY' "
                                  "writes it without");
    }
    if (X509_check_private_key(trust->certificate, trust->key) != 1) {
        ERR_clear_error();
        return error_set(reterr, EXIT_USAGE, "the client key does not belong to the certificate");
    }
    return 0;
}

static int open_store(struct trust *trust, struct error *reterr)
{
    trust->store = X509_STORE_new();
    if (trust->store == NULL)
        out_of_memory();
    /* An intermediate, or the server's own certificate, is trusted where it is given as such. */
    (void)X509_STORE_set_flags(trust->store, X509_V_FLAG_PARTIAL_CHAIN);
    if (trust->settings->ca.data != NULL)
        return read_authorities(trust, reterr);
    (void)X509_STORE_set_default_paths(trust->store);
    ERR_clear_error();
    return 0;
}

int trust_open(const struct settings *settings, struct trust **ret_trust, struct error *reterr)
{
    struct trust *trust = memory_new(1, sizeof *trust);
    trust->settings = settings;
    int result = 0;
    if (settings->is_https && !settings->insecure &&
        (!settings->has_pin || settings->ca.data != NULL))
        result = open_store(trust, reterr);
    if (result == 0 && settings->key.data != NULL)
        result = read_identity(trust, reterr);
    if (result != 0) {
        trust_close(trust);
        return -1;
    }
    *ret_trust = trust;
    return 0;
}

void trust_close(struct trust *trust)
{
    if (trust == NULL)
        return;
    X509_STORE_free(trust->store);
    X509_free(trust->certificate);
    sk_X509_pop_free(trust->chain, X509_free);
    EVP_PKEY_free(trust->key);
    free(trust);
}

/* ---- in the handshake ------------------------------------------------------------------------ */

static void note_peer(struct trust *trust, X509 *leaf, unsigned char ret_hash[DIGEST_SIZE])
{
    unsigned size = 0;
    memset(ret_hash, 0, DIGEST_SIZE);
    trust->peer[0] = '\0';
    if (leaf != NULL && X509_digest(leaf, EVP_sha256(), ret_hash, &size) == 1 &&
        size == DIGEST_SIZE)
        digest_text(ret_hash, trust->peer);
}

static int refuse(struct trust *trust, X509_STORE_CTX *ctx, int code, const char *why)
{
    X509_STORE_CTX_set_error(ctx, code);
    trust->refusal = why;
    return 0;
}

/* Instead of OpenSSL's own check of the chain. */
static int verify(X509_STORE_CTX *ctx, void *data)
{
    struct trust *trust = data;
    const struct settings *settings = trust->settings;
    unsigned char hash[DIGEST_SIZE];
    note_peer(trust, X509_STORE_CTX_get0_cert(ctx), hash);
    trust->refusal = NULL;
    if (settings->has_pin &&
        (trust->peer[0] == '\0' || sodium_memcmp(hash, settings->pin, sizeof settings->pin) != 0))
        return refuse(trust, ctx, X509_V_ERR_APPLICATION_VERIFICATION,
                      "it has another fingerprint than the pinned one");
    if (trust->store == NULL) {
        X509_STORE_CTX_set_error(ctx, X509_V_OK);
        return 1;
    }
    const int accepted = X509_verify_cert(ctx) == 1;
    const int code = X509_STORE_CTX_get_error(ctx);
    return accepted ? 1 : refuse(trust, ctx, code, X509_verify_cert_error_string(code));
}

CURLcode trust_prepare(CURL *curl, void *ssl_ctx, void *data)
{
    struct trust *trust = data;
    SSL_CTX *ctx = ssl_ctx;
    (void)curl;
    SSL_CTX_set_cert_verify_callback(ctx, verify, trust);
    /* libcurl fills the store of the context by itself, later than this; this one wins over it. */
    if (trust->store != NULL && SSL_CTX_set1_verify_cert_store(ctx, trust->store) != 1)
        return CURLE_OUT_OF_MEMORY;
    if (trust->key != NULL &&
        SSL_CTX_use_cert_and_key(ctx, trust->certificate, trust->key, trust->chain, 1) != 1)
        return CURLE_SSL_CERTPROBLEM;
    return CURLE_OK;
}

const char *trust_peer(const struct trust *trust)
{
    return trust->peer;
}

const char *trust_refusal(struct trust *trust)
{
    const char *refusal = trust->refusal;
    trust->refusal = NULL;
    return refusal;
}

int trust_checks_name(const struct trust *trust)
{
    return trust->store != NULL;
}
