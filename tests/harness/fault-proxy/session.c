#include "fault-proxy/session.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <jansson.h>

#include "fault-proxy/message.h"
#include "fault-proxy/spoil.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

enum { SEND_TIMEOUT_S = 10 };

struct session {
    struct session_shared *shared;
    struct stream client, upstream;
    struct message request, answer;
    long long connection, number;
    char *method, *path, *site;
    int status; /* the upstream's, 0: not asked */
};

static void write_log(struct session *session, const struct fault_rule *rule)
{
    struct session_shared *shared = session->shared;
    if (rule->fault != FAULT_NONE)
        atomic_fetch_add(&shared->faults, 1);
    if (shared->log == NULL)
        return;
    char time[CLOCK_TEXT_SIZE];
    clock_format(clock_realtime_ms(), time);
    json_t *line =
        json_pack("{s:s, s:I, s:I, s:s, s:i}", "time", time, "connection",
                  (json_int_t)session->connection, "request", (json_int_t)session->number, "fault",
                  fault_name(rule->fault), "status", session->status);
    if (session->method != NULL) {
        json_object_set_new(line, "method", json_string(session->method));
        json_object_set_new(line, "path", json_string(session->path));
    }
    if (session->site != NULL)
        json_object_set_new(line, "site", json_string(session->site));
    if (rule->line > 0)
        json_object_set_new(line, "rule", json_integer(rule->line));
    char *text = json_dumps(line, JSON_COMPACT | JSON_SORT_KEYS);
    pthread_mutex_lock(&shared->log_lock);
    (void)fprintf(shared->log, "%s\n", text == NULL ? "{}" : text);
    (void)fflush(shared->log);
    pthread_mutex_unlock(&shared->log_lock);
    free(text);
    json_decref(line);
}

/* Connects to the upstream unless that is done; -1 when it cannot be reached. */
static int open_upstream(struct session *session)
{
    struct session_shared *shared = session->shared;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *addresses;
    if (session->upstream.fd >= 0)
        return 0;
    if (getaddrinfo(shared->upstream_host, shared->upstream_port, &hints, &addresses) != 0)
        return -1;
    int fd = socket(addresses->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int done = fd >= 0 ? connect(fd, addresses->ai_addr, addresses->ai_addrlen) : -1;
    freeaddrinfo(addresses);
    if (done != 0) {
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    int one = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    session->upstream.fd = fd;
    if (shared->upstream_tls == NULL)
        return 0;
    session->upstream.ssl = SSL_new(shared->upstream_tls);
    SSL_set_fd(session->upstream.ssl, fd);
    SSL_set_tlsext_host_name(session->upstream.ssl, shared->upstream_host);
    if (SSL_connect(session->upstream.ssl) == 1)
        return 0;
    stream_reset(&session->upstream);
    return -1;
}

/* Sends the request on and reads the answer's head; -1 when the upstream does not answer. */
static int ask_upstream(struct session *session)
{
    message_clear(&session->answer);
    if (open_upstream(session) != 0 ||
        stream_write(&session->upstream, session->request.head.data, session->request.head.size) !=
            0 ||
        (session->request.body.size > 0 &&
         stream_write(&session->upstream, session->request.body.data, session->request.body.size) !=
             0))
        return -1;
    do {
        message_next(&session->answer);
        if (message_read_head(&session->answer, &session->upstream) != 1)
            return -1;
        const char *space = strchr(session->answer.head.data, ' ');
        session->status = space == NULL ? 0 : (int)strtol(space, NULL, 10);
    } while (session->status == 100);
    return 0;
}

static int has_body(const struct session *session)
{
    return strcmp(session->method, "HEAD") != 0 && session->status != 204 &&
           session->status != 304 && session->status >= 200;
}

static int to_client(void *context, const char *data, size_t size)
{
    struct session *session = context;
    return stream_write(&session->client, data, size);
}

/* Passes the answer on as it comes; 1 when the connection can serve another request. */
static int pass_answer(struct session *session)
{
    if (stream_write(&session->client, session->answer.head.data, session->answer.head.size) != 0)
        return 0;
    if (has_body(session) &&
        message_read_body(&session->answer, &session->upstream, 1, to_client, session) != 0)
        return 0;
    cleanup_free char *connection = message_header(&session->answer, "Connection");
    return connection == NULL || strcasecmp(connection, "close") != 0;
}

/* The whole answer, for faults that need it or throw it away; -1 when there is none. */
static int take_answer(struct session *session)
{
    if (ask_upstream(session) != 0)
        return -1;
    return has_body(session) &&
                   message_read_body(&session->answer, &session->upstream, 1, NULL, NULL) < 0
               ? -1
               : 0;
}

static int answer_unreachable(struct session *session)
{
    const struct fault_rule gateway = {.status = 502, .retry_after = -1};
    (void)spoil_status(&gateway, &session->client);
    return 0;
}

/* Does what the rule says; 1 when the connection can serve another request. */
static int act(struct session *session, const struct fault_rule *rule)
{
    struct session_shared *shared = session->shared;
    if (rule->forward && take_answer(session) != 0)
        return answer_unreachable(session);
    switch (rule->fault) {
    case FAULT_REFUSE:
        shared->refuse(shared->refuse_context, rule->ms);
        stream_reset(&session->client);
        return 0;
    case FAULT_RESET:
        stream_reset(&session->client);
        return 0;
    case FAULT_CLOSE:
        return 0;
    case FAULT_STALL:
        (void)stream_wait(&session->client, (long)rule->ms);
        return 0;
    case FAULT_STATUS:
        return spoil_status(rule, &session->client) == 0;
    case FAULT_DELAY:
        if (rule->ms > 0 && !stream_wait(&session->client, (long)rule->ms))
            return 0;
        __attribute__((fallthrough));
    case FAULT_NONE:
        return ask_upstream(session) != 0 ? answer_unreachable(session) : pass_answer(session);
    default:
        if (rule->fault != FAULT_OVERSIZED && take_answer(session) != 0)
            return answer_unreachable(session);
        spoil_answer(rule, &session->answer, &session->client);
        return 0;
    }
}

/* Method and path from the request line; -1 when it is none. */
static int take_request_line(struct session *session)
{
    const char *head = session->request.head.data;
    size_t method = strcspn(head, " \r");
    if (head[method] != ' ')
        return -1;
    const char *path = head + method + 1;
    free(session->method);
    free(session->path);
    free(session->site);
    session->method = text_copy_span(head, method);
    session->path = text_copy_span(path, strcspn(path, " ?\r"));
    session->site = message_header(&session->request, "X-Salvor-Call-Site");
    return 0;
}

/* One request; 1 when another may follow. */
static int serve_request(struct session *session)
{
    message_next(&session->request);
    if (message_read_head(&session->request, &session->client) != 1 ||
        take_request_line(session) != 0)
        return 0;
    cleanup_free char *expect = message_header(&session->request, "Expect");
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (expect != NULL && stream_write(&session->client, go_on, sizeof go_on - 1) != 0)
        return 0;
    if (message_read_body(&session->request, &session->client, 0, NULL, NULL) != 0)
        return 0;
    session->number++;
    session->status = 0;
    struct fault_rule rule =
        fault_rules_choose(&session->shared->rules, session->method, session->path, session->site);
    /* Logged first for faults that are over only when the client leaves. */
    int early = rule.fault == FAULT_STALL || rule.fault == FAULT_NONE;
    if (early)
        write_log(session, &rule);
    int more = act(session, &rule);
    if (!early)
        write_log(session, &rule);
    return more;
}

/* Ends a handshake after the client's first flight was read. */
static void cut_handshake(struct session *session)
{
    char hello[512];
    static const char half[] = {0x16, 0x03, 0x03, 0x02, 0x00, 0x02};
    (void)stream_read(&session->client, hello, sizeof hello);
    (void)stream_write(&session->client, half, sizeof half);
}

static int greet(struct session *session)
{
    struct session_shared *shared = session->shared;
    if (shared->client_tls[IDENTITY_GOOD] == NULL)
        return 0;
    struct fault_rule rule = fault_rules_choose(&shared->rules, NULL, NULL, NULL);
    enum identity identity = rule.fault == FAULT_TLS_EXPIRED       ? IDENTITY_EXPIRED
                             : rule.fault == FAULT_TLS_WRONG_NAME  ? IDENTITY_WRONG_NAME
                             : rule.fault == FAULT_TLS_SELF_SIGNED ? IDENTITY_SELF_SIGNED
                                                                   : IDENTITY_GOOD;
    if (rule.fault != FAULT_NONE)
        write_log(session, &rule);
    if (rule.fault == FAULT_TLS_CUT) {
        cut_handshake(session);
        return -1;
    }
    session->client.ssl = SSL_new(shared->client_tls[identity]);
    SSL_set_fd(session->client.ssl, session->client.fd);
    return SSL_accept(session->client.ssl) == 1 ? 0 : -1;
}

void session_run(struct session_shared *shared, int fd, long long number)
{
    struct session session = {.shared = shared,
                              .client = {fd, NULL, shared->stop_fd},
                              .upstream = {-1, NULL, shared->stop_fd},
                              .request = MESSAGE_INIT,
                              .answer = MESSAGE_INIT,
                              .connection = number};
    int one = 1;
    const struct timeval patience = {.tv_sec = SEND_TIMEOUT_S};
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    /* A client that reads nothing, or never says hello, must not keep the proxy from ending. */
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (greet(&session) == 0)
        while (serve_request(&session))
            ;
    stream_close(&session.upstream);
    stream_close(&session.client);
    message_clear(&session.request);
    message_clear(&session.answer);
    free(session.method);
    free(session.path);
    free(session.site);
}
