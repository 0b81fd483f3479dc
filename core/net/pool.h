/* Inside of pools and transfers under way; services use transport.h. */
#ifndef SALVOR_NET_POOL_H
#define SALVOR_NET_POOL_H

#include <curl/curl.h>

#include "net/loop.h"
#include "net/resolve.h"
#include "net/settings.h"
#include "net/trust.h"

enum { POOL_IDLE_HANDLES = 64, POOL_HEADERS = 64, OWN_FDS = 4 };

enum flight_phase {
    FLIGHT_IN_LINE,    /* for a place among the connections, or for the host's addresses */
    FLIGHT_CONNECTING, /* with libcurl */
    FLIGHT_WAITING,    /* a connection is there; the answer has not begun */
    FLIGHT_RECEIVING,
    FLIGHT_ENDED /* to be handed out by the harvest */
};

/* A transfer under way. */
struct net_flight {
    struct net_flight *next;
    struct net_flight **link; /* what points to it; NULL: in no list */
    struct net_transfer *transfer;
    struct worker_call *call;
    struct net_pool *pool;
    CURL *easy; /* NULL in line and after its end */
    enum flight_phase phase;
    int64_t queued_at;
    int64_t began; /* with libcurl */
    int64_t first_byte;
    int64_t active; /* last byte either way */
    int64_t deadline;
    int64_t patience_ms; /* that ended, of one that ran out of time */
    int paused;          /* by sink or source */
    int sent;            /* a byte of the request may have left */
    int tries;           /* how often libcurl was about to send it */
    int head_complete;
    int body_began;
    uint64_t body_bytes; /* handed to the sink */
    uint64_t source_read;
    enum net_fault verdict; /* why we ended it ourselves, or NONE */
    struct error reason;    /* what source, sink or we said */
    char *url;
    struct curl_slist lines[POOL_HEADERS]; /* nodes of our own: texts are borrowed */
    char *own_lines[4];                    /* Host, X-Salvor-Call-Site, ... */
    size_t own_line_count;
    size_t line_count;
    struct curl_slist connect_to;
    char *connect_to_entry;
    char curl_error[CURL_ERROR_SIZE];
};

struct net_pool {
    struct loop_member member;
    struct loop_timer timer;
    struct net_pool *next;
    struct settings settings;
    struct trust *trust;
    CURLM *multi;
    int own_fds[OWN_FDS]; /* that libcurl keeps open for itself */
    size_t own_fd_count;
    unsigned users;
    int told_insecure;
    int64_t last_used;
    CURL *idle[POOL_IDLE_HANDLES];
    size_t idle_count;
    struct net_flight *in_line; /* oldest first */
    struct net_flight *running;
    struct net_flight *ended;
    size_t running_count;
    int64_t curl_due;  /* when libcurl wants to be called */
    int64_t sweep_due; /* when a deadline may have passed */
    struct lookup *lookup;
    char *resolve_entry; /* "host:port:addresses" for CURLOPT_RESOLVE */
    struct curl_slist resolve_node;
    int acted;    /* libcurl may have finished some */
    int in_curl;  /* depth: a callback of libcurl may be on the stack */
    int32_t http; /* version of the last answer: 10, 11, 20; 0: none yet */
};

/* ---- pool.c ---------------------------------------------------------------------------------- */

/* A handle for one transfer, with everything set that is the pool's; never NULL. */
CURL *pool_take_handle(struct net_pool *pool);
void pool_return_handle(struct net_pool *pool, CURL *easy);

/* Addresses that did not work are looked up anew. */
void pool_forget_addresses(struct net_pool *pool);

/* Calls libcurl for what its timers ask for, e.g. right after a handle was added. */
void pool_run_timers(struct net_pool *pool);

/* Ends what libcurl finished and begins what waited for it. */
void pool_take_results(struct net_pool *pool);

void pool_sweep_before(struct net_pool *pool, int64_t due);

/* 0: they are being looked up; flight_start_waiting is called again. */
int pool_knows_addresses(struct net_pool *pool);

/* All pools, for the harvest and the end of a call. */
struct net_pool *pool_first(void);

/* ---- flight.c -------------------------------------------------------------------------------- */

/* Gives those in line to libcurl as long as there is room. */
void flight_start_waiting(struct net_pool *pool);

/* Ends those whose time is up; returns when to look again. */
int64_t flight_sweep(struct net_pool *pool, int64_t now);

/* Nobody knows the host: ends all that wait for it. */
void flight_fail_waiting(struct net_pool *pool, const char *why);

/* Takes it out of libcurl, judges it (flight-result.h) and puts it among those that ended. */
void flight_end(struct net_flight *flight, CURLcode code);

/* The test harness may kill right after a request left. */
void flight_note_sent(const struct net_pool *pool);

/* To the end of `list`, or out of all (NULL). */
void flight_move(struct net_flight *flight, struct net_flight **list);

/* Frees it; the transfer no longer knows it. */
void flight_free(struct net_flight *flight);

/* ---- request.c ------------------------------------------------------------------------------- */

/* Checks method, target and headers; -1 with what is wrong. */
int request_check(const struct net_transfer *transfer, struct error *reterr);

/* Sets everything on the handle that is the transfer's. */
void request_prepare(struct net_flight *flight);

#endif
