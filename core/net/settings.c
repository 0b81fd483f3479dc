#include "net/settings.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/locked.h"
#include "base/text.h"
#include "net/proxy.h"

enum { PEM_LIMIT = 8 << 20, HTTPS_PORT = 443, HTTP_PORT = 80, PROXY_PORT = 1080 };

/* ---- "https://host:port" --------------------------------------------------------------------- */

static int is_host_name(const char *host)
{
    const size_t size = strlen(host);
    return size > 0 && size <= 253 &&
           strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == size;
}

static int is_host(const char *host)
{
    if (*host != '[')
        return is_host_name(host);
    const size_t size = strspn(host + 1, "0123456789abcdef:.");
    return size > 1 && text_equal(host + 1 + size, "]");
}

/* Splits "host:port" or "[v6]:port"; the host keeps its brackets. -1: it is neither. */
static int split_authority(const char *text, uint16_t otherwise, char **ret_host,
                           uint16_t *ret_port)
{
    int64_t port = otherwise;
    cleanup_free char *host = text_copy(text);
    char *colon = strrchr(host, ':');
    if (colon != NULL && (*host != '[' || colon[-1] == ']')) {
        if (text_parse_integer(colon + 1, &port) != 0 || port < 1 || port > 65535)
            return -1;
        *colon = '\0';
    }
    for (char *at = host; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    if (!is_host(host))
        return -1;
    *ret_host = take_pointer(host);
    *ret_port = (uint16_t)port;
    return 0;
}

static char *without_brackets(const char *host)
{
    return *host == '[' ? text_copy_span(host + 1, strlen(host) - 2) : text_copy(host);
}

static int take_origin(const char *origin, struct settings *ret, struct error *reterr)
{
    const char *text = origin != NULL ? origin : "";
    ret->is_https = strncasecmp(text, "https://", 8) == 0;
    if (!ret->is_https && strncasecmp(text, "http://", 7) != 0)
        return error_set(reterr, EXIT_USAGE, "'%s' is no URL: it does not begin with 'https://'",
                         text);
    cleanup_free char *authority = text_copy(text + (ret->is_https ? 8 : 7));
    cleanup_free char *host = NULL;
    const size_t size = strlen(authority);
    if (size > 0 && authority[size - 1] == '/')
        authority[size - 1] = '\0';
    if (strchr(authority, '@') != NULL)
        return error_set(reterr, EXIT_USAGE, "a URL must not hold a user or a password");
    if (split_authority(authority, ret->is_https ? HTTPS_PORT : HTTP_PORT, &host, &ret->port) != 0)
        return error_set(reterr, EXIT_USAGE, "'%s' is no URL of the form 'https://host:port'",
                         text);
    ret->host = without_brackets(host);
    ret->origin = text_format("%s://%s:%u", ret->is_https ? "https" : "http", host, ret->port);
    return 0;
}

/* ---- proxy ----------------------------------------------------------------------------------- */

static int take_proxy(const char *given, struct settings *ret, struct error *reterr)
{
    const char *text =
        given != NULL ? given : proxy_of_environment(ret->is_https, ret->host, ret->port);
    if (text == NULL || *text == '\0')
        return 0;
    const char *scheme_end = strstr(text, "://");
    const char *authority = scheme_end != NULL ? scheme_end + 3 : text;
    const char *at = strrchr(authority, '@');
    cleanup_free char *rest = text_copy(at != NULL ? at + 1 : authority);
    cleanup_free char *host = NULL;
    uint16_t port = 0;
    const int is_socks = strncasecmp(text, "socks5", 6) == 0;
    const size_t size = strlen(rest);
    if (size > 0 && rest[size - 1] == '/')
        rest[size - 1] = '\0';
    if ((scheme_end != NULL && strncasecmp(text, "http://", 7) != 0 &&
         strncasecmp(text, "socks5://", 9) != 0 && strncasecmp(text, "socks5h://", 10) != 0) ||
        split_authority(rest, is_socks ? PROXY_PORT : HTTP_PORT, &host, &port) != 0) {
        (void)error_set(reterr, EXIT_USAGE, "proxy '%s' is none that salvor can use", rest);
        return error_hint(reterr, "use 'http://host:port' or 'socks5h://host:port'");
    }
    ret->proxy_host = without_brackets(host);
    /* The proxy looks the name up in any case: it may be one that only it knows. */
    ret->proxy = text_format("%s://%.*s%s%s:%u", is_socks ? "socks5h" : "http",
                             at != NULL ? (int)(at - authority) : 0, authority,
                             at != NULL ? "@" : "", host, port);
    return 0;
}

/* ---- PEM ------------------------------------------------------------------------------------- */

static int read_pem(const char *what, const char *path, struct salvor_span bytes,
                    struct settings_pem *ret, struct error *reterr)
{
    cleanup_free char *text = NULL;
    size_t size = 0;
    if (path != NULL && file_read(path, PEM_LIMIT, &text, &size, reterr) != 0)
        return error_prefix(reterr, "%s", what);
    if (bytes.size > PEM_LIMIT)
        return error_set(reterr, EXIT_FAILED, "%s is larger than %d bytes", what, PEM_LIMIT);
    if (path == NULL && bytes.size == 0)
        return 0;
    ret->data = locked_new(size + (size_t)bytes.size + 2);
    if (size > 0)
        memcpy(ret->data, text, size);
    /* A file whose last line has no end must not run into what follows. */
    ret->data[size] = '\n';
    if (bytes.size > 0)
        memcpy(ret->data + size + 1, bytes.data, (size_t)bytes.size);
    ret->size = size + 1 + (size_t)bytes.size;
    ret->data[ret->size] = '\0';
    if (text != NULL)
        sodium_memzero(text, size);
    return 0;
}

static int take_files(const struct net_pool_settings *given, struct settings *ret,
                      struct error *reterr)
{
    if (read_pem("authorities", given->ca_file, given->ca, &ret->ca, reterr) != 0 ||
        read_pem("client certificate", given->certificate_file, given->certificate,
                 &ret->certificate, reterr) != 0 ||
        read_pem("client key", given->key_file, given->key, &ret->key, reterr) != 0)
        return -1;
    if ((ret->certificate.data != NULL) != (ret->key.data != NULL))
        return error_set(reterr, EXIT_USAGE,
                         ret->key.data != NULL ? "a client key without its certificate"
                                               : "a client certificate without its key");
    return 0;
}

/* ---- pin ------------------------------------------------------------------------------------- */

static int take_pin(const char *text, struct settings *ret, struct error *reterr)
{
    size_t size = 0;
    const char *end = NULL;
    if (text == NULL)
        return 0;
    if (sodium_hex2bin(ret->pin, sizeof ret->pin, text, strlen(text), ": ", &size, &end) != 0 ||
        size != sizeof ret->pin || *end != '\0') {
        (void)error_set(reterr, EXIT_USAGE, "'%s' is no SHA-256 fingerprint", text);
        return error_hint(reterr, "64 hexadecimal digits, as 'openssl x509 -noout -fingerprint "
                                  "-sha256' prints them");
    }
    ret->has_pin = 1;
    return 0;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int64_t deadline_or(int64_t given, int64_t otherwise)
{
    return given == NET_NEVER ? INT64_MAX : given > 0 ? given : otherwise;
}

static void add_field(struct digest *digest, const void *data, size_t size)
{
    const uint64_t length = size;
    digest_add(digest, &length, sizeof length);
    if (size > 0)
        digest_add(digest, data, size);
}

static void add_text(struct digest *digest, const char *text)
{
    add_field(digest, text, text != NULL ? strlen(text) + 1 : 0);
}

static void make_digest(struct settings *settings)
{
    struct digest digest;
    unsigned char hash[DIGEST_SIZE];
    const int64_t numbers[] = {settings->has_pin,     settings->insecure,   settings->http,
                               settings->connections, settings->connect_ms, settings->first_byte_ms,
                               settings->stall_ms,    settings->whole_ms};
    digest_begin(&digest);
    add_text(&digest, settings->origin);
    add_text(&digest, settings->proxy);
    add_text(&digest, settings->server_name);
    add_field(&digest, settings->ca.data, settings->ca.size);
    add_field(&digest, settings->certificate.data, settings->certificate.size);
    add_field(&digest, settings->key.data, settings->key.size);
    add_field(&digest, settings->pin, sizeof settings->pin);
    add_field(&digest, numbers, sizeof numbers);
    digest_end(&digest, hash);
    digest_text(hash, settings->digest);
}

static int check_trust(const struct net_pool_settings *given, const struct settings *taken,
                       struct error *reterr)
{
    if (taken->insecure && (taken->has_pin || taken->ca.data != NULL))
        return error_set(reterr, EXIT_USAGE,
                         "'insecure' excludes authorities and a pinned fingerprint");
    if (given->server_name != NULL && !is_host_name(given->server_name))
        return error_set(reterr, EXIT_USAGE, "'%s' is no host name", given->server_name);
    if (!taken->is_https && (taken->has_pin || taken->insecure || taken->key.data != NULL ||
                             taken->ca.data != NULL || given->server_name != NULL))
        return error_set(reterr, EXIT_USAGE,
                         "'%s' has no TLS: certificates and fingerprints mean nothing there",
                         taken->origin);
    return 0;
}

int settings_take(const struct net_pool_settings *given, struct settings *ret, struct error *reterr)
{
    struct settings taken = {.insecure = given->insecure != 0, .http = given->http};
    if (take_origin(given->origin, &taken, reterr) != 0 ||
        take_proxy(given->proxy, &taken, reterr) != 0 ||
        take_pin(given->pin_sha256, &taken, reterr) != 0 ||
        take_files(given, &taken, reterr) != 0 || check_trust(given, &taken, reterr) != 0) {
        settings_clear(&taken);
        return -1;
    }
    taken.server_name = given->server_name != NULL ? text_copy(given->server_name) : NULL;
    taken.connections = given->connections > 0 ? given->connections : NET_CONNECTIONS;
    taken.connect_ms = deadline_or(given->connect_ms, NET_CONNECT_MS);
    taken.first_byte_ms = deadline_or(given->first_byte_ms, NET_FIRST_BYTE_MS);
    taken.stall_ms = deadline_or(given->stall_ms, NET_STALL_MS);
    taken.whole_ms = deadline_or(given->whole_ms, INT64_MAX);
    make_digest(&taken);
    *ret = taken;
    return 0;
}

void settings_clear(struct settings *settings)
{
    free(settings->origin);
    free(settings->host);
    free(settings->proxy);
    free(settings->proxy_host);
    free(settings->server_name);
    sodium_free(settings->ca.data);
    sodium_free(settings->certificate.data);
    sodium_free(settings->key.data);
    *settings = (struct settings){0};
}
