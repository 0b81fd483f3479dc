#include "../unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "net/flight-result.h"
#include "net/transport.h"
#include "practice-call.h"
#include "practice-server.h"

/* ---- the servers ----------------------------------------------------------------------------- */

static void answer(struct served *served, void *data)
{
    (void)data;
    served_set_header(served, "X-Number", "first");
    if (text_equal(served->path, "/echo")) {
        (void)buffer_format(&served->out, "%s %s|", served->method,
                            served_header(served, "Content-Type") != NULL
                                ? served_header(served, "Content-Type")
                                : "-");
        (void)buffer_append(&served->out, served->body, served->body_size);
    } else if (text_equal(served->path, "/headers")) {
        (void)buffer_format(&served->out, "%s|%s|%s", served_header(served, "X-Salvor-Call-Site"),
                            served_header(served, "X-Own"), served_header(served, "Host"));
    } else if (text_equal(served->path, "/large")) {
        char block[1000];
        memset(block, 'x', sizeof block);
        for (int i = 0; i < 5000; i++)
            (void)buffer_append(&served->out, block, sizeof block);
        served->chunked = served_query(served, "chunked") != NULL;
    } else if (text_equal(served->path, "/slow")) {
        served->wait_ms = 400;
    } else if (text_equal(served->path, "/busy")) {
        served->status = 503;
        served_set_header(served, "Retry-After", "7");
    } else {
        (void)buffer_format(&served->out, "%s", served->path);
    }
}

struct site {
    struct practice practice;
    struct practice_server *server;
    struct certificate authority;
    struct certificate certificate;
    struct certificate client;
};

static int start_site(void **state, int tls, int with_clients)
{
    struct site *site = memory_new(1, sizeof *site);
    practice_begin(&site->practice);
    practice_certificates(&site->authority, &site->certificate);
    practice_client_certificate(&site->authority, &site->client);
    site->server = practice_server_start(&(struct practice_server_options){
        .answer = answer,
        .certificate = tls ? &site->certificate : NULL,
        .client_authority = with_clients ? site->authority.pem : NULL});
    *state = site;
    return 0;
}

static int plain(void **state)
{
    return start_site(state, 0, 0);
}

static int tls(void **state)
{
    return start_site(state, 1, 0);
}

static int with_clients(void **state)
{
    return start_site(state, 1, 1);
}

static int stop_site(void **state)
{
    struct site *site = *state;
    practice_end(&site->practice);
    practice_server_stop(site->server);
    certificate_clear(&site->authority);
    certificate_clear(&site->certificate);
    certificate_clear(&site->client);
    free(site);
    return 0;
}

static struct net_pool *open_pool(struct site *site, struct net_pool_settings settings)
{
    struct net_pool *pool = NULL;
    if (settings.origin == NULL)
        settings.origin = practice_server_url(site->server);
    if (net_pool_open(&site->practice.call, &settings, &pool) != SALVOR_OK)
        fail_msg("%s", site->practice.call.error.message);
    return pool;
}

static struct salvor_span span_of(const char *text)
{
    return (struct salvor_span){text, strlen(text)};
}

#define assert_body(transfer, text) assert_string_equal((transfer)->answer.data, text)
#define assert_ok(site, transfer)                                   \
    if (net_perform(&(site)->practice.call, transfer) != SALVOR_OK) \
    fail_msg("%s; %s", (transfer)->error.message, (transfer)->error.detail)

/* ---- requests -------------------------------------------------------------------------------- */

static void requests_are_sent_as_they_are_given(void **state)
{
    struct site *site = *state;
    struct net_pool *pool = open_pool(site, (struct net_pool_settings){0});
    static const char *const headers[] = {"Content-Type: text/own", "X-Own: yes"};
    cleanup_transfer struct net_transfer it = {
        .pool = pool, .method = "GET", .target = "/a%2Fb/../c"};
    assert_ok(site, &it);
    assert_body(&it, "/a/b/../c");
    assert_int_equal(it.code, 200);
    assert_int_equal(it.certainty, SALVOR_CERTAINTY_ANSWERED);
    assert_int_equal(it.http, 11);
    const struct salvor_span number = net_header(&it.header_lines, "x-number");
    assert_int_equal(number.size, 5);
    assert_memory_equal(number.data, "first", 5);
    assert_null(net_header(&it.header_lines, "absent").data);
    it.target = "/echo";
    it.body = span_of("body");
    static const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE"};
    for (size_t i = 0; i < 4; i++) {
        it.method = methods[i];
        it.headers = headers;
        it.header_count = 1;
        cleanup_free char *expected = text_format("%s text/own|body", methods[i]);
        assert_ok(site, &it);
        assert_body(&it, expected);
        it.header_count = 0;
        cleanup_free char *untyped = text_format("%s -|body", methods[i]);
        assert_ok(site, &it);
        assert_body(&it, untyped);
    }
    it.body.size = 0;
    for (size_t i = 0; i < 4; i++) {
        it.method = methods[i];
        cleanup_free char *expected = text_format("%s -|", methods[i]);
        assert_ok(site, &it);
        assert_body(&it, expected);
    }
    it.method = "HEAD";
    assert_ok(site, &it);
    assert_int_equal(it.answer.size, 0);
    it.method = "GET";
    it.target = "/headers";
    it.call_site = "policies.delete";
    it.headers = headers;
    it.header_count = 2;
    cleanup_free char *expected =
        text_format("policies.delete|yes|%s", practice_server_url(site->server) + 7);
    assert_ok(site, &it);
    assert_body(&it, expected);
    assert_int_equal(practice_server_connections(site->server), 1);
    net_pool_release(pool);
}

static void requests_that_are_none_are_not_sent(void **state)
{
    struct site *site = *state;
    struct net_pool *pool = open_pool(site, (struct net_pool_settings){0});
    static const char *const bad_headers[] = {"X: a\r\nY: b",
                                              "no colon",
                                              ": empty",
                                              "Content-Length: 4",
                                              "Host: other",
                                              "bad name: x",
                                              "Transfer-Encoding: chunked"};
    static const char *const bad_targets[] = {"", "relative", "/a b", "/a#b", "/a\r\nX: y"};
    for (size_t i = 0; i < sizeof bad_headers / sizeof *bad_headers; i++) {
        cleanup_transfer struct net_transfer it = {.pool = pool,
                                                   .method = "GET",
                                                   .target = "/",
                                                   .headers = &bad_headers[i],
                                                   .header_count = 1};
        assert_int_equal(net_perform(&site->practice.call, &it), SALVOR_BUG);
        assert_int_equal(it.fault, NET_FAULT_BUG);
        assert_non_null(it.error.message);
    }
    for (size_t i = 0; i < sizeof bad_targets / sizeof *bad_targets; i++) {
        cleanup_transfer struct net_transfer it = {
            .pool = pool, .method = "GET", .target = bad_targets[i]};
        assert_int_equal(net_perform(&site->practice.call, &it), SALVOR_BUG);
    }
    cleanup_transfer struct net_transfer it = {.pool = pool, .method = "GET /x", .target = "/"};
    assert_int_equal(net_perform(&site->practice.call, &it), SALVOR_BUG);
    assert_int_equal(practice_server_requests(site->server), 0);
    net_pool_release(pool);
}

static void many_at_once(void **state)
{
    struct site *site = *state;
    struct net_pool *pool = open_pool(site, (struct net_pool_settings){.connections = 4});
    struct net_transfer all[40];
    for (int i = 0; i < 40; i++) {
        all[i] = (struct net_transfer){.pool = pool, .method = "GET", .target = "/x"};
        net_start(&site->practice.call, &all[i]);
    }
    for (int done = 0; done < 40;) {
        assert_int_equal(net_wait(&site->practice.call, 5000), SALVOR_OK);
        done = 0;
        for (int i = 0; i < 40; i++)
            done += all[i].done;
    }
    for (int i = 0; i < 40; i++) {
        assert_int_equal(all[i].status, SALVOR_OK);
        net_transfer_clear(&all[i]);
    }
    assert_int_equal(practice_server_connections(site->server), 4);
    assert_int_equal(net_wait(&site->practice.call, -1), SALVOR_PENDING);
    net_pool_release(pool);
}

/* ---- bodies ---------------------------------------------------------------------------------- */

struct pieces {
    struct net_transfer *transfer;
    uint64_t left;
    uint64_t seen;
    int pauses;
    int paused;
    int fails;
};

static int64_t give(void *data, char *buffer, size_t size, struct error *reterr)
{
    struct pieces *pieces = data;
    if (pieces->fails)
        return error_set(reterr, EXIT_FAILED, "the disk is gone");
    if (pieces->pauses-- > 0)
        return NET_PAUSE;
    const size_t take = pieces->left < size ? (size_t)pieces->left : size;
    memset(buffer, 'y', take);
    pieces->left -= take;
    return (int64_t)take;
}

static int take(void *data, const char *bytes, size_t size, struct error *reterr)
{
    struct pieces *pieces = data;
    (void)bytes;
    if (pieces->fails)
        return error_set(reterr, EXIT_FAILED, "the disk is full");
    if (pieces->pauses > 0 && pieces->seen > 100000) {
        pieces->pauses--;
        pieces->paused = 1;
        return NET_PAUSE;
    }
    pieces->seen += size;
    return 0;
}

static void bodies_stream_both_ways(void **state)
{
    struct site *site = *state;
    struct net_pool *pool = open_pool(site, (struct net_pool_settings){0});
    struct pieces out = {.left = 3000000};
    struct pieces in = {0};
    cleanup_transfer struct net_transfer it = {.pool = pool,
                                               .method = "PUT",
                                               .target = "/echo",
                                               .source = {give, &out, 3000000},
                                               .sink = {take, &in}};
    assert_ok(site, &it);
    assert_int_equal(in.seen, 3000000 + strlen("PUT -|"));
    out = (struct pieces){.left = 5};
    assert_int_equal(net_perform(&site->practice.call, &it), SALVOR_FAILED);
    assert_int_equal(it.fault, NET_FAULT_LOCAL);
    assert_non_null(strstr(it.error.detail, "shorter than announced"));
    out = (struct pieces){.fails = 1};
    assert_int_equal(net_perform(&site->practice.call, &it), SALVOR_FAILED);
    assert_string_equal(it.error.detail, "the disk is gone");
    it.source = (struct net_source){0};
    it.method = "GET";
    it.target = "/large";
    in = (struct pieces){.fails = 1};
    assert_int_equal(net_perform(&site->practice.call, &it), SALVOR_FAILED);
    assert_string_equal(it.error.detail, "the disk is full");
    assert_int_equal(it.certainty, SALVOR_CERTAINTY_ANSWERED);
    net_pool_release(pool);
}

static void who_pauses_is_waited_for(void **state)
{
    struct site *site = *state;
    struct net_pool *pool = open_pool(site, (struct net_pool_settings){.stall_ms = 400});
    struct pieces out = {.left = 1000, .pauses = 1};
    struct pieces in = {.pauses = 2};
    struct net_transfer it = {
        .pool = pool, .method = "GET", .target = "/large?chunked=1", .sink = {take, &in}};
    net_start(&site->practice.call, &it);
    for (int pauses = 0; !it.done;) {
        /* longer than a stall may last */
        const salvor_status status = net_wait(&site->practice.call, pauses < 2 ? 600 : 5000);
        if (it.done)
            break;
        assert_int_equal(status, SALVOR_PENDING);
        assert_true(in.paused);
        in.paused = 0;
        pauses++;
        net_resume(&it); /* may pause again right there */
    }
    assert_int_equal(it.status, SALVOR_OK);
    assert_int_equal(in.seen, 5000000);
    assert_int_equal(in.pauses, 0);
    net_transfer_clear(&it);
    it = (struct net_transfer){
        .pool = pool, .method = "PUT", .target = "/echo", .source = {give, &out, 1000}};
    net_start(&site->practice.call, &it);
    assert_int_equal(net_wait(&site->practice.call, 600), SALVOR_PENDING);
    assert_false(it.done);
    net_resume(&it);
    while (!it.done)
        assert_int_equal(net_wait(&site->practice.call, 5000), SALVOR_OK);
    assert_int_equal(it.status, SALVOR_OK);
    net_transfer_clear(&it);
    net_pool_release(pool);
}

static void answers_have_a_limit(void **state)
{
    struct site *site = *state;
    struct net_pool *pool = open_pool(site, (struct net_pool_settings){0});
    static const char *const targets[] = {"/large", "/large?chunked=1"};
    for (int i = 0; i < 2; i++) {
        cleanup_transfer struct net_transfer it = {
            .pool = pool, .method = "GET", .target = targets[i], .response_limit = 4999999};
        assert_int_equal(net_perform(&site->practice.call, &it), SALVOR_FAILED);
        assert_int_equal(it.fault, NET_FAULT_LIMIT);
        assert_int_equal(it.certainty, SALVOR_CERTAINTY_ANSWERED);
        assert_non_null(strstr(it.error.message, "larger than allowed"));
        assert_null(strstr(it.error.message, "chunked=1"));
        it.response_limit = 5000000;
        assert_ok(site, &it);
        assert_int_equal(it.answer.size, 5000000);
    }
    net_pool_release(pool);
}

/* ---- time ------------------------------------------------------------------------------------ */

static void deadlines_hold(void **state)
{
    struct site *site = *state;
    struct net_pool *pool = open_pool(site, (struct net_pool_settings){.first_byte_ms = 50});
    cleanup_transfer struct net_transfer it = {.pool = pool, .method = "GET", .target = "/slow"};
    assert_int_equal(net_perform(&site->practice.call, &it), SALVOR_TIMEOUT);
    assert_int_equal(it.fault, NET_FAULT_TIMEOUT);
    assert_int_equal(it.certainty, SALVOR_CERTAINTY_SENT);
    assert_non_null(strstr(it.error.message, "was not answered within"));
    struct net_pool *patient = open_pool(site, (struct net_pool_settings){0});
    it.pool = patient;
    it.timeout_ms = 60;
    assert_int_equal(net_perform(&site->practice.call, &it), SALVOR_TIMEOUT);
    it.timeout_ms = 0;
    assert_ok(site, &it);
    site->practice.call.deadline = 0;
    assert_int_equal(net_perform(&site->practice.call, &it), SALVOR_TIMEOUT);
    assert_non_null(it.error.message);
    net_pool_release(pool);
    net_pool_release(patient);
}

static void a_cancelled_call_ends_everything(void **state)
{
    struct site *site = *state;
    struct net_pool *pool = open_pool(site, (struct net_pool_settings){0});
    struct net_transfer forgotten = {.pool = pool, .method = "GET", .target = "/slow"};
    cleanup_transfer struct net_transfer it = {.pool = pool, .method = "GET", .target = "/slow"};
    net_start(&site->practice.call, &forgotten);
    site->practice.interrupt = SALVOR_CANCELLED;
    site->practice.interrupt_after = 1;
    assert_int_equal(net_perform(&site->practice.call, &it), SALVOR_CANCELLED);
    assert_string_equal(it.error.message, "interrupted");
    assert_false(forgotten.done);
    site->practice.interrupt = SALVOR_OK;
    practice_next_call(&site->practice, SALVOR_EFFECT_READ);
    assert_true(forgotten.done);
    assert_int_equal(forgotten.status, SALVOR_CANCELLED);
    net_transfer_clear(&forgotten);
    it.target = "/next";
    assert_ok(site, &it);
    net_pool_release(pool);
}

#ifdef SALVOR_TEST_HOOKS
static void the_harness_may_kill_around_a_request(void **state)
{
    struct site *site = *state;
    struct net_pool *pool = open_pool(site, (struct net_pool_settings){0});
    cleanup_free char *log = text_format("%s/kill-points", site->practice.folder);
    cleanup_free char *text = NULL;
    (void)setenv("SALVOR_KILL_LOG", log, 1);
    cleanup_transfer struct net_transfer it = {.pool = pool, .method = "GET", .target = "/slow"};
    it.timeout_ms = 100;
    assert_int_equal(net_perform(&site->practice.call, &it), SALVOR_TIMEOUT);
    it.timeout_ms = 0;
    it.target = "/x";
    assert_ok(site, &it);
    (void)unsetenv("SALVOR_KILL_LOG");
    assert_int_equal(file_read(log, 1000, &text, NULL, NULL), 0);
    assert_string_equal(text, "parent:row:request-sent:1\nparent:row:request-sent:2\n"
                              "parent:row:answer-received:1\n");
    net_pool_release(pool);
}
#endif

/* ---- what a server says ---------------------------------------------------------------------- */

static void retry_after_is_told(void **state)
{
    struct site *site = *state;
    struct net_pool *pool = open_pool(site, (struct net_pool_settings){0});
    cleanup_transfer struct net_transfer it = {.pool = pool, .method = "GET", .target = "/busy"};
    assert_ok(site, &it);
    assert_int_equal(it.code, 503);
    assert_int_equal(it.retry_after_ms, 7000);
    it.target = "/";
    assert_ok(site, &it);
    assert_int_equal(it.retry_after_ms, -1);
    net_pool_release(pool);
}

static int64_t after(const char *text)
{
    /* 1994-11-06 08:49:30 */
    return retry_after_parse((struct salvor_span){text, strlen(text)}, 784111770000);
}

static void retry_after_is_a_number_or_a_date(void **state)
{
    (void)state;
    assert_int_equal(after("0"), 0);
    assert_int_equal(after("120"), 120000);
    assert_int_equal(after("Sun, 06 Nov 1994 08:49:37 GMT"), 7000);
    assert_int_equal(after("Sun, 06 Nov 1994 08:49:29 GMT"), 0); /* it is over already */
    assert_int_equal(after("999999999"), 86400000);
    assert_int_equal(after("-1"), -1);
    assert_int_equal(after("soon"), -1);
    assert_int_equal(after(""), -1);
}

static void nobody_there(void **state)
{
    struct site *site = *state;
    struct net_pool *pool =
        open_pool(site, (struct net_pool_settings){.origin = "http://127.0.0.1:1"});
    cleanup_transfer struct net_transfer it = {.pool = pool, .method = "POST", .target = "/x?t=1"};
    assert_int_equal(net_perform(&site->practice.call, &it), SALVOR_RETRY);
    assert_int_equal(it.fault, NET_FAULT_CONNECT);
    assert_int_equal(it.certainty, SALVOR_CERTAINTY_NOT_SENT);
    assert_string_equal(it.error.message,
                        "cannot connect to 'http://127.0.0.1:1': Connection refused");
    net_pool_release(pool);
    pool = open_pool(site, (struct net_pool_settings){.origin = "http://host.invalid:1"});
    it.pool = pool;
    assert_int_equal(net_perform(&site->practice.call, &it), SALVOR_RETRY);
    assert_int_equal(it.fault, NET_FAULT_NAME);
    assert_string_equal(it.error.message, "cannot find host 'host.invalid'");
    net_pool_release(pool);
}

/* ---- trust ----------------------------------------------------------------------------------- */

static struct net_transfer get(struct net_pool *pool)
{
    return (struct net_transfer){.pool = pool, .method = "GET", .target = "/x"};
}

static void refused(struct site *site, struct net_pool_settings settings, const char *why)
{
    struct net_pool *pool = open_pool(site, settings);
    cleanup_transfer struct net_transfer it = get(pool);
    assert_int_equal(net_perform(&site->practice.call, &it), SALVOR_FAILED);
    assert_int_equal(it.fault, NET_FAULT_TRUST);
    if (strstr(it.error.message, why) == NULL)
        fail_msg("%s; %s", it.error.message, it.error.detail);
    assert_int_equal(strlen(net_pool_peer(pool)), 64);
    assert_non_null(strstr(it.error.detail, net_pool_peer(pool)));
    assert_int_equal(it.certainty, SALVOR_CERTAINTY_NOT_SENT);
    net_pool_release(pool);
}

static void accepted(struct site *site, struct net_pool_settings settings)
{
    struct net_pool *pool = open_pool(site, settings);
    cleanup_transfer struct net_transfer it = get(pool);
    assert_ok(site, &it);
    assert_int_equal(strlen(net_pool_peer(pool)), 64);
    net_pool_release(pool);
}

static void servers_are_trusted_by_what_was_given(void **state)
{
    struct site *site = *state;
    const struct salvor_span authority = span_of(site->authority.pem);
    cleanup_free char *pin = practice_fingerprint(site->certificate.pem);
    cleanup_free char *other = practice_fingerprint(site->client.pem);
    refused(site, (struct net_pool_settings){0}, "unable to get local issuer");
    accepted(site, (struct net_pool_settings){.ca = authority});
    accepted(site, (struct net_pool_settings){.ca = span_of(site->certificate.pem)});
    accepted(site, (struct net_pool_settings){.pin_sha256 = pin});
    accepted(site, (struct net_pool_settings){.pin_sha256 = pin, .ca = authority});
    accepted(site, (struct net_pool_settings){.insecure = 1});
    accepted(site, (struct net_pool_settings){.ca = authority, .server_name = "practice.example"});
    refused(site, (struct net_pool_settings){.ca = authority, .server_name = "other.example"},
            "another name");
    refused(site, (struct net_pool_settings){.pin_sha256 = other}, "another fingerprint");
    refused(site, (struct net_pool_settings){.pin_sha256 = other, .ca = authority},
            "another fingerprint");
    refused(site, (struct net_pool_settings){.ca = span_of(site->client.pem)}, "local issuer");
    refused(site, (struct net_pool_settings){.ca = span_of(site->client.pem), .pin_sha256 = pin},
            "local issuer");
}

static void pools_share_no_connection(void **state)
{
    struct site *site = *state;
    cleanup_free char *other = practice_fingerprint(site->client.pem);
    accepted(site, (struct net_pool_settings){.insecure = 1});
    accepted(site, (struct net_pool_settings){.insecure = 1});
    assert_int_equal(practice_server_connections(site->server), 1);
    /* a warm connection without a check is no way around the check */
    refused(site, (struct net_pool_settings){.pin_sha256 = other}, "another fingerprint");
    refused(site, (struct net_pool_settings){0}, "local issuer");
    assert_int_equal(practice_server_connections(site->server), 3);
}

static void clients_show_their_certificate(void **state)
{
    struct site *site = *state;
    const struct salvor_span authority = span_of(site->authority.pem);
    accepted(site, (struct net_pool_settings){.ca = authority,
                                              .certificate = span_of(site->client.pem),
                                              .key = span_of(site->client.key_pem)});
    struct net_pool *pool = NULL;
    struct net_pool_settings wrong = {.origin = practice_server_url(site->server),
                                      .ca = authority,
                                      .certificate = span_of(site->client.pem),
                                      .key = span_of(site->certificate.key_pem)};
    assert_int_equal(net_pool_open(&site->practice.call, &wrong, &pool), SALVOR_FAILED);
    assert_string_equal(site->practice.call.error.message,
                        "the client key does not belong to the certificate");
    wrong.key = span_of("no key");
    assert_int_equal(net_pool_open(&site->practice.call, &wrong, &pool), SALVOR_FAILED);
    wrong.key.size = 0;
    assert_int_equal(net_pool_open(&site->practice.call, &wrong, &pool), SALVOR_FAILED);
    wrong = (struct net_pool_settings){.origin = practice_server_url(site->server),
                                       .ca = span_of("none")};
    assert_int_equal(net_pool_open(&site->practice.call, &wrong, &pool), SALVOR_FAILED);
}

/* ---- watches --------------------------------------------------------------------------------- */

static void read_one(struct net_watch *watch, short revents)
{
    char byte = 0;
    assert_true((revents & POLLIN) != 0);
    assert_int_equal(read(watch->fd, &byte, 1), 1);
    *(char *)watch->owner = byte;
}

static void other_descriptors_join_the_loop(void **state)
{
    struct site *site = *state;
    int ends[2];
    char seen = 0;
    assert_int_equal(pipe(ends), 0);
    struct net_watch watch = {.fd = ends[0], .events = POLLIN, .ready = read_one, .owner = &seen};
    assert_int_equal(net_watch_add(&watch), 0);
    assert_int_equal(net_wait(&site->practice.call, 10), SALVOR_PENDING);
    assert_int_equal(write(ends[1], "z", 1), 1);
    assert_int_equal(net_wait(&site->practice.call, 5000), SALVOR_OK);
    assert_int_equal(seen, 'z');
    assert_int_equal(net_watch_change(&watch, 0), 0);
    assert_int_equal(write(ends[1], "y", 1), 1);
    assert_int_equal(net_wait(&site->practice.call, 10), SALVOR_PENDING);
    net_watch_remove(&watch);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

#define with(test, site) cmocka_unit_test_setup_teardown(test, site, stop_site)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with(requests_are_sent_as_they_are_given, plain),
        with(requests_that_are_none_are_not_sent, plain),
        with(many_at_once, plain),
        with(bodies_stream_both_ways, plain),
        with(who_pauses_is_waited_for, plain),
        with(answers_have_a_limit, plain),
        with(deadlines_hold, plain),
        with(a_cancelled_call_ends_everything, plain),
#ifdef SALVOR_TEST_HOOKS
        with(the_harness_may_kill_around_a_request, plain),
#endif
        with(retry_after_is_told, plain),
        cmocka_unit_test(retry_after_is_a_number_or_a_date),
        with(nobody_there, plain),
        with(servers_are_trusted_by_what_was_given, tls),
        with(pools_share_no_connection, tls),
        with(clients_show_their_certificate, with_clients),
        with(other_descriptors_join_the_loop, plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
