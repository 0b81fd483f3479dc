#include "x509.h"

#include <stdlib.h>
#include <string.h>

#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include "base/banned.h"
#include "base/text.h"

static char *distinguished_name(gnutls_x509_crt_t certificate, int of_issuer)
{
    gnutls_datum_t text = {NULL, 0};
    int result = of_issuer ? gnutls_x509_crt_get_issuer_dn2(certificate, &text)
                           : gnutls_x509_crt_get_dn2(certificate, &text);
    char *copy = result == 0 ? text_copy_span((const char *)text.data, text.size) : text_copy("");
    gnutls_free(text.data);
    return copy;
}

static char *common_name(gnutls_x509_crt_t certificate, int of_issuer)
{
    char name[256];
    size_t size = sizeof name;
    int result = of_issuer ? gnutls_x509_crt_get_issuer_dn_by_oid(
                                 certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size)
                           : gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME,
                                                           0, 0, name, &size);
    return result == 0 ? text_copy_span(name, size) : text_copy("");
}

static void hexadecimal(const unsigned char *data, size_t size, char *ret)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        ret[2 * i] = digits[data[i] >> 4];
        ret[2 * i + 1] = digits[data[i] & 15];
    }
    ret[2 * size] = '\0';
}

static char *pem_of(gnutls_x509_crt_t certificate)
{
    gnutls_datum_t text = {NULL, 0};
    gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &text);
    char *copy = text_copy_span((const char *)text.data, text.size);
    gnutls_free(text.data);
    return copy;
}

static void read_one(gnutls_x509_crt_t certificate, struct x509_facts *ret)
{
    unsigned char serial[64], sha1[20];
    size_t serial_size = sizeof serial, sha1_size = sizeof sha1;
    gnutls_datum_t der = {NULL, 0};
    memset(ret, 0, sizeof *ret);
    gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &der);
    digest_text_of(der.data, der.size, ret->sha256);
    gnutls_hash_fast(GNUTLS_DIG_SHA1, der.data, der.size, sha1);
    hexadecimal(sha1, sha1_size, ret->sha1);
    gnutls_free(der.data);
    ret->pem = pem_of(certificate);
    ret->subject = distinguished_name(certificate, 0);
    ret->issuer = distinguished_name(certificate, 1);
    ret->subject_cn = common_name(certificate, 0);
    ret->issuer_cn = common_name(certificate, 1);
    ret->serial = memory_new(2 * sizeof serial + 1, 1);
    if (gnutls_x509_crt_get_serial(certificate, serial, &serial_size) != 0)
        serial_size = 0;
    hexadecimal(serial, serial_size, ret->serial);
    ret->not_before_ms = (int64_t)gnutls_x509_crt_get_activation_time(certificate) * 1000;
    ret->not_after_ms = (int64_t)gnutls_x509_crt_get_expiration_time(certificate) * 1000;
    int algorithm = gnutls_x509_crt_get_pk_algorithm(certificate, &ret->bits);
    ret->algorithm = algorithm == GNUTLS_PK_RSA ? "RSA" : "EC";
    ret->is_authority = gnutls_x509_crt_get_ca_status(certificate, NULL) > 0;
}

size_t x509_read(const char *pem, struct x509_facts ret[X509_CHAIN])
{
    gnutls_x509_crt_t *certificates = NULL;
    unsigned count = 0;
    size_t kept = 0;
    gnutls_datum_t text = {(unsigned char *)(uintptr_t)pem, (unsigned)strlen(pem)};
    if (gnutls_x509_crt_list_import2(&certificates, &count, &text, GNUTLS_X509_FMT_PEM, 0) < 0)
        return 0;
    for (unsigned i = 0; i < count; i++) {
        if (kept < X509_CHAIN)
            read_one(certificates[i], &ret[kept++]);
        gnutls_x509_crt_deinit(certificates[i]);
    }
    gnutls_free(certificates);
    return kept;
}

void x509_clear(struct x509_facts *facts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(facts[i].pem);
        free(facts[i].subject);
        free(facts[i].issuer);
        free(facts[i].subject_cn);
        free(facts[i].issuer_cn);
        free(facts[i].serial);
    }
}

int x509_fingerprint(const char *pem, char ret_sha256[DIGEST_TEXT_SIZE])
{
    struct x509_facts facts[X509_CHAIN];
    size_t count = pem == NULL ? 0 : x509_read(pem, facts);
    if (count == 0)
        return -1;
    memcpy(ret_sha256, facts[0].sha256, DIGEST_TEXT_SIZE);
    x509_clear(facts, count);
    return 0;
}

int x509_read_der(const void *der, size_t size, char ret_sha256[DIGEST_TEXT_SIZE], char **ret_name)
{
    gnutls_x509_crt_t certificate;
    gnutls_datum_t data = {(unsigned char *)(uintptr_t)der, (unsigned)size};
    if (gnutls_x509_crt_init(&certificate) != 0)
        return -1;
    int result = gnutls_x509_crt_import(certificate, &data, GNUTLS_X509_FMT_DER);
    if (result == 0) {
        digest_text_of(der, size, ret_sha256);
        *ret_name = common_name(certificate, 0);
    }
    gnutls_x509_crt_deinit(certificate);
    return result == 0 ? 0 : -1;
}
