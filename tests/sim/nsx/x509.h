/* What NSX reads out of a certificate. */
#ifndef SIM_NSX_X509_H
#define SIM_NSX_X509_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

struct x509_facts {
    char *pem;                     /* of this one certificate, as it was given */
    char sha256[DIGEST_TEXT_SIZE]; /* of the DER form */
    char sha1[41];
    char *subject, *issuer, *subject_cn, *issuer_cn, *serial;
    int64_t not_before_ms, not_after_ms;
    const char *algorithm;
    unsigned bits;
    int is_authority;
};

enum { X509_CHAIN = 16 };

/* Reads a chain of PEM texts; the number of certificates, 0 when the text is none. */
size_t x509_read(const char *pem, struct x509_facts ret[X509_CHAIN]);
void x509_clear(struct x509_facts *facts, size_t count);

/* The first certificate's fingerprint; -1 when the text is none. */
int x509_fingerprint(const char *pem, char ret_sha256[DIGEST_TEXT_SIZE]);

/* Fingerprint and common name (new, may be NULL) of DER. */
int x509_read_der(const void *der, size_t size, char ret_sha256[DIGEST_TEXT_SIZE], char **ret_name);

#endif
