/*
 * TLS of a pool with OpenSSL: who the server must be and who we are. Everything is read once; each
 * connection gets it by libcurl's CURLOPT_SSL_CTX_FUNCTION. A pin is checked in the handshake of
 * each connection: pools share no connections and resume no sessions, so none escapes the check.
 */
#ifndef SALVOR_NET_TRUST_H
#define SALVOR_NET_TRUST_H

#include <curl/curl.h>

#include "base/digest.h"
#include "net/settings.h"

struct trust;

/* `settings` is borrowed and outlives it. -1: a PEM holds nothing usable, or key and certificate
 * do not belong together; the error says which. */
int trust_open(const struct settings *settings, struct trust **ret_trust, struct error *reterr);
void trust_close(struct trust *trust);

/* For CURLOPT_SSL_CTX_FUNCTION with the trust as its data. */
CURLcode trust_prepare(CURL *curl, void *ssl_ctx, void *trust);

/* Hex SHA-256 of the certificate seen last; "" before any. */
const char *trust_peer(const struct trust *trust);

/* Why the last certificate was refused ("it has expired"), or NULL when none was. Reading clears
 * it. */
const char *trust_refusal(struct trust *trust);

/* 1 when the name in the certificate counts (not for a pin alone, not when insecure). */
int trust_checks_name(const struct trust *trust);

#endif
