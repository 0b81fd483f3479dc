/* Each call site of salvor.http meets each fault of the proxy: once, and for good. */
#include "../unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "fault-proxy/fault-proxy.h"
#include "net/http.h"
#include "practice-call.h"
#include "practice-server.h"
#include "services/secret.h"

/* ---- the server ------------------------------------------------------------------------------ */

enum { BODY_SIZE = 2000, SITES = 1000 };

static struct {
    pthread_mutex_t lock;
    char sites[SITES][64];
    int counts[SITES];
    size_t count;
} served_at = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int *count_of(const char *site)
{
    size_t i = 0;
    while (i < served_at.count && strcmp(served_at.sites[i], site) != 0)
        i++;
    assert_true(i < SITES);
    if (i == served_at.count)
        (void)snprintf(served_at.sites[served_at.count++], sizeof *served_at.sites, "%s", site);
    return &served_at.counts[i];
}

static int times_served(const char *site)
{
    (void)pthread_mutex_lock(&served_at.lock);
    const int count = *count_of(site);
    (void)pthread_mutex_unlock(&served_at.lock);
    return count;
}

static void answer(struct served *served, void *data)
{
    char padding[BODY_SIZE];
    const char *site = served_header(served, "X-Salvor-Call-Site");
    (void)data;
    memset(padding, 'x', sizeof padding);
    (void)pthread_mutex_lock(&served_at.lock);
    (*count_of(site != NULL ? site : "none"))++;
    (void)pthread_mutex_unlock(&served_at.lock);
    served_set_header(served, "Set-Cookie", "SID=session");
    (void)buffer_format(&served->out, "{\"padding\":\"%.*s\"}", BODY_SIZE, padding);
}

/* ---- the faults ------------------------------------------------------------------------------ */

/* What one attempt that meets it comes to. */
struct fault_case {
    const char *name;
    const char *rule;
    salvor_status status;
    int32_t code;
    uint32_t certainty;
    int again;      /* a repeatable request is tried again */
    int again_post; /* any request is */
    int served;     /* the server acts on the attempt */
};

#define SENT SALVOR_CERTAINTY_SENT
#define ANSWERED SALVOR_CERTAINTY_ANSWERED

static const struct fault_case cases[] = {
    {"reset", "fault=reset", SALVOR_RETRY, 0, SENT, 1, 0, 0},
    {"reset-after", "fault=reset forward=1", SALVOR_RETRY, 0, SENT, 1, 0, 1},
    {"close", "fault=close", SALVOR_RETRY, 0, SENT, 1, 0, 0},
    {"close-after", "fault=close forward=1", SALVOR_RETRY, 0, SENT, 1, 0, 1},
    {"stall", "fault=stall", SALVOR_TIMEOUT, 0, SENT, 1, 0, 0},
    {"stall-end", "fault=stall ms=20", SALVOR_RETRY, 0, SENT, 1, 0, 0},
    {"stall-after", "fault=stall forward=1", SALVOR_TIMEOUT, 0, SENT, 1, 0, 1},
    {"delay", "fault=delay ms=20", SALVOR_OK, 200, ANSWERED, 0, 0, 1},
    {"s401", "fault=status status=401", SALVOR_OK, 401, ANSWERED, 0, 0, 0},
    {"s403", "fault=status status=403", SALVOR_OK, 403, ANSWERED, 0, 0, 0},
    {"s404", "fault=status status=404", SALVOR_OK, 404, ANSWERED, 0, 0, 0},
    {"s409", "fault=status status=409", SALVOR_OK, 409, ANSWERED, 0, 0, 0},
    {"s410", "fault=status status=410", SALVOR_OK, 410, ANSWERED, 0, 0, 0},
    {"s429", "fault=status status=429", SALVOR_OK, 429, ANSWERED, 1, 1, 0},
    {"s429-1", "fault=status status=429 retry-after=1", SALVOR_OK, 429, ANSWERED, 1, 1, 0},
    {"s500", "fault=status status=500", SALVOR_OK, 500, ANSWERED, 0, 0, 0},
    {"s502", "fault=status status=502", SALVOR_OK, 502, ANSWERED, 1, 0, 0},
    {"s503", "fault=status status=503", SALVOR_OK, 503, ANSWERED, 1, 0, 0},
    {"s504", "fault=status status=504", SALVOR_OK, 504, ANSWERED, 1, 0, 0},
    {"s503-after", "fault=status status=503 forward=1", SALVOR_OK, 503, ANSWERED, 1, 0, 1},
    {"cut-0", "fault=cut bytes=0", SALVOR_RETRY, 0, SENT, 1, 0, 1},
    {"cut-line", "fault=cut bytes=10", SALVOR_RETRY, 0, SENT, 1, 0, 1},
    {"cut-head", "fault=cut bytes=40", SALVOR_RETRY, 200, SENT, 1, 0, 1},
    {"cut-body", "fault=cut bytes=1000", SALVOR_RETRY, 200, SENT, 1, 0, 1},
    {"drip", "fault=drip bytes=200 ms=5", SALVOR_OK, 200, ANSWERED, 0, 0, 1},
    {"drip-slow", "fault=drip bytes=1000 ms=8000", SALVOR_TIMEOUT, 200, SENT, 1, 0, 1},
    {"bad-status-line", "fault=bad-status-line", SALVOR_FAILED, 0, SENT, 1, 0, 1},
    {"bad-chunk", "fault=bad-chunk", SALVOR_FAILED, 200, SENT, 1, 0, 1},
    {"short-body", "fault=short-body", SALVOR_RETRY, 200, SENT, 1, 0, 1},
    {"long-body", "fault=long-body", SALVOR_OK, 200, ANSWERED, 0, 0, 1},
    {"oversized", "fault=oversized bytes=20000000", SALVOR_FAILED, 200, ANSWERED, 0, 0, 0},
};

enum { CASES = sizeof cases / sizeof *cases, ATTEMPTS = 3 };

/* ---- the site -------------------------------------------------------------------------------- */

struct site {
    struct practice practice;
    struct practice_server *server;
    struct fault_proxy *proxy;
};

static void start_proxy(struct site *site, const char *rules, int tls)
{
    cleanup_error struct error err = ERROR_INIT;
    site->proxy = fault_proxy_start(
        &(struct fault_proxy_options){
            .upstream = practice_server_url(site->server), .rules = rules, .tls = tls},
        &err);
    if (site->proxy == NULL)
        fail_msg("%s", err.message);
}

static json_t *accept_all(struct practice *practice, const json_t *request)
{
    (void)practice;
    (void)request;
    return json_make("{}");
}

static int start_site(void **state)
{
    struct site *site = memory_new(1, sizeof *site);
    practice_begin(&site->practice);
    site->practice.answer = accept_all;
    site->practice.call.deadline += 600000; /* valgrind takes its time */
    site->server = practice_server_start(&(struct practice_server_options){.answer = answer});
    *state = site;
    return 0;
}

static int stop_site(void **state)
{
    struct site *site = *state;
    practice_end(&site->practice);
    if (site->proxy != NULL)
        fault_proxy_stop(site->proxy);
    practice_server_stop(site->server);
    free(site);
    return 0;
}

/* Short where a deadline is what is tried, long where a loaded machine must not meet one. */
enum { PATIENT_MS = 10000, IMPATIENT_MS = 250, IMPATIENT_UNDER_VALGRIND_MS = 3000 };

/* `warm`: on connections that served others before; else on new ones, by a pool of its own. */
static salvor_http_client *open_client(struct site *site, int warm, int patience_ms,
                                       const char *login)
{
    static int fresh = 100000;
    salvor_http_client *client = NULL;
    salvor_secret *secret = NULL;
    assert_int_equal(secrets_table.adopt(practice_call(&site->practice), "password", 8, &secret),
                     SALVOR_OK);
    cleanup_json json_t *options = json_make(
        "{s:s,s:{s:i,s:i,s:i,s:i},s:{s:i,s:i}}", "url", fault_proxy_url(site->proxy), "deadlines",
        "connect_ms", 5000, "first_byte_ms", patience_ms, "stall_ms", patience_ms, "whole_ms",
        warm ? 60000 : fresh++, "retry", "attempts", ATTEMPTS, "backoff_ms", 1);
    if (fault_proxy_authority(site->proxy) != NULL)
        json_put(options, "trust", json_make("{s:s}", "ca", fault_proxy_authority(site->proxy)));
    if (login != NULL)
        json_put(options, "login",
                 json_make("{s:s,s:s,s:s,s:i}", "how", "session", "path", login, "user",
                           warm ? "warm" : "cold", "password", 0));
    cleanup_free char *text = json_dumps(options, 0);
    if (http_table.client_open(practice_call(&site->practice), text, &secret, 1, &client) !=
        SALVOR_OK)
        fail_msg("%s", site->practice.call.error.message);
    return client;
}

/* ---- the call sites -------------------------------------------------------------------------- */

struct outcome {
    salvor_status status;
    int32_t code;
    uint32_t certainty;
    uint32_t attempts;
    size_t body_size;
};

static struct salvor_http_request request_of(const char *method, const char *call_site)
{
    return (struct salvor_http_request){.struct_size = sizeof(struct salvor_http_request),
                                        .method = method,
                                        .path = "/x",
                                        .body = {"b", strcmp(method, "GET") != 0},
                                        .call_site = call_site};
}

static struct outcome by_request(struct site *site, salvor_http_client *client, const char *method,
                                 const char *call_site)
{
    const struct salvor_http_request request = request_of(method, call_site);
    struct salvor_http_response response = {.struct_size = sizeof response};
    const salvor_status status =
        http_table.request(practice_call(&site->practice), client, &request, &response);
    return (struct outcome){status, response.code, response.certainty, response.attempts,
                            (size_t)response.body.size};
}

static struct outcome by_submit(struct site *site, salvor_http_client *client, const char *method,
                                const char *call_site)
{
    const struct salvor_http_request request = request_of(method, call_site);
    cleanup_free char *options =
        text_format("{\"retry\":{\"attempts\":%d,\"backoff_ms\":1}}", ATTEMPTS);
    salvor_call *call = practice_call(&site->practice);
    salvor_batch *batch = NULL;
    struct salvor_batch_result result = {.struct_size = sizeof result};
    assert_int_equal(batch_table.open(call, options, &batch), SALVOR_OK);
    assert_int_equal(http_table.submit(call, batch, client, 1, &request), SALVOR_OK);
    assert_int_equal(batch_table.next(call, batch, &result), SALVOR_OK);
    const struct outcome outcome = {result.status, result.code, result.certainty, result.attempts,
                                    (size_t)result.body.size};
    batch_table.close(call, batch);
    return outcome;
}

static const struct call_site {
    const char *name;
    struct outcome (*ask)(struct site *site, salvor_http_client *client, const char *method,
                          const char *call_site);
    const char *method;
} sites[] = {
    {"request.get", by_request, "GET"},
    {"request.post", by_request, "POST"},
    {"submit.get", by_submit, "GET"},
    {"submit.post", by_submit, "POST"},
};

static int is_post(const struct call_site *call_site)
{
    return strcmp(call_site->method, "POST") == 0;
}

static void expect(const struct site *site, const char *where, const struct outcome *got,
                   const struct outcome *wanted)
{
    if (got->status != wanted->status || got->code != wanted->code ||
        got->certainty != wanted->certainty || got->attempts != wanted->attempts)
        fail_msg("%s: status %u, code %d, certainty %u, attempts %u instead of %u, %d, %u, %u (%s)",
                 where, got->status, got->code, got->certainty, got->attempts, wanted->status,
                 wanted->code, wanted->certainty, wanted->attempts,
                 site->practice.call.error.message != NULL ? site->practice.call.error.message
                                                           : "no error");
    if (got->status != SALVOR_OK)
        assert_non_null(site->practice.call.error.message);
}

static int patience_of(const struct fault_case *fault)
{
    if (fault->status != SALVOR_TIMEOUT)
        return PATIENT_MS;
    return getenv("SALVOR_UNDER_VALGRIND") != NULL ? IMPATIENT_UNDER_VALGRIND_MS : IMPATIENT_MS;
}

/* One fault at one site; `once`: only the first attempt meets it. */
static void meet(struct site *site, const struct fault_case *fault,
                 const struct call_site *call_site, int once, int warm)
{
    cleanup_free char *name = text_format("%s.%s.%s.%s", fault->name, call_site->name,
                                          once ? "once" : "always", warm ? "warm" : "cold");
    salvor_http_client *client = open_client(site, warm, patience_of(fault), NULL);
    if (warm)
        (void)by_request(site, client, "GET", "warm-up");
    const struct outcome got = call_site->ask(site, client, call_site->method, name);
    const int again = is_post(call_site) ? fault->again_post : fault->again;
    struct outcome wanted = {fault->status, fault->code, fault->certainty, 1, 0};
    int served = fault->served;
    if (again && once) {
        wanted = (struct outcome){SALVOR_OK, 200, ANSWERED, 2, 0};
        served++;
    } else if (again) {
        wanted.attempts = ATTEMPTS;
        served *= ATTEMPTS;
    }
    expect(site, name, &got, &wanted);
    if (times_served(name) != served)
        fail_msg("%s: served %d times instead of %d", name, times_served(name), served);
    http_table.client_close(practice_call(&site->practice), client);
}

static void each_site_meets_each_fault(void **state)
{
    struct site *site = *state;
    cleanup_buffer struct buffer rules = BUFFER_INIT(1 << 20);
    /* "nth" counts what a pattern matches: each call site has rules of its own. */
    for (size_t i = 0; i < CASES; i++)
        for (size_t j = 0; j < sizeof sites / sizeof *sites; j++)
            for (int warm = 0; warm < 2; warm++)
                (void)buffer_format(
                    &rules, "site=%s.%s.once.%s nth=1 %s\nsite=%s.%s.always.%s %s\n", cases[i].name,
                    sites[j].name, warm ? "warm" : "cold", cases[i].rule, cases[i].name,
                    sites[j].name, warm ? "warm" : "cold", cases[i].rule);
    start_proxy(site, rules.data, 0);
    for (size_t i = 0; i < CASES; i++)
        for (size_t j = 0; j < sizeof sites / sizeof *sites; j++)
            for (int warm = 0; warm < 2; warm++) {
                /* what takes time is tried in fewer places */
                const int takes_time = cases[i].status == SALVOR_TIMEOUT;
                const int waits = strcmp(cases[i].name, "s429-1") == 0;
                if (!(takes_time && !warm) && !(waits && (j > 0 || warm)))
                    meet(site, &cases[i], &sites[j], 1, warm);
                if (!waits &&
                    !(takes_time && (j > 0 || !warm || strcmp(cases[i].name, "stall") != 0)))
                    meet(site, &cases[i], &sites[j], 0, warm);
            }
}

/* HTTP cannot tell: whoever parses the half finds out. */
static void a_length_that_lies_is_believed(void **state)
{
    struct site *site = *state;
    start_proxy(site, "fault=long-body", 0);
    salvor_http_client *client = open_client(site, 0, PATIENT_MS, NULL);
    const struct outcome got = by_request(site, client, "GET", "half");
    assert_int_equal(got.status, SALVOR_OK);
    assert_int_equal(got.body_size, (BODY_SIZE + strlen("{\"padding\":\"\"}")) / 2);
}

/* ---- nobody there ---------------------------------------------------------------------------- */

static void a_port_that_is_closed(void **state)
{
    struct site *site = *state;
    for (size_t i = 0; i < sizeof sites / sizeof *sites; i++) {
        cleanup_free char *name = text_format("refuse.%s", sites[i].name);
        start_proxy(site, "nth=1 fault=refuse ms=60000", 0);
        salvor_http_client *client = open_client(site, 0, PATIENT_MS, NULL);
        struct outcome got = sites[i].ask(site, client, sites[i].method, name);
        /* the first attempt was on the open connection, the next ones find the port closed: that
         * does not take back the first one */
        const struct outcome wanted = {SALVOR_RETRY, 0, SENT, is_post(&sites[i]) ? 1 : ATTEMPTS, 0};
        expect(site, name, &got, &wanted);
        got = sites[i].ask(site, client, sites[i].method, name);
        const struct outcome closed = {SALVOR_RETRY, 0, SALVOR_CERTAINTY_NOT_SENT, ATTEMPTS, 0};
        expect(site, name, &got, &closed);
        assert_non_null(strstr(site->practice.call.error.message, "Connection refused"));
        assert_int_equal(times_served(name), 0);
        http_table.client_close(practice_call(&site->practice), client);
        fault_proxy_stop(site->proxy);
        site->proxy = NULL;
    }
}

/* ---- TLS ------------------------------------------------------------------------------------- */

static void certificates_that_are_not_right(void **state)
{
    struct site *site = *state;
    static const struct {
        const char *fault, *message;
    } bad[] = {
        {"tls-expired", "is not trusted: certificate has expired"},
        {"tls-wrong-name", "is for another name"},
        {"tls-self-signed", "is not trusted: self-signed certificate"},
    };
    for (size_t i = 0; i < 3; i++) {
        cleanup_free char *rules = text_format("fault=%s", bad[i].fault);
        start_proxy(site, rules, 1);
        for (size_t j = 0; j < sizeof sites / sizeof *sites; j++) {
            cleanup_free char *name = text_format("%s.%s", bad[i].fault, sites[j].name);
            salvor_http_client *client = open_client(site, 0, PATIENT_MS, NULL);
            const struct outcome got = sites[j].ask(site, client, sites[j].method, name);
            /* once: what is not trusted does not become so by asking again */
            const struct outcome wanted = {SALVOR_FAILED, 0, SALVOR_CERTAINTY_NOT_SENT, 1, 0};
            expect(site, name, &got, &wanted);
            if (strstr(site->practice.call.error.message, bad[i].message) == NULL)
                fail_msg("%s: %s", name, site->practice.call.error.message);
            assert_non_null(strstr(site->practice.call.error.detail, "its fingerprint is sha256 "));
            assert_non_null(strstr(site->practice.call.error.hint, "pin its fingerprint"));
            assert_int_equal(times_served(name), 0);
            http_table.client_close(practice_call(&site->practice), client);
        }
        fault_proxy_stop(site->proxy);
        site->proxy = NULL;
    }
}

static void a_handshake_that_breaks(void **state)
{
    struct site *site = *state;
    start_proxy(site, "nth=1 fault=tls-cut", 1);
    for (size_t i = 0; i < sizeof sites / sizeof *sites; i++) {
        if (i > 0) {
            fault_proxy_stop(site->proxy);
            start_proxy(site, "nth=1 fault=tls-cut", 1);
        }
        cleanup_free char *name = text_format("tls-cut.%s", sites[i].name);
        salvor_http_client *client = open_client(site, 0, PATIENT_MS, NULL);
        const struct outcome got = sites[i].ask(site, client, sites[i].method, name);
        const struct outcome wanted = {SALVOR_OK, 200, ANSWERED, 2, 0};
        expect(site, name, &got, &wanted);
        assert_int_equal(times_served(name), 1);
        http_table.client_close(practice_call(&site->practice), client);
    }
    fault_proxy_stop(site->proxy);
    start_proxy(site, "fault=tls-cut", 1);
    salvor_http_client *client = open_client(site, 0, PATIENT_MS, NULL);
    const struct outcome got = by_request(site, client, "POST", "tls-cut.always");
    const struct outcome wanted = {SALVOR_RETRY, 0, SALVOR_CERTAINTY_NOT_SENT, ATTEMPTS, 0};
    expect(site, "tls-cut.always", &got, &wanted);
    assert_non_null(strstr(site->practice.call.error.message, "the TLS handshake with 'https://"));
}

/* ---- the login ------------------------------------------------------------------------------- */

static void a_login_meets_each_fault(void **state)
{
    struct site *site = *state;
    json_put(site->practice.session.descriptor, "declared_reads",
             json_make("[{s:s}]", "pattern", "POST /login"));
    for (size_t i = 0; i < CASES; i++) {
        const struct fault_case *fault = &cases[i];
        /* a proxy that closes right behind its answer may meet the next request on that connection,
         * which is lost then: another fault, that other sites meet above */
        if (strcmp(fault->name, "drip") == 0)
            continue;
        cleanup_free char *rules = text_format("site=login nth=1 %s", fault->rule);
        cleanup_free char *name = text_format("login.%s", fault->name);
        start_proxy(site, rules, 0);
        salvor_http_client *client = open_client(site, 0, patience_of(fault), "/login");
        const struct outcome got = by_request(site, client, "POST", name);
        struct outcome wanted = {SALVOR_OK, 200, ANSWERED, fault->again ? 2 : 1, 0};
        if (!fault->again && (fault->code != 200 || fault->status != SALVOR_OK))
            wanted = (struct outcome){SALVOR_FAILED, 0, SALVOR_CERTAINTY_NOT_SENT, 1, 0};
        expect(site, name, &got, &wanted);
        assert_int_equal(times_served(name), wanted.status == SALVOR_OK);
        http_table.client_close(practice_call(&site->practice), client);
        fault_proxy_stop(site->proxy);
        site->proxy = NULL;
    }
}

#define with_site(test) cmocka_unit_test_setup_teardown(test, start_site, stop_site)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_site(each_site_meets_each_fault), with_site(a_length_that_lies_is_believed),
        with_site(a_port_that_is_closed),      with_site(certificates_that_are_not_right),
        with_site(a_handshake_that_breaks),    with_site(a_login_meets_each_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
