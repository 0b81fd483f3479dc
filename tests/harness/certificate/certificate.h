/* Certificates for tests, made on the spot: authorities, servers, clients, and faulty ones. */
#ifndef HARNESS_CERTIFICATE_H
#define HARNESS_CERTIFICATE_H

#include <stdint.h>

#include "base/error.h"

struct certificate {
    char *pem;
    char *key_pem; /* unencrypted PKCS #8 */
};

struct certificate_request {
    const char *common_name;
    const char *organization;         /* or NULL */
    const char *names;                /* as OpenSSL writes them: "IP:127.0.0.1,DNS:localhost" */
    int64_t valid_from_s, valid_to_s; /* relative to now */
    int is_authority;
    int is_client;
    const struct certificate *issuer; /* NULL: signs itself */
};

/* Texts are owned by the caller; free with certificate_clear. */
int certificate_make(const struct certificate_request *request, struct certificate *ret,
                     struct error *reterr);
void certificate_clear(struct certificate *certificate);

#endif
