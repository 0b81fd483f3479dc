/* A small HTTP/1.1 server for tests, plain or TLS, in a thread of its own. */
#ifndef SALVOR_TESTS_PRACTICE_SERVER_H
#define SALVOR_TESTS_PRACTICE_SERVER_H

#include <stddef.h>

#include "base/buffer.h"
#include "certificate/certificate.h"

struct MHD_Connection;

struct served {
    struct MHD_Connection *connection;
    const char *method;
    const char *path; /* decoded, without query */
    const char *body;
    size_t body_size;
    int number; /* of all requests of this server, from 1 */
    struct buffer body_in;
    /* the answer */
    int status;
    struct buffer out;
    char headers[8][2][256];
    size_t header_count;
    int wait_ms; /* before it is sent; the server handles each connection in its own thread */
    int chunked;
};

/* Header of the request; query parameter; NULL: none. */
const char *served_header(const struct served *served, const char *name);
const char *served_query(const struct served *served, const char *name);
void served_set_header(struct served *served, const char *name, const char *value);

struct practice_server_options {
    /* Called in a thread of the server. */
    void (*answer)(struct served *served, void *data);
    void *data;
    const struct certificate *certificate; /* NULL: plain HTTP */
    const char *client_authority;          /* PEM: clients must show a certificate of it */
};

struct practice_server;

struct practice_server *practice_server_start(const struct practice_server_options *options);
void practice_server_stop(struct practice_server *server);

/* "https://127.0.0.1:PORT" */
const char *practice_server_url(const struct practice_server *server);

/* How many connections were made, and how many requests answered. */
int practice_server_connections(struct practice_server *server);
int practice_server_requests(struct practice_server *server);

/* An authority, and a server certificate of it for 127.0.0.1 and "practice.example". */
void practice_certificates(struct certificate *ret_authority, struct certificate *ret_server);
/* A client certificate of that authority. */
void practice_client_certificate(const struct certificate *authority, struct certificate *ret);

/* SHA-256 fingerprint of a PEM certificate, hexadecimal with colons; owned by the caller. */
char *practice_fingerprint(const char *pem);

#endif
