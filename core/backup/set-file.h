/* An artifact of a store as a file here. */
#ifndef SALVOR_BACKUP_SET_FILE_H
#define SALVOR_BACKUP_SET_FILE_H

#include <jansson.h>

#include "backup/set-reader.h"
#include "base/error.h"

/*
 * Writes it below `folder` under its name, durable, and only once it is proven: until then it has
 * another name, and a failure leaves nothing. Folders are made. Errors name the artifact.
 */
int set_file_write(struct store *store, const char *key, const json_t *artifact,
                   enum set_reading reading, const struct identity *identity, const char *folder,
                   struct error *reterr);

/* The same for an object of which nothing is known but its key; `name` is relative to `folder`. */
int set_file_write_bare(struct store *store, const char *key, const char *folder, const char *name,
                        struct error *reterr);

#endif
