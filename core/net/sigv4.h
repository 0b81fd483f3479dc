/*
 * AWS signature version 4 of one request, as servers of S3 check it. Own code instead of libcurl's:
 * what libcurl makes canonical differs from release to release (7.86 to 8.15 changed headers, query
 * and path), and 7.88 of Debian 12 signs some requests wrongly. This is some HMACs in a fixed
 * order.
 */
#ifndef SALVOR_NET_SIGV4_H
#define SALVOR_NET_SIGV4_H

#include <stddef.h>
#include <stdint.h>

struct sigv4_pair {
    const char *name;
    const char *value;
};

struct sigv4_request {
    const char *method;
    const char *path;               /* encoded by sigv4_encode with its slashes kept */
    const struct sigv4_pair *query; /* not encoded; in the order of names */
    size_t query_count;
    const struct sigv4_pair *headers; /* names in lower case, in their order; "host" among them */
    size_t header_count;
    const char *payload_sha256; /* hexadecimal */
    const char *time;           /* "20130524T000000Z", also the value of x-amz-date */
    const char *region;
    const char *service; /* "s3" */
    const char *access_key;
    const char *secret_key;
};

enum { SIGV4_TIME_SIZE = sizeof "20130524T000000Z" };

/* Value of the Authorization header; owned by the caller. */
char *sigv4_authorization(const struct sigv4_request *request);

/* RFC 3986: everything but unreserved characters as %XX; '/' stays when `keep_slashes`. Owned by
 * the caller. */
char *sigv4_encode(const char *text, int keep_slashes);

/* "a=b&c=d" of the pairs, encoded as it is signed and sent; "" for none. Owned by the caller. */
char *sigv4_query(const struct sigv4_pair *query, size_t count);

void sigv4_time(int64_t realtime_ms, char ret_time[SIGV4_TIME_SIZE]);

#endif
