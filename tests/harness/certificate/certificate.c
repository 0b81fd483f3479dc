#include "certificate/certificate.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/banned.h"
#include "base/text.h"

static char *bio_text(BIO *bio)
{
    char *data = NULL;
    long size = BIO_get_mem_data(bio, &data);
    return text_copy_span(data, size < 0 ? 0 : (size_t)size);
}

static X509 *read_certificate(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return certificate;
}

static EVP_PKEY *read_key(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return key;
}

static int add_extension(X509 *certificate, X509 *issuer, int id, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, id, value);
    if (extension == NULL)
        return -1;
    int done = X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    return done ? 0 : -1;
}

static int add_name(X509_NAME *name, const char *field, const char *value)
{
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value, -1,
                                      -1, 0)
               ? 0
               : -1;
}

static int fill(X509 *certificate, EVP_PKEY *key, X509 *issuer,
                const struct certificate_request *request)
{
    uint64_t serial;
    if (RAND_bytes((unsigned char *)&serial, sizeof serial) != 1)
        return -1;
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), (long)request->valid_from_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate), (long)request->valid_to_s);
    X509_set_pubkey(certificate, key);
    X509_NAME *name = X509_get_subject_name(certificate);
    if ((request->organization != NULL && add_name(name, "O", request->organization) != 0) ||
        add_name(name, "CN", request->common_name) != 0)
        return -1;
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    const char *usage =
        request->is_authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature";
    if (add_extension(certificate, issuer, NID_basic_constraints,
                      request->is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE") != 0 ||
        add_extension(certificate, issuer, NID_key_usage, usage) != 0 ||
        add_extension(certificate, issuer, NID_subject_key_identifier, "hash") != 0)
        return -1;
    if (!request->is_authority &&
        add_extension(certificate, issuer, NID_ext_key_usage,
                      request->is_client ? "clientAuth" : "serverAuth") != 0)
        return -1;
    return request->names == NULL
               ? 0
               : add_extension(certificate, issuer, NID_subject_alt_name, request->names);
}

int certificate_make(const struct certificate_request *request, struct certificate *ret,
                     struct error *reterr)
{
    int result = -1;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509 *issuer = request->issuer == NULL ? certificate : read_certificate(request->issuer->pem);
    EVP_PKEY *signer = request->issuer == NULL ? key : read_key(request->issuer->key_pem);
    BIO *text = BIO_new(BIO_s_mem()), *key_text = BIO_new(BIO_s_mem());
    if (key != NULL && certificate != NULL && issuer != NULL && signer != NULL &&
        fill(certificate, key, issuer, request) == 0 &&
        X509_sign(certificate, signer, EVP_sha256()) > 0 && PEM_write_bio_X509(text, certificate) &&
        PEM_write_bio_PKCS8PrivateKey(key_text, key, NULL, NULL, 0, NULL, NULL)) {
        ret->pem = bio_text(text);
        ret->key_pem = bio_text(key_text);
        result = 0;
    } else {
        error_set(reterr, EXIT_FAILED, "cannot make a certificate for '%s'", request->common_name);
    }
    BIO_free(text);
    BIO_free(key_text);
    if (request->issuer != NULL) {
        X509_free(issuer);
        EVP_PKEY_free(signer);
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
    return result;
}

void certificate_clear(struct certificate *certificate)
{
    free(certificate->pem);
    free(certificate->key_pem);
    *certificate = (struct certificate){NULL, NULL};
}
