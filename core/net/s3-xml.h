/*
 * What S3 answers in XML, parsed by expat. Only what is asked for is kept; a document that is not
 * well-formed, of another kind, or that declares entities is refused.
 */
#ifndef SALVOR_NET_S3_XML_H
#define SALVOR_NET_S3_XML_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* An object of a listing; texts live until the visit returns. */
struct s3_entry {
    const char *key; /* decoded; of a common prefix: ending with '/' */
    int is_prefix;
    int64_t size;
    int64_t modified_ms; /* -1: not told */
};

typedef int (*s3_visit)(void *data, const struct s3_entry *entry, struct error *reterr);

/* A page of ListObjectsV2 (asked for with encoding-type=url). *ret_token, owned by the caller: for
 * the next page, or NULL at the end. */
int s3_xml_list(const char *text, size_t size, s3_visit visit, void *data, char **ret_token,
                struct error *reterr);

/* UploadId of an answer to a started upload; owned by the caller. */
int s3_xml_upload_id(const char *text, size_t size, char **ret_id, struct error *reterr);

/* Uploads under way that are of exactly this key: visits each id. One page. */
int s3_xml_uploads(const char *text, size_t size, const char *key,
                   int (*visit)(void *data, const char *id, struct error *reterr), void *data,
                   struct error *reterr);

/* 1 when it is an error document: *ret_code and *ret_message are owned by the caller ("" where they
 * are missing). 0: it is something else, or no XML. */
int s3_xml_error(const char *text, size_t size, char **ret_code, char **ret_message);

#endif
