/* Every class, by each key, with the evidence that makes the difference; the careful answer inside
 * the margin of the clocks. */
#include "nsx-antrea/classify.h"

#include <salvor/helpers.h>
#include <string.h>

#include "nsx-antrea/picture.h"
#include "sdk/fake-host.h"
#include "situation.h"
#include "unit.h"

#define ALPHA_PLANE "/managers/control_planes/0"
#define ALPHA_CLUSTER "/clusters/0"

static json_t *judge(const json_t *situation)
{
    static struct fake_host host;
    struct picture *picture = NULL;
    json_t *classes = NULL;
    assert_int_equal(picture_open(fake_call(&host), situation, &picture), SALVOR_OK);
    assert_int_equal(classify(fake_call(&host), picture, &classes), SALVOR_OK);
    picture_free(picture);
    return classes;
}

static const json_t *row_of(const json_t *classes, const char *name)
{
    size_t index = 0;
    const json_t *row = NULL;
    json_array_foreach (json_object_get(classes, "clusters"), index, row) {
        if (strcmp(salvor_json_text(row, "/name", ""), name) == 0)
            return row;
    }
    return NULL;
}

/* Judges and expects the class of 'alpha', all others in sync, and no conflict. */
static void expect_alpha(json_t *situation, const char *class, int alive, const char *evidence)
{
    json_t *classes = judge(situation);
    const json_t *alpha = row_of(classes, "alpha");
    assert_int_equal(json_array_size(json_object_get(classes, "conflicts")), 0);
    assert_non_null(alpha);
    assert_string_equal(salvor_json_text(alpha, "/class", ""), class);
    assert_int_equal(salvor_json_flag(alpha, "/alive", -1), alive);
    assert_string_equal(salvor_json_text(row_of(classes, "beta"), "/class", ""), "A");
    assert_string_equal(salvor_json_text(row_of(classes, "gamma"), "/class", ""), "A");
    char *text = json_dumps(json_object_get(alpha, "evidence"), 0);
    if (strstr(text, evidence) == NULL)
        fail_msg("'%s' is not in %s", evidence, text);
    free(text);
    json_decref(classes);
    json_decref(situation);
}

static void alpha_is_silent(json_t *situation)
{
    static const char *const components[] = {"controller", "mp_adapter", "ccp_adapter"};
    for (size_t i = 0; i < 3; i++) {
        char path[100];
        (void)snprintf(path, sizeof path, ALPHA_PLANE "/status/%s", components[i]);
        situation_set(situation, path, "s", "UNKNOWN");
    }
    situation_set(situation, ALPHA_PLANE "/status/heartbeat", "I",
                  (json_int_t)(SITUATION_BACKUP - 5000));
    situation_set(situation, "/managers/inventory/0/last_sync_time", "I",
                  (json_int_t)(SITUATION_BACKUP - 5000));
}

static void alpha_is_gone(json_t *situation, const char *proof)
{
    alpha_is_silent(situation);
    situation_remove(situation, "/clusters", "context-alpha");
    if (proof != NULL)
        situation_set(situation, "/gone/-", "{s:s, s:s, s:s}", "name", "alpha", "proof", proof,
                      "said", "the operator's list names it");
}

static void all_in_sync(void **state)
{
    (void)state;
    expect_alpha(situation_new(), "A", 1, "certificate and node id are the cluster's");
}

static void rotated_certificate(void **state)
{
    (void)state;
    json_t *situation = situation_new();
    situation_set(situation, ALPHA_CLUSTER "/certificate", "{s:s, s:s, s:I}", "sha256", "new", "cn",
                  "alpha", "not_before", (json_int_t)1690000100000LL);
    expect_alpha(situation, "A2", 1, "the newer one");
    /* inside the margin of the clocks nobody knows which is newer */
    situation = situation_new();
    situation_set(situation, ALPHA_CLUSTER "/certificate", "{s:s, s:s, s:I}", "sha256", "new", "cn",
                  "alpha", "not_before", (json_int_t)1690000062000LL);
    expect_alpha(situation, "F", 1, "not proved to be the newer one");
}

static void orphan(void **state)
{
    (void)state;
    json_t *situation = situation_new();
    alpha_is_gone(situation, "operator");
    expect_alpha(situation, "B", 0, "proved gone: the operator's list names it");
}

static void silence_is_no_proof(void **state)
{
    (void)state;
    json_t *situation = situation_new();
    alpha_is_gone(situation, NULL);
    expect_alpha(situation, "F", 0, "nothing proves");
    situation = situation_new();
    alpha_is_gone(situation, "a feeling");
    expect_alpha(situation, "F", 0, "nothing proves");
    /* it stands in the list of clusters, but does not answer */
    situation = situation_new();
    alpha_is_silent(situation);
    situation_set(situation, ALPHA_CLUSTER, "{s:s, s:b, s:s}", "context", "alpha", "reachable", 0,
                  "problem", "connection refused");
    expect_alpha(situation, "F", 0, "connection refused");
}

static void life_outweighs_proof(void **state)
{
    (void)state;
    json_t *situation = situation_new();
    alpha_is_gone(situation, "operator");
    situation_set(situation, ALPHA_PLANE "/status/ccp_adapter", "s", "DEGRADED");
    expect_alpha(situation, "F", 0, "ccp_adapter is DEGRADED");
    situation = situation_new();
    alpha_is_gone(situation, "operator");
    situation_set(situation, ALPHA_PLANE "/status/heartbeat", "I",
                  (json_int_t)(SITUATION_END - 30000)); /* within skew and margin */
    expect_alpha(situation, "F", 0, "a heartbeat came after the restore");
    situation = situation_new();
    alpha_is_gone(situation, "operator");
    situation_set(situation, "/managers/inventory/0/last_sync_time", "I",
                  (json_int_t)(SITUATION_END + 1));
    expect_alpha(situation, "F", 0, "inventory was updated");
}

static void registered_after_the_backup(void **state)
{
    (void)state;
    json_t *situation = situation_new();
    situation_remove(situation, "/managers/control_planes", "alpha");
    situation_remove(situation, "/managers/principals", "alpha");
    expect_alpha(situation, "C", 1, "neither control plane nor principal identity");
}

static void recreated(void **state)
{
    (void)state;
    json_t *situation = situation_new();
    situation_set(situation, ALPHA_CLUSTER "/id", "s", "another-node");
    situation_set(situation, ALPHA_CLUSTER "/certificate/sha256", "s", "another");
    expect_alpha(situation, "D", 1, "the cluster has 'another-node'");
    /* registered again with the same certificate: its node id is another one since */
    situation = situation_new();
    situation_set(situation, ALPHA_CLUSTER "/id", "s", "another-node");
    expect_alpha(situation, "D", 1, "same certificate, but node id");
    /* half registered: only a capture tells whether it is another cluster */
    situation = situation_new();
    situation_set(situation, ALPHA_CLUSTER "/id", "n");
    situation_set(situation, ALPHA_CLUSTER "/certificate/sha256", "s", "another");
    expect_alpha(situation, "F", 1, "no capture tells");
    situation = situation_new();
    situation_set(situation, ALPHA_CLUSTER "/id", "n");
    situation_set(situation, ALPHA_CLUSTER "/certificate/sha256", "s", "another");
    situation_set(situation, "/capture", "{s:[{s:s, s:s}]}", "clusters", "name", "alpha",
                  "kube_system_uid", "uid-of-the-old-one");
    expect_alpha(situation, "D", 1, "another cluster than the captured one");
}

static void halves(void **state)
{
    (void)state;
    json_t *situation = situation_new();
    situation_remove(situation, "/managers/control_planes", "alpha");
    expect_alpha(situation, "E1", 1, "the principal identity is there");
    situation = situation_new();
    situation_remove(situation, "/managers/principals", "alpha");
    expect_alpha(situation, "E2", 1, "its principal identity is not");
    situation = situation_new();
    situation_remove(situation, "/managers/principals", "alpha");
    alpha_is_gone(situation, "infrastructure");
    expect_alpha(situation, "E2", 0, "proved gone");
    situation = situation_new();
    alpha_is_gone(situation, "operator");
    situation_remove(situation, "/managers/control_planes", "alpha");
    expect_alpha(situation, "E1", 0, "proved gone");
}

static void foreign(void **state)
{
    (void)state;
    json_t *situation = situation_new();
    alpha_is_gone(situation, "operator");
    situation_set(situation, ALPHA_PLANE "/foreign", "s", "its node type is 'TKG_NODE'");
    expect_alpha(situation, "G", 0, "its node type is 'TKG_NODE'");
}

static void principals_of_others_have_no_row(void **state)
{
    (void)state;
    json_t *situation = situation_new();
    situation_set(situation, "/managers/principals/-", "{s:s, s:s, s:s}", "id", "principal-robot",
                  "name", "robot", "certificate_id", "certificate-robot");
    json_t *classes = judge(situation);
    assert_null(row_of(classes, "robot"));
    assert_int_equal(json_array_size(json_object_get(classes, "clusters")), 3);
    json_decref(classes);
    json_decref(situation);
}

static void expect_conflict(json_t *situation, const char *text)
{
    json_t *classes = judge(situation);
    char *conflicts = json_dumps(json_object_get(classes, "conflicts"), 0);
    if (strstr(conflicts, text) == NULL)
        fail_msg("'%s' is not in %s", text, conflicts);
    free(conflicts);
    json_decref(classes);
    json_decref(situation);
}

static void conflicts(void **state)
{
    (void)state;
    json_t *situation = situation_new();
    situation_set(situation, "/clusters/1/name", "s", "alpha");
    expect_conflict(situation, "both call themselves by the same name");
    situation = situation_new();
    situation_set(situation, "/clusters/1/certificate/sha256", "s", "alpha");
    expect_conflict(situation, "use the same certificate");
    situation = situation_new();
    situation_set(situation, "/managers/control_planes/1/certificate/sha256", "s", "alpha");
    expect_conflict(situation, "control planes with the same certificate");
    situation = situation_new();
    situation_set(situation, ALPHA_CLUSTER "/name", "s", "renamed");
    expect_conflict(situation, "cluster 'renamed' has the certificate of control plane 'alpha'");
}

static void two_contexts_of_one_cluster(void **state)
{
    (void)state;
    json_t *situation = situation_new();
    json_t *twin = json_deep_copy(salvor_json_at(situation, ALPHA_CLUSTER));
    json_object_set_new(twin, "context", json_string("the-same-by-another-name"));
    json_array_append_new(salvor_json_at(situation, "/clusters"), twin);
    expect_alpha(situation, "A", 1, "certificate and node id");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_in_sync),
        cmocka_unit_test(rotated_certificate),
        cmocka_unit_test(orphan),
        cmocka_unit_test(silence_is_no_proof),
        cmocka_unit_test(life_outweighs_proof),
        cmocka_unit_test(registered_after_the_backup),
        cmocka_unit_test(recreated),
        cmocka_unit_test(halves),
        cmocka_unit_test(foreign),
        cmocka_unit_test(principals_of_others_have_no_row),
        cmocka_unit_test(conflicts),
        cmocka_unit_test(two_contexts_of_one_cluster),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
