#include "removals.h"

#include <salvor/helpers.h>
#include <string.h>

#include "picture.h"
#include "rule-set.h"

#define BASE "/api/v1/trust-management"

struct removals {
    const struct picture *picture;
    const json_t *row;
    const json_t *orphans;
    const json_t *rule_set;
    const char *control_plane; /* its path, or NULL */
    json_t *list, *kept, *by_hand;
    json_t *going;          /* paths of policies that go */
    json_t *groups_in_use;  /* by what stays */
    json_t *groups_touched; /* by what goes */
    int failed;
};

static void remove_it(struct removals *work, const char *kind, const char *path,
                      const json_t *object, const char *because)
{
    json_t *entry = json_pack(
        "{s:s, s:s, s:s, s:I, s:s?, s:s}", "kind", kind, "path", path, "name",
        salvor_json_text(object, "/display_name",
                         salvor_json_text(object, "/name", salvor_json_text(object, "/id", path))),
        "revision",
        (json_int_t)salvor_json_integer(object, "/revision",
                                        salvor_json_integer(object, "/_revision", -1)),
        "sha256", text_at(object, "/certificate/sha256"), "because", because);
    if (entry == NULL || json_array_append_new(work->list, entry) != 0)
        work->failed = 1;
}

static void tell(struct removals *work, json_t *where, const char *path, const json_t *object,
                 const char *because)
{
    json_t *entry = json_pack("{s:s, s:s, s:s}", "path", path, "name",
                              salvor_json_text(object, "/display_name", path), "because", because);
    if (entry == NULL || json_array_append_new(where, entry) != 0)
        work->failed = 1;
}

/* ---- policies -----------------------------------------------------------------------------------
 */

static int all_are_orphans(const struct removals *work, const json_t *paths)
{
    for (size_t i = 0; i < json_array_size(paths); i++) {
        if (!names_control_plane(work->orphans, json_string_value(json_array_get(paths, i))))
            return 0;
    }
    return json_array_size(paths) > 0;
}

static int a_rule_names_it(const struct removals *work, const json_t *policy)
{
    const json_t *rules = json_object_get(policy, "rules");
    for (size_t i = 0; i < json_array_size(rules); i++) {
        if (names_control_plane(json_object_get(json_array_get(rules, i), "scope"),
                                work->control_plane))
            return 1;
    }
    return 0;
}

/* The spans of the policy on that control plane; NULL: all of them. */
static void remove_spans(struct removals *work, const json_t *policy, const char *only,
                         const char *because)
{
    const char *control_plane = NULL;
    json_t *span = NULL;
    json_object_foreach (json_object_get(policy, "span_objects"), control_plane, span) {
        if (only == NULL || same_control_plane(control_plane, only))
            remove_it(work, "span", json_string_value(span), policy, because);
    }
}

static void remove_policy(struct removals *work, const char *path, const json_t *policy)
{
    remove_spans(work, policy, NULL, "the policy goes: its spans first");
    remove_it(work, "policy", path, policy, "it protects nothing but what is gone");
    if (json_object_set_new(work->going, path, json_true()) != 0)
        work->failed = 1;
}

/* Only the policies of Antrea clusters may go with them: others may protect machines, too. */
static int is_of_antrea_only(const json_t *policy)
{
    const char *target = text_at(policy, "/target_type");
    return target == NULL || strcmp(target, "ANTREA") == 0;
}

static void judge_policy(struct removals *work, const char *path, const json_t *policy)
{
    const json_t *spans = json_object_get(policy, "spans");
    const json_t *scope = json_object_get(policy, "scope");
    const int spanned = names_control_plane(spans, work->control_plane);
    const int scoped = names_control_plane(scope, work->control_plane);
    const int in_rule = a_rule_names_it(work, policy);
    if (!spanned && !scoped && !in_rule)
        return;
    const int only_orphans = (json_array_size(spans) == 0 || all_are_orphans(work, spans)) &&
                             (!scoped || all_are_orphans(work, scope)) && (spanned || scoped);
    if (salvor_json_flag(policy, "/is_default", 0)) {
        tell(work, work->by_hand, path, policy, "a default policy is never removed");
    } else if (salvor_json_flag(policy, "/locked", 0)) {
        tell(work, work->by_hand, path, policy, "it is locked");
    } else if (only_orphans && is_of_antrea_only(policy)) {
        remove_policy(work, path, policy);
    } else if (only_orphans) {
        tell(work, work->by_hand, path, policy,
             "it protects more than Antrea clusters, and without its span it would reach further");
    } else if (scoped || in_rule) {
        tell(work, work->by_hand, path, policy,
             "its scope names the cluster beside others: without it a rule could reach further");
    } else {
        remove_spans(work, policy, work->control_plane,
                     "the policy stays for the clusters that live");
        tell(work, work->kept, path, policy, "it spans clusters that live");
    }
}

/* ---- groups -------------------------------------------------------------------------------------
 */

struct marking {
    struct removals *work;
    json_t *set;
};

static void mark_group(void *data, const char *path)
{
    struct marking *marking = data;
    if (json_object_set_new(marking->set, path, json_true()) != 0)
        marking->work->failed = 1;
}

static void mark_groups(struct removals *work)
{
    const char *path = NULL;
    json_t *policy = NULL;
    json_object_foreach (json_object_get(work->rule_set, "policies"), path, policy) {
        struct marking marking = {work, json_object_get(work->going, path) != NULL
                                            ? work->groups_touched
                                            : work->groups_in_use};
        each_group_of_policy(policy, mark_group, &marking);
    }
}

static int has_members_of_others(const struct removals *work, const json_t *group)
{
    const json_t *clusters = json_object_get(group, "clusters");
    const json_t *plane =
        picture_find(work->picture, CONTROL_PLANE_BY_ID, text_at(work->row, "/control_plane"));
    if (!json_is_array(clusters))
        return 1;
    for (size_t i = 0; i < json_array_size(clusters); i++) {
        if (!same_text(json_string_value(json_array_get(clusters, i)), text_at(plane, "/node_id")))
            return 1;
    }
    return 0;
}

static const char *why_group_stays(const struct removals *work, const char *path,
                                   const json_t *group)
{
    if (json_object_get(work->groups_in_use, path) != NULL)
        return "other policies or groups use it";
    if (salvor_json_flag(group, "/_system_owned", 0))
        return "it is the system's";
    if (has_members_of_others(work, group))
        return "it has members in other clusters, or nobody knows";
    return NULL;
}

/* A group that stays holds the groups that it nests: asked until nothing more is found. */
static void spread_use(struct removals *work)
{
    size_t before = 0;
    do {
        const char *path = NULL;
        json_t *group = NULL;
        before = json_object_size(work->groups_in_use);
        json_object_foreach (json_object_get(work->rule_set, "groups"), path, group) {
            struct marking marking = {work, work->groups_in_use};
            if (json_object_get(work->groups_touched, path) == NULL ||
                why_group_stays(work, path, group) != NULL)
                each_group_of_group(group, mark_group, &marking);
        }
    } while (json_object_size(work->groups_in_use) != before && !work->failed);
}

static void judge_groups(struct removals *work)
{
    const char *path = NULL;
    json_t *touched = NULL;
    mark_groups(work);
    spread_use(work);
    json_object_foreach (work->groups_touched, path, touched) {
        const json_t *group = json_object_get(json_object_get(work->rule_set, "groups"), path);
        const char *stays = group != NULL ? why_group_stays(work, path, group) : "it was not read";
        if (stays != NULL)
            tell(work, work->kept, path, group, stays);
        else
            remove_it(work, "group", path, group, "only policies that go used it");
    }
}

/* ---- registration -------------------------------------------------------------------------------
 */

static void judge_registration(struct removals *work)
{
    struct salvor_text path = SALVOR_TEXT_INIT(1000);
    const json_t *plane =
        picture_find(work->picture, CONTROL_PLANE_BY_ID, text_at(work->row, "/control_plane"));
    const json_t *principal =
        picture_find(work->picture, PRINCIPAL_BY_ID, text_at(work->row, "/principal"));
    const json_t *certificate = picture_certificate_of(work->picture, principal);
    if (plane != NULL)
        remove_it(work, "control-plane", work->control_plane, plane, "its cluster is gone");
    if (principal != NULL) {
        salvor_text_put(&path, BASE "/principal-identities/");
        salvor_text_encode(&path, text_at(principal, "/id"));
        if (salvor_text_get(&path) != NULL)
            remove_it(work, "principal", salvor_text_get(&path), principal, "its cluster is gone");
        work->failed |= salvor_text_get(&path) == NULL;
    }
    if (certificate != NULL) {
        salvor_text_reset(&path);
        salvor_text_put(&path, BASE "/certificates/");
        salvor_text_encode(&path, text_at(certificate, "/id"));
        if (salvor_text_get(&path) != NULL)
            remove_it(work, "certificate", salvor_text_get(&path), certificate,
                      "only this principal identity used it");
        work->failed |= salvor_text_get(&path) == NULL;
    }
    salvor_text_clear(&path);
}

/* ---- all of it ----------------------------------------------------------------------------------
 */

salvor_status removals_of(salvor_call *call, const struct picture *picture, const json_t *row,
                          const json_t *orphans, const json_t *rule_set, json_t **ret_removals)
{
    salvor_auto_json json_t *going = json_object();
    salvor_auto_json json_t *in_use = json_object();
    salvor_auto_json json_t *touched = json_object();
    const json_t *plane =
        picture_find(picture, CONTROL_PLANE_BY_ID, text_at(row, "/control_plane"));
    struct removals work = {.picture = picture,
                            .row = row,
                            .orphans = orphans,
                            .rule_set = rule_set,
                            .control_plane = text_at(plane, "/path"),
                            .list = json_array(),
                            .kept = json_array(),
                            .by_hand = json_array(),
                            .going = going,
                            .groups_in_use = in_use,
                            .groups_touched = touched};
    salvor_auto_json json_t *all = json_pack("{s:o, s:o, s:o}", "removals", work.list, "kept",
                                             work.kept, "by_hand", work.by_hand);
    if (all == NULL)
        return salvor_fail_memory(call, "what is to be removed");
    if (work.control_plane != NULL) {
        const char *path = NULL;
        json_t *policy = NULL;
        json_object_foreach (json_object_get(rule_set, "policies"), path, policy)
            judge_policy(&work, path, policy);
        judge_groups(&work);
    }
    judge_registration(&work);
    if (work.failed)
        return salvor_fail_memory(call, "what is to be removed");
    *ret_removals = json_incref(all);
    return SALVOR_OK;
}
