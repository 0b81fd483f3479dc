/* What the contract cannot ask of a real server: snapshots, hooks, injected errors, the audit log.
 */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "json-tree.h"
#include "sim-kube-process.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#define MAPS "/api/v1/namespaces/default/configmaps"

static char folder[] = "/tmp/test-sim-kube-XXXXXX";

static int ask(const struct sim_kube_process *server, const char *method, const char *path,
               json_t *body, json_t **ret_body)
{
    struct error error = ERROR_INIT;
    int status = sim_kube_process_request(server, method, path, NULL, body, ret_body, &error);
    if (error_is_set(&error))
        fprintf(stderr, "%s\n", error.message);
    error_clear(&error);
    json_decref(body);
    return status;
}

static json_t *map(const char *name)
{
    return json_pack("{s:{s:s}, s:{s:s}}", "metadata", "name", name, "data", "k", "v");
}

static struct sim_kube_process start(const struct sim_kube_options *options,
                                     sim_kube_prepare *prepare, void *user)
{
    struct sim_kube_process server;
    struct error error = ERROR_INIT;
    if (sim_kube_process_start(options, prepare, user, &server, &error) != 0)
        fail_msg("%s", error.message);
    return server;
}

/* Asks until the status comes, for what controllers do a moment later. */
static void await_status(const struct sim_kube_process *server, const char *path, int status)
{
    int64_t deadline = clock_monotonic_ms() + 20000;
    while (ask(server, "GET", path, NULL, NULL) != status)
        if (clock_monotonic_ms() > deadline)
            fail_msg("'%s' never answered %d", path, status);
}

static void await_text(const struct sim_kube_process *server, const char *path, const char *field,
                       const char *wanted)
{
    int64_t deadline = clock_monotonic_ms() + 20000;
    for (;;) {
        cleanup_json json_t *object = NULL;
        ask(server, "GET", path, NULL, &object);
        const json_t *value = tree_at(object, field);
        cleanup_free char *number = json_is_integer(value)
                                        ? text_format("%lld", (long long)json_integer_value(value))
                                        : NULL;
        if (text_equal(number != NULL ? number : json_string_value(value), wanted))
            return;
        if (clock_monotonic_ms() > deadline)
            fail_msg("'%s' of '%s' never became '%s'", field, path, wanted);
    }
}

enum { OBJECTS = 2000, SNAPSHOT_LIMIT_MS = 100, SNAPSHOTS = 5 };

static void fill(struct sim_kube *sim, void *user)
{
    (void)user;
    char value[2000];
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    for (int i = 0; i < OBJECTS; i++) {
        cleanup_free char *name = text_format("object-%04d", i);
        cleanup_json json_t *object = map(name);
        tree_set_text(object, "data.value", value);
        assert_int_equal(sim_kube_request(sim, "POST", MAPS, NULL, object, NULL), 201);
    }
}

static void snapshot_goes_on_from_the_same_state(void **state)
{
    (void)state;
    cleanup_free char *audit = text_format("%s/audit", folder);
    const struct sim_kube_options options = {.audit_path = audit};
    struct sim_kube_process server = start(&options, fill, NULL), copy;
    int64_t best = INT64_MAX;
    for (int i = 0; i < SNAPSHOTS; i++) {
        int64_t begin = clock_monotonic_ms();
        assert_int_equal(sim_kube_process_snapshot(&server, &copy, NULL), 0);
        int64_t took = clock_monotonic_ms() - begin;
        best = took < best ? took : best;
        assert_int_equal(ask(&copy, "GET", MAPS "/object-1999", NULL, NULL), 200);
        if (i + 1 < SNAPSHOTS)
            sim_kube_process_stop(&copy);
    }
    print_message("snapshot of %d objects: %lld ms\n", OBJECTS, (long long)best);
    /* The best of several: the machine is shared, and valgrind is slow. */
    if (getenv("SALVOR_UNDER_VALGRIND") == NULL)
        assert_true(best <= SNAPSHOT_LIMIT_MS);

    cleanup_json json_t *one = NULL, *two = NULL;
    assert_int_equal(ask(&server, "POST", MAPS, map("same"), &one), 201);
    assert_int_equal(ask(&copy, "POST", MAPS, map("same"), &two), 201);
    /* The generator goes on too: both servers make the same of the same request. */
    assert_string_equal(tree_text(one, "metadata.uid"), tree_text(two, "metadata.uid"));
    assert_string_equal(tree_text(one, "metadata.resourceVersion"),
                        tree_text(two, "metadata.resourceVersion"));
    assert_int_equal(ask(&copy, "DELETE", MAPS "/object-0000", NULL, NULL), 200);
    assert_int_equal(ask(&server, "GET", MAPS "/object-0000", NULL, NULL), 200);
    assert_int_equal(ask(&server, "DELETE", MAPS "/object-0001", NULL, NULL), 200);
    assert_int_equal(ask(&copy, "GET", MAPS "/object-0001", NULL, NULL), 200);

    /* A snapshot of a snapshot. */
    struct sim_kube_process third;
    assert_int_equal(sim_kube_process_snapshot(&copy, &third, NULL), 0);
    assert_int_equal(ask(&third, "GET", MAPS "/object-0000", NULL, NULL), 404);
    assert_string_not_equal(copy.audit_path, third.audit_path);
    sim_kube_process_stop(&third);
    sim_kube_process_stop(&copy);
    sim_kube_process_stop(&server);
}

static void snapshot_keeps_delayed_work(void **state)
{
    (void)state;
    const struct sim_kube_options options = {
        .controllers = "workload,pod", .controller_delay_ms = 100, .tls = 1};
    struct sim_kube_process server = start(&options, NULL, NULL), copy;
    const char *path = "/apis/apps/v1/namespaces/default/deployments";
    json_t *body = json_pack("{s:{s:s}, s:{s:i, s:{s:{s:s}}}}", "metadata", "name", "d", "spec",
                             "replicas", 2, "selector", "matchLabels", "a", "b");
    assert_int_equal(ask(&server, "POST", path, body, NULL), 201);
    assert_int_equal(sim_kube_process_snapshot(&server, &copy, NULL), 0);
    await_text(&copy, "/apis/apps/v1/namespaces/default/deployments/d", "status.readyReplicas",
               "2");
    await_text(&copy, "/api/v1/namespaces/default/pods/d-1", "status.phase", "Running");
    sim_kube_process_stop(&copy);
    sim_kube_process_stop(&server);
}

static void workloads_follow_their_spec(void **state)
{
    (void)state;
    const struct sim_kube_options options = {.controllers =
                                                 "namespace,service-account,workload,pod,job,gc"};
    struct sim_kube_process server = start(&options, NULL, NULL);
    const char *path = "/apis/apps/v1/namespaces/default/deployments/d";
    json_t *body = json_pack("{s:{s:s}, s:{s:i}}", "metadata", "name", "d", "spec", "replicas", 3);
    assert_int_equal(
        ask(&server, "POST", "/apis/apps/v1/namespaces/default/deployments", body, NULL), 201);
    await_text(&server, path, "status.readyReplicas", "3");
    assert_int_equal(
        ask(&server, "PATCH", path, json_pack("{s:{s:i}}", "spec", "replicas", 1), NULL), 200);
    await_text(&server, path, "status.replicas", "1");
    await_status(&server, "/api/v1/namespaces/default/pods/d-2", 404);
    assert_int_equal(ask(&server, "DELETE", path, NULL, NULL), 200);
    await_status(&server, "/api/v1/namespaces/default/pods/d-0", 404);
    body = json_pack("{s:{s:s}}", "metadata", "name", "j");
    assert_int_equal(ask(&server, "POST", "/apis/batch/v1/namespaces/default/jobs", body, NULL),
                     201);
    await_text(&server, "/apis/batch/v1/namespaces/default/jobs/j", "status.succeeded", "1");
    await_status(&server, "/api/v1/namespaces/default/serviceaccounts/default", 200);
    sim_kube_process_stop(&server);
}

static json_t *owned(const char *name, const json_t *owner)
{
    return json_pack("{s:{s:s, s:[{s:s, s:s, s:O, s:O}]}}", "metadata", "name", name,
                     "ownerReferences", "apiVersion", "v1", "kind", "ConfigMap", "name",
                     tree_at(owner, "metadata.name"), "uid", tree_at(owner, "metadata.uid"));
}

static void collector_follows_owners(void **state)
{
    (void)state;
    const struct sim_kube_options options = {.controllers = "gc"};
    struct sim_kube_process server = start(&options, NULL, NULL);
    static const struct {
        const char *policy;
        int dependent; /* status of the dependent afterwards */
    } cases[] = {{"Background", 404}, {"Foreground", 404}, {"Orphan", 200}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cleanup_json json_t *owner = NULL;
        assert_int_equal(ask(&server, "POST", MAPS, map("owner"), &owner), 201);
        assert_int_equal(ask(&server, "POST", MAPS, owned("dependent", owner), NULL), 201);
        json_t *options_body = json_pack("{s:s}", "propagationPolicy", cases[i].policy);
        assert_int_equal(ask(&server, "DELETE", MAPS "/owner", options_body, NULL), 200);
        await_status(&server, MAPS "/owner", 404);
        await_status(&server, MAPS "/dependent", cases[i].dependent);
    }
    cleanup_json json_t *left = NULL;
    assert_int_equal(ask(&server, "GET", MAPS "/dependent", NULL, &left), 200);
    assert_int_equal(json_array_size(tree_at(left, "metadata.ownerReferences")), 0);
    sim_kube_process_stop(&server);
}

static void mark(struct sim_kube *sim, const struct sim_kube_event *event, void *user)
{
    if (strcmp(event->plural, "configmaps") != 0 || strcmp(event->change, "ADDED") != 0)
        return;
    cleanup_free char *path = text_format(MAPS "/%s", event->name);
    cleanup_json json_t *patch = json_pack("{s:{s:s}}", "data", "mark", (const char *)user);
    sim_kube_request(sim, "PATCH", path, NULL, patch, NULL);
}

static void add_mark(struct sim_kube *sim, void *user)
{
    sim_kube_add_hook(sim, 0, mark, user);
}

static void hooks_see_changes(void **state)
{
    (void)state;
    static char text[] = "seen";
    const struct sim_kube_options options = {0};
    struct sim_kube_process server = start(&options, add_mark, text);
    assert_int_equal(ask(&server, "POST", MAPS, map("hooked"), NULL), 201);
    await_text(&server, MAPS "/hooked", "data.mark", "seen");
    sim_kube_process_stop(&server);
}

static void injected_errors_answer_as_asked(void **state)
{
    (void)state;
    const struct sim_kube_options options = {0};
    struct sim_kube_process server = start(&options, NULL, NULL);
    json_t *fault = json_pack("[{s:s, s:s, s:i, s:i, s:i, s:i}, {s:s, s:i}]", "method", "GET",
                              "path", MAPS "*", "skip", 1, "count", 2, "status", 429, "retryAfter",
                              3, "path", "/version", "status", 503);
    assert_int_equal(ask(&server, "POST", "/_sim/faults", fault, NULL), 200);
    assert_int_equal(ask(&server, "GET", MAPS, NULL, NULL), 200);
    assert_int_equal(ask(&server, "GET", MAPS, NULL, NULL), 429);
    assert_int_equal(ask(&server, "POST", MAPS, map("other-method"), NULL), 201);
    assert_int_equal(ask(&server, "GET", MAPS, NULL, NULL), 429);
    assert_int_equal(ask(&server, "GET", MAPS, NULL, NULL), 200);
    assert_int_equal(ask(&server, "GET", "/version", NULL, NULL), 503);
    assert_int_equal(ask(&server, "GET", "/version", NULL, NULL), 200);
    sim_kube_process_stop(&server);
}

static void guards_refuse_as_webhooks_do(void **state)
{
    (void)state;
    const struct sim_kube_options options = {0};
    struct sim_kube_process server = start(&options, NULL, NULL);
    json_t *user = map("user");
    tree_set_text(user, "data.uses", "used");
    assert_int_equal(ask(&server, "POST", MAPS, map("used"), NULL), 201);
    assert_int_equal(ask(&server, "POST", MAPS, user, NULL), 201);
    json_t *rule = json_pack("{s:s, s:s, s:s, s:s}", "plural", "configmaps", "referredBy",
                             "configmaps", "field", "data.uses", "webhook", "hook.test");
    assert_int_equal(ask(&server, "POST", "/_sim/guards", rule, NULL), 200);
    cleanup_json json_t *refusal = NULL;
    assert_int_equal(ask(&server, "DELETE", MAPS "/used", NULL, &refusal), 400);
    assert_non_null(strstr(tree_text(refusal, "message"), "hook.test"));
    assert_int_equal(ask(&server, "DELETE", MAPS, NULL, NULL), 400);
    assert_int_equal(ask(&server, "GET", MAPS "/user", NULL, NULL), 200);
    assert_int_equal(ask(&server, "DELETE", MAPS "/user", NULL, NULL), 200);
    assert_int_equal(ask(&server, "DELETE", MAPS "/used", NULL, NULL), 200);
    sim_kube_process_stop(&server);
}

static void audit_log_holds_every_request(void **state)
{
    (void)state;
    cleanup_free char *audit = text_format("%s/every", folder);
    const struct sim_kube_options options = {.audit_path = audit, .admin_token = "sesame"};
    struct sim_kube_process server = start(&options, NULL, NULL);
    ask(&server, "POST", MAPS "?dryRun=All", map("logged"), NULL);
    ask(&server, "GET", MAPS "?limit=5&watch=0", NULL, NULL);
    ask(&server, "GET", "/apis/none", NULL, NULL);
    sim_kube_process_stop(&server);
    cleanup_free char *text = NULL;
    assert_int_equal(file_read(audit, 1 << 20, &text, NULL, NULL), 0);
    static const struct {
        const char *verb, *method;
        int status;
    } wanted[] = {{"create", "POST", 201}, {"list", "GET", 200}, {NULL, "GET", 404}};
    const char *at = text;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        size_t size = strcspn(at, "\n");
        cleanup_json json_t *line = json_loadb(at, size, 0, NULL);
        assert_non_null(line);
        assert_true(text_equal(tree_text(line, "verb"), wanted[i].verb));
        assert_string_equal(tree_text(line, "method"), wanted[i].method);
        assert_int_equal(tree_integer(line, "status", 0), wanted[i].status);
        assert_int_equal(tree_integer(line, "sequence", 0), (long)i + 1);
        assert_int_equal(tree_is_true(line, "dryRun"), i == 0);
        at += size + 1;
    }
    assert_string_equal(at, "");
    assert_null(strstr(text, "sesame"));
}

static void tokens_are_told_apart(void **state)
{
    (void)state;
    const struct sim_kube_options options = {.admin_token = "sesame"};
    struct sim_kube_process server = start(&options, NULL, NULL);
    json_t *token = json_pack("{s:s, s:s, s:s}", "token", "weak", "user", "u", "groups", "g,h");
    assert_int_equal(ask(&server, "POST", "/_sim/tokens", token, NULL), 200);
    free(server.kubeconfig);
    server.kubeconfig = text_copy("token: weak\n");
    assert_int_equal(ask(&server, "GET", MAPS, NULL, NULL), 403);
    cleanup_json json_t *review = NULL;
    assert_int_equal(ask(&server, "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews",
                         json_object(), &review),
                     201);
    assert_string_equal(tree_text(review, "status.userInfo.username"), "u");
    assert_true(tree_array_has(tree_at(review, "status.userInfo.groups"), "h"));
    free(server.kubeconfig);
    server.kubeconfig = text_copy("");
    assert_int_equal(ask(&server, "GET", MAPS, NULL, NULL), 401);
    sim_kube_process_stop(&server);
}

static int make_folder(void **state)
{
    (void)state;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    curl_global_cleanup();
    return file_remove_tree(folder, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snapshot_goes_on_from_the_same_state),
        cmocka_unit_test(snapshot_keeps_delayed_work),
        cmocka_unit_test(workloads_follow_their_spec),
        cmocka_unit_test(collector_follows_owners),
        cmocka_unit_test(hooks_see_changes),
        cmocka_unit_test(injected_errors_answer_as_asked),
        cmocka_unit_test(guards_refuse_as_webhooks_do),
        cmocka_unit_test(audit_log_holds_every_request),
        cmocka_unit_test(tokens_are_told_apart),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
