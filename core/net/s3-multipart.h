/* Large objects in parts, several of which are under way at once. */
#ifndef SALVOR_NET_S3_MULTIPART_H
#define SALVOR_NET_S3_MULTIPART_H

#include "net/s3-task.h"
#include "store/store.h"

int s3_multipart_is_better(const struct store_body *body);

/* As put. What an upload of the same key has left behind is given up first, and so is this one when
 * it fails: parts cost money and are seen by nobody. */
int s3_multipart_put(struct s3 *s3, const char *key, const struct store_body *body,
                     struct error *reterr);

/* Begins an upload in parts and gives it up: whether that is allowed. */
int s3_multipart_probe(struct store *store, const char *key, struct error *reterr);

#endif
