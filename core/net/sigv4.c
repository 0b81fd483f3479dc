#include "net/sigv4.h"

#include <nettle/hmac.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/text.h"

enum { TEXT_LIMIT = 1 << 20, DATE_SIZE = 8 };

#define ALGORITHM "AWS4-HMAC-SHA256"

/* ---- encoding ---------------------------------------------------------------------------------
 */

static int is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~", c) != NULL);
}

static void encode_into(struct buffer *out, const char *text, int keep_slashes)
{
    for (; *text != '\0'; text++) {
        if (is_unreserved(*text) || (keep_slashes && *text == '/'))
            (void)buffer_append(out, text, 1);
        else
            (void)buffer_format(out, "%%%02X", (unsigned char)*text);
    }
}

char *sigv4_encode(const char *text, int keep_slashes)
{
    struct buffer out = BUFFER_INIT(TEXT_LIMIT);
    encode_into(&out, text, keep_slashes);
    return buffer_take(&out);
}

char *sigv4_query(const struct sigv4_pair *query, size_t count)
{
    struct buffer out = BUFFER_INIT(TEXT_LIMIT);
    for (size_t i = 0; i < count; i++) {
        (void)buffer_append_text(&out, i > 0 ? "&" : "");
        encode_into(&out, query[i].name, 0);
        (void)buffer_append_text(&out, "=");
        encode_into(&out, query[i].value, 0);
    }
    return buffer_take(&out);
}

void sigv4_time(int64_t realtime_ms, char ret_time[SIGV4_TIME_SIZE])
{
    time_t seconds = (time_t)(realtime_ms / 1000);
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL ||
        strftime(ret_time, SIGV4_TIME_SIZE, "%Y%m%dT%H%M%SZ", &parts) == 0)
        ret_time[0] = '\0';
}

/* ---- signing ----------------------------------------------------------------------------------
 */

static void hmac(const void *key, size_t key_size, const void *text, size_t size,
                 unsigned char ret[DIGEST_SIZE])
{
    struct hmac_sha256_ctx context;
    hmac_sha256_set_key(&context, key_size, key);
    hmac_sha256_update(&context, size, text);
    hmac_sha256_digest(&context, DIGEST_SIZE, ret);
    sodium_memzero(&context, sizeof context);
}

static void hmac_text(const unsigned char key[DIGEST_SIZE], const char *text,
                      unsigned char ret[DIGEST_SIZE])
{
    hmac(key, DIGEST_SIZE, text, strlen(text), ret);
}

/* Values with outer blanks off and inner ones single, as they are signed. */
static void add_value(struct buffer *out, const char *value)
{
    int blank = 1;
    for (; *value != '\0'; value++) {
        if (*value == ' ' && (blank || value[1] == '\0' || value[1] == ' '))
            continue;
        blank = *value == ' ';
        (void)buffer_append(out, value, 1);
    }
}

static char *signed_names(const struct sigv4_request *request)
{
    struct buffer out = BUFFER_INIT(TEXT_LIMIT);
    for (size_t i = 0; i < request->header_count; i++)
        (void)buffer_format(&out, "%s%s", i > 0 ? ";" : "", request->headers[i].name);
    return buffer_take(&out);
}

static void canonical_digest(const struct sigv4_request *request, const char *names,
                             char ret[DIGEST_TEXT_SIZE])
{
    cleanup_buffer struct buffer out = BUFFER_INIT(TEXT_LIMIT);
    cleanup_free char *query = sigv4_query(request->query, request->query_count);
    (void)buffer_format(&out, "%s\n%s\n%s\n", request->method, request->path, query);
    for (size_t i = 0; i < request->header_count; i++) {
        (void)buffer_format(&out, "%s:", request->headers[i].name);
        add_value(&out, request->headers[i].value);
        (void)buffer_append_text(&out, "\n");
    }
    (void)buffer_format(&out, "\n%s\n%s", names, request->payload_sha256);
    digest_text_of(out.data, out.size, ret);
}

static void signing_key(const struct sigv4_request *request, unsigned char key[DIGEST_SIZE])
{
    size_t size = strlen(request->secret_key) + 4;
    char *first = memory_new(size + 1, 1);
    (void)snprintf(first, size + 1, "AWS4%s", request->secret_key);
    hmac(first, size, request->time, DATE_SIZE, key);
    sodium_memzero(first, size);
    free(first);
    hmac_text(key, request->region, key);
    hmac_text(key, request->service, key);
    hmac_text(key, "aws4_request", key);
}

char *sigv4_authorization(const struct sigv4_request *request)
{
    char digest[DIGEST_TEXT_SIZE];
    char signature[DIGEST_TEXT_SIZE];
    unsigned char key[DIGEST_SIZE];
    unsigned char hash[DIGEST_SIZE];
    cleanup_free char *names = signed_names(request);
    cleanup_free char *scope =
        text_format("%.8s/%s/%s/aws4_request", request->time, request->region, request->service);
    canonical_digest(request, names, digest);
    cleanup_free char *text = text_format(ALGORITHM "\n%s\n%s\n%s", request->time, scope, digest);
    signing_key(request, key);
    hmac_text(key, text, hash);
    sodium_memzero(key, sizeof key);
    digest_text(hash, signature);
    return text_format(ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s",
                       request->access_key, scope, names, signature);
}
