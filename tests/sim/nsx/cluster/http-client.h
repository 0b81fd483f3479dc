/* HTTP for what plays a cluster: requests that are awaited, and streams of lines. */
#ifndef SIM_ANTREA_HTTP_CLIENT_H
#define SIM_ANTREA_HTTP_CLIENT_H

#include <curl/curl.h>
#include <jansson.h>
#include <stdint.h>

#include "base/buffer.h"

/* Where requests go, and as whom. Texts are PEM, owned by whoever made it. */
struct http_target {
    char *url; /* "https://HOST:PORT", without a slash at the end */
    char *authority, *certificate, *key;
    char *bearer; /* "Authorization: Bearer ..." or NULL */
    int is_insecure;
    CURL *curl; /* kept between requests */
};

void http_target_clear(struct http_target *target);

/* The HTTP status, or -1 when there was no answer. *ret_body (may be NULL) is new or NULL. */
int http_request(struct http_target *target, const char *method, const char *path,
                 const char *content_type, const json_t *body, json_t **ret_body);

/* A request whose answer goes on: each line is handed to `take`. */
typedef void http_take_line(const char *line, size_t size, void *user);

struct http_stream {
    CURL *curl;
    struct curl_slist *headers;
    struct buffer rest; /* of a line */
    http_take_line *take;
    void *user;
    int is_open;      /* among those that run */
    int status;       /* of the head that came; 0 before */
    int64_t retry_ms; /* monotonic: not before */
};

void http_stream_open(struct http_stream *stream, CURLM *multi, const struct http_target *target,
                      const char *path, http_take_line *take, void *user);
void http_stream_close(struct http_stream *stream, CURLM *multi);

/* Notes what ended; a stream that ended is closed. */
void http_streams_collect(CURLM *multi);

#endif
