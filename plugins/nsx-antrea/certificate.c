#include "certificate.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <salvor/helpers.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { KEY_BITS = 2048, PEM_LIMIT = 1 << 20 };

static inline void BIO_free_all_at(BIO **slot)
{
    BIO_free_all(*slot);
}

static inline void X509_free_at(X509 **slot)
{
    X509_free(*slot);
}

static inline void EVP_PKEY_free_at(EVP_PKEY **slot)
{
    EVP_PKEY_free(*slot);
}

#define auto_bio __attribute__((__cleanup__(BIO_free_all_at)))
#define auto_x509 __attribute__((__cleanup__(X509_free_at)))
#define auto_key __attribute__((__cleanup__(EVP_PKEY_free_at)))

/* No key of ours has a pass phrase; without this OpenSSL would ask the terminal for one.
 * The signature is OpenSSL's. */
// NOLINTNEXTLINE(readability-non-const-parameter)
static int no_pass_phrase(char *buffer, int size, int writes, void *data)
{
    (void)buffer;
    (void)size;
    (void)writes;
    (void)data;
    return -1;
}

static X509 *parse(const char *pem, size_t size)
{
    if (pem == NULL || size == 0 || size > PEM_LIMIT)
        return NULL;
    auto_bio BIO *memory = BIO_new_mem_buf(pem, (int)size);
    return memory != NULL ? PEM_read_bio_X509(memory, NULL, no_pass_phrase, NULL) : NULL;
}

static json_int_t milliseconds(const ASN1_TIME *time)
{
    struct tm parts;
    return ASN1_TIME_to_tm(time, &parts) == 1 ? (json_int_t)timegm(&parts) * 1000 : 0;
}

static int common_name(const X509 *certificate, char *name, size_t size)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0)
        return -1;
    unsigned char *utf8 = NULL;
    const int length =
        ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (length < 0)
        return -1;
    const int fits = (size_t)length < size && memchr(utf8, '\0', (size_t)length) == NULL;
    if (fits) {
        memcpy(name, utf8, (size_t)length);
        name[length] = '\0';
    }
    OPENSSL_free(utf8);
    return fits ? 0 : -1;
}

json_t *certificate_read(const char *pem, size_t size)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_size = 0;
    char text[2 * EVP_MAX_MD_SIZE + 1] = "";
    char name[512] = "";
    auto_x509 X509 *certificate = parse(pem, size);
    if (certificate == NULL || X509_digest(certificate, EVP_sha256(), digest, &digest_size) != 1)
        return NULL;
    for (unsigned int i = 0; i < digest_size; i++)
        (void)snprintf(text + (size_t)2 * i, 3, "%02x", digest[i]);
    const int named = common_name(certificate, name, sizeof name) == 0;
    return json_pack("{s:s, s:s?, s:I, s:I}", "sha256", text, "cn", named ? name : NULL,
                     "not_before", milliseconds(X509_get0_notBefore(certificate)), "not_after",
                     milliseconds(X509_get0_notAfter(certificate)));
}

int certificate_matches_key(struct salvor_span certificate_pem, struct salvor_span key_pem)
{
    auto_x509 X509 *certificate = parse(certificate_pem.data, certificate_pem.size);
    if (certificate == NULL || key_pem.size == 0 || key_pem.size > PEM_LIMIT)
        return 0;
    auto_bio BIO *memory = BIO_new_mem_buf(key_pem.data, (int)key_pem.size);
    auto_key EVP_PKEY *key =
        memory != NULL ? PEM_read_bio_PrivateKey(memory, NULL, no_pass_phrase, NULL) : NULL;
    return key != NULL && X509_check_private_key(certificate, key) == 1;
}

/* ---- a new pair ---------------------------------------------------------------------------------
 */

static int add_word(X509_NAME *subject, const char *field, const char *word)
{
    return X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8, (const unsigned char *)word,
                                      -1, -1, 0);
}

static int set_random_serial(X509 *certificate)
{
    BIGNUM *number = BN_new();
    const int set = number != NULL && BN_rand(number, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) &&
                    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return set;
}

static int fill(X509 *certificate, EVP_PKEY *key, const char *name, int days)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    return set_random_serial(certificate) &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), 0) != NULL &&
           X509_time_adj_ex(X509_getm_notAfter(certificate), days, 0, NULL) != NULL &&
           add_word(subject, "O", "salvor") && add_word(subject, "OU", "Antrea Cluster") &&
           add_word(subject, "CN", name) && X509_set_issuer_name(certificate, subject) &&
           X509_set_pubkey(certificate, key) && X509_sign(certificate, key, EVP_sha256()) > 0;
}

static int take(BIO *memory, char *text, size_t room)
{
    char *data = NULL;
    const long size = BIO_get_mem_data(memory, &data);
    if (size <= 0 || (size_t)size >= room)
        return 0;
    memcpy(text, data, (size_t)size);
    text[size] = '\0';
    return 1;
}

static int write_pair(X509 *certificate, EVP_PKEY *key, char *certificate_pem,
                      size_t certificate_room, char *key_pem, size_t key_room)
{
    auto_bio BIO *public_part = BIO_new(BIO_s_mem());
    /* secure memory: what OpenSSL made of the key is wiped with it */
    auto_bio BIO *private_part = BIO_new(BIO_s_secmem());
    return public_part != NULL && private_part != NULL &&
           PEM_write_bio_X509(public_part, certificate) == 1 &&
           PEM_write_bio_PrivateKey(private_part, key, NULL, NULL, 0, NULL, NULL) == 1 &&
           take(public_part, certificate_pem, certificate_room) &&
           take(private_part, key_pem, key_room);
}

salvor_status certificate_make(salvor_call *call, const char *name, int days, char *certificate_pem,
                               size_t certificate_room, char *key_pem, size_t key_room)
{
    auto_key EVP_PKEY *key = EVP_RSA_gen(KEY_BITS);
    auto_x509 X509 *certificate = X509_new();
    if (key == NULL || certificate == NULL || !fill(certificate, key, name, days) ||
        !write_pair(certificate, key, certificate_pem, certificate_room, key_pem, key_room))
        return salvor_fail(call, SALVOR_FAILED,
                           "a common name has at most 64 characters: is the cluster's longer?",
                           "cannot make a certificate for '%s'", name);
    return SALVOR_OK;
}
