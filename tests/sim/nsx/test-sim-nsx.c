/* The simulator as a child process: snapshots, and what is steered from inside. */
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "sim-nsx-process.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

#define GROUPS "/policy/api/v1/infra/domains/default/groups"
#define PLANES \
    "/policy/api/v1/infra/sites/default/enforcement-points/default/cluster-control-planes"

enum { CLUSTERS = 50, POLICIES = 500, SNAPSHOTS = 5, SNAPSHOT_LIMIT_MS = 200 };

static char folder[] = "/tmp/test-sim-nsx-XXXXXX";

static int ask(const struct sim_nsx_process *sim, const char *method, const char *path,
               json_t *body, json_t **ret_body)
{
    struct error error = ERROR_INIT;
    int status = sim_nsx_process_request(sim, NULL, method, path, body, ret_body, &error);
    if (error_is_set(&error))
        fprintf(stderr, "%s\n", error.message);
    error_clear(&error);
    json_decref(body);
    return status;
}

static int steer(const struct sim_nsx_process *sim, const char *what, json_t *body)
{
    int status = sim_nsx_process_steer(sim, "POST", what, body, NULL, NULL);
    json_decref(body);
    return status;
}

static struct sim_nsx_process start(const struct sim_nsx_options *options, sim_nsx_prepare *prepare)
{
    struct sim_nsx_process sim;
    struct error error = ERROR_INIT;
    if (sim_nsx_process_start(options, prepare, NULL, &sim, &error) != 0)
        fail_msg("%s", error.message);
    return sim;
}

static void fill(struct sim_nsx *sim, void *user)
{
    (void)user;
    cleanup_json json_t *wish = json_make("{s:i, s:i, s:i, s:i}", "clusters", CLUSTERS, "groups",
                                          100, "policies", POLICIES, "rules", 5);
    assert_int_equal(sim_nsx_control(sim, "POST", "/_sim/generate", wish, NULL), 200);
}

static void snapshot_goes_on_from_the_same_state(void **state)
{
    (void)state;
    cleanup_free char *audit = text_format("%s/audit", folder);
    const struct sim_nsx_options options = {.audit_path = audit, .start_ms = 1700000000000};
    struct sim_nsx_process sim = start(&options, fill), copy;
    int64_t best = INT64_MAX;
    for (int i = 0; i < SNAPSHOTS; i++) {
        int64_t begin = clock_monotonic_ms();
        assert_int_equal(sim_nsx_process_snapshot(&sim, &copy, NULL), 0);
        int64_t took = clock_monotonic_ms() - begin;
        best = took < best ? took : best;
        assert_int_equal(ask(&copy, "GET", PLANES "/cluster-0049", NULL, NULL), 200);
        if (i + 1 < SNAPSHOTS)
            sim_nsx_process_stop(&copy);
    }
    print_message("snapshot of %d policies: %lld ms\n", POLICIES, (long long)best);
    /* The best of several: the machine is shared, and valgrind is slow. */
    if (getenv("SALVOR_UNDER_VALGRIND") == NULL)
        assert_true(best <= SNAPSHOT_LIMIT_MS);

    cleanup_json json_t *one = NULL, *two = NULL;
    assert_int_equal(ask(&sim, "PUT", GROUPS "/same", json_object(), &one), 200);
    assert_int_equal(ask(&copy, "PUT", GROUPS "/same", json_object(), &two), 200);
    assert_string_equal(json_text(one, "unique_id"), json_text(two, "unique_id"));
    assert_int_equal(ask(&copy, "DELETE", GROUPS "/same", NULL, NULL), 200);
    assert_int_equal(ask(&sim, "GET", GROUPS "/same", NULL, NULL), 200);
    assert_int_equal(ask(&copy, "GET", GROUPS "/same", NULL, NULL), 404);
    assert_string_equal(sim.sha256, copy.sha256);
    assert_string_not_equal(sim.url, copy.url);
    sim_nsx_process_stop(&copy);
    sim_nsx_process_stop(&sim);
}

/* A restore that runs in the snapshot leaves the original alone. */
static void snapshot_keeps_timers_and_backups(void **state)
{
    (void)state;
    const struct sim_nsx_options options = {.start_ms = 1700000000000};
    struct sim_nsx_process sim = start(&options, fill), copy;
    assert_int_equal(steer(&sim, "backup", json_object()), 200);
    assert_int_equal(
        steer(&sim, "clusters",
              json_make("{s:s, s:s, s:b}", "op", "create", "name", "late", "register", 1)),
        200);
    assert_int_equal(sim_nsx_process_snapshot(&sim, &copy, NULL), 0);
    assert_int_equal(steer(&copy, "restore", json_object()), 200);
    assert_int_equal(ask(&copy, "GET", PLANES "/late", NULL, NULL), 404);
    assert_int_equal(ask(&sim, "GET", PLANES "/late", NULL, NULL), 200);
    /* Clusters inside the simulator go on in both: heartbeats come. */
    struct sim_nsx_process *both[] = {&sim, &copy};
    for (size_t i = 0; i < 2; i++) {
        cleanup_json json_t *status = NULL;
        assert_int_equal(steer(both[i], "clock", json_make("{s:i}", "advance", 80000)), 200);
        assert_int_equal(ask(both[i], "GET", PLANES "/cluster-0000/status", NULL, &status), 200);
        assert_string_equal(json_text(json_object_get(status, "ccp_adapter_status"), "status"),
                            "HEALTHY");
    }
    sim_nsx_process_stop(&copy);
    sim_nsx_process_stop(&sim);
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
        cmocka_unit_test(snapshot_keeps_timers_and_backups),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
