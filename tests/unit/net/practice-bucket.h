/* A bucket of S3 in the memory of a test, path style: enough of the protocol for a client, with
 * every signature and digest checked, and with answers that a test puts in between. */
#ifndef SALVOR_TESTS_PRACTICE_BUCKET_H
#define SALVOR_TESTS_PRACTICE_BUCKET_H

#include <stddef.h>
#include <stdint.h>

#include "practice-server.h"

#define BUCKET "bucket"
#define ACCESS_KEY "AKIAPRACTICE"
#define SECRET_KEY "canary/secret+key"

struct practice_bucket;

/* `certificate` NULL: plain HTTP. `page`: entries in a page of a listing. */
struct practice_bucket *practice_bucket_start(const struct certificate *certificate, int page);
void practice_bucket_stop(struct practice_bucket *bucket);
const char *practice_bucket_url(const struct practice_bucket *bucket);

/* The next `count` requests of that method whose target (path?query) holds `part` get this answer
 * instead; `code` NULL: no body. With `act` the request takes effect all the same. */
struct practice_answer {
    const char *method;
    const char *part;
    int count;
    int status;
    const char *code; /* of an error document */
    const char *header_name;
    const char *header_value;
    int act;
};
void practice_bucket_answer(struct practice_bucket *bucket, const struct practice_answer *answer);

/* How many requests came of that method whose target holds `part`. */
int practice_bucket_count(struct practice_bucket *bucket, const char *method, const char *part);

/* What is stored: size, or -1. And puts something there without the protocol. */
int64_t practice_bucket_size(struct practice_bucket *bucket, const char *key);
void practice_bucket_put(struct practice_bucket *bucket, const char *key, const void *data,
                         size_t size);

/* Uploads in parts that were begun and neither completed nor given up. */
int practice_bucket_uploads(struct practice_bucket *bucket);

/* Every listing holds this key as well, whatever was asked for; with `again` it also says that it
 * goes on, always at the same place. NULL: no more. */
void practice_bucket_lie(struct practice_bucket *bucket, const char *key, int again);

/* The server's clock is ahead of the real one by so much; requests must be signed for it. */
void practice_bucket_skew(struct practice_bucket *bucket, int64_t ms);

#endif
