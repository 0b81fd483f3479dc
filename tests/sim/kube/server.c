/* HTTP in front of the API: libmicrohttpd driven from one loop, watches, snapshots. */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "audit.h"
#include "controllers.h"
#include "internal.h"
#include "json-text.h"
#include "route.h"
#include "snapshot.h"
#include "watch.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

enum {
    WATCH_BLOCK = 64 << 10,
    GZIP_FROM = 128 << 10, /* as the real server: smaller answers are not worth it */
    IDLE_TIMEOUT_S = 300,
    CONNECTION_MEMORY = 256 << 10,
};

/* One request on its way through libmicrohttpd. */
struct exchange {
    struct sim_request request;
    struct sim_answer answer;
    char *certificate_user;
    int complete;
};

/* The one connection whose answer is a snapshot of this very process. */
struct pending_snapshot {
    struct exchange *exchange;
    struct MHD_Connection *connection;
    struct pending_snapshot *next;
};

static void exchange_free(struct exchange *exchange)
{
    struct sim_request *request = &exchange->request;
    route_clear(&request->route);
    for (size_t i = 0; i < request->query_count; i++) {
        free(request->query[i].name);
        free(request->query[i].value);
    }
    free(request->query);
    buffer_clear(&request->body);
    json_decref(request->impersonate_groups);
    json_decref(request->certificate_groups);
    free(exchange->certificate_user);
    buffer_clear(&exchange->answer.body);
    free(exchange->answer.warning);
    free(exchange->answer.reason);
    free(exchange);
}

static enum MHD_Result take_query(void *context, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    struct sim_request *request = context;
    (void)kind;
    request->query =
        memory_resize(request->query, request->query_count + 1, sizeof *request->query);
    request->query[request->query_count++] =
        (struct sim_pair){text_copy(name), text_copy(value == NULL ? "" : value)};
    return MHD_YES;
}

static enum MHD_Result take_group(void *context, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    struct sim_request *request = context;
    (void)kind;
    if (strcasecmp(name, "Impersonate-Group") != 0 || value == NULL)
        return MHD_YES;
    if (request->impersonate_groups == NULL)
        request->impersonate_groups = json_array();
    json_array_append_new(request->impersonate_groups, json_string(value));
    return MHD_YES;
}

/* Common name and organizations of a client certificate that the authority signed. */
static void take_certificate(struct MHD_Connection *connection, struct exchange *exchange)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned count = 0, status = 1;
    const gnutls_datum_t *chain =
        info == NULL ? NULL : gnutls_certificate_get_peers(info->tls_session, &count);
    gnutls_x509_crt_t certificate;
    if (chain == NULL || count == 0 ||
        gnutls_certificate_verify_peers2(info->tls_session, &status) != 0 || status != 0 ||
        gnutls_x509_crt_init(&certificate) != 0)
        return;
    if (gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER) == 0) {
        char name[256];
        size_t size = sizeof name;
        if (gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name,
                                          &size) == 0)
            exchange->certificate_user = text_copy_span(name, size);
        json_t *groups = json_pack("[s]", "system:authenticated");
        for (unsigned i = 0; size = sizeof name,
                      gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_ORGANIZATION_NAME,
                                                    i, 0, name, &size) == 0;
             i++)
            json_array_append_new(groups, json_stringn(name, size));
        exchange->request.certificate_user = exchange->certificate_user;
        exchange->request.certificate_groups = groups;
    }
    gnutls_x509_crt_deinit(certificate);
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static void take_head(const struct sim_kube *sim, struct MHD_Connection *connection,
                      struct exchange *exchange, const char *url, const char *method)
{
    struct sim_request *request = &exchange->request;
    request->path = url;
    request->method = method;
    request->accept = header(connection, "Accept");
    request->accept_encoding = header(connection, "Accept-Encoding");
    request->content_type = header(connection, "Content-Type");
    request->authorization = header(connection, "Authorization");
    request->user_agent = header(connection, "User-Agent");
    request->call_site = header(connection, "X-Salvor-Call-Site");
    request->impersonate_user = header(connection, "Impersonate-User");
    MHD_get_connection_values(connection, MHD_HEADER_KIND, take_group, request);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_query, request);
    if (sim->tls)
        take_certificate(connection, exchange);
}

static int is_gzip_worth(const struct exchange *exchange)
{
    const char *accepted = exchange->request.accept_encoding;
    return exchange->answer.body.size >= GZIP_FROM && accepted != NULL &&
           strstr(accepted, "gzip") != NULL;
}

/* Replaces the body by its gzip form. */
static int compress_body(struct buffer *body)
{
    z_stream stream = {0};
    if (deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return -1;
    uLong bound = deflateBound(&stream, body->size);
    struct buffer packed = BUFFER_INIT(ANSWER_LIMIT);
    unsigned char *room = buffer_reserve(&packed, bound);
    stream.next_in = (unsigned char *)body->data;
    stream.avail_in = (uInt)body->size;
    stream.next_out = room;
    stream.avail_out = (uInt)bound;
    int done = deflate(&stream, Z_FINISH);
    packed.size = stream.total_out;
    deflateEnd(&stream);
    if (done != Z_STREAM_END) {
        buffer_clear(&packed);
        return -1;
    }
    buffer_clear(body);
    *body = packed;
    return 0;
}

static void add_headers(struct sim_kube *sim, struct MHD_Response *response,
                        const struct sim_answer *answer)
{
    char number[24], uid[37];
    /* Not from the seeded generator: reading must not change what later objects are called. */
    snprintf(uid, sizeof uid, "00000000-0000-4000-8000-%012llx",
             (unsigned long long)++sim->answer_count);
    MHD_add_response_header(response, "Content-Type", answer->content_type);
    MHD_add_response_header(response, "Cache-Control", "no-cache, private");
    MHD_add_response_header(response, "Audit-Id", uid);
    if (answer->retry_after > 0) {
        snprintf(number, sizeof number, "%d", answer->retry_after);
        MHD_add_response_header(response, "Retry-After", number);
    }
    if (answer->warning != NULL) {
        cleanup_free char *warning = text_format("299 - \"%s\"", answer->warning);
        MHD_add_response_header(response, "Warning", warning);
    }
}

static ssize_t read_watch(void *context, uint64_t position, char *room, size_t size)
{
    struct watch *watch = context;
    (void)position;
    size_t left = watch->pending.size - watch->sent;
    if (left == 0) {
        if (watch->ended)
            return MHD_CONTENT_READER_END_OF_STREAM;
        /* Otherwise libmicrohttpd would ask again and again. */
        MHD_suspend_connection(watch->connection);
        watch->suspended = 1;
        return 0;
    }
    if (size > left)
        size = left;
    memcpy(room, watch->pending.data + watch->sent, size);
    watch->sent += size;
    if (watch->sent == watch->pending.size) {
        buffer_clear(&watch->pending);
        watch->sent = 0;
    }
    return (ssize_t)size;
}

static void forget_watch(void *context)
{
    struct watch *watch = context;
    watch_close(watch->sim, watch);
}

static enum MHD_Result queue_answer(struct sim_kube *sim, struct MHD_Connection *connection,
                                    struct exchange *exchange)
{
    struct sim_answer *answer = &exchange->answer;
    struct MHD_Response *response;
    int status = answer->status;
    if (answer->watch != NULL) {
        answer->watch->connection = connection;
        answer->watch->sim = sim;
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, WATCH_BLOCK, read_watch,
                                                     answer->watch, forget_watch);
    } else {
        int packed = is_gzip_worth(exchange) && compress_body(&answer->body) == 0;
        size_t size = answer->body.size;
        response = MHD_create_response_from_buffer(size, buffer_take(&answer->body),
                                                   MHD_RESPMEM_MUST_FREE);
        if (packed) {
            MHD_add_response_header(response, "Content-Encoding", "gzip");
            MHD_add_response_header(response, "Vary", "Accept-Encoding");
        }
    }
    add_headers(sim, response, answer);
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result handle_connection(void *context, struct MHD_Connection *connection,
                                         const char *url, const char *method, const char *version,
                                         const char *data, size_t *size, void **slot)
{
    struct sim_kube *sim = context;
    struct exchange *exchange = *slot;
    (void)version;
    if (exchange == NULL) {
        exchange = memory_new(1, sizeof *exchange);
        memset(exchange, 0, sizeof *exchange);
        exchange->request.body.limit = REQUEST_LIMIT + 1;
        exchange->answer.body.limit = ANSWER_LIMIT;
        *slot = exchange;
        return MHD_YES;
    }
    if (*size > 0) {
        /* One byte past the limit is kept: it tells that there was more. */
        size_t room = exchange->request.body.limit - exchange->request.body.size;
        buffer_append(&exchange->request.body, data, *size < room ? *size : room);
        *size = 0;
        return MHD_YES;
    }
    if (exchange->complete) /* resumed after a snapshot */
        return queue_answer(sim, connection, exchange);
    exchange->complete = 1;
    take_head(sim, connection, exchange, url, method);
    sim_handle(sim, &exchange->request, &exchange->answer);
    if (exchange->answer.snapshot) {
        struct pending_snapshot *pending = memory_new(1, sizeof *pending);
        *pending = (struct pending_snapshot){exchange, connection, sim->snapshot};
        sim->snapshot = pending;
        MHD_suspend_connection(connection);
        return MHD_YES;
    }
    if (!text_starts(url, CONTROL_PREFIX))
        audit_write(sim, &exchange->request, &exchange->answer);
    return queue_answer(sim, connection, exchange);
}

static void connection_done(void *context, struct MHD_Connection *connection, void **slot,
                            enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)connection;
    (void)code;
    if (*slot != NULL)
        exchange_free(*slot);
    *slot = NULL;
}

/* Certificates are kept when they exist: a snapshot serves with those of its parent. */
static int make_certificates(struct sim_kube *sim, struct error *reterr)
{
    enum { DAY = 24 * 3600 };
    if (!sim->tls || sim->server.pem != NULL)
        return 0;
    struct certificate_request request = {.common_name = "sim-kube-ca",
                                          .valid_from_s = -3600,
                                          .valid_to_s = 30 * DAY,
                                          .is_authority = 1};
    if (certificate_make(&request, &sim->authority, reterr) != 0)
        return -1;
    request.is_authority = 0;
    request.issuer = &sim->authority;
    request.common_name = "kube-apiserver";
    request.names = "IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc";
    if (certificate_make(&request, &sim->server, reterr) != 0)
        return -1;
    request.common_name = "sim-admin";
    request.organization = "system:masters";
    request.names = NULL;
    request.is_client = 1;
    return certificate_make(&request, &sim->client, reterr);
}

static int open_port(uint16_t port, struct error *reterr)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int one = 1;
    if (fd < 0)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot make a socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, SOMAXCONN) != 0) {
        error_errno(reterr, EXIT_FAILED, errno, "cannot listen on port '%u'", port);
        (void)close(fd);
        return -1;
    }
    return fd;
}

static struct MHD_Daemon *start_daemon(struct sim_kube *sim, int fd)
{
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
    struct MHD_OptionItem options[12] = {
        {MHD_OPTION_LISTEN_SOCKET, fd, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, 4096, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    if (sim->tls) {
        flags |= MHD_USE_TLS;
        options[4] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, sim->server.pem};
        options[5] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, sim->server.key_pem};
        options[6] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, sim->authority.pem};
        options[7] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    }
    return MHD_start_daemon(flags, 0, NULL, NULL, handle_connection, sim,
                            MHD_OPTION_NOTIFY_COMPLETED, connection_done, NULL, MHD_OPTION_ARRAY,
                            options, MHD_OPTION_END);
}

int sim_kube_listen(struct sim_kube *sim, struct error *reterr)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    if (make_certificates(sim, reterr) != 0)
        return -1;
    int fd = open_port(sim->port, reterr);
    if (fd < 0)
        return -1;
    getsockname(fd, (struct sockaddr *)&address, &size);
    sim->port = ntohs(address.sin_port);
    sim->daemon = start_daemon(sim, fd);
    if (sim->daemon == NULL) {
        (void)close(fd);
        return error_set(reterr, EXIT_FAILED, "cannot start the server on port '%u'", sim->port);
    }
    sim->epoll_fd = MHD_get_daemon_info(sim->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    free(sim->url);
    sim->url = text_format("%s://127.0.0.1:%u", sim->tls ? "https" : "http", sim->port);
    return 0;
}

/* Sends what happened to the watches; the earliest deadline among them, or -1. */
static int64_t run_watches(struct sim_kube *sim, int64_t now_ms, int *ret_resumed)
{
    int64_t next = -1;
    for (struct watch *watch = sim->watches; watch != NULL; watch = watch->next) {
        if (watch_pump(sim, watch, now_ms) && watch->suspended) {
            watch->suspended = 0;
            MHD_resume_connection(watch->connection);
            *ret_resumed = 1;
        }
        if (!watch->ended && (next < 0 || watch->deadline_ms < next))
            next = watch->deadline_ms;
    }
    return next;
}

/* Ends watches whose client has gone: a suspended connection is not looked at by the library. */
static void end_abandoned(struct sim_kube *sim, const struct pollfd *polled, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if ((polled[i].revents & (POLLRDHUP | POLLHUP | POLLERR)) == 0)
            continue;
        for (struct watch *watch = sim->watches; watch != NULL; watch = watch->next)
            if (watch->suspended && watch->socket_fd == polled[i].fd)
                watch->ended = 1;
    }
}

static int wait_for_work(struct sim_kube *sim, int64_t until_ms, int resumed, struct error *reterr)
{
    MHD_UNSIGNED_LONG_LONG daemon_ms;
    int64_t wait_ms = until_ms < 0 ? INT_MAX : until_ms - clock_monotonic_ms();
    if (MHD_get_timeout(sim->daemon, &daemon_ms) == MHD_YES && (int64_t)daemon_ms < wait_ms)
        wait_ms = (int64_t)daemon_ms;
    if (wait_ms < 0 || resumed)
        wait_ms = 0;
    size_t count = 2, watches = 0;
    for (const struct watch *watch = sim->watches; watch != NULL; watch = watch->next)
        watches++;
    cleanup_free struct pollfd *polled = memory_new(2 + watches, sizeof *polled);
    polled[0] = (struct pollfd){.fd = sim->epoll_fd, .events = POLLIN};
    polled[1] = (struct pollfd){.fd = sim->stop_fd, .events = POLLIN};
    for (struct watch *watch = sim->watches; watch != NULL; watch = watch->next)
        if (watch->suspended) {
            watch->socket_fd =
                MHD_get_connection_info(watch->connection, MHD_CONNECTION_INFO_CONNECTION_FD)
                    ->connect_fd;
            polled[count++] = (struct pollfd){.fd = watch->socket_fd, .events = POLLRDHUP};
        }
    if (poll(polled, count, wait_ms > INT_MAX ? INT_MAX : (int)wait_ms) < 0 && errno != EINTR)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot wait for connections");
    end_abandoned(sim, polled + 2, count - 2);
    return polled[1].revents != 0;
}

/* Forks for every pending request, and in a child returns at once; 1 when one can be answered. */
static int run_snapshots(struct sim_kube *sim)
{
    int resumed = 0;
    while (sim->snapshot != NULL) {
        struct pending_snapshot *pending = sim->snapshot;
        struct error error = ERROR_INIT;
        json_t *answer = NULL;
        sim->snapshot = pending->next;
        pid_t pid = snapshot_make(sim, &answer, &error);
        if (pid == 0) {
            while (sim->snapshot != NULL) {
                struct pending_snapshot *other = sim->snapshot;
                sim->snapshot = other->next;
                free(other);
            }
            free(pending);
            return 0;
        }
        struct sim_answer *target = &pending->exchange->answer;
        target->snapshot = 0;
        if (pid > 0)
            answer_json(target, 200, answer);
        else
            answer_text(target, 500, error.message == NULL ? "fork failed" : error.message);
        error_clear(&error);
        MHD_resume_connection(pending->connection);
        free(pending);
        resumed = 1;
    }
    return resumed;
}

/* Lets every connection end, which the library wants before it stops. */
static void stop_daemon(struct sim_kube *sim)
{
    for (struct watch *watch = sim->watches; watch != NULL; watch = watch->next) {
        watch->ended = 1;
        if (watch->suspended)
            MHD_resume_connection(watch->connection);
        watch->suspended = 0;
    }
    MHD_run(sim->daemon);
    MHD_stop_daemon(sim->daemon);
    sim->daemon = NULL;
}

int sim_kube_run(struct sim_kube *sim, struct error *reterr)
{
    int stopped = 0, resumed = 0;
    while (stopped == 0) {
        int64_t now = clock_monotonic_ms();
        int64_t controllers = controllers_run(sim, now);
        int64_t watches = run_watches(sim, now, &resumed);
        int64_t until =
            controllers < 0 || (watches >= 0 && watches < controllers) ? watches : controllers;
        stopped = wait_for_work(sim, until, resumed, reterr);
        MHD_run(sim->daemon);
        resumed = run_snapshots(sim);
        snapshot_reap(sim);
    }
    stop_daemon(sim);
    /* A snapshot never returns into the program that its parent is. */
    if (sim->is_snapshot)
        _exit(stopped < 0);
    return stopped < 0 ? -1 : 0;
}

void sim_kube_stop(struct sim_kube *sim)
{
    uint64_t one = 1;
    ssize_t written = write(sim->stop_fd, &one, sizeof one);
    (void)written;
}
