#include <string.h>
#include <strings.h>

#include "base/banned.h"
#include "base/text.h"
#include "net/pool.h"

enum { METHOD_SIZE = 20, TARGET_SIZE = 16 << 10 };

/* ---- checks ---------------------------------------------------------------------------------- */

static int has_control_or(const char *text, const char *also)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f || strchr(also, *text) != NULL)
            return 1;
    return 0;
}

static int is_name_of(const char *header, const char *name)
{
    const size_t size = strlen(name);
    return strncasecmp(header, name, size) == 0 && header[size] == ':';
}

/* Framing is libcurl's: two opinions about it would be a hole. */
static int check_header(const char *header, struct error *reterr)
{
    static const char *const framing[] = {
        "content-length", "transfer-encoding", "connection", "host",
        "expect",         "upgrade",           "te",         NULL};
    const char *colon = header != NULL ? strchr(header, ':') : NULL;
    if (colon == NULL || colon == header || strcspn(header, " \t\"") < (size_t)(colon - header))
        return error_set(reterr, EXIT_FAILED, "a header is not of the form 'Name: value'");
    if (has_control_or(header, ""))
        return error_set(reterr, EXIT_FAILED, "header '%.*s' holds a control character",
                         (int)(colon - header), header);
    for (size_t i = 0; framing[i] != NULL; i++)
        if (is_name_of(header, framing[i]) &&
            !(text_equal(framing[i], "te") && strcasecmp(colon + 1, " trailers") == 0))
            return error_set(reterr, EXIT_FAILED, "header '%s' is the transport's own", framing[i]);
    return 0;
}

int request_check(const struct net_transfer *transfer, struct error *reterr)
{
    const char *method = transfer->method != NULL ? transfer->method : "";
    const char *target = transfer->target != NULL ? transfer->target : "";
    const size_t method_size = strlen(method);
    if (method_size == 0 || method_size > METHOD_SIZE ||
        strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != method_size)
        return error_set(reterr, EXIT_FAILED, "'%.40s' is no HTTP method", method);
    if (*target != '/' || strlen(target) > TARGET_SIZE || has_control_or(target, " #"))
        return error_set(reterr, EXIT_FAILED,
                         "'%.*s' is no request target: it begins with '/', is encoded and has at "
                         "most %d bytes",
                         (int)(strcspn(target, "?") < 200 ? strcspn(target, "?") : 200), target,
                         TARGET_SIZE);
    if (transfer->header_count > POOL_HEADERS - 8)
        return error_set(reterr, EXIT_FAILED, "a request with more than %d headers",
                         POOL_HEADERS - 8);
    for (size_t i = 0; i < transfer->header_count; i++)
        if (check_header(transfer->headers[i], reterr) != 0)
            return -1;
    if (transfer->call_site != NULL && has_control_or(transfer->call_site, ""))
        return error_set(reterr, EXIT_FAILED, "a call site holds a control character");
    if (transfer->body.size > 0 && transfer->source.read != NULL)
        return error_set(reterr, EXIT_FAILED, "a request with two bodies");
    return 0;
}

/* ---- headers --------------------------------------------------------------------------------- */

static void add_line(struct net_flight *flight, const char *line)
{
    struct curl_slist *node = &flight->lines[flight->line_count];
    *node = (struct curl_slist){(char *)(uintptr_t)line, NULL};
    if (flight->line_count > 0)
        flight->lines[flight->line_count - 1].next = node;
    flight->line_count++;
}

static void add_own_line(struct net_flight *flight, char *line)
{
    flight->own_lines[flight->own_line_count++] = line;
    add_line(flight, line);
}

static int has_header(const struct net_transfer *transfer, const char *name)
{
    for (size_t i = 0; i < transfer->header_count; i++)
        if (is_name_of(transfer->headers[i], name))
            return 1;
    return 0;
}

static void set_headers(struct net_flight *flight)
{
    const struct net_transfer *transfer = flight->transfer;
    const struct settings *settings = &flight->pool->settings;
    for (size_t i = 0; i < transfer->header_count; i++)
        add_line(flight, transfer->headers[i]);
    if (transfer->call_site != NULL)
        add_own_line(flight, text_format("X-Salvor-Call-Site: %s", transfer->call_site));
    if (settings->server_name != NULL)
        add_own_line(flight, text_format("Host: %s", strstr(settings->origin, "://") + 3));
    add_line(flight, "Expect:");
    if (!has_header(transfer, "content-type"))
        add_line(flight, "Content-Type:");
    (void)curl_easy_setopt(flight->easy, CURLOPT_HTTPHEADER, flight->lines);
}

/* ---- where ----------------------------------------------------------------------------------- */

/* libcurl takes the name for SNI and the check from the URL; it connects elsewhere when told. */
static void set_url(struct net_flight *flight)
{
    struct net_pool *pool = flight->pool;
    const struct settings *settings = &pool->settings;
    const char *target = flight->transfer->target;
    if (settings->server_name == NULL) {
        flight->url = text_format("%s%s", settings->origin, target);
        (void)curl_easy_setopt(flight->easy, CURLOPT_CONNECT_TO, NULL);
    } else {
        const char *authority = strstr(settings->origin, "://") + 3;
        flight->url = text_format("https://%s:%u%s", settings->server_name, settings->port, target);
        flight->connect_to_entry = text_format("::%s", authority);
        flight->connect_to = (struct curl_slist){flight->connect_to_entry, NULL};
        (void)curl_easy_setopt(flight->easy, CURLOPT_CONNECT_TO, &flight->connect_to);
    }
    (void)curl_easy_setopt(flight->easy, CURLOPT_URL, flight->url);
    pool->resolve_node = (struct curl_slist){pool->resolve_entry, NULL};
    (void)curl_easy_setopt(flight->easy, CURLOPT_RESOLVE,
                           pool->resolve_entry != NULL ? &pool->resolve_node : NULL);
}

/* ---- body ------------------------------------------------------------------------------------ */

static void set_body(struct net_flight *flight)
{
    const struct net_transfer *transfer = flight->transfer;
    CURL *easy = flight->easy;
    const int is_post = text_equal(transfer->method, "POST");
    const int takes_body =
        is_post || text_equal(transfer->method, "PUT") || text_equal(transfer->method, "PATCH");
    /* The handle was used before: back to a GET first. */
    (void)curl_easy_setopt(easy, CURLOPT_UPLOAD, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, transfer->method);
    if (transfer->source.read != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        (void)curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)transfer->source.size);
    } else if (transfer->body.size > 0 || takes_body) {
        (void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->body.size);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                               transfer->body.size > 0 ? transfer->body.data : "");
    } else if (text_equal(transfer->method, "HEAD")) {
        (void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }
}

void request_prepare(struct net_flight *flight)
{
    set_url(flight);
    set_headers(flight);
    set_body(flight);
    (void)curl_easy_setopt(flight->easy, CURLOPT_ACCEPT_ENCODING,
                           (flight->transfer->flags & NET_GZIP) != 0 ? "gzip" : NULL);
}
