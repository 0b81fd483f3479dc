/* The parts with rules of their own: clock, store, switches, certificates, names, the restore. */
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "backup.h"
#include "control-planes.h"
#include "groups.h"
#include "internal.h"
#include "restore.h"
#include "store.h"
#include "x509.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

enum { START_MS = 1000000 };

static struct sim_nsx *make(void)
{
    const struct sim_nsx_options options = {.start_ms = START_MS};
    struct sim_nsx *sim = sim_nsx_new(&options, NULL);
    assert_non_null(sim);
    return sim;
}

/* --- clock ------------------------------------------------------------------------------------ */

static int64_t rang_at[8];
static size_t rang;

static void ring(struct sim_nsx *sim, void *argument)
{
    rang_at[rang++] = nsx_now(sim);
    if (argument != NULL && rang < 3)
        nsx_timer_set(&sim->clock, nsx_now(sim) + 10, ring, argument);
}

static void timers_run_in_order_at_their_own_time(void **state)
{
    (void)state;
    struct sim_nsx *sim = make();
    rang = 0;
    nsx_timer_set(&sim->clock, START_MS + 50, ring, NULL);
    nsx_timer_set(&sim->clock, START_MS + 20, ring, sim);
    nsx_clock_advance(sim, 19);
    assert_int_equal(rang, 0);
    nsx_clock_advance(sim, 1000);
    assert_int_equal(rang, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(rang_at[i], START_MS + 20 + 10 * (int64_t)i);
    assert_int_equal(nsx_now(sim), START_MS + 1019);
    /* It stands still: nothing to wait for. */
    assert_int_equal(nsx_clock_wait(&sim->clock), -1);
    nsx_clock_set_rate(&sim->clock, 1000);
    assert_true(nsx_clock_wait(&sim->clock) >= 0);
    nsx_clock_set_rate(&sim->clock, 0);
    nsx_timer_set(&sim->clock, nsx_now(sim) + 5, ring, NULL);
    nsx_timer_drop(&sim->clock, ring, NULL);
    nsx_clock_advance(sim, 100);
    assert_int_equal(rang, 4);
    sim_nsx_free(sim);
}

/* --- store ------------------------------------------------------------------------------------ */

static void put(struct nsx_table *table, const char *key, int value)
{
    cleanup_json json_t *object = json_make("{s:i}", "v", value);
    nsx_table_put(table, key, object, value);
}

static void copies_do_not_see_each_other(void **state)
{
    (void)state;
    struct nsx_intent one = {0}, two;
    struct nsx_table *table = &one.tables[NSX_RULES];
    put(table, "a/2", 2);
    put(table, "a/1", 1);
    put(table, "a-b/1", 3);
    put(table, "b/1", 4);
    nsx_intent_copy(&two, &one);
    put(table, "a/1", 10);
    assert_true(nsx_table_remove(table, "b/1"));
    assert_false(nsx_table_remove(table, "b/1"));
    cleanup_json json_t *changed = nsx_table_tree(table, "a/1");
    cleanup_json json_t *kept = nsx_table_tree(&two.tables[NSX_RULES], "a/1");
    assert_int_equal(json_whole(changed, "v", 0), 10);
    assert_int_equal(json_whole(kept, "v", 0), 1);
    assert_non_null(nsx_table_get(&two.tables[NSX_RULES], "b/1"));
    /* Children of "a" and of nothing else. */
    size_t index = nsx_table_from(table, "a/"), count = 0;
    while (nsx_table_at(table, index + count, "a/") != NULL)
        count++;
    assert_int_equal(count, 2);
    assert_null(nsx_table_at(table, nsx_table_from(table, "c/"), "c/"));
    nsx_intent_clear(&one);
    nsx_intent_clear(&two);
}

/* --- switches, versions, names ---------------------------------------------------------------- */

static void switches_refuse_what_is_not_there(void **state)
{
    (void)state;
    struct sim_nsx *sim = make();
    struct error error = ERROR_INIT;
    assert_true(nsx_switch_is(sim, SW_STALE_REVISION, "412"));
    assert_int_equal(sim_nsx_switch(sim, "stale-revision", "404", &error), 0);
    assert_true(nsx_switch_is(sim, SW_STALE_REVISION, "404"));
    assert_int_equal(sim_nsx_switch(sim, "stale-revision", "41", &error), -1);
    error_clear(&error);
    assert_int_equal(sim_nsx_switch(sim, "stale", "404", &error), -1);
    error_clear(&error);
    assert_true(nsx_switch_is(sim, SW_STALE_REVISION, "404"));
    sim_nsx_free(sim);
}

static void versions_compare_by_number(void **state)
{
    (void)state;
    const struct {
        const char *version;
        int at_least_4_1_3;
    } cases[] = {{"4.1.2.9", 0}, {"4.1.3", 1},   {"4.1.10.1", 1},
                 {"4.2", 1},     {"3.2.9.9", 0}, {"9.0.0.0", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct sim_nsx_options options = {.version = cases[i].version};
        struct sim_nsx *sim = sim_nsx_new(&options, NULL);
        assert_int_equal(nsx_version_at_least(sim, 4, 1, 3), cases[i].at_least_4_1_3);
        sim_nsx_free(sim);
    }
}

static void paths_name_control_planes(void **state)
{
    (void)state;
    cleanup_free char *path = nsx_control_plane_path("sales");
    assert_string_equal(nsx_control_plane_of_path(path), "sales");
    assert_string_equal(nsx_control_plane_of_path(NSX_POINT_PATH "/antrea-nodes/sales"), "sales");
    assert_null(nsx_control_plane_of_path(NSX_POINT_PATH "/transport-nodes/sales"));
    assert_null(nsx_control_plane_of_path(NSX_POINT_PATH "/cluster-control-planes/sales/status"));
    assert_null(nsx_control_plane_of_path("/infra/domains/default/groups/sales"));
    assert_null(nsx_control_plane_of_path(NULL));
}

/* --- groups ----------------------------------------------------------------------------------- */

static json_t *condition(const char *member_type, const char *key, const char *operator,
                         const char * value)
{
    return json_make("{s:s, s:s, s:s, s:s, s:s}", "resource_type", "Condition", "member_type",
                     member_type, "key", key, "operator", operator, "value", value);
}

static json_t *conjunction(const char *word)
{
    return json_make("{s:s, s:s}", "resource_type", "ConjunctionOperator", "conjunction_operator",
                     word);
}

static void expressions_select(void **state)
{
    (void)state;
    char name[] = "sales", id[] = "id-1";
    const struct nsx_inventory inventory = {.control_plane = name, .external_id = id};
    cleanup_json json_t *pod = json_make("{s:s, s:[{s:s, s:s}]}", "display_name", "web-1", "tags",
                                         "scope", "dis:k8s:app", "tag", "web");
    const char *kind = "container-application-instances";
    const struct {
        json_t *expression;
        int fits;
    } cases[] = {
        {json_make("[o]", condition("Pod", "Tag", "EQUALS", "dis:k8s:app|web")), 1},
        {json_make("[o]", condition("Pod", "Tag", "EQUALS", "dis:k8s:app|db")), 0},
        {json_make("[o]", condition("Pod", "Name", "STARTSWITH", "web")), 1},
        {json_make("[o]", condition("Pod", "Name", "ENDSWITH", "2")), 0},
        {json_make("[o]", condition("Pod", "Name", "NOTEQUALS", "web-2")), 1},
        {json_make("[o]", condition("KubernetesService", "Name", "EQUALS", "web-1")), 0},
        {json_make("[o,o,o]", condition("Pod", "Name", "CONTAINS", "eb"), conjunction("AND"),
                   condition("KubernetesCluster", "Name", "EQUALS", "sales")),
         1},
        {json_make("[o,o,o]", condition("Pod", "Name", "CONTAINS", "eb"), conjunction("AND"),
                   condition("KubernetesCluster", "Name", "EQUALS", "other")),
         0},
        {json_make("[o,o,o]", condition("Pod", "Name", "EQUALS", "x"), conjunction("OR"),
                   condition("Pod", "Name", "EQUALS", "web-1")),
         1},
        {json_make("[{s:s, s:[o]}]", "resource_type", "NestedExpression", "expressions",
                   condition("Pod", "Name", "EQUALS", "web-1")),
         1},
        {json_make("[{s:s, s:s, s:[s]}]", "resource_type", "ExternalIDExpression", "member_type",
                   "KubernetesCluster", "external_ids", "id-1"),
         1},
        {json_array(), 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(nsx_group_matches(cases[i].expression, &inventory, kind, pod),
                         cases[i].fits);
        json_decref(cases[i].expression);
    }
}

/* --- certificates ----------------------------------------------------------------------------- */

static void certificates_are_read(void **state)
{
    (void)state;
    struct certificate one, two;
    struct certificate_request request = {
        .common_name = "sales", .organization = "O", .valid_from_s = -10, .valid_to_s = 100};
    assert_int_equal(certificate_make(&request, &one, NULL), 0);
    request.common_name = "other";
    request.is_authority = 1;
    assert_int_equal(certificate_make(&request, &two, NULL), 0);
    cleanup_free char *chain = text_format("%s%s", one.pem, two.pem);
    struct x509_facts facts[X509_CHAIN];
    assert_int_equal(x509_read(chain, facts), 2);
    assert_string_equal(facts[0].subject_cn, "sales");
    assert_string_equal(facts[1].issuer_cn, "other");
    assert_string_equal(facts[0].algorithm, "EC");
    assert_int_equal(facts[0].is_authority, 0);
    assert_int_equal(facts[1].is_authority, 1);
    assert_int_equal(facts[0].not_after_ms - facts[0].not_before_ms, 110000);
    char sha256[DIGEST_TEXT_SIZE];
    assert_int_equal(x509_fingerprint(one.pem, sha256), 0);
    assert_string_equal(sha256, facts[0].sha256);
    /* Line endings do not count. */
    struct buffer windows = BUFFER_INIT(1 << 16);
    for (const char *at = one.pem; *at != '\0'; at++)
        buffer_append(&windows, *at == '\n' ? "\r\n" : at, *at == '\n' ? 2 : 1);
    char other[DIGEST_TEXT_SIZE];
    assert_int_equal(x509_fingerprint(windows.data, other), 0);
    assert_string_equal(sha256, other);
    assert_int_equal(x509_fingerprint("no certificate", other), -1);
    assert_int_equal(x509_fingerprint(NULL, other), -1);
    buffer_clear(&windows);
    x509_clear(facts, 2);
    certificate_clear(&one);
    certificate_clear(&two);
}

/* --- restore ---------------------------------------------------------------------------------- */

static const char *value_of(const struct sim_nsx *sim, int *ret_step)
{
    cleanup_json json_t *status = nsx_restore_json(sim);
    if (ret_step != NULL)
        *ret_step = (int)json_whole(json_object_get(status, "step"), "step_number", 0);
    return sim->restore.value;
}

static void a_restore_at_once_puts_back_what_was(void **state)
{
    (void)state;
    struct sim_nsx *sim = make();
    cleanup_json json_t *wish =
        json_make("{s:s, s:s, s:b}", "op", "create", "name", "early", "register", 1);
    assert_int_equal(sim_nsx_control(sim, "POST", "/_sim/clusters", wish, NULL), 200);
    int64_t timestamp = nsx_backup_take(sim);
    nsx_clock_advance(sim, 1000);
    json_put_text(wish, "name", "late");
    assert_int_equal(sim_nsx_control(sim, "POST", "/_sim/clusters", wish, NULL), 200);
    assert_int_equal(nsx_backup_find(sim, NULL, timestamp), 0);
    assert_int_equal(nsx_backup_find(sim, NULL, timestamp + 1), -1);
    assert_int_equal(nsx_backup_find(sim, "another node", 0), -1);
    assert_string_equal(value_of(sim, NULL), "INITIAL");
    nsx_restore_at_once(sim, 0);
    int step;
    assert_string_equal(value_of(sim, &step), "SUCCESS");
    assert_int_equal(step, NSX_RESTORE_STEPS);
    cleanup_json json_t *early = nsx_control_plane(sim, "early");
    assert_non_null(early);
    assert_null(nsx_control_plane(sim, "late"));
    assert_int_equal(sim->restore.end_ms, nsx_now(sim));
    nsx_redeploy(sim);
    assert_string_equal(value_of(sim, NULL), "INITIAL");
    assert_int_equal(sim->intent.tables[NSX_CONTROL_PLANES].count, 0);
    assert_int_equal(sim->backup_count, 1);
    sim_nsx_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_run_in_order_at_their_own_time),
        cmocka_unit_test(copies_do_not_see_each_other),
        cmocka_unit_test(switches_refuse_what_is_not_there),
        cmocka_unit_test(versions_compare_by_number),
        cmocka_unit_test(paths_name_control_planes),
        cmocka_unit_test(expressions_select),
        cmocka_unit_test(certificates_are_read),
        cmocka_unit_test(a_restore_at_once_puts_back_what_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
