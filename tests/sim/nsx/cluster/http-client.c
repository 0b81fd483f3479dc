#include "http-client.h"

#include <stdlib.h>
#include <string.h>

#include "sim-nsx.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

enum { ANSWER_MAX = 256 << 20, LINE_MAX_SIZE = 64 << 20, TIMEOUT_MS = 20000 };

void http_target_clear(struct http_target *target)
{
    if (target->curl != NULL)
        curl_easy_cleanup(target->curl);
    free(target->url);
    free(target->authority);
    free(target->certificate);
    free(target->key);
    free(target->bearer);
    *target = (struct http_target){.url = NULL};
}

static void set_blob(CURL *curl, CURLoption option, const char *pem)
{
    if (pem == NULL)
        return;
    struct curl_blob blob = {
        .data = (void *)(uintptr_t)pem, .len = strlen(pem), .flags = CURL_BLOB_COPY};
    curl_easy_setopt(curl, option, &blob);
}

static void set_common(CURL *curl, const struct http_target *target, const char *url)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, NSX_PLAYER_AGENT);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    set_blob(curl, CURLOPT_CAINFO_BLOB, target->authority);
    set_blob(curl, CURLOPT_SSLCERT_BLOB, target->certificate);
    set_blob(curl, CURLOPT_SSLKEY_BLOB, target->key);
    if (target->is_insecure) {
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

static struct curl_slist *headers_of(const struct http_target *target, const char *content_type)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    if (target->bearer != NULL)
        headers = curl_slist_append(headers, target->bearer);
    if (content_type != NULL) {
        cleanup_free char *line = text_format("Content-Type: %s", content_type);
        headers = curl_slist_append(headers, line);
    }
    return headers;
}

static size_t take_answer(char *data, size_t size, size_t count, void *user)
{
    return buffer_append(user, data, size * count) == 0 ? size * count : 0;
}

int http_request(struct http_target *target, const char *method, const char *path,
                 const char *content_type, const json_t *body, json_t **ret_body)
{
    long status = -1;
    cleanup_buffer struct buffer got = BUFFER_INIT(ANSWER_MAX);
    cleanup_free char *url = text_format("%s%s", target->url, path);
    cleanup_free char *sent = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    struct curl_slist *headers =
        headers_of(target, content_type != NULL ? content_type : "application/json");
    if (target->curl == NULL)
        target->curl = curl_easy_init();
    else
        curl_easy_reset(target->curl);
    CURL *curl = target->curl;
    set_common(curl, target, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &got);
    if (sent != NULL)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, sent);
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    if (ret_body != NULL)
        *ret_body = status > 0 && got.size > 0 ? json_loadb(got.data, got.size, 0, NULL) : NULL;
    return (int)status;
}

/* --- streams ---------------------------------------------------------------------------------- */

static size_t take_piece(char *data, size_t size, size_t count, void *user)
{
    struct http_stream *stream = user;
    long status = 0;
    curl_easy_getinfo(stream->curl, CURLINFO_RESPONSE_CODE, &status);
    stream->status = (int)status;
    if (status != 200)
        return size * count;
    if (buffer_append(&stream->rest, data, size * count) != 0)
        return 0;
    for (;;) {
        const char *newline = memchr(stream->rest.data, '\n', stream->rest.size);
        if (newline == NULL)
            break;
        size_t length = (size_t)(newline - stream->rest.data);
        stream->take(stream->rest.data, length, stream->user);
        buffer_consume(&stream->rest, length + 1);
        if (stream->rest.size == 0)
            break;
    }
    return size * count;
}

void http_stream_open(struct http_stream *stream, CURLM *multi, const struct http_target *target,
                      const char *path, http_take_line *take, void *user)
{
    cleanup_free char *url = text_format("%s%s", target->url, path);
    http_stream_close(stream, multi);
    stream->rest.limit = LINE_MAX_SIZE;
    stream->take = take;
    stream->user = user;
    stream->status = 0;
    stream->headers = headers_of(target, NULL);
    stream->curl = curl_easy_init();
    set_common(stream->curl, target, url);
    curl_easy_setopt(stream->curl, CURLOPT_HTTPHEADER, stream->headers);
    curl_easy_setopt(stream->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)TIMEOUT_MS);
    curl_easy_setopt(stream->curl, CURLOPT_WRITEFUNCTION, take_piece);
    curl_easy_setopt(stream->curl, CURLOPT_WRITEDATA, stream);
    curl_easy_setopt(stream->curl, CURLOPT_PRIVATE, stream);
    curl_multi_add_handle(multi, stream->curl);
    stream->is_open = 1;
}

void http_stream_close(struct http_stream *stream, CURLM *multi)
{
    if (stream->curl == NULL)
        return;
    curl_multi_remove_handle(multi, stream->curl);
    curl_easy_cleanup(stream->curl);
    curl_slist_free_all(stream->headers);
    buffer_clear(&stream->rest);
    stream->curl = NULL;
    stream->headers = NULL;
    stream->is_open = 0;
}

void http_streams_collect(CURLM *multi)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
        struct http_stream *stream = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        long status = 0;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &stream);
        curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
        stream->status = (int)status;
        http_stream_close(stream, multi);
    }
}
