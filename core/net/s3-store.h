/*
 * A bucket of an S3 server as a store. Requests are signed here (sigv4.h), payloads always with
 * their SHA-256: so the server refuses what changed on the way, over HTTP and HTTPS alike. What put
 * stores carries its digest as metadata, so that a later push can tell it from something else.
 */
#ifndef SALVOR_NET_S3_STORE_H
#define SALVOR_NET_S3_STORE_H

#include <jansson.h>

#include "store/store.h"
#include "worker/call.h"

struct s3_credentials {
    const char *access_key;
    const char *secret_key;
    const char *session_token; /* or NULL */
};

/*
 * `settings` is that of config_store; the credentials are copied into locked memory. All work of
 * the store happens within `call`, which outlives it. FAILED with *reterr when the server's
 * settings are unusable; nothing is asked of the server yet.
 */
salvor_status s3_store_open(struct worker_call *call, const json_t *settings,
                            const struct s3_credentials *credentials, struct store **ret_store,
                            struct error *reterr);

#endif
