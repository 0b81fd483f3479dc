#include "policy-diff.h"

#include <salvor/helpers.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "picture.h"

struct diff {
    json_t *changes;
    int failed;
};

/* ---- values that mean the same ------------------------------------------------------------------
 */

/* Members that managers write by themselves, or that are compared on their own. */
static int is_stamp(const char *member)
{
    static const char *const stamps[] = {"_revision",
                                         "_create_user",
                                         "_create_time",
                                         "_last_modified_user",
                                         "_protection",
                                         "_last_modified_time",
                                         "_system_owned",
                                         "rule_id",
                                         "realization_id",
                                         "internal_sequence_number",
                                         "unique_id",
                                         "overridden",
                                         "children",
                                         "rules",
                                         "span_objects",
                                         "spans",
                                         "rule_count",
                                         "marked_for_delete",
                                         "parent_path",
                                         "relative_path",
                                         "lock_modified_by",
                                         "lock_modified_time",
                                         "_links",
                                         "_schema",
                                         "_self",
                                         "origin_site_id",
                                         "owner_id",
                                         "remote_path"};
    for (size_t i = 0; i < sizeof stamps / sizeof *stamps; i++) {
        if (strcmp(stamps[i], member) == 0)
            return 1;
    }
    return 0;
}

/* Lists in which the order says nothing. */
static int is_set(const char *member)
{
    static const char *const sets[] = {
        "source_groups", "destination_groups", "services",     "scope",     "profiles", "paths",
        "tags",          "external_ids",       "ip_addresses", "group_type"};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        if (strcmp(sets[i], member) == 0)
            return 1;
    }
    return 0;
}

static int is_any(const json_t *value)
{
    return json_array_size(value) == 1 && json_is_string(json_array_get(value, 0)) &&
           strcasecmp(json_string_value(json_array_get(value, 0)), "ANY") == 0;
}

static int is_empty(const json_t *value)
{
    return value == NULL || json_is_null(value) ||
           (json_is_array(value) && json_array_size(value) == 0);
}

static int same_set(const json_t *one, const json_t *other)
{
    if (json_array_size(one) != json_array_size(other))
        return 0;
    for (size_t i = 0; i < json_array_size(one); i++) {
        size_t here = 0;
        size_t there = 0;
        for (size_t k = 0; k < json_array_size(one); k++) {
            here += (size_t)json_equal(json_array_get(one, i), json_array_get(one, k));
            there += (size_t)json_equal(json_array_get(one, i), json_array_get(other, k));
        }
        if (here != there)
            return 0;
    }
    return 1;
}

static int same_value(const char *member, const json_t *one, const json_t *other)
{
    if (is_empty(one) && is_empty(other))
        return 1;
    if (is_any(one) && is_any(other))
        return 1;
    if (is_set(member) && json_is_array(one) && json_is_array(other))
        return same_set(one, other);
    return json_equal(one, other);
}

static int add_field(json_t *fields, const char *member)
{
    return json_array_append_new(fields, json_string(member));
}

/* Names of the members that differ, or NULL without memory. */
static json_t *changed_members(const json_t *before, const json_t *now)
{
    json_t *fields = json_array();
    const char *member = NULL;
    json_t *value = NULL;
    int failed = fields == NULL;
    json_object_foreach ((json_t *)(uintptr_t)before, member, value) {
        if (!is_stamp(member) && !same_value(member, value, json_object_get(now, member)))
            failed |= add_field(fields, member);
    }
    json_object_foreach ((json_t *)(uintptr_t)now, member, value) {
        if (!is_stamp(member) && json_object_get(before, member) == NULL && !is_empty(value))
            failed |= add_field(fields, member);
    }
    if (!failed)
        return fields;
    json_decref(fields);
    return NULL;
}

/* ---- one change ---------------------------------------------------------------------------------
 */

static void tell(struct diff *diff, const char *what, const char *path, const json_t *object,
                 const char *change, json_t *fields, const char *security)
{
    json_t *entry = json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:s?}", "what", what, "path", path, "name",
        salvor_json_text(object, "/display_name", salvor_json_text(object, "/id", path)), "change",
        change, "fields", fields != NULL ? fields : json_array(), "security", security);
    if (entry == NULL || json_array_append_new(diff->changes, entry) != 0)
        diff->failed = 1;
}

/* ---- rules --------------------------------------------------------------------------------------
 */

static int denies(const json_t *rule)
{
    const char *action = salvor_json_text(rule, "/action", "");
    return !salvor_json_flag(rule, "/disabled", 0) &&
           (strcmp(action, "DROP") == 0 || strcmp(action, "REJECT") == 0);
}

static int allows(const json_t *rule)
{
    const char *action = salvor_json_text(rule, "/action", "");
    return !salvor_json_flag(rule, "/disabled", 0) &&
           (strcmp(action, "ALLOW") == 0 || strcmp(action, "JUMP_TO_APPLICATION") == 0);
}

static const char *security_of_rules(const json_t *before, const json_t *now)
{
    if (denies(before) && !denies(now))
        return now == NULL ? "a rule that denied is lost" : "a rule that denied no longer does";
    if (allows(now) && !allows(before))
        return before == NULL ? "a rule that allows came back" : "a rule allows that did not";
    if (denies(before) && denies(now))
        return "a rule that denies has another reach";
    if (allows(before) && allows(now))
        return "a rule that allows has another reach";
    return NULL;
}

static json_t *by_id(const json_t *entries)
{
    json_t *index = json_object();
    for (size_t i = 0; index != NULL && i < json_array_size(entries); i++) {
        json_t *entry = json_array_get(entries, i);
        if (json_object_set(index, salvor_json_text(entry, "/id", ""), entry) != 0) {
            json_decref(index);
            return NULL;
        }
    }
    return index;
}

/* Ids of both, sorted, each once; owned by the caller. NULL: no memory. */
static const char **names_of_both(const json_t *before, const json_t *now, size_t *ret_count)
{
    const json_t *both[] = {before, now};
    const char **names =
        salvor_allocate((json_object_size(before) + json_object_size(now) + 1) * sizeof *names);
    *ret_count = 0;
    for (size_t side = 0; names != NULL && side < 2; side++) {
        const char *name = NULL;
        json_t *value = NULL;
        json_object_foreach ((json_t *)(uintptr_t)both[side], name, value) {
            if (side == 0 || json_object_get(before, name) == NULL)
                names[(*ret_count)++] = name;
        }
    }
    return names;
}

static int compare_names(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

typedef void (*compare_pair)(struct diff *diff, const char *path, const json_t *before,
                             const json_t *now);

static void compare_all(struct diff *diff, const json_t *before, const json_t *now,
                        compare_pair compare)
{
    size_t count = 0;
    const char **names = names_of_both(before, now, &count);
    if (names == NULL) {
        diff->failed = 1;
        return;
    }
    qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 0; i < count; i++)
        compare(diff, names[i], json_object_get(before, names[i]), json_object_get(now, names[i]));
    salvor_release(names);
}

static void compare_rule(struct diff *diff, const char *id, const json_t *before, const json_t *now)
{
    const json_t *present = now != NULL ? now : before;
    const char *path = salvor_json_text(present, "/path", id);
    if (before == NULL || now == NULL) {
        const char *security = before == NULL
                                   ? (allows(now) ? "a rule that allows came back" : NULL)
                               : denies(before) ? "a rule that denied is lost"
                                                : NULL;
        tell(diff, "rule", path, present, now == NULL ? "lost" : "came-back", NULL, security);
        return;
    }
    json_t *fields = changed_members(before, now);
    if (fields == NULL)
        diff->failed = 1;
    else if (json_array_size(fields) > 0)
        tell(diff, "rule", path, now, "changed", json_incref(fields),
             security_of_rules(before, now));
    json_decref(fields);
}

static int is_before(const json_t *one, const json_t *other)
{
    return salvor_json_integer(one, "/sequence_number", 0) <
           salvor_json_integer(other, "/sequence_number", 0);
}

/* Whether a rule that denies and one that allows stand the other way round now. */
static int order_matters(const json_t *before, const json_t *now_by_id)
{
    for (size_t i = 0; i < json_array_size(before); i++) {
        const json_t *one = json_array_get(before, i);
        const json_t *one_now = json_object_get(now_by_id, salvor_json_text(one, "/id", ""));
        for (size_t k = i + 1; one_now != NULL && k < json_array_size(before); k++) {
            const json_t *other = json_array_get(before, k);
            const json_t *other_now =
                json_object_get(now_by_id, salvor_json_text(other, "/id", ""));
            if (other_now != NULL && denies(one) != denies(other) &&
                is_before(one, other) != is_before(one_now, other_now))
                return 1;
        }
    }
    return 0;
}

static void compare_rules(struct diff *diff, const char *path, const json_t *before,
                          const json_t *now)
{
    salvor_auto_json json_t *old = by_id(json_object_get(before, "rules"));
    salvor_auto_json json_t *new = by_id(json_object_get(now, "rules"));
    if (old == NULL || new == NULL) {
        diff->failed = 1;
        return;
    }
    compare_all(diff, old, new, compare_rule);
    if (order_matters(json_object_get(before, "rules"), new))
        tell(diff, "policy", path, now, "changed", json_pack("[s]", "order of rules"),
             "rules that allow and rules that deny stand in another order");
}

/* ---- spans --------------------------------------------------------------------------------------
 */

static int has_text(const json_t *array, const char *text)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (same_text(json_string_value(json_array_get(array, i)), text))
            return 1;
    }
    return 0;
}

static void compare_spans(struct diff *diff, const char *path, const json_t *before,
                          const json_t *now)
{
    const json_t *old = json_object_get(before, "spans");
    const json_t *new = json_object_get(now, "spans");
    for (size_t i = 0; i < json_array_size(old); i++) {
        const char *span = json_string_value(json_array_get(old, i));
        if (span != NULL && !has_text(new, span))
            tell(diff, "span", path, before, "lost", json_pack("[s]", span),
                 "the policy no longer protects this cluster");
    }
    for (size_t i = 0; i < json_array_size(new); i++) {
        const char *span = json_string_value(json_array_get(new, i));
        if (span != NULL && !has_text(old, span))
            tell(diff, "span", path, now, "came-back", json_pack("[s]", span), NULL);
    }
}

/* ---- policies and groups ------------------------------------------------------------------------
 */

static void compare_policy(struct diff *diff, const char *path, const json_t *before,
                           const json_t *now)
{
    const json_t *present = now != NULL ? now : before;
    if (before == NULL || now == NULL) {
        tell(diff, "policy", path, present, now == NULL ? "lost" : "came-back", NULL, NULL);
    } else {
        json_t *fields = changed_members(before, now);
        if (fields == NULL)
            diff->failed = 1;
        else if (json_array_size(fields) > 0)
            tell(diff, "policy", path, now, "changed", json_incref(fields),
                 json_object_get(before, "scope") != NULL && has_text(fields, "scope")
                     ? "the policy applies to others than before"
                     : NULL);
        json_decref(fields);
    }
    compare_rules(diff, path, before, now);
    compare_spans(diff, path, before, now);
}

static void compare_group(struct diff *diff, const char *path, const json_t *before,
                          const json_t *now)
{
    const json_t *present = now != NULL ? now : before;
    if (before == NULL || now == NULL) {
        tell(diff, "group", path, present, now == NULL ? "lost" : "came-back", NULL, NULL);
        return;
    }
    json_t *fields = changed_members(before, now);
    if (fields == NULL)
        diff->failed = 1;
    else if (json_array_size(fields) > 0)
        tell(diff, "group", path, now, "changed", json_incref(fields),
             has_text(fields, "expression") ? "the group has other members than before" : NULL);
    json_decref(fields);
}

salvor_status policy_diff(salvor_call *call, const json_t *before, const json_t *now,
                          json_t **ret_changes)
{
    salvor_auto_json json_t *changes = json_array();
    struct diff diff = {changes, changes == NULL};
    compare_all(&diff, json_object_get(before, "policies"), json_object_get(now, "policies"),
                compare_policy);
    compare_all(&diff, json_object_get(before, "groups"), json_object_get(now, "groups"),
                compare_group);
    if (diff.failed)
        return salvor_fail_memory(call, "the differences of the firewall policies");
    *ret_changes = json_incref(changes);
    return SALVOR_OK;
}
