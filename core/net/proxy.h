/* Which proxy the environment names for a destination: the rules of kubectl and curl. */
#ifndef SALVOR_NET_PROXY_H
#define SALVOR_NET_PROXY_H

#include <stdint.h>

/* 1 when NO_PROXY text `list` leaves the host out: "*", "host", ".domain", "domain", "host:port",
 * addresses and networks ("10.0.0.0/8"), separated by commas or blanks. */
int proxy_is_left_out(const char *list, const char *host, uint16_t port);

/* The proxy for `host` from https_proxy, http_proxy, no_proxy (or in capitals, which come second),
 * borrowed; NULL: none. This machine itself is never reached through one. */
const char *proxy_of_environment(int is_https, const char *host, uint16_t port);

#endif
