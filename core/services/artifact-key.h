/*
 * Keys of encrypted artifacts in a worker. What a run has made it may read again until it is
 * closed: the data key of such an artifact stands in its note, wrapped with a key of the run that
 * is sealed by the parent and destroyed with the run. All others are opened with the private keys
 * that the parent has references for ("identity.0", "identity.1", ...).
 */
#ifndef SALVOR_SERVICES_ARTIFACT_KEY_H
#define SALVOR_SERVICES_ARTIFACT_KEY_H

#include "seal/identity.h"
#include "worker/call.h"

/* *ret_identity: owned by the caller, NULL when there is no private key. */
salvor_status artifact_identity(struct worker_call *call, struct identity **ret_identity);

/* The data key as text for a note (owned by the caller), and back into `ret_key`, which is locked
 * memory of SEAL_KEY_SIZE bytes; NOT_FOUND when the run's key is gone. */
salvor_status artifact_key_wrap(struct worker_call *call, const unsigned char *key,
                                char **ret_text);
salvor_status artifact_key_unwrap(struct worker_call *call, const char *text,
                                  unsigned char *ret_key);

#endif
