/*
 * Certificates as NSX and the adapters hold them: compared by the SHA-256 of their DER form, never
 * by their text (facts 1.5), and made new for a cluster (facts 2.2, step 3).
 */
#ifndef NSX_ANTREA_CERTIFICATE_H
#define NSX_ANTREA_CERTIFICATE_H

#include <jansson.h>
#include <salvor/types.h>

/*
 * {"sha256", "cn", "not_before", "not_after"} of the first certificate in `pem`, times in
 * milliseconds. NULL when there is none in it, or no memory; the caller owns it.
 */
json_t *certificate_read(const char *pem, size_t size);

/* 1 when the private key (PEM) is that of the certificate. */
int certificate_matches_key(struct salvor_span certificate_pem, struct salvor_span key_pem);

/*
 * A new RSA 2048 key and a self-signed SHA-256 certificate for it whose CN is `name`, as the
 * vendor's page makes them (NSX-033, NSX-034, NSX-035). Both as PEM in the caller's buffers; the
 * key is to be adopted as a secret and wiped at once. `days`: validity. SALVOR_FAILED: why is
 * reported.
 */
salvor_status certificate_make(salvor_call *call, const char *name, int days, char *certificate_pem,
                               size_t certificate_room, char *key_pem, size_t key_room);

#endif
