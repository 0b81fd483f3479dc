#include "net/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

/* ---- addresses ------------------------------------------------------------------------------- */

struct address {
    int bits; /* 32, 128; 0: none */
    unsigned char bytes[16];
};

static struct address parse_address(const char *text)
{
    struct address address = {0};
    if (inet_pton(AF_INET, text, address.bytes) == 1)
        address.bits = 32;
    else if (inet_pton(AF_INET6, text, address.bytes) == 1)
        address.bits = 128;
    return address;
}

static int same_bits(const struct address *a, const struct address *b, int64_t bits)
{
    const size_t whole = (size_t)bits / 8;
    const int rest = (int)(bits % 8);
    if (memcmp(a->bytes, b->bytes, whole) != 0)
        return 0;
    return rest == 0 || (a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest) == 0;
}

/* `entry` is "ADDRESS/BITS". */
static int is_in_network(char *entry, const struct address *host)
{
    int64_t bits = 0;
    char *slash = strchr(entry, '/');
    if (slash == NULL)
        return 0;
    *slash = '\0';
    const struct address network = parse_address(entry);
    return host->bits != 0 && network.bits == host->bits &&
           text_parse_integer(slash + 1, &bits) == 0 && bits >= 0 && bits <= network.bits &&
           same_bits(&network, host, bits);
}

static int is_loopback(const char *host)
{
    const struct address address = parse_address(host);
    static const unsigned char six[16] = {[15] = 1};
    if (address.bits == 32)
        return address.bytes[0] == 127;
    if (address.bits == 128)
        return memcmp(address.bytes, six, sizeof six) == 0;
    return strcasecmp(host, "localhost") == 0 || text_ends(host, ".localhost");
}

/* ---- one entry ------------------------------------------------------------------------------- */

/* Cuts ":PORT" and brackets off; -1: none was given. */
static int64_t take_port(char *entry)
{
    int64_t port = -1;
    char *colon = strrchr(entry, ':');
    char *bracket = strrchr(entry, ']');
    const int only_colon = colon != NULL && strchr(entry, ':') == colon;
    if (colon != NULL && (only_colon || (bracket != NULL && bracket + 1 == colon)) &&
        text_parse_integer(colon + 1, &port) == 0)
        *colon = '\0';
    if (*entry == '[' && bracket != NULL) {
        *bracket = '\0';
        memmove(entry, entry + 1, strlen(entry));
    }
    return port;
}

static int is_domain_of(const char *domain, const char *host)
{
    const int with_dot = *domain == '.';
    const size_t size = strlen(domain + with_dot);
    const size_t host_size = strlen(host);
    if (size == 0 || size > host_size ||
        strcasecmp(host + host_size - size, domain + with_dot) != 0)
        return 0;
    return size == host_size ? !with_dot : host[host_size - size - 1] == '.';
}

static int entry_covers(char *entry, const char *host, uint16_t port)
{
    const struct address address = parse_address(host);
    if (text_equal(entry, "*") || is_in_network(entry, &address))
        return 1;
    const int64_t entry_port = take_port(entry);
    if (entry_port >= 0 && entry_port != port)
        return 0;
    const struct address entry_address = parse_address(entry);
    if (address.bits != 0 || entry_address.bits != 0)
        return address.bits == entry_address.bits &&
               same_bits(&address, &entry_address, address.bits);
    return is_domain_of(entry, host);
}

int proxy_is_left_out(const char *list, const char *host, uint16_t port)
{
    static const char between[] = ", \t";
    for (list += strspn(list, between); *list != '\0'; list += strspn(list, between)) {
        const size_t size = strcspn(list, between);
        cleanup_free char *entry = text_copy_span(list, size);
        if (entry_covers(entry, host, port))
            return 1;
        list += size;
    }
    return 0;
}

/* ---- the environment ------------------------------------------------------------------------- */

static const char *variable(const char *lower, const char *upper)
{
    const char *value = getenv(lower); // NOLINT(concurrency-mt-unsafe)
    if (value == NULL || *value == '\0')
        value = getenv(upper); // NOLINT(concurrency-mt-unsafe)
    return value != NULL && *value != '\0' ? value : NULL;
}

const char *proxy_of_environment(int is_https, const char *host, uint16_t port)
{
    const char *proxy =
        is_https ? variable("https_proxy", "HTTPS_PROXY") : variable("http_proxy", "HTTP_PROXY");
    const char *without = variable("no_proxy", "NO_PROXY");
    if (proxy == NULL || is_loopback(host))
        return NULL;
    return without != NULL && proxy_is_left_out(without, host, port) ? NULL : proxy;
}
