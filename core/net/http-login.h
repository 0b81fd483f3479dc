/*
 * Sessions of salvor.http: a login by form or JSON whose answer's cookies, token header or token
 * member go with each later request. One session per server and user, kept as long as the worker;
 * a login that was refused is not tried again, because servers lock accounts.
 */
#ifndef SALVOR_NET_HTTP_LOGIN_H
#define SALVOR_NET_HTTP_LOGIN_H

#include "base/digest.h"
#include "net/transport.h"

enum {
    SESSION_HEADERS = 3, /* cookies, token header, bearer token */
    SESSION_EXPIRED_RULES = 8,
    SESSION_STATUSES = 8
};

/* What an expired session looks like: a status, or a status with one of these values at a place of
 * the answer's JSON. */
struct expired_rule {
    int32_t status;
    char *pointer; /* "/error_code", or NULL */
    json_t *values;
};

struct session; /* shared by the clients of the same server and user */

struct login_options {
    char *path;
    char *user;
    struct salvor_span password; /* borrowed, as long as the secret's handle is open */
    char *user_field;
    char *password_field;
    int is_json;
    char *token_header;  /* of the answer, sent back under the same name; or NULL */
    char *token_pointer; /* of a JSON answer, sent back as a bearer token; or NULL */
    json_t *cookies;     /* names, or NULL: all */
    int32_t statuses[SESSION_STATUSES];
    struct expired_rule expired[SESSION_EXPIRED_RULES];
    size_t expired_count;
};

/* "options of http.client_open", member "login" with how = session. `password`: its value. */
int login_options_parse(const json_t *login, struct salvor_span password, struct login_options *ret,
                        struct error *reterr);
void login_options_clear(struct login_options *options);

/* The session for these credentials on that pool, found again or new (without a login yet). It is
 * the caller's to use until session_let_go (NULL is fine). */
struct session *session_of(struct net_pool *pool, const struct login_options *options);
void session_let_go(struct session *session);

/* Headers of a live session, "Name: value"; 0: there must be a login first. Borrowed until the next
 * change. `*ret_generation` tells sessions apart. */
size_t session_headers(const struct session *session, const char *ret_headers[SESSION_HEADERS],
                       uint32_t *ret_generation);

/* 1 when this answer says that the session is over. */
int session_is_expired(const struct login_options *options, int32_t code,
                       const struct buffer *answer);

/* It is over, if it is still that one. */
void session_drop(struct session *session, uint32_t generation);

/* NULL, or why a login must not be tried again. */
const char *session_refusal(const struct session *session);

/* Prepares the login request in `transfer`; *ret_body is its memory, free with sodium_free. */
void login_prepare(const struct login_options *options, struct net_pool *pool,
                   struct net_transfer *transfer, char **ret_body);

/* Takes the answer in. -1: it is none that gives a session, and *reterr says why. */
int login_take(struct worker_call *call, struct session *session,
               const struct login_options *options, const struct net_transfer *transfer,
               struct error *reterr);

#endif
