/* Transfers through a proxy: it alone knows the name of the server. */
#include "../unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "net/transport.h"
#include "practice-call.h"
#include "practice-server.h"

/* ---- the proxy ------------------------------------------------------------------------------- */

struct proxy {
    int listener;
    uint16_t port;
    uint16_t upstream; /* whatever name is asked for lies there */
    int refuses;
    char head[2000]; /* of the last request */
    pthread_t thread;
};

static int listen_somewhere(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static int read_head(int fd, char *head, size_t room)
{
    size_t size = 0;
    while (size + 1 < room) {
        ssize_t got = read(fd, head + size, room - 1 - size);
        if (got <= 0)
            return -1;
        size += (size_t)got;
        head[size] = '\0';
        if (strstr(head, "\r\n\r\n") != NULL)
            return 0;
    }
    return -1;
}

static void pump(int client, int server)
{
    struct pollfd fds[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    char bytes[16384];
    for (;;) {
        if (poll(fds, 2, 10000) <= 0)
            return;
        for (int i = 0; i < 2; i++) {
            if (fds[i].revents == 0)
                continue;
            ssize_t got = read(fds[i].fd, bytes, sizeof bytes);
            if (got <= 0 || file_write_all(fds[1 - i].fd, bytes, (size_t)got) != 0)
                return;
        }
    }
}

static void serve(struct proxy *proxy, int client)
{
    static const char no[] = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    static const char yes[] = "HTTP/1.1 200 Connection established\r\nX-Of-Proxy: 1\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(proxy->upstream),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (read_head(client, proxy->head, sizeof proxy->head) != 0)
        return;
    if (proxy->refuses || !text_starts(proxy->head, "CONNECT ")) {
        (void)file_write_all(client, no, sizeof no - 1);
        return;
    }
    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(server, (struct sockaddr *)&address, sizeof address) == 0 &&
        file_write_all(client, yes, sizeof yes - 1) == 0)
        pump(client, server);
    (void)close(server);
}

/* One connection after the other, until the listener is shut down. */
static void *run(void *data)
{
    struct proxy *proxy = data;
    for (int client = -1; (client = accept(proxy->listener, NULL, NULL)) >= 0;) {
        serve(proxy, client);
        (void)close(client);
    }
    return NULL;
}

/* ---- the site -------------------------------------------------------------------------------- */

struct site {
    struct practice practice;
    struct practice_server *server;
    struct proxy proxy;
    struct certificate authority;
    struct certificate certificate;
    char *origin;
};

static void answer(struct served *served, void *data)
{
    (void)data;
    (void)buffer_format(&served->out, "%s", served_header(served, "Host"));
}

static int start_site(void **state)
{
    struct site *site = memory_new(1, sizeof *site);
    practice_begin(&site->practice);
    practice_certificates(&site->authority, &site->certificate);
    site->server = practice_server_start(
        &(struct practice_server_options){.answer = answer, .certificate = &site->certificate});
    const char *port = strrchr(practice_server_url(site->server), ':') + 1;
    site->proxy.upstream = (uint16_t)strtol(port, NULL, 10);
    site->proxy.listener = listen_somewhere(&site->proxy.port);
    site->origin = text_format("https://practice.example:%s", port);
    assert_int_equal(pthread_create(&site->proxy.thread, NULL, run, &site->proxy), 0);
    *state = site;
    return 0;
}

static int stop_site(void **state)
{
    struct site *site = *state;
    practice_end(&site->practice);
    practice_server_stop(site->server);
    (void)shutdown(site->proxy.listener, SHUT_RDWR);
    (void)pthread_join(site->proxy.thread, NULL);
    (void)close(site->proxy.listener);
    certificate_clear(&site->authority);
    certificate_clear(&site->certificate);
    free(site->origin);
    free(site);
    return 0;
}

static struct net_pool *open_pool(struct site *site, const char *user)
{
    struct net_pool *pool = NULL;
    cleanup_free char *url = text_format("http://%s127.0.0.1:%u", user, site->proxy.port);
    const struct net_pool_settings settings = {
        .origin = site->origin,
        .proxy = url,
        .ca = {site->authority.pem, strlen(site->authority.pem)}};
    if (net_pool_open(&site->practice.call, &settings, &pool) != SALVOR_OK)
        fail_msg("%s", site->practice.call.error.message);
    return pool;
}

static void a_tunnel_leads_to_a_name_that_only_the_proxy_knows(void **state)
{
    struct site *site = *state;
    struct net_pool *pool = open_pool(site, "user:pass@");
    cleanup_transfer struct net_transfer it = {.pool = pool, .method = "GET", .target = "/"};
    for (int i = 0; i < 2; i++) {
        if (net_perform(&site->practice.call, &it) != SALVOR_OK)
            fail_msg("%s; %s", it.error.message, it.error.detail);
        assert_string_equal(it.answer.data, site->origin + strlen("https://"));
        assert_null(net_header(&it.header_lines, "x-of-proxy").data);
        assert_int_equal(it.new_connection, i == 0);
    }
    assert_non_null(strstr(site->proxy.head, "CONNECT practice.example:"));
    assert_non_null(strstr(site->proxy.head, "Proxy-Authorization: Basic dXNlcjpwYXNz\r\n"));
    net_pool_release(pool);
}

static void a_proxy_that_refuses_is_named(void **state)
{
    struct site *site = *state;
    site->proxy.refuses = 1;
    struct net_pool *pool = open_pool(site, "");
    cleanup_transfer struct net_transfer it = {.pool = pool, .method = "POST", .target = "/"};
    assert_int_equal(net_perform(&site->practice.call, &it), SALVOR_RETRY);
    assert_int_equal(it.fault, NET_FAULT_CONNECT);
    assert_int_equal(it.certainty, SALVOR_CERTAINTY_NOT_SENT);
    cleanup_free char *message =
        text_format("cannot connect to '%s' through proxy '127.0.0.1'", site->origin);
    assert_string_equal(it.error.message, message);
    assert_non_null(strstr(it.error.detail, "403"));
    net_pool_release(pool);
}

#define with_site(test) cmocka_unit_test_setup_teardown(test, start_site, stop_site)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_site(a_tunnel_leads_to_a_name_that_only_the_proxy_knows),
        with_site(a_proxy_that_refuses_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
