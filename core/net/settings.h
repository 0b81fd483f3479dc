/* The settings of a pool, checked, with files read and defaults filled in, and their digest. */
#ifndef SALVOR_NET_SETTINGS_H
#define SALVOR_NET_SETTINGS_H

#include "base/digest.h"
#include "net/transport.h"

struct settings_pem {
    char *data; /* NUL behind it; NULL: none */
    size_t size;
};

struct settings {
    char *origin; /* "https://host:port", always with the port, host in lower case */
    int is_https;
    char *host; /* without brackets */
    uint16_t port;
    char *proxy; /* chosen; NULL: none */
    char *proxy_host;
    struct settings_pem ca;          /* NULL: the system's */
    struct settings_pem certificate; /* of the client, with the chain behind it */
    struct settings_pem key;         /* in locked memory */
    unsigned char pin[DIGEST_SIZE];
    int has_pin;
    char *server_name; /* or NULL */
    int insecure;
    enum net_http http;
    uint32_t connections;
    int64_t connect_ms; /* INT64_MAX for NET_NEVER, as the next three */
    int64_t first_byte_ms;
    int64_t stall_ms;
    int64_t whole_ms;
    char digest[DIGEST_TEXT_SIZE]; /* of all of it */
};

int settings_take(const struct net_pool_settings *given, struct settings *ret,
                  struct error *reterr);
void settings_clear(struct settings *settings);

#endif
