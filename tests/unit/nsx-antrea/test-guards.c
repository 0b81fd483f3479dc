/* Each guard holds on an orphan that is one, and is the one that breaks where its ground is taken
 * away: no guard stands in for another. */
#include "nsx-antrea/guards.h"

#include <salvor/helpers.h>
#include <stdio.h>
#include <string.h>

#include "nsx-antrea/classify.h"
#include "nsx-antrea/picture.h"
#include "sdk/fake-host.h"
#include "situation.h"
#include "unit.h"

#define PLANE "/managers/control_planes/0"

/* 'alpha' deleted after the backup, exported, planned. */
struct case_of_alpha {
    json_t *situation; /* as seen now */
    json_t *planned;
    json_t *exported;
    json_t *paths;
    const char *own_principal;
    int resync_ended;
};

static struct case_of_alpha new_case(void)
{
    json_t *situation = situation_new();
    static const char *const components[] = {"controller", "mp_adapter", "ccp_adapter"};
    for (size_t i = 0; i < 3; i++) {
        char path[100];
        (void)snprintf(path, sizeof path, PLANE "/status/%s", components[i]);
        situation_set(situation, path, "s", "UNKNOWN");
    }
    situation_set(situation, PLANE "/status/heartbeat", "I", (json_int_t)SITUATION_BACKUP);
    situation_set(situation, "/managers/inventory/0/last_sync_time", "I",
                  (json_int_t)SITUATION_BACKUP);
    situation_remove(situation, "/clusters", "context-alpha");
    situation_set(situation, "/gone/-", "{s:s, s:s, s:s}", "name", "alpha", "proof", "operator",
                  "said", "the operator's list names it");
    return (struct case_of_alpha){
        .situation = situation,
        .planned = json_pack(
            "{s:o, s:o, s:o}", "control_plane", json_deep_copy(salvor_json_at(situation, PLANE)),
            "principal", json_deep_copy(salvor_json_at(situation, "/managers/principals/0")),
            "certificate", json_deep_copy(salvor_json_at(situation, "/managers/certificates/0"))),
        .exported = json_pack("{s:s, s:s}", "/infra/one", "digest", "/infra/two", "digest"),
        .paths = json_pack("[s, s]", "/infra/one", "/infra/two"),
        .resync_ended = 1,
    };
}

static const char *first_broken(struct case_of_alpha *alpha, const char *const *without,
                                char text[GUARD_TEXT])
{
    static struct fake_host host;
    struct picture *picture = NULL;
    json_t *classes = NULL;
    assert_int_equal(picture_open(fake_call(&host), alpha->situation, &picture), SALVOR_OK);
    assert_int_equal(classify(fake_call(&host), picture, &classes), SALVOR_OK);
    const struct guarded guarded = {.picture = picture,
                                    .classes = classes,
                                    .name = "alpha",
                                    .planned = alpha->planned,
                                    .exported = alpha->exported,
                                    .paths = alpha->paths,
                                    .own_principal = alpha->own_principal,
                                    .resync_ended = alpha->resync_ended,
                                    .now_ms = SITUATION_END + 7200000};
    const struct guard *broken = guards_first_broken(&guarded, without, text);
    /* every other guard holds: the order of asking hides none */
    for (const struct guard *guard = removal_guards; guard->id != NULL; guard++) {
        char other[GUARD_TEXT];
        const int left_out = without != NULL && strcmp(*without, guard->id) == 0;
        if (broken != NULL && guard != broken && !left_out && !guard->check(&guarded, other))
            fail_msg("'%s' breaks, too: %s", guard->id, other);
    }
    picture_free(picture);
    json_decref(classes);
    json_decref(alpha->situation);
    json_decref(alpha->planned);
    json_decref(alpha->exported);
    json_decref(alpha->paths);
    return broken != NULL ? broken->id : NULL;
}

static void expect_broken(struct case_of_alpha alpha, const char *guard, const char *why)
{
    char text[GUARD_TEXT] = "";
    const char *broken = first_broken(&alpha, NULL, text);
    if (broken == NULL)
        fail_msg("'%s' holds", guard);
    else
        assert_string_equal(broken, guard);
    if (strstr(text, why) == NULL)
        fail_msg("'%s' is not in '%s'", why, text);
}

static void all_hold_on_an_orphan(void **state)
{
    (void)state;
    char text[GUARD_TEXT];
    struct case_of_alpha alpha = new_case();
    assert_null(first_broken(&alpha, NULL, text));
}

static void unchanged(void **state)
{
    (void)state;
    struct case_of_alpha alpha = new_case();
    situation_set(alpha.situation, PLANE "/revision", "i", 2);
    expect_broken(alpha, "unchanged", "revision of the control plane was 1 in the plan and is 2");
    alpha = new_case();
    situation_set(alpha.situation, PLANE "/node_id", "s", "another");
    expect_broken(alpha, "unchanged", "node_id of the control plane was 'node-alpha'");
    alpha = new_case();
    situation_set(alpha.situation, "/managers/principals/0/revision", "i", 9);
    expect_broken(alpha, "unchanged", "principal identity");
    alpha = new_case();
    json_object_set_new(alpha.planned, "control_plane", json_null());
    expect_broken(alpha, "unchanged", "a control plane 'alpha' has appeared");
    alpha = new_case();
    json_object_set_new(alpha.planned, "principal", json_null());
    expect_broken(alpha, "unchanged", "a principal identity 'alpha' has appeared");
}

static void what_is_removed_meanwhile_is_unchanged(void **state)
{
    (void)state;
    char text[GUARD_TEXT];
    struct case_of_alpha alpha = new_case();
    situation_remove(alpha.situation, "/managers/control_planes", "alpha");
    assert_null(first_broken(&alpha, NULL, text));
    alpha = new_case();
    situation_remove(alpha.situation, "/managers/control_planes", "alpha");
    situation_remove(alpha.situation, "/managers/principals", "alpha");
    assert_null(first_broken(&alpha, NULL, text));
}

static void gone_is_proved(void **state)
{
    (void)state;
    struct case_of_alpha alpha = new_case();
    situation_set(alpha.situation, "/gone", "[]");
    expect_broken(alpha, "gone-is-proved", "no proof");
    alpha = new_case();
    situation_set(alpha.situation, "/clusters/-", "{s:s, s:b, s:s}", "context", "back-again",
                  "reachable", 1, "name", "alpha");
    expect_broken(alpha, "gone-is-proved", "'back-again' answers");
}

static void no_sign_of_life(void **state)
{
    (void)state;
    struct case_of_alpha alpha = new_case();
    situation_set(alpha.situation, PLANE "/status/mp_adapter", "s", "HEALTHY");
    expect_broken(alpha, "no-sign-of-life", "mp_adapter is HEALTHY");
    alpha = new_case();
    situation_set(alpha.situation, PLANE "/status/heartbeat", "I", (json_int_t)SITUATION_END);
    expect_broken(alpha, "no-sign-of-life", "heartbeat");
    alpha = new_case();
    situation_set(alpha.situation, "/managers/inventory/0/last_sync_time", "I",
                  (json_int_t)(SITUATION_END + 5));
    expect_broken(alpha, "no-sign-of-life", "inventory");
}

static void resync_has_ended(void **state)
{
    (void)state;
    struct case_of_alpha alpha = new_case();
    alpha.resync_ended = 0;
    expect_broken(alpha, "resync-has-ended", "every cluster looks silent");
}

static void was_in_the_backup(void **state)
{
    (void)state;
    struct case_of_alpha alpha = new_case();
    situation_set(alpha.situation, PLANE "/create_time", "I", (json_int_t)(SITUATION_BACKUP + 1));
    expect_broken(alpha, "was-in-the-backup", "created after the backup");
    alpha = new_case();
    situation_set(alpha.situation, PLANE "/create_time", "n");
    expect_broken(alpha, "was-in-the-backup", "created after the backup");
    alpha = new_case();
    situation_set(alpha.situation, "/managers/restore/backup_timestamp", "n");
    expect_broken(alpha, "was-in-the-backup", "not known");
}

static void principal_is_its_own(void **state)
{
    (void)state;
    struct case_of_alpha alpha = new_case();
    alpha.own_principal = "principal-alpha";
    expect_broken(alpha, "principal-is-its-own", "salvor itself");
    alpha = new_case();
    json_object_set_new(json_object_get(alpha.planned, "principal"), "system_owned", json_true());
    expect_broken(alpha, "principal-is-its-own", "the system's");
    alpha = new_case();
    situation_set(alpha.situation, "/managers/certificates/0/certificate/cn", "s", "beta");
    expect_broken(alpha, "principal-is-its-own", "a certificate of 'beta'");
    alpha = new_case();
    situation_set(alpha.situation, "/managers/principals/1/certificate_id", "s",
                  "certificate-alpha");
    expect_broken(alpha, "principal-is-its-own", "another principal identity uses");
}

static void is_exported(void **state)
{
    (void)state;
    struct case_of_alpha alpha = new_case();
    assert_int_equal(json_object_del(alpha.exported, "/infra/two"), 0);
    expect_broken(alpha, "is-exported", "'/infra/two'");
    alpha = new_case();
    assert_int_equal(json_array_clear(alpha.paths), 0);
    expect_broken(alpha, "is-exported", "names nothing");
}

static void no_conflict(void **state)
{
    (void)state;
    struct case_of_alpha alpha = new_case();
    situation_set(alpha.situation, "/clusters/1/certificate/sha256", "s", "beta");
    expect_broken(alpha, "no-conflict", "same certificate");
}

static void is_not_foreign(void **state)
{
    (void)state;
    struct case_of_alpha alpha = new_case();
    situation_set(alpha.situation, PLANE "/supervised", "b", 1);
    expect_broken(alpha, "is-not-foreign", "its operator looks after it");
}

/* A living cluster's old registration is replaced without proof that the cluster is gone. */
static void a_guard_can_be_left_out_by_name_only(void **state)
{
    (void)state;
    static const char *const without[] = {"gone-is-proved", NULL};
    char text[GUARD_TEXT];
    struct case_of_alpha alpha = new_case();
    situation_set(alpha.situation, "/gone", "[]");
    assert_null(first_broken(&alpha, without, text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_hold_on_an_orphan),
        cmocka_unit_test(unchanged),
        cmocka_unit_test(what_is_removed_meanwhile_is_unchanged),
        cmocka_unit_test(gone_is_proved),
        cmocka_unit_test(no_sign_of_life),
        cmocka_unit_test(resync_has_ended),
        cmocka_unit_test(was_in_the_backup),
        cmocka_unit_test(principal_is_its_own),
        cmocka_unit_test(is_exported),
        cmocka_unit_test(no_conflict),
        cmocka_unit_test(is_not_foreign),
        cmocka_unit_test(a_guard_can_be_left_out_by_name_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
