/* One exchange from libmicrohttpd's calls to the answer, waiting answers, and the loop around it.
 */
#include "server.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "adapter.h"
#include "control.h"
#include "endpoint.h"
#include "identity.h"
#include "rate-limit.h"
#include "snapshot.h"
#include "stream.h"
#include "x509.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

enum { STREAM_BLOCK = 64 << 10, FOREVER_MS = 24 * 3600 * 1000 };

/* One request on its way. */
struct exchange {
    struct nsx_request request;
    struct nsx_answer answer;
    struct sim_nsx *sim;
    struct MHD_Connection *connection;
    struct exchange *next; /* among those that wait */
    struct nsx_stream *stream;
    int is_complete, is_suspended;
    int is_dropped;  /* the connection ends without an answer */
    int64_t due_ms;  /* real time of the answer; -1: asked for otherwise */
    char *in_flight; /* user whose request counts as in flight */
    size_t sent;
};

static void unlink_waiting(struct exchange *exchange)
{
    struct exchange **at = &exchange->sim->waiting;
    while (*at != NULL && *at != exchange)
        at = &(*at)->next;
    if (*at != NULL)
        *at = exchange->next;
}

static void wait_for(struct exchange *exchange, int64_t due_ms)
{
    exchange->due_ms = due_ms;
    exchange->next = exchange->sim->waiting;
    exchange->sim->waiting = exchange;
    exchange->is_suspended = 1;
    MHD_suspend_connection(exchange->connection);
}

static void resume(struct exchange *exchange)
{
    if (!exchange->is_suspended)
        return;
    exchange->is_suspended = 0;
    unlink_waiting(exchange);
    MHD_resume_connection(exchange->connection);
}

static void request_clear(struct nsx_request *request)
{
    for (size_t i = 0; i < request->query_count; i++) {
        free(request->query[i].name);
        free(request->query[i].value);
    }
    free(request->query);
    for (size_t i = 0; i < NSX_PARTS; i++)
        free(request->parts[i]);
    free(request->session);
    free(request->peer_name);
    buffer_clear(&request->body);
    json_decref(request->json);
    json_decref(request->effects);
    nsx_caller_clear(&request->caller);
}

static void exchange_free(struct exchange *exchange)
{
    unlink_waiting(exchange);
    if (exchange->in_flight != NULL)
        nsx_limit_end(exchange->sim, exchange->in_flight);
    free(exchange->in_flight);
    request_clear(&exchange->request);
    buffer_clear(&exchange->answer.body);
    free(exchange->answer.cookie);
    free(exchange->answer.xsrf);
    free(exchange->answer.location);
    free(exchange);
}

/* --- the request ------------------------------------------------------------------------------ */

static enum MHD_Result take_query(void *context, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    struct nsx_request *request = context;
    (void)kind;
    request->query =
        memory_resize(request->query, request->query_count + 1, sizeof *request->query);
    request->query[request->query_count++] =
        (struct nsx_pair){text_copy(name), text_copy(value == NULL ? "" : value)};
    return MHD_YES;
}

static void take_certificate(struct nsx_request *request, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned count = 0;
    const gnutls_datum_t *chain =
        info == NULL ? NULL : gnutls_certificate_get_peers(info->tls_session, &count);
    if (chain != NULL && count > 0)
        x509_read_der(chain[0].data, chain[0].size, request->peer_fingerprint, &request->peer_name);
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static void take_head(struct exchange *exchange, const char *url, const char *method, int manager)
{
    struct MHD_Connection *connection = exchange->connection;
    struct nsx_request *request = &exchange->request;
    const char *session = MHD_lookup_connection_value(connection, MHD_COOKIE_KIND, "JSESSIONID");
    request->manager = manager;
    request->path = url;
    request->method = method;
    request->authorization = header(connection, "Authorization");
    request->xsrf = header(connection, "X-XSRF-TOKEN");
    request->overwrite = header(connection, "X-Allow-Overwrite");
    request->call_site = header(connection, "X-Salvor-Call-Site");
    request->user_agent = header(connection, "User-Agent");
    request->content_type = header(connection, "Content-Type");
    request->session = session == NULL ? NULL : text_copy(session);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_query, request);
    if (manager >= 0)
        take_certificate(request, connection);
}

/* --- the answer ------------------------------------------------------------------------------- */

static void add_headers(struct sim_nsx *sim, struct MHD_Response *response,
                        const struct nsx_answer *answer)
{
    char text[64];
    time_t seconds = (time_t)(nsx_now(sim) / 1000);
    struct tm broken;
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&seconds, &broken));
    MHD_add_response_header(response, "Date", text);
    if (answer->content_type != NULL)
        MHD_add_response_header(response, "Content-Type", answer->content_type);
    MHD_add_response_header(response, "Cache-Control", "no-cache, no-store");
    snprintf(text, sizeof text, "%llu", (unsigned long long)++sim->answer_count);
    MHD_add_response_header(response, "X-NSX-REQUESTID", text);
    if (answer->retry_after > 0) {
        snprintf(text, sizeof text, "%d", answer->retry_after);
        MHD_add_response_header(response, "Retry-After", text);
    }
    if (answer->cookie != NULL)
        MHD_add_response_header(response, "Set-Cookie", answer->cookie);
    if (answer->xsrf != NULL)
        MHD_add_response_header(response, "X-XSRF-TOKEN", answer->xsrf);
    if (answer->location != NULL)
        MHD_add_response_header(response, "Location", answer->location);
}

static ssize_t read_cut(void *context, uint64_t position, char *room, size_t size)
{
    const struct exchange *exchange = context;
    const struct nsx_answer *answer = &exchange->answer;
    uint64_t end =
        (uint64_t)answer->cut_at < answer->body.size ? (uint64_t)answer->cut_at : answer->body.size;
    if (position >= end)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (size > end - position)
        size = (size_t)(end - position);
    memcpy(room, answer->body.data + position, size);
    return (ssize_t)size;
}

static ssize_t read_stream(void *context, uint64_t position, char *room, size_t size)
{
    struct exchange *exchange = context;
    (void)position;
    ssize_t taken = nsx_stream_take(exchange->stream, room, size);
    if (taken == 0 && !exchange->is_suspended)
        wait_for(exchange, -1);
    return taken < 0 ? MHD_CONTENT_READER_END_OF_STREAM : taken;
}

static enum MHD_Result queue_answer(struct exchange *exchange)
{
    struct nsx_answer *answer = &exchange->answer;
    struct MHD_Response *response;
    unsigned status = (unsigned)answer->status;
    if (answer->outcome == NSX_STREAM)
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream,
                                                     exchange, NULL);
    else if (answer->cut_at >= 0)
        response = MHD_create_response_from_callback(answer->body.size, STREAM_BLOCK, read_cut,
                                                     exchange, NULL);
    else {
        size_t size = answer->body.size;
        response = MHD_create_response_from_buffer(size, buffer_take(&answer->body),
                                                   MHD_RESPMEM_MUST_FREE);
    }
    add_headers(exchange->sim, response, answer);
    enum MHD_Result result = MHD_queue_response(exchange->connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static int64_t stall_until(const struct nsx_answer *answer)
{
    return clock_monotonic_ms() + (answer->stall_ms < 0 ? FOREVER_MS : answer->stall_ms);
}

static enum MHD_Result handle_complete(struct exchange *exchange)
{
    struct sim_nsx *sim = exchange->sim;
    struct nsx_request *request = &exchange->request;
    struct nsx_answer *answer = &exchange->answer;
    if (request->manager < 0)
        nsx_control_handle(sim, request, answer);
    else
        nsx_handle(sim, request, answer);
    if (answer->outcome == NSX_CLOSED)
        return MHD_NO;
    if (answer->outcome == NSX_STREAM)
        exchange->stream = nsx_stream_bind(sim, exchange);
    /* What opens or closes doors is answered when they are. */
    if (answer->outcome == NSX_SNAPSHOT || (request->manager < 0 && sim->must_reopen)) {
        wait_for(exchange, -1);
        return MHD_YES;
    }
    if (answer->stall_ms != 0) {
        const char *name = request->caller.name == NULL ? "127.0.0.1" : request->caller.name;
        exchange->in_flight = text_copy(name);
        nsx_limit_begin(sim, name);
        wait_for(exchange, stall_until(answer));
        return MHD_YES;
    }
    return queue_answer(exchange);
}

enum MHD_Result nsx_server_handle(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **slot)
{
    const struct nsx_door *door = context;
    struct exchange *exchange = *slot;
    (void)version;
    if (exchange == NULL) {
        exchange = memory_new(1, sizeof *exchange);
        memset(exchange, 0, sizeof *exchange);
        exchange->sim = door->sim;
        exchange->connection = connection;
        exchange->request.body.limit = NSX_REQUEST_LIMIT + 1;
        exchange->answer.body.limit = NSX_ANSWER_LIMIT;
        exchange->answer.cut_at = -1;
        *slot = exchange;
        return MHD_YES;
    }
    if (exchange->is_dropped)
        return MHD_NO;
    if (*size > 0) {
        /* One byte past the limit is kept: it tells that there was more. */
        size_t room = exchange->request.body.limit - exchange->request.body.size;
        buffer_append(&exchange->request.body, data, *size < room ? *size : room);
        *size = 0;
        return MHD_YES;
    }
    if (exchange->is_complete) /* resumed */
        return queue_answer(exchange);
    exchange->is_complete = 1;
    take_head(exchange, url, method, door->manager);
    return handle_complete(exchange);
}

void nsx_server_done(void *context, struct MHD_Connection *connection, void **slot,
                     enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *slot;
    (void)context;
    (void)connection;
    (void)code;
    if (exchange == NULL)
        return;
    if (exchange->stream != NULL)
        nsx_stream_unbind(exchange->sim, exchange->stream);
    exchange_free(exchange);
    *slot = NULL;
}

/* --- waiting ---------------------------------------------------------------------------------- */

void nsx_server_wake(struct exchange *exchange)
{
    resume(exchange);
}

struct nsx_request *nsx_server_request(struct exchange *exchange)
{
    return &exchange->request;
}

void nsx_server_drop(struct sim_nsx *sim, int manager)
{
    for (struct exchange *exchange = sim->waiting, *next; exchange != NULL; exchange = next) {
        next = exchange->next;
        if (exchange->request.manager != manager)
            continue;
        exchange->is_dropped = 1;
        if (exchange->stream != NULL)
            nsx_stream_end(exchange->stream);
        resume(exchange);
    }
}

void nsx_server_forget(struct sim_nsx *sim)
{
    sim->waiting = NULL;
}

/* Resumes what is due; the earliest due time of the others, or -1. */
static int64_t resume_due(struct sim_nsx *sim, int *ret_resumed)
{
    int64_t now = clock_monotonic_ms(), next_due = -1;
    for (struct exchange *exchange = sim->waiting, *next; exchange != NULL; exchange = next) {
        next = exchange->next;
        int is_control = exchange->request.manager < 0 &&
                         exchange->answer.outcome != NSX_SNAPSHOT && exchange->stream == NULL;
        if (is_control || (exchange->due_ms >= 0 && exchange->due_ms <= now) ||
            (exchange->stream != NULL && nsx_stream_is_ready(exchange->stream))) {
            resume(exchange);
            *ret_resumed = 1;
        } else if (exchange->due_ms >= 0 && (next_due < 0 || exchange->due_ms < next_due)) {
            next_due = exchange->due_ms;
        }
    }
    return next_due;
}

/* Forks for every pending request; in a child the list is empty. 1 when one can be answered. */
static int run_snapshots(struct sim_nsx *sim)
{
    int resumed = 0;
    for (struct exchange *exchange = sim->waiting, *next; exchange != NULL; exchange = next) {
        struct error error = ERROR_INIT;
        json_t *answer = NULL;
        next = exchange->next;
        if (exchange->answer.outcome != NSX_SNAPSHOT)
            continue;
        exchange->answer.outcome = NSX_ANSWERED;
        pid_t pid = nsx_snapshot_make(sim, &answer, &error);
        if (pid == 0)
            return 0;
        if (pid > 0)
            nsx_answer_json(&exchange->answer, 200, answer);
        else
            nsx_answer_text(&exchange->answer, 500, "text/plain",
                            error.message == NULL ? "fork failed" : error.message);
        error_clear(&error);
        resume(exchange);
        resumed = 1;
    }
    return resumed;
}

/* --- the loop --------------------------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* Ends exchanges whose client has gone: a suspended connection is not looked at by the library. */
static void end_abandoned(struct sim_nsx *sim, const struct pollfd *polled, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if ((polled[i].revents & (POLLRDHUP | POLLHUP | POLLERR)) == 0)
            continue;
        for (struct exchange *exchange = sim->waiting, *next; exchange != NULL; exchange = next) {
            next = exchange->next;
            const union MHD_ConnectionInfo *info =
                MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
            if (info->connect_fd != polled[i].fd)
                continue;
            exchange->is_dropped = 1;
            if (exchange->stream != NULL)
                nsx_stream_end(exchange->stream);
            resume(exchange);
        }
    }
}

static size_t add_daemons(struct sim_nsx *sim, struct pollfd *polled, int64_t *wait_ms)
{
    size_t count = 0;
    for (int i = -1; i < sim->manager_count; i++) {
        const struct nsx_manager *manager = i < 0 ? &sim->control : &sim->managers[i];
        MHD_UNSIGNED_LONG_LONG own_ms;
        if (manager->daemon == NULL)
            continue;
        if (MHD_get_timeout(manager->daemon, &own_ms) == MHD_YES)
            *wait_ms = earlier(*wait_ms, (int64_t)own_ms);
        polled[count++] = (struct pollfd){.fd = manager->epoll_fd, .events = POLLIN};
    }
    return count;
}

/* 1 when asked to stop. */
static int wait_for_work(struct sim_nsx *sim, int64_t wait_ms, struct error *reterr)
{
    size_t waiting = 0;
    for (const struct exchange *exchange = sim->waiting; exchange != NULL;
         exchange = exchange->next)
        waiting++;
    cleanup_free struct pollfd *polled = memory_new(NSX_MANAGERS + 2 + waiting, sizeof *polled);
    size_t count = add_daemons(sim, polled, &wait_ms), first;
    polled[count++] = (struct pollfd){.fd = sim->stop_fd, .events = POLLIN};
    first = count;
    for (struct exchange *exchange = sim->waiting; exchange != NULL; exchange = exchange->next)
        polled[count++] = (struct pollfd){
            .fd = MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD)
                      ->connect_fd,
            .events = POLLRDHUP};
    int timeout = wait_ms < 0 || wait_ms > INT_MAX ? -1 : (int)wait_ms;
    if (poll(polled, count, timeout) < 0 && errno != EINTR)
        return error_errno(reterr, EXIT_FAILED, errno, "cannot wait for connections");
    end_abandoned(sim, polled + first, count - first);
    return polled[first - 1].revents != 0;
}

static void run_daemons(struct sim_nsx *sim)
{
    MHD_run(sim->control.daemon);
    for (int i = 0; i < sim->manager_count; i++)
        if (sim->managers[i].daemon != NULL)
            MHD_run(sim->managers[i].daemon);
}

int sim_nsx_run(struct sim_nsx *sim, struct error *reterr)
{
    int stopped = 0;
    while (stopped == 0) {
        int resumed = 0;
        nsx_clock_run(sim);
        nsx_adapters_send(sim);
        if (sim->must_reopen && nsx_endpoints_apply(sim, reterr) != 0) {
            stopped = -1;
            break;
        }
        int64_t wait_ms = resume_due(sim, &resumed);
        if (wait_ms >= 0)
            wait_ms = wait_ms > clock_monotonic_ms() ? wait_ms - clock_monotonic_ms() : 0;
        wait_ms = resumed ? 0 : earlier(wait_ms, nsx_clock_wait(&sim->clock));
        stopped = wait_for_work(sim, wait_ms, reterr);
        run_daemons(sim);
        if (run_snapshots(sim))
            run_daemons(sim);
        nsx_snapshot_reap(sim);
    }
    nsx_endpoints_close(sim);
    /* A snapshot never returns into the program that its parent is. */
    if (sim->is_snapshot)
        _exit(stopped < 0);
    return stopped < 0 ? -1 : 0;
}

void sim_nsx_stop(struct sim_nsx *sim)
{
    uint64_t one = 1;
    ssize_t written = write(sim->stop_fd, &one, sizeof one);
    (void)written;
}
