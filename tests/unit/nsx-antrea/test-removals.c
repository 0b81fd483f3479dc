/* What an orphan takes with it, in which order, and what stays. */
#include "nsx-antrea/removals.h"

#include <salvor/helpers.h>
#include <string.h>

#include "nsx-antrea/picture.h"
#include "nsx-antrea/rule-set.h"
#include "sdk/fake-host.h"
#include "situation.h"
#include "unit.h"

#define ALPHA "/infra/cluster-control-planes/alpha"
#define BETA "/infra/cluster-control-planes/beta"

static json_t *parse(const char *text)
{
    char *quoted = strdup(text);
    for (char *at = quoted; *at != '\0'; at++)
        *at = *at == '\'' ? '"' : *at;
    json_t *json = json_loads(quoted, 0, NULL);
    assert_non_null(json);
    free(quoted);
    return json;
}

static json_t *removals_for(const char *rule_set, const char *orphans)
{
    static struct fake_host host;
    struct picture *picture = NULL;
    json_t *situation = situation_new();
    json_t *rules = parse(rule_set);
    json_t *gone = parse(orphans);
    json_t *row = json_pack("{s:s, s:s, s:s}", "name", "alpha", "control_plane", "alpha",
                            "principal", "principal-alpha");
    json_t *removals = NULL;
    assert_int_equal(picture_open(fake_call(&host), situation, &picture), SALVOR_OK);
    assert_int_equal(removals_of(fake_call(&host), picture, row, gone, rules, &removals),
                     SALVOR_OK);
    picture_free(picture);
    json_decref(situation);
    json_decref(rules);
    json_decref(gone);
    json_decref(row);
    return removals;
}

/* "kind path" of each removal, then "kept path", then "by-hand path", a line each. */
static void expect(const char *rule_set, const char *orphans, const char *expected)
{
    struct salvor_text lines = SALVOR_TEXT_INIT(10000);
    json_t *removals = removals_for(rule_set, orphans);
    const json_t *entry = NULL;
    size_t index = 0;
    json_array_foreach (json_object_get(removals, "removals"), index, entry)
        salvor_text_format(&lines, "%s %s\n", salvor_json_text(entry, "/kind", ""),
                           salvor_json_text(entry, "/path", ""));
    json_array_foreach (json_object_get(removals, "kept"), index, entry)
        salvor_text_format(&lines, "kept %s\n", salvor_json_text(entry, "/path", ""));
    json_array_foreach (json_object_get(removals, "by_hand"), index, entry)
        salvor_text_format(&lines, "by-hand %s\n", salvor_json_text(entry, "/path", ""));
    assert_string_equal(salvor_text_get(&lines), expected);
    salvor_text_clear(&lines);
    json_decref(removals);
}

#define REGISTRATION                                           \
    "control-plane " ALPHA "\n"                                \
    "principal /api/v1/trust-management/principal-identities/" \
    "principal-alpha\n"                                        \
    "certificate /api/v1/trust-management/certificates/certificate-alpha\n"
#define ONLY_ALPHA "['" ALPHA "']"

static void nothing_but_the_registration(void **state)
{
    (void)state;
    expect("{'policies': {}, 'groups': {}}", ONLY_ALPHA, REGISTRATION);
    expect("{'policies': {'/p': {'spans': ['" BETA "'], 'span_objects': {'" BETA
           "': '/p/span/b'}}}, 'groups': {}}",
           ONLY_ALPHA, REGISTRATION);
}

static void a_policy_of_orphans_only_goes_after_its_spans(void **state)
{
    (void)state;
    static const char rule_set[] =
        "{'policies': {'/p': {'spans': ['" ALPHA "', '" BETA "'], 'span_objects': {'" ALPHA
        "': '/p/span/a', '" BETA "': '/p/span/b'}}}, 'groups': {}}";
    expect(rule_set, "['" ALPHA "', '" BETA "']",
           "span /p/span/a\nspan /p/span/b\npolicy /p\n" REGISTRATION);
    /* beta lives: only alpha's span goes */
    expect(rule_set, ONLY_ALPHA, "span /p/span/a\n" REGISTRATION "kept /p\n");
}

static void groups(void **state)
{
    (void)state;
    expect("{'policies': {"
           "  '/p': {'spans': ['" ALPHA "'], 'span_objects': {'" ALPHA "': '/p/span/a'},"
           "         'rules': [{'id': '1', 'source_groups': ['/g/groups/own', '/g/groups/shared'],"
           "                    'scope': ['/g/groups/elsewhere']}]},"
           "  '/q': {'spans': ['" BETA "'], 'rules': [{'source_groups': ['/g/groups/shared']}]}},"
           " 'groups': {'/g/groups/own': {'id': 'own', 'clusters': ['node-alpha']},"
           "            '/g/groups/shared': {'id': 'shared', 'clusters': ['node-alpha']},"
           "            '/g/groups/elsewhere': {'id': 'e', 'clusters': ['node-beta']}}}",
           ONLY_ALPHA,
           "span /p/span/a\npolicy /p\ngroup /g/groups/own\n" REGISTRATION
           "kept /g/groups/shared\nkept /g/groups/elsewhere\n");
    /* a group that stays holds the one that it nests */
    expect("{'policies': {"
           "  '/p': {'spans': ['" ALPHA "'],"
           "         'rules': [{'id': '1', 'source_groups': ['/g/groups/inner']}]}},"
           " 'groups': {'/g/groups/inner': {'id': 'i', 'clusters': ['node-alpha']},"
           "            '/g/groups/outer': {'expression': [{'expressions': "
           "               [{'paths': ['/g/groups/inner']}]}]}}}",
           ONLY_ALPHA, "policy /p\n" REGISTRATION "kept /g/groups/inner\n");
    /* nobody asked whose members it has */
    expect("{'policies': {"
           "  '/p': {'spans': ['" ALPHA "'],"
           "         'rules': [{'id': '1', 'source_groups': ['/g/groups/own']}]}},"
           " 'groups': {'/g/groups/own': {'id': 'i', 'clusters': null}}}",
           ONLY_ALPHA, "policy /p\n" REGISTRATION "kept /g/groups/own\n");
}

static void what_a_person_decides(void **state)
{
    (void)state;
#define POLICY(members) "{'policies': {'/p': {" members "}}, 'groups': {}}"
    expect(POLICY("'spans': ['" ALPHA "'], 'locked': true"), ONLY_ALPHA,
           REGISTRATION "by-hand /p\n");
    expect(POLICY("'spans': ['" ALPHA "'], 'is_default': true"), ONLY_ALPHA,
           REGISTRATION "by-hand /p\n");
    expect(POLICY("'spans': ['" ALPHA "'], 'target_type': 'DFW'"), ONLY_ALPHA,
           REGISTRATION "by-hand /p\n");
    expect(POLICY("'scope': ['" ALPHA "', '/g/groups/machines']"), ONLY_ALPHA,
           REGISTRATION "by-hand /p\n");
    expect(POLICY("'spans': ['" BETA "'], 'rules': [{'id': '1', 'scope': ['" ALPHA "']}]"),
           ONLY_ALPHA, REGISTRATION "by-hand /p\n");
}

static void other_words_for_the_same_control_plane(void **state)
{
    (void)state;
    static const char site[] = "/infra/sites/default/enforcement-points/default";
    char one[200];
    char other[200];
    (void)snprintf(one, sizeof one, "%s/cluster-control-planes/alpha", site);
    (void)snprintf(other, sizeof other, "/policy/api/v1%s/antrea-nodes/alpha", site);
    assert_true(same_control_plane(one, other));
    (void)snprintf(other, sizeof other, "%s/cluster-control-planes/alpha2", site);
    assert_false(same_control_plane(one, other));
    assert_false(same_control_plane(
        one, "/infra/sites/other/enforcement-points/default/cluster-control-planes/alpha"));
    assert_false(same_control_plane(one, NULL));
    assert_false(same_control_plane("alpha", "alpha"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_but_the_registration),
        cmocka_unit_test(a_policy_of_orphans_only_goes_after_its_spans),
        cmocka_unit_test(groups),
        cmocka_unit_test(what_a_person_decides),
        cmocka_unit_test(other_words_for_the_same_control_plane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
