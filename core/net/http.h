/*
 * salvor.http: see sdk/include/salvor/services.h, and docs/services-http.md for the options of a
 * client. http-options.c reads them, http-exchange.c makes one request with its login, http.c is
 * the service, http-batch.c what it submits to the queue, http-record.c record and replay.
 */
#ifndef SALVOR_NET_HTTP_H
#define SALVOR_NET_HTTP_H

#include <salvor/services.h>

#include "net/batch.h"
#include "net/http-login.h"
#include "net/retry.h"

extern const struct salvor_http http_table;

enum { HTTP_HEADERS = 56 };

struct http_exchange;

/* Lives until client_close or the end of the call. */
struct salvor_http_client {
    struct worker_call *call;
    struct net_pool *pool;
    char *base; /* path before each request's own, without a slash at its end; "" for none */
    struct retry_rule rule;
    char *authorization; /* "Authorization: Basic …" in locked memory, or NULL */
    int wants_trailers;
    json_t *headers; /* for each request: array of "Name: value" */
    json_t *shown;   /* query keys that are no secret */
    const char **shown_keys;
    int has_login;
    struct login_options login; /* its path is the whole target */
    char *login_path;           /* as the plugin gave it, for its declared reads */
    struct session *session;
    struct net_transfer login_transfer;
    char *login_body;
    int login_under_way;
    struct http_exchange *waiting; /* for the login */
    uint32_t exchanges;            /* of this client that are not cleared yet */
    int is_closed;                 /* goes with the last of them */
};

/* ---- http-options.c -------------------------------------------------------------------------- */

/* Reads the options, opens the pool and prepares the login. FAILED and BUG as recorded in `call`.
 */
salvor_status http_client_make(struct worker_call *call, const char *options,
                               salvor_secret *const *secrets, uint32_t secret_count,
                               struct salvor_http_client *client);
void http_client_clear(struct salvor_http_client *client);

/* ---- http-gate.c ----------------------------------------------------------------------------- */

/* May this request be sent under the running row? REFUSED with the text recorded in `call`, without
 * the query. `target`: path and query as the plugin gave them. */
salvor_status http_gate(struct worker_call *call, const struct salvor_http_client *client,
                        const char *method, const char *target, uint32_t flags);

/* ---- http-exchange.c ------------------------------------------------------------------------- */

/* One request to the client's server: a login before it when there is no session, and once more
 * when the answer says that it is over. No retry rule. */
struct http_exchange {
    struct salvor_http_client *client;
    struct net_transfer transfer;
    struct batch_outcome outcome; /* valid once it ended; its error is the owner's to clear */
    void (*ended)(struct http_exchange *exchange);
    void *owner;

    char *target;
    const char *headers[HTTP_HEADERS];
    size_t own_headers;        /* those that are not the session's */
    char *texts[HTTP_HEADERS]; /* copies of the caller's */
    size_t text_count;
    char *body;
    char *path; /* as the plugin gave it, without its query */
    int repeatable;
    int logged_in_anew;
    uint32_t generation;
    struct http_exchange *next; /* while it waits for a login */
};

/* Checks the request against the contract and the effect gate. `copies`: the caller's memory goes
 * before the exchange does. Clear it in any case. */
salvor_status http_exchange_make(struct worker_call *call, struct salvor_http_client *client,
                                 const struct salvor_http_request *request, int copies,
                                 struct http_exchange *exchange);

/* Begins; `ended` is called in net_wait, or right here when a login must not be tried. */
void http_exchange_start(struct worker_call *call, struct http_exchange *exchange);

/* Gives it up if need be, and frees it. */
void http_exchange_clear(struct http_exchange *exchange);

/* ---- http-batch.c ---------------------------------------------------------------------------- */

salvor_status http_submit(salvor_call *call, salvor_batch *batch, salvor_http_client *client,
                          uint64_t tag, const struct salvor_http_request *request);

/* ---- http-record.c --------------------------------------------------------------------------- */

/* The canonical request, owned by the caller. */
json_t *http_record_key(const struct worker_call *call, const struct http_exchange *exchange);

/* What a recording keeps of an answer. */
struct http_answer {
    int32_t code;
    uint32_t certainty;
    uint32_t attempts;
    struct salvor_span headers;
    struct salvor_span body;
};

/* Writes it; returns `status`, or FAILED when it cannot be written. */
salvor_status http_record(struct worker_call *call, const char *method,
                          const struct http_exchange *exchange, salvor_status status,
                          const struct http_answer *answer);

/* The recorded answer; its spans live until the hook returns. */
salvor_status http_replay(struct worker_call *call, const char *method,
                          const struct http_exchange *exchange, struct http_answer *ret);

/* ---- http.c ---------------------------------------------------------------------------------- */

/* BUG, recorded in `call`, when it is not an open client of this call. */
salvor_status http_check_client(struct worker_call *call, const salvor_http_client *client);

#endif
