#include "fault-proxy/fault-proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "certificate/certificate.h"
#include "fault-proxy/session.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

enum { DAY_S = 24 * 3600 };

/* A connection's thread; the list lets stop() end and join them. */
struct worker {
    pthread_t thread;
    struct fault_proxy *proxy;
    int fd;
    long long number;
    atomic_int done;
    struct worker *next;
};

struct fault_proxy {
    struct session_shared shared;
    struct certificate authority;
    char *url;
    uint16_t port;
    pthread_t acceptor;
    int acceptor_runs;
    int listen_fd; /* the acceptor's once that runs */
    int stop_fd;
    atomic_llong closed_until_ms; /* monotonic; the port is shut before */
    int wake_fd;                  /* tells the acceptor that it changed */
    struct worker *workers;
    long long connections;
};

static SSL_CTX *server_context(const struct certificate *certificate)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    BIO *pem = BIO_new_mem_buf(certificate->pem, -1);
    BIO *key_pem = BIO_new_mem_buf(certificate->key_pem, -1);
    X509 *leaf = PEM_read_bio_X509(pem, NULL, NULL, NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(key_pem, NULL, NULL, NULL);
    SSL_CTX_use_certificate(context, leaf);
    SSL_CTX_use_PrivateKey(context, key);
    /* A resumed session would skip the certificate that a rule wants to show. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 0);
    X509_free(leaf);
    EVP_PKEY_free(key);
    BIO_free(pem);
    BIO_free(key_pem);
    return context;
}

static int make_identity(struct fault_proxy *proxy, enum identity identity, struct error *reterr)
{
    const struct certificate_request request = {
        .common_name = "fault-proxy",
        .names = identity == IDENTITY_WRONG_NAME ? "DNS:elsewhere.invalid"
                                                 : "IP:127.0.0.1,DNS:localhost",
        .valid_from_s = -2 * DAY_S,
        .valid_to_s = identity == IDENTITY_EXPIRED ? -DAY_S : DAY_S,
        .issuer = identity == IDENTITY_SELF_SIGNED ? NULL : &proxy->authority};
    struct certificate certificate = {NULL, NULL};
    if (certificate_make(&request, &certificate, reterr) != 0)
        return -1;
    proxy->shared.client_tls[identity] = server_context(&certificate);
    certificate_clear(&certificate);
    return 0;
}

static int make_identities(struct fault_proxy *proxy, struct error *reterr)
{
    const struct certificate_request request = {.common_name = "fault-proxy-ca",
                                                .valid_from_s = -2 * DAY_S,
                                                .valid_to_s = DAY_S,
                                                .is_authority = 1};
    if (certificate_make(&request, &proxy->authority, reterr) != 0)
        return -1;
    for (int i = 0; i < IDENTITY_COUNT; i++)
        if (make_identity(proxy, (enum identity)i, reterr) != 0)
            return -1;
    return 0;
}

static int make_upstream_tls(struct fault_proxy *proxy, const struct fault_proxy_options *options,
                             struct error *reterr)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    proxy->shared.upstream_tls = context;
    int done = 1;
    if (options->upstream_authority != NULL) {
        BIO *pem = BIO_new_mem_buf(options->upstream_authority, -1);
        X509 *authority = PEM_read_bio_X509(pem, NULL, NULL, NULL);
        done = authority != NULL && X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
        X509_free(authority);
        BIO_free(pem);
    }
    if (done && options->upstream_certificate != NULL && options->upstream_key != NULL) {
        BIO *pem = BIO_new_mem_buf(options->upstream_certificate, -1);
        BIO *key_pem = BIO_new_mem_buf(options->upstream_key, -1);
        X509 *leaf = PEM_read_bio_X509(pem, NULL, NULL, NULL);
        EVP_PKEY *key = PEM_read_bio_PrivateKey(key_pem, NULL, NULL, NULL);
        done = leaf != NULL && key != NULL && SSL_CTX_use_certificate(context, leaf) &&
               SSL_CTX_use_PrivateKey(context, key);
        X509_free(leaf);
        EVP_PKEY_free(key);
        BIO_free(pem);
        BIO_free(key_pem);
    }
    return done ? 0
                : error_set(reterr, EXIT_USAGE, "cannot use the certificates for upstream '%s'",
                            options->upstream);
}

/* "http://HOST:PORT" into the shared part. */
static int take_upstream(struct fault_proxy *proxy, const struct fault_proxy_options *options,
                         struct error *reterr)
{
    const char *scheme = strstr(options->upstream, "://");
    const char *host = scheme == NULL ? NULL : scheme + 3;
    const char *colon = host == NULL ? NULL : strrchr(host, ':');
    if (colon == NULL)
        return error_set(reterr, EXIT_USAGE, "upstream '%s' is not http[s]://HOST:PORT",
                         options->upstream);
    proxy->shared.upstream_host = text_copy_span(host, (size_t)(colon - host));
    proxy->shared.upstream_port = text_copy_span(colon + 1, strcspn(colon + 1, "/"));
    return text_starts(options->upstream, "https://") ? make_upstream_tls(proxy, options, reterr)
                                                      : 0;
}

static int open_port(struct fault_proxy *proxy)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(proxy->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (const struct sockaddr *)&address, size) != 0 || listen(fd, 128) != 0) {
        (void)close(fd);
        return -1;
    }
    (void)getsockname(fd, (struct sockaddr *)&address, &size);
    proxy->port = ntohs(address.sin_port);
    return fd;
}

static void poke(int fd)
{
    uint64_t one = 1;
    ssize_t written = write(fd, &one, sizeof one);
    (void)written;
}

static void refuse(void *context, int64_t ms)
{
    struct fault_proxy *proxy = context;
    atomic_store(&proxy->closed_until_ms, clock_monotonic_ms() + ms);
    poke(proxy->wake_fd);
    /* The client may come back at once: the port must be shut before it learns of the reset. */
    struct pollfd polled = {.fd = proxy->stop_fd, .events = POLLIN};
    while (atomic_load(&proxy->closed_until_ms) > 0 && poll(&polled, 1, 1) == 0)
        ;
}

static void *work(void *context)
{
    struct worker *worker = context;
    session_run(&worker->proxy->shared, worker->fd, worker->number);
    atomic_store(&worker->done, 1);
    return NULL;
}

static void join_workers(struct fault_proxy *proxy, int all)
{
    struct worker **at = &proxy->workers;
    while (*at != NULL) {
        struct worker *worker = *at;
        if (!all && !atomic_load(&worker->done)) {
            at = &worker->next;
            continue;
        }
        pthread_join(worker->thread, NULL);
        *at = worker->next;
        free(worker);
    }
}

static void start_worker(struct fault_proxy *proxy, int fd)
{
    struct worker *worker = memory_new(1, sizeof *worker);
    *worker = (struct worker){
        .proxy = proxy, .fd = fd, .number = ++proxy->connections, .next = proxy->workers};
    join_workers(proxy, 0);
    worker->next = proxy->workers;
    if (pthread_create(&worker->thread, NULL, work, worker) != 0) {
        (void)close(fd);
        free(worker);
        return;
    }
    proxy->workers = worker;
}

/* Shuts the port until the time is over; the new socket, or -1 at the end. */
static int keep_closed(struct fault_proxy *proxy, int fd)
{
    int64_t until = atomic_load(&proxy->closed_until_ms);
    (void)close(fd);
    atomic_store(&proxy->closed_until_ms, -1); /* seen by refuse(): the port is shut */
    struct pollfd stop = {.fd = proxy->stop_fd, .events = POLLIN};
    int64_t left = until - clock_monotonic_ms();
    if (left > 0 && poll(&stop, 1, (int)left) != 0)
        return -1;
    do {
        fd = open_port(proxy);
    } while (fd < 0 && poll(&stop, 1, 10) == 0);
    atomic_store(&proxy->closed_until_ms, 0);
    return fd;
}

static void *accept_connections(void *context)
{
    struct fault_proxy *proxy = context;
    int fd = proxy->listen_fd;
    while (fd >= 0) {
        struct pollfd polled[3] = {{.fd = proxy->stop_fd, .events = POLLIN},
                                   {.fd = proxy->wake_fd, .events = POLLIN},
                                   {.fd = fd, .events = POLLIN}};
        if (poll(polled, 3, -1) < 0 && errno != EINTR)
            break;
        if (polled[0].revents != 0)
            break;
        if (polled[1].revents != 0) {
            uint64_t count;
            ssize_t got = read(proxy->wake_fd, &count, sizeof count);
            (void)got;
            fd = keep_closed(proxy, fd);
        } else if (polled[2].revents != 0) {
            int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
            if (client >= 0)
                start_worker(proxy, client);
        }
    }
    if (fd >= 0)
        (void)close(fd);
    return NULL;
}

static int prepare(struct fault_proxy *proxy, const struct fault_proxy_options *options,
                   struct error *reterr)
{
    proxy->stop_fd = proxy->shared.stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    proxy->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (proxy->stop_fd < 0 || proxy->wake_fd < 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot make an event descriptor");
    if ((options->rules != NULL &&
         fault_rules_parse(&proxy->shared.rules, options->rules, reterr) != 0) ||
        take_upstream(proxy, options, reterr) != 0 ||
        (options->tls && make_identities(proxy, reterr) != 0))
        return -1;
    for (size_t i = 0; i < proxy->shared.rules.count && !options->tls; i++)
        if (proxy->shared.rules.items[i].fault >= FAULT_TLS_EXPIRED)
            return error_set(reterr, EXIT_USAGE, "a rule spoils TLS, but the proxy speaks none");
    if (options->log_path != NULL && (proxy->shared.log = fopen(options->log_path, "ae")) == NULL)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot open log '%s'", options->log_path);
    return 0;
}

struct fault_proxy *fault_proxy_start(const struct fault_proxy_options *options,
                                      struct error *reterr)
{
    struct fault_proxy *proxy = memory_new(1, sizeof *proxy);
    memset(proxy, 0, sizeof *proxy);
    fault_rules_init(&proxy->shared.rules, options->seed);
    pthread_mutex_init(&proxy->shared.log_lock, NULL);
    proxy->shared.refuse = refuse;
    proxy->shared.refuse_context = proxy;
    proxy->port = options->port;
    (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
    if (prepare(proxy, options, reterr) != 0) {
        fault_proxy_stop(proxy);
        return NULL;
    }
    int fd = open_port(proxy);
    if (fd < 0) {
        error_errno(reterr, EXIT_FAILED, errno, "cannot listen on port '%u'", proxy->port);
        fault_proxy_stop(proxy);
        return NULL;
    }
    proxy->listen_fd = fd;
    proxy->url = text_format("%s://127.0.0.1:%u", options->tls ? "https" : "http", proxy->port);
    proxy->acceptor_runs = pthread_create(&proxy->acceptor, NULL, accept_connections, proxy) == 0;
    return proxy;
}

void fault_proxy_stop(struct fault_proxy *proxy)
{
    if (proxy == NULL)
        return;
    if (proxy->acceptor_runs) {
        poke(proxy->stop_fd); /* nobody reads it: acceptor and workers all see it */
        pthread_join(proxy->acceptor, NULL);
    }
    join_workers(proxy, 1);
    fault_rules_clear(&proxy->shared.rules);
    pthread_mutex_destroy(&proxy->shared.log_lock);
    if (proxy->shared.log != NULL)
        (void)fclose(proxy->shared.log);
    for (int i = 0; i < IDENTITY_COUNT; i++)
        SSL_CTX_free(proxy->shared.client_tls[i]);
    SSL_CTX_free(proxy->shared.upstream_tls);
    certificate_clear(&proxy->authority);
    free(proxy->shared.upstream_host);
    free(proxy->shared.upstream_port);
    free(proxy->url);
    (void)close(proxy->stop_fd);
    (void)close(proxy->wake_fd);
    free(proxy);
}

const char *fault_proxy_url(const struct fault_proxy *proxy)
{
    return proxy->url;
}

const char *fault_proxy_authority(const struct fault_proxy *proxy)
{
    return proxy->authority.pem;
}

int64_t fault_proxy_faults(struct fault_proxy *proxy)
{
    return atomic_load(&proxy->shared.faults);
}
