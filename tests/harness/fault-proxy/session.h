/* One client connection through the proxy: its requests one after the other, each with its fault.
 */
#ifndef FAULT_PROXY_SESSION_H
#define FAULT_PROXY_SESSION_H

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdio.h>

#include "fault-proxy/fault-rules.h"

/* Certificates that a client may be met with. */
enum identity {
    IDENTITY_GOOD,
    IDENTITY_EXPIRED,
    IDENTITY_WRONG_NAME,
    IDENTITY_SELF_SIGNED,
    IDENTITY_COUNT
};

/* What all connections share. */
struct session_shared {
    struct fault_rules rules;
    char *upstream_host, *upstream_port;
    SSL_CTX *upstream_tls;               /* NULL: plain */
    SSL_CTX *client_tls[IDENTITY_COUNT]; /* NULL: plain */
    FILE *log;
    pthread_mutex_t log_lock;
    atomic_llong faults;
    int stop_fd; /* readable when everything ends */
    /* Closes the port for a while (FAULT_REFUSE). */
    void (*refuse)(void *context, int64_t ms);
    void *refuse_context;
};

/* Serves the connection until it ends; closes `fd`. `number` counts connections from 1. */
void session_run(struct session_shared *shared, int fd, long long number);

#endif
