/*
 * A proxy that spoils what passes through it, by rule: in front of any HTTP/1.1 server, plain or
 * TLS on either side. Clients that offer HTTP/2 are answered in HTTP/1.1.
 */
#ifndef FAULT_PROXY_H
#define FAULT_PROXY_H

#include <stdint.h>

#include "base/error.h"

struct fault_proxy;

struct fault_proxy_options {
    const char *upstream;             /* "http://HOST:PORT" or "https://HOST:PORT" */
    const char *upstream_authority;   /* PEM that must have signed its certificate; NULL: any */
    const char *upstream_certificate; /* PEM shown to it, with its key; or NULL */
    const char *upstream_key;
    const char *rules;    /* text, see fault-rules.h */
    const char *log_path; /* one JSON line a request or spoilt connection; NULL: none */
    uint64_t seed;
    uint16_t port; /* 0: the kernel chooses */
    int tls;       /* towards clients; faults of TLS need it */
};

/* Serves on 127.0.0.1 from threads of its own until fault_proxy_stop. */
struct fault_proxy *fault_proxy_start(const struct fault_proxy_options *options,
                                      struct error *reterr);
void fault_proxy_stop(struct fault_proxy *proxy);

/* "https://127.0.0.1:PORT", and the PEM of the authority of its certificate (NULL without TLS). */
const char *fault_proxy_url(const struct fault_proxy *proxy);
const char *fault_proxy_authority(const struct fault_proxy *proxy);

/* Requests that got a fault so far. */
int64_t fault_proxy_faults(struct fault_proxy *proxy);

#endif
