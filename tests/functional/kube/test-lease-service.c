/* The keeper of a Lease as a service worker, against the simulated API server, with the fault proxy
 * between them where something fails. The worker is the program
 * itself. */
#include "../../unit/unit.h"

#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <salvor/plugin.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/process-start.h"
#include "base/text.h"
#include "fault-proxy/fault-proxy.h"
#include "host/service.h"
#include "sim-kube-process.h"

enum { DURATION = 1200, SOON = 10000 };

#define LEASE_PATH "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/salvor"

static void expect_text(const char *text, const char *expected, const char *about)
{
    if (text == NULL || strstr(text, expected) == NULL)
        fail_msg("%s: '%s' does not say '%s'", about, text != NULL ? text : "", expected);
}

static struct sim_kube_process server;
static struct fault_proxy *proxy; /* of the running test, or NULL */
static char folder[] = "/tmp/salvor-test-lease-XXXXXX";
static int per_call;

/* ---- the cluster ----------------------------------------------------------------------------- */

static int start_server(void **state)
{
    struct error err = ERROR_INIT;
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    const int started =
        sim_kube_process_start(&(struct sim_kube_options){0}, NULL, NULL, &server, &err);
    error_clear(&err);
    return started;
}

static int stop_server(void **state)
{
    (void)state;
    sim_kube_process_stop(&server);
    return file_remove_tree(folder, NULL);
}

static int admin(const char *method, const json_t *body, json_t **ret_json)
{
    cleanup_error struct error err = ERROR_INIT;
    const int status =
        sim_kube_process_request(&server, method, LEASE_PATH, NULL, body, ret_json, &err);
    if (status < 0)
        fail_msg("%s: %s", method, err.message);
    return status;
}

static json_t *lease_on_server(void)
{
    json_t *object = NULL;
    assert_int_equal(admin("GET", NULL, &object), 200);
    return object;
}

/* Text of the spec as it stands; owned by the caller. */
static char *spec_text(const char *key)
{
    cleanup_json json_t *object = lease_on_server();
    const char *text = json_text(json_object_get(object, "spec"), key);
    return text_copy(text != NULL ? text : "");
}

static void steal(void)
{
    cleanup_json json_t *object = lease_on_server();
    json_put_text(json_object_get(object, "spec"), "holderIdentity", "thief");
    assert_int_equal(admin("PUT", object, NULL), 200);
}

/* The server's kubeconfig, led through a proxy with these rules when there are any. */
static char *kubeconfig(const char *rules)
{
    cleanup_error struct error err = ERROR_INIT;
    char *path = text_format("%s/kubeconfig", folder);
    if (rules != NULL) {
        const struct fault_proxy_options options = {.upstream = server.url, .rules = rules};
        proxy = fault_proxy_start(&options, &err);
        if (proxy == NULL)
            fail_msg("fault proxy: %s", err.message);
    }
    const char *at = strstr(server.kubeconfig, server.url);
    assert_non_null(at);
    cleanup_free char *text =
        text_format("%.*s%s%s", (int)(at - server.kubeconfig), server.kubeconfig,
                    proxy != NULL ? fault_proxy_url(proxy) : server.url, at + strlen(server.url));
    assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, &err), 0);
    return path;
}

/* ---- keepers --------------------------------------------------------------------------------- */

struct keeper {
    struct service *service;
    json_t *state; /* newest, or NULL */
    int64_t answered;
    int over;
    struct error err;
    json_t *result;
};

static struct keeper keepers[2];

static int clean(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        service_free(keepers[i].service);
        json_decref(keepers[i].state);
        json_decref(keepers[i].result);
        error_clear(&keepers[i].err);
        keepers[i] = (struct keeper){0};
    }
    if (proxy != NULL)
        fault_proxy_stop(proxy);
    proxy = NULL;
    (void)admin("DELETE", NULL, NULL);
    return 0;
}

static int on_frame(void *data, enum frame_type type, const json_t *body, struct error *reterr)
{
    struct keeper *keeper = data;
    (void)reterr;
    if (type != FRAME_STATE)
        return 0;
    json_decref(keeper->state);
    keeper->state = json_clone(json_object_get(body, "state"));
    if (json_whole(body, "serial", 0) > keeper->answered)
        keeper->answered = json_whole(body, "serial", 0);
    return 0;
}

static json_t *who_of(const char *run, pid_t pid)
{
    return json_make("{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "run", run, "host", "here", "machine",
                     "m", "boot", "b", "pids", "p", "pid", (json_int_t)pid, "started",
                     (json_int_t)process_started(pid));
}

/* `who` and `rewinds` are stolen. */
static struct keeper *begin_with(size_t slot, json_t *who, const char *path, json_t *rewinds)
{
    struct keeper *keeper = &keepers[slot];
    const struct service_settings settings = {.per_call = per_call};
    cleanup_free char *identity =
        text_format("here/%s/%lld", json_text(who, "run"), (long long)json_whole(who, "pid", 0));
    cleanup_json json_t *request = json_make(
        "{s:{s:s, s:s, s:s, s:o}, s:s, s:o, s:i, s:b}", "target", "kubeconfig", path, "namespace",
        "kube-system", "name", "salvor", "rewinds", rewinds != NULL ? rewinds : json_array(),
        "identity", identity, "who", who, "duration_ms", DURATION, "has_run_lock", 1);
    const struct service_request call = {"lease.keep", SALVOR_EFFECT_CHANGE, 60000, request};
    const struct service_listener listener = {keeper, on_frame, NULL};
    service_free(keeper->service);
    json_decref(take_pointer(keeper->state));
    error_clear(&keeper->err);
    keeper->over = 0;
    keeper->service = service_new(&settings);
    if (service_begin(keeper->service, &call, &listener, &keeper->err) != 0)
        fail_msg("%s", keeper->err.message);
    return keeper;
}

/* The same through a proxy with these rules, or straight with NULL. */
static struct keeper *begin(size_t slot, json_t *who, const char *rules, json_t *rewinds)
{
    cleanup_free char *path = kubeconfig(rules);
    return begin_with(slot, who, path, rewinds);
}

static void pump(struct keeper *keeper)
{
    if (!keeper->over && service_pump(keeper->service, 20)) {
        keeper->over = 1;
        json_decref(take_pointer(keeper->result));
        (void)service_finish(keeper->service, &keeper->result, NULL, &keeper->err);
    }
}

static int is_held(const struct keeper *keeper)
{
    return text_equal(json_text(keeper->state, "phase"), "held");
}

/* Until it is held; how long that took. */
static int64_t await_held(struct keeper *keeper)
{
    const int64_t began = clock_monotonic_ms();
    while (!is_held(keeper)) {
        pump(keeper);
        if (keeper->over)
            fail_msg("not held: %s", keeper->err.message);
        assert_true(clock_monotonic_ms() - began < SOON);
    }
    return clock_monotonic_ms() - began;
}

static void await_end(struct keeper *keeper)
{
    const int64_t began = clock_monotonic_ms();
    while (!keeper->over) {
        pump(keeper);
        assert_true(clock_monotonic_ms() - began < SOON);
    }
}

static void tell(struct keeper *keeper, int serial, const char *what, const char *head)
{
    cleanup_json json_t *body =
        json_make("{s:i, s:s, s:s?}", "serial", serial, "do", what, "head", head);
    assert_int_equal(service_tell(keeper->service, body, NULL), 0);
    const int64_t began = clock_monotonic_ms();
    while (!keeper->over && keeper->answered < serial) {
        pump(keeper);
        assert_true(clock_monotonic_ms() - began < SOON);
    }
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void it_is_renewed_while_nobody_listens(void **state)
{
    (void)state;
    struct keeper *keeper = begin(0, who_of("run-a", getpid()), NULL, NULL);
    (void)await_held(keeper);
    cleanup_free char *first = spec_text("renewTime");
    cleanup_free char *holder = spec_text("holderIdentity");
    assert_non_null(strstr(holder, "here/run-a/"));
    /* the parent does something else for longer than the Lease lasts */
    (void)poll(NULL, 0, DURATION + DURATION / 2);
    cleanup_free char *later = spec_text("renewTime");
    assert_string_not_equal(first, later);
    tell(keeper, 1, "head", "h-1");
    assert_true(json_whole(keeper->state, "valid_until", 0) > clock_boottime_ms() + DURATION / 2);
    assert_true(json_whole(keeper->state, "renewals", 0) >= 8);
    assert_string_not_equal(json_text(keeper->state, "cluster"), "");
    tell(keeper, 2, "release", "h-2");
    await_end(keeper);
    assert_true(json_flag(keeper->result, "released"));
    cleanup_free char *nobody = spec_text("holderIdentity");
    assert_string_equal(nobody, "");

    cleanup_free char *path = kubeconfig(NULL);
    cleanup_json json_t *request = json_make("{s:{s:s, s:s, s:s}}", "target", "kubeconfig", path,
                                             "namespace", "kube-system", "name", "salvor");
    const struct service_request heads = {"lease.heads", SALVOR_EFFECT_READ, SOON, request};
    cleanup_json json_t *result = NULL;
    if (service_call(keeper->service, &heads, NULL, &result, NULL, &keeper->err) != 0)
        fail_msg("%s", keeper->err.message);
    const json_t *entry = json_array_get(json_object_get(result, "heads"), 0);
    assert_string_equal(json_text(entry, "run"), "run-a");
    assert_string_equal(json_text(entry, "head"), "h-2");
}

static void second_run_is_refused_while_the_first_lives(void **state)
{
    (void)state;
    (void)await_held(begin(0, who_of("run-a", getpid()), NULL, NULL));
    struct keeper *other = begin(1, who_of("run-b", getppid()), NULL, NULL);
    await_end(other);
    assert_int_equal(other->err.code, EXIT_REFUSED);
    expect_text(other->err.message, "is held by run 'run-a' on 'here' since 2", "holder");
    expect_text(other->err.detail, "renewed while this run watched", "why");
    tell(&keepers[0], 1, "renew", NULL);
    assert_true(is_held(&keepers[0]));
}

static void second_run_outwaits_a_dead_one(void **state)
{
    (void)state;
    (void)await_held(begin(0, who_of("run-a", getpid()), NULL, NULL));
    service_free(take_pointer(keepers[0].service)); /* killed: nothing is given back */
    struct keeper *other = begin(1, who_of("run-b", getppid()), NULL, NULL);
    const int64_t waited = await_held(other);
    assert_in_range(waited, DURATION, DURATION + 1500);
    expect_text(json_text(other->state, "from"), "run 'run-a' on 'here'", "from");
}

static pid_t dead_process(void)
{
    const pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return pid;
}

static void killed_run_takes_its_own_at_once(void **state)
{
    (void)state;
    (void)await_held(begin(0, who_of("run-a", dead_process()), NULL, NULL));
    service_free(take_pointer(keepers[0].service));
    const int64_t waited = await_held(begin(1, who_of("run-a", getpid()), NULL, NULL));
    assert_true(waited < DURATION / 2);
    (void)clean(NULL);
    /* a copy of the run cannot, while the process lives */
    (void)await_held(begin(0, who_of("run-a", getppid()), NULL, NULL));
    struct keeper *copy = begin(1, who_of("run-a", getpid()), NULL, NULL);
    await_end(copy);
    expect_text(copy->err.hint, "another process works on this run", "copy");
}

static void theft_and_deletion_are_noticed(void **state)
{
    (void)state;
    struct keeper *keeper = begin(0, who_of("run-a", getpid()), NULL, NULL);
    (void)await_held(keeper);
    steal();
    await_end(keeper);
    assert_int_equal(keeper->err.code, EXIT_REFUSED);
    expect_text(keeper->err.message, "is lost: it is held by 'thief'", "theft");
    (void)clean(NULL);
    keeper = begin(0, who_of("run-a", getpid()), NULL, NULL);
    (void)await_held(keeper);
    assert_int_equal(admin("DELETE", NULL, NULL), 200);
    tell(keeper, 1, "renew", NULL);
    await_end(keeper);
    expect_text(keeper->err.message, "it was deleted", "deletion");
}

/* Each fault at each of its requests: nothing is lost, and nothing is held twice. */
static void each_fault_is_endured(void **state)
{
    (void)state;
    static const char *const methods[] = {"GET", "POST", "PUT"};
    static const char *const faults[] = {"fault=close",
                                         "fault=close forward=1",
                                         "fault=reset",
                                         "fault=status status=500",
                                         "fault=status status=503",
                                         "fault=status status=429 retry-after=0",
                                         "fault=cut bytes=100",
                                         "fault=short-body",
                                         "fault=bad-status-line",
                                         "fault=stall ms=200",
                                         "fault=refuse ms=60",
                                         "fault=status status=409"};
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
        for (size_t f = 0; f < sizeof faults / sizeof *faults; f++) {
            cleanup_free char *rule = text_format(
                "method=%s path=%s* nth=1 %s\n", methods[m],
                "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases", faults[f]);
            struct keeper *keeper = begin(0, who_of("run-a", getpid()), rule, NULL);
            (void)await_held(keeper);
            tell(keeper, 1, "renew", NULL);
            tell(keeper, 2, "release", "h");
            await_end(keeper);
            if (!json_flag(keeper->result, "released"))
                fail_msg("%s %s: %s", methods[m], faults[f],
                         keeper->err.message != NULL ? keeper->err.message
                                                     : json_text(keeper->result, "why"));
            if (fault_proxy_faults(proxy) != 1)
                fail_msg("%s %s: no fault", methods[m], faults[f]);
            (void)clean(NULL);
        }
    }
}

static void outage_is_told_and_endured(void **state)
{
    (void)state;
    /* the second renewal and what follows it find the door closed for longer than it lasts */
    struct keeper *keeper =
        begin(0, who_of("run-a", getpid()), "method=PUT nth=2 fault=refuse ms=1800\n", NULL);
    (void)await_held(keeper);
    int64_t began = clock_monotonic_ms();
    while (json_text(keeper->state, "trouble") == NULL) {
        pump(keeper);
        assert_true(clock_monotonic_ms() - began < SOON);
    }
    tell(keeper, 1, "renew", NULL);
    assert_non_null(json_text(keeper->state, "trouble"));
    began = clock_monotonic_ms();
    while (json_whole(keeper->state, "valid_until", 0) > clock_boottime_ms())
        pump(keeper);
    assert_false(keeper->over); /* nobody took it: it may still be renewed */
    while (json_text(keeper->state, "trouble") != NULL) {
        pump(keeper);
        assert_true(clock_monotonic_ms() - began < SOON);
    }
    assert_true(json_whole(keeper->state, "valid_until", 0) > clock_boottime_ms());
    tell(keeper, 2, "release", NULL);
    await_end(keeper);
    assert_true(json_flag(keeper->result, "released"));
}

static void wrong_clusters_are_refused(void **state)
{
    (void)state;
    struct keeper *keeper = begin(0, who_of("run-a", getpid()), NULL, NULL);
    (void)await_held(keeper);
    cleanup_free char *uid = text_copy(json_text(keeper->state, "cluster"));
    tell(keeper, 1, "release", NULL);
    await_end(keeper);
    keeper = begin(0, who_of("run-a", getpid()), NULL, json_make("[s]", uid));
    await_end(keeper);
    assert_int_equal(keeper->err.code, EXIT_REFUSED);
    expect_text(keeper->err.message, "in the cluster that this run sets back", "rewound");
    (void)clean(NULL);
    keeper =
        begin(0, who_of("run-a", getpid()),
              "method=PUT fault=status status=403\nmethod=POST fault=status status=403\n", NULL);
    await_end(keeper);
    expect_text(keeper->err.message, "the lease 'kube-system/salvor' cannot be taken", "forbidden");
    expect_text(keeper->err.detail, "403 Forbidden", "forbidden");
}

/* A server that cannot prove who it is gets no Lease, and the reason is told. */
static void certificates_are_checked(void **state)
{
    (void)state;
    static const char *const faults[] = {"tls-expired", "tls-wrong-name", "tls-self-signed",
                                         "tls-cut"};
    cleanup_free char *path = text_format("%s/kubeconfig", folder);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        cleanup_error struct error err = ERROR_INIT;
        cleanup_free char *rule = text_format("fault=%s\n", faults[i]);
        const struct fault_proxy_options options = {
            .upstream = server.url, .rules = rule, .tls = 1};
        proxy = fault_proxy_start(&options, &err);
        if (proxy == NULL)
            fail_msg("fault proxy: %s", err.message);
        cleanup_free char *authority = text_format("%s/authority", folder);
        const char *pem = fault_proxy_authority(proxy);
        assert_int_equal(file_write_atomic(authority, pem, strlen(pem), 0600, &err), 0);
        cleanup_free char *text = text_format(
            "{apiVersion: v1, kind: Config, current-context: c, clusters: [{name: c, cluster: "
            "{server: '%s', certificate-authority: '%s'}}], users: [{name: u, user: {}}], "
            "contexts: [{name: c, context: {cluster: c, user: u}}]}\n",
            fault_proxy_url(proxy), authority);
        assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, &err), 0);
        struct keeper *keeper = begin_with(0, who_of("run-a", getpid()), path, NULL);
        await_end(keeper);
        assert_int_equal(keeper->err.code, EXIT_REFUSED);
        expect_text(keeper->err.message, "the lease 'kube-system/salvor' cannot be taken",
                    faults[i]);
        assert_true(fault_proxy_faults(proxy) > 0);
        (void)clean(NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(it_is_renewed_while_nobody_listens, clean),
        cmocka_unit_test_teardown(second_run_is_refused_while_the_first_lives, clean),
        cmocka_unit_test_teardown(second_run_outwaits_a_dead_one, clean),
        cmocka_unit_test_teardown(killed_run_takes_its_own_at_once, clean),
        cmocka_unit_test_teardown(theft_and_deletion_are_noticed, clean),
        cmocka_unit_test_teardown(each_fault_is_endured, clean),
        cmocka_unit_test_teardown(outage_is_told_and_endured, clean),
        cmocka_unit_test_teardown(wrong_clusters_are_refused, clean),
        cmocka_unit_test_teardown(certificates_are_checked, clean),
    };
    if (sodium_init() < 0 || setenv("SALVOR_PROGRAM", SALVOR_PROGRAM, 1) != 0)
        return EXIT_FAILURE;
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
