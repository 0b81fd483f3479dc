/* Reads an artifact of a store to its end, proving it on the way: size and SHA-256 of the stored
 * bytes, and with keys also that what is encrypted opens. */
#ifndef SALVOR_BACKUP_SET_READER_H
#define SALVOR_BACKUP_SET_READER_H

#include <jansson.h>

#include "base/error.h"
#include "seal/identity.h"
#include "store/store.h"

enum set_reading {
    READ_STORED, /* as it lies there */
    READ_OPENED  /* decrypted where it is encrypted */
};

/*
 * `artifact` is the manifest's entry. The bytes go to `sink` (NULL: nowhere) before all of it is
 * proven: only 0 says that they are what they should be. -1: the error's code is EXIT_REFUSED when
 * no key opens it, EXIT_INTERRUPTED when the watch stopped it, EXIT_BLOCKED when it is damaged or
 * missing, else the store could not be read.
 */
int set_read_artifact(struct store *store, const char *key, const json_t *artifact,
                      enum set_reading reading, const struct identity *identity, store_sink sink,
                      void *data, struct error *reterr);

#endif
