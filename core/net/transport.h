/*
 * HTTP transfers, below retry rules and services: what salvor.http, salvor.kube, stores and the
 * Lease keeper stand on. Single thread, any number of transfers at once, all waits through
 * call_wait, so that cancel and the call's deadline hold everywhere.
 *
 *   struct net_pool *pool = NULL;
 *   status = net_pool_open(call, &(struct net_pool_settings){.origin = "https://h:6443"}, &pool);
 *   struct net_transfer get = {.pool = pool, .method = "GET", .target = "/version"};
 *   status = net_perform(call, &get);       OK: answered, whatever get.code says
 *   ...
 *   net_transfer_clear(&get);
 *   net_pool_release(pool);
 *
 * Many at once: net_start each, then net_wait until `done` is set or `ended` was called. A transfer
 * is the caller's memory and stays where it is from net_start until it is done or cancelled.
 *
 * What a transfer never does: follow a redirect (3xx is an answer), keep cookies, ask for
 * credentials, send anything twice. What libcurl would do by itself on a connection that died is
 * held back: whether to send again is decided in one place (retry.h), with the certainty known.
 *
 * Connections stay open between the calls of a worker; their descriptors are named with
 * worker_keep_descriptor. Names are looked up in a thread named "salvor-resolve" whose descriptors
 * are its own; nobody waits for it when a transfer ends first.
 */
#ifndef SALVOR_NET_TRANSPORT_H
#define SALVOR_NET_TRANSPORT_H

#include <salvor/types.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "worker/call.h"

/* ---- pools: connections that share everything ------------------------------------------------ */

enum net_http {
    NET_HTTP_DEFAULT, /* what measurement chose (docs/internals.md): HTTP/1.1 on a pool */
    NET_HTTP_1,
    NET_HTTP_2,     /* HTTP/2 where the server offers it over TLS, else HTTP/1.1 */
    NET_HTTP_2_ONLY /* nothing else; over plain HTTP by prior knowledge (gRPC) */
};

enum {
    NET_CONNECTIONS = 16, /* defaults of the settings below */
    NET_CONNECT_MS = 10000,
    NET_FIRST_BYTE_MS = 60000,
    NET_STALL_MS = 30000,
    NET_NEVER = -1 /* for any of these deadlines */
};

/*
 * Where to, whom to trust, as whom. Texts and bytes are copied; files are read at once, so that a
 * certificate that was renewed on disk makes another pool. Numbers of 0 mean the default.
 */
struct net_pool_settings {
    const char *origin; /* "https://host:port" or "http://host:port"; nothing behind the port */

    /* Trust. Nothing given: the system's authorities. A pin alone replaces authorities, names and
     * dates; a pin beside authorities is asked for on top of them. TLS 1.2 is the least. */
    const char *ca_file;     /* PEM, replaces the system's authorities */
    struct salvor_span ca;   /* the same from memory; both may be given */
    const char *pin_sha256;  /* of the server's certificate (DER): 64 hex digits, colons allowed */
    const char *server_name; /* expected in the certificate and sent in SNI instead of the host */
    int insecure;            /* no check at all: insecure-skip-verify, asked for by name; told as a
                                warning and as evidence, which every report shows */

    /* Client certificate with key, PEM, from files or from memory. */
    const char *certificate_file;
    const char *key_file;
    struct salvor_span certificate;
    struct salvor_span key;

    /* NULL: as HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment say; "": none; or
     * "http://host:port" or "socks5h://host:port", with "user:password@" if need be. */
    const char *proxy;

    enum net_http http;
    uint32_t connections;  /* most at once; further transfers wait in line */
    int64_t connect_ms;    /* name, connection and TLS together */
    int64_t first_byte_ms; /* from the last byte sent to the first one of the answer */
    int64_t stall_ms;      /* between bytes, either way; not while the caller pauses it */
    int64_t whole_ms;      /* default of a transfer's timeout_ms; 0: the call's deadline alone */
};

struct net_pool;

/*
 * The pool with these settings, found again (by their digest) or made; connections are made later.
 * FAILED for an origin, pin or proxy that is none and for files and PEM that cannot be read; the
 * error names which, and is recorded in `call`. Release it when no longer needed: its connections
 * stay warm for later calls, until some other pool needs the room.
 */
salvor_status net_pool_open(struct worker_call *call, const struct net_pool_settings *settings,
                            struct net_pool **ret_pool);
void net_pool_release(struct net_pool *pool);

const char *net_pool_origin(const struct net_pool *pool);
/* Digest of its settings (hex): the same for what would be found again. */
const char *net_pool_key(const struct net_pool *pool);
int net_pool_insecure(const struct net_pool *pool);

/* SHA-256 of the certificate that the server showed last (hex, lower case); "" before any, and over
 * plain HTTP. Set also when it was refused. */
const char *net_pool_peer(const struct net_pool *pool);

/* ---- transfers ------------------------------------------------------------------------------- */

enum {
    NET_IDEMPOTENT = 1,    /* for retry rules above: may be sent again whatever its method says */
    NET_GZIP = 2,          /* ask for gzip; the sink sees it inflated */
    NET_WANT_TRAILERS = 4, /* without trailers the answer is not whole (gRPC) */
    NET_KEEP_ALIVE = 8     /* silence is normal (a watch): no stall, no first-byte deadline */
};

/* What kept an answer away; says more than the status, for retry rules and tests. */
enum net_fault {
    NET_FAULT_NONE,
    NET_FAULT_BUG,       /* the request is none: nothing was tried */
    NET_FAULT_NAME,      /* the host's name is not known, or nobody said in time */
    NET_FAULT_CONNECT,   /* refused, unreachable, or the proxy would not */
    NET_FAULT_TRUST,     /* the server's certificate was not accepted, or ours was not */
    NET_FAULT_TLS,       /* any other end of the handshake */
    NET_FAULT_TIMEOUT,   /* one of the deadlines of the transfer */
    NET_FAULT_CUT,       /* the connection or the answer ended too early */
    NET_FAULT_MALFORMED, /* what came is no HTTP, or not the version asked for */
    NET_FAULT_LIMIT,     /* the answer is larger than allowed */
    NET_FAULT_LOCAL,     /* source or sink failed, out of descriptors, ... */
    NET_FAULT_CANCELLED  /* net_cancel, or the call ended */
};

/* For source and sink instead of a size. */
enum { NET_PAUSE = -2, NET_FAIL = -1 };

/* A body that is pulled; for bodies that are at hand use net_transfer.body. */
struct net_source {
    /* Up to `size` bytes into `buffer`: how many; 0 at the end, NET_PAUSE until net_resume,
     * NET_FAIL (with reterr set) ends the transfer. */
    int64_t (*read)(void *data, char *buffer, size_t size, struct error *reterr);
    void *data;
    uint64_t size; /* exactly what will be read */
};

/* Where the body of the answer goes piece by piece, whatever its status code. */
struct net_sink {
    /* Takes all: 0. NET_PAUSE: none of it, and it will come again after net_resume. NET_FAIL (with
     * reterr set) ends the transfer. `transfer`: code and headers are there already. */
    int (*write)(void *data, const char *bytes, size_t size, struct error *reterr);
    void *data;
};

struct net_flight; /* transfer.c: a transfer under way */

struct net_transfer {
    /* What is asked; borrowed until it is done. Zero is a good default for all but the first. */
    struct net_pool *pool;
    const char *method;         /* "GET" */
    const char *target;         /* "/path?query", encoded */
    const char *const *headers; /* "Name: value" */
    size_t header_count;
    struct salvor_span body; /* or */
    struct net_source source;
    struct net_sink sink;    /* without one the body of the answer is kept in `answer` */
    uint64_t response_limit; /* bytes of the answer, inflated; 0: 16 MiB, or with a sink none */
    int64_t timeout_ms;      /* whole, from net_start; 0: the pool's whole_ms */
    const char *call_site;   /* sent as X-Salvor-Call-Site; NULL: not sent */
    uint32_t flags;          /* NET_* */
    void (*ended)(struct net_transfer *transfer); /* called in net_wait when it is done, or NULL */
    void *owner;                                  /* for `ended` */

    /* How it went; valid once done is 1. `certainty`, `code` and `headers` also with a failure, as
     * far as it came. */
    int done;
    salvor_status status; /* OK: a whole answer, whatever its code */
    enum net_fault fault;
    struct error error; /* set unless OK; message without query, detail, hint */
    uint32_t certainty; /* SALVOR_CERTAINTY_* */
    int32_t code;       /* HTTP status, or 0 */
    int32_t http;       /* 10, 11 or 20; 0 before an answer */
    struct buffer answer;
    struct buffer header_lines;  /* "name: value\n", names in lower case, without trailers */
    struct buffer trailer_lines; /* the same */
    int64_t retry_after_ms;      /* from Retry-After (seconds or date); -1: none */
    int64_t answer_bytes;        /* of the body as it came over the wire */
    int64_t queued_ms;           /* in line for a connection */
    int64_t first_byte_ms;       /* from its begin on the wire, queueing left out; -1: none came */
    int64_t total_ms;            /* the same, to its end */
    int new_connection;          /* 1: a connection was made for it */

    struct net_flight *flight; /* transport's own */
};

/* Begins; whatever is wrong is told by the end, in net_wait. */
void net_start(struct worker_call *call, struct net_transfer *transfer);

/* Ends it now, done and CANCELLED, without calling `ended`; nothing when it is done already. */
void net_cancel(struct net_transfer *transfer);

/* Goes on after its sink or source paused; may be called from anywhere. */
void net_resume(struct net_transfer *transfer);

/*
 * Runs everything that is under way until a transfer ended or a watch was called: OK. PENDING after
 * `timeout_ms` (-1: none), and at once when there is nothing to wait for; CANCELLED or TIMEOUT
 * (recorded in `call`) when the call shall stop. Must not be called from `ended`, sink, source or
 * watch.
 */
salvor_status net_wait(struct worker_call *call, int64_t timeout_ms);

/* net_start and net_wait until it is done; returns its status. When the call shall stop it is
 * cancelled, and that is the status. The error stays in the transfer, see net_failed. */
salvor_status net_perform(struct worker_call *call, struct net_transfer *transfer);

/* Records the transfer's error in `call` (moved) and returns its status. */
salvor_status net_failed(struct worker_call *call, struct net_transfer *transfer);

/* Value of the first header line of that name (lower case), not NUL-terminated; {NULL, 0}: none. */
struct salvor_span net_header(const struct buffer *lines, const char *name);

/* Cancels it if need be and frees what it holds; what was asked stays, so that it can be started
 * again. */
void net_transfer_clear(struct net_transfer *transfer);

#define cleanup_transfer __attribute__((cleanup(net_transfer_clear)))

/* ---- other descriptors in the same loop ------------------------------------------------------ */

/* Whoever has a descriptor in the loop; `events`: EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP. */
struct loop_member {
    void (*ready)(struct loop_member *member, int fd, uint32_t events);
};

/* A pipe or socket of somebody else (a command's output) that net_wait looks after. The caller's
 * memory; it stays where it is until net_watch_remove, which comes before the fd is closed. */
struct net_watch {
    struct loop_member member; /* transport's own */
    int fd;
    short events;                                          /* POLLIN, POLLOUT */
    void (*ready)(struct net_watch *watch, short revents); /* may remove any watch */
    void *owner;
};

/* -1 with errno: EPERM for plain files, which are always ready. Each that was added is removed
 * exactly once. */
int net_watch_add(struct net_watch *watch);
int net_watch_change(struct net_watch *watch, short events);
void net_watch_remove(const struct net_watch *watch);

#endif
