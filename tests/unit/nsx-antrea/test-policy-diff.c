/* What counts as a difference, what does not, and what of it matters to security. */
#include "nsx-antrea/policy-diff.h"

#include <salvor/helpers.h>
#include <string.h>

#include "sdk/fake-host.h"
#include "unit.h"

static const char rules_before[] =
    "{'policies': {'/infra/p': {'id': 'p', 'display_name': 'shop', 'path': '/infra/p',"
    "  'category': 'Application', '_revision': 3, 'scope': ['ANY'],"
    "  'spans': ['/infra/ccp/alpha', '/infra/ccp/beta'],"
    "  'rules': [{'id': 'deny', 'path': '/infra/p/rules/deny', 'action': 'DROP',"
    "             'sequence_number': 10, 'source_groups': ['/g/1', '/g/2'], 'rule_id': 7},"
    "            {'id': 'allow', 'path': '/infra/p/rules/allow', 'action': 'ALLOW',"
    "             'sequence_number': 20}]}},"
    " 'groups': {'/g/1': {'id': '1', 'expression': [{'key': 'Tag', 'value': 'a|b'}]}}}";

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

/* Compares the rule set with itself after `path` was set to `value` (NULL: removed). */
static json_t *diff_after(const char *path, const char *value)
{
    static struct fake_host host;
    json_t *before = parse(rules_before);
    json_t *now = parse(rules_before);
    json_t *changes = NULL;
    char parent[200];
    if (path != NULL) {
        strcpy(parent, path);
        char *last = strrchr(parent, '!');
        *last++ = '\0';
        json_t *container = salvor_json_at(now, parent);
        assert_non_null(container);
        if (json_is_array(container) && value == NULL)
            assert_int_equal(json_array_remove(container, (size_t)(*last - '0')), 0);
        else if (value == NULL)
            assert_int_equal(json_object_del(container, last), 0);
        else
            assert_int_equal(
                json_object_set_new(container, last, json_loads(value, JSON_DECODE_ANY, NULL)), 0);
    }
    assert_int_equal(policy_diff(fake_call(&host), before, now, &changes), SALVOR_OK);
    json_decref(before);
    json_decref(now);
    return changes;
}

static void expect(const char *path, const char *value, const char *what, const char *change,
                   const char *security)
{
    json_t *changes = diff_after(path, value);
    assert_int_equal(json_array_size(changes), 1);
    assert_string_equal(salvor_json_text(changes, "/0/what", ""), what);
    assert_string_equal(salvor_json_text(changes, "/0/change", ""), change);
    assert_string_equal(salvor_json_text(changes, "/0/security", "-"), security);
    json_decref(changes);
}

static void expect_nothing(const char *path, const char *value)
{
    json_t *changes = diff_after(path, value);
    assert_int_equal(json_array_size(changes), 0);
    json_decref(changes);
}

#define POLICY "/policies/~1infra~1p"

static void what_is_no_difference(void **state)
{
    (void)state;
    expect_nothing(NULL, NULL);
    expect_nothing(POLICY "!_revision", "4");
    expect_nothing(POLICY "!scope", "[\"any\"]");
    expect_nothing(POLICY "!tags", "[]");
    expect_nothing(POLICY "/rules/0!rule_id", "99");
    expect_nothing(POLICY "/rules/0!source_groups", "[\"/g/2\", \"/g/1\"]");
}

static void rules(void **state)
{
    (void)state;
    expect(POLICY "/rules!0", NULL, "rule", "lost", "a rule that denied is lost");
    expect(POLICY "/rules!1", NULL, "rule", "lost", "-");
    expect(POLICY "/rules/0!action", "\"ALLOW\"", "rule", "changed",
           "a rule that denied no longer does");
    expect(POLICY "/rules/0!disabled", "true", "rule", "changed",
           "a rule that denied no longer does");
    expect(POLICY "/rules/1!source_groups", "[\"/g/1\"]", "rule", "changed",
           "a rule that allows has another reach");
    expect(POLICY "/rules/0!source_groups", "[\"/g/1\"]", "rule", "changed",
           "a rule that denies has another reach");
}

static void a_rule_that_allows_came_back(void **state)
{
    (void)state;
    static struct fake_host host;
    json_t *before = parse(rules_before);
    json_t *now = parse(rules_before);
    json_t *changes = NULL;
    assert_int_equal(json_array_remove(salvor_json_at(before, POLICY "/rules"), 1), 0);
    assert_int_equal(policy_diff(fake_call(&host), before, now, &changes), SALVOR_OK);
    assert_string_equal(salvor_json_text(changes, "/0/change", ""), "came-back");
    assert_string_equal(salvor_json_text(changes, "/0/security", ""),
                        "a rule that allows came back");
    json_decref(changes);
    json_decref(before);
    json_decref(now);
}

static void order_of_allow_and_deny(void **state)
{
    (void)state;
    json_t *changes = diff_after(POLICY "/rules/0!sequence_number", "30");
    assert_int_equal(json_array_size(changes), 2);
    assert_string_equal(salvor_json_text(changes, "/1/fields/0", ""), "order of rules");
    json_decref(changes);
}

static void spans_policies_groups(void **state)
{
    (void)state;
    expect(POLICY "/spans!1", NULL, "span", "lost", "the policy no longer protects this cluster");
    expect(POLICY "!category", "\"Emergency\"", "policy", "changed", "-");
    expect(POLICY "!scope", "[\"/g/1\"]", "policy", "changed",
           "the policy applies to others than before");
    expect("/groups/~1g~11!expression", "[]", "group", "changed",
           "the group has other members than before");
    expect("/groups!/g/1", NULL, "group", "lost", "-");
    json_t *changes = diff_after("/policies!/infra/p", NULL);
    /* the policy, its two rules, its two spans */
    assert_int_equal(json_array_size(changes), 5);
    json_decref(changes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_difference),        cmocka_unit_test(rules),
        cmocka_unit_test(a_rule_that_allows_came_back), cmocka_unit_test(order_of_allow_and_deny),
        cmocka_unit_test(spans_policies_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
