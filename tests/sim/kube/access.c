#include "access.h"

#include <stdlib.h>
#include <string.h>

#include "json-tree.h"
#include "status.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

static const char masters[] = "system:masters";

static int identify_token(struct sim_kube *sim, struct sim_request *request)
{
    const char *token = request->authorization;
    if (token == NULL || strncasecmp(token, "Bearer ", 7) != 0)
        return -1;
    token += 7;
    if (text_equal(token, sim->admin_token)) {
        request->user = sim->admin;
        return 0;
    }
    for (size_t i = 0; i < sim->token_count; i++)
        if (strcmp(sim->tokens[i].token, token) == 0) {
            request->user = (struct sim_user){sim->tokens[i].user, sim->tokens[i].groups};
            return 0;
        }
    return -1;
}

static int may_impersonate(struct sim_kube *sim, const struct sim_user *user, const char *what,
                           const char *name, struct sim_answer *answer)
{
    struct access_question question = {.verb = "impersonate",
                                       .group = "",
                                       .plural = what,
                                       .subresource = "",
                                       .space = "",
                                       .name = name};
    if (access_allows(sim, user, &question))
        return 1;
    answer_status(answer, access_refusal(user, &question));
    return 0;
}

static int impersonate(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer)
{
    const struct sim_user user = request->user;
    const char *name = request->impersonate_user;
    static const char account[] = "system:serviceaccount:";
    const char *what = text_starts(name, account) ? "serviceaccounts" : "users";
    const char *short_name = strrchr(name, ':');
    if (!may_impersonate(sim, &user, what,
                         what[0] == 's' && short_name != NULL ? short_name + 1 : name, answer))
        return -1;
    size_t i;
    json_t *group;
    json_array_foreach (request->impersonate_groups, i, group)
        if (!may_impersonate(sim, &user, "groups", json_string_value(group), answer))
            return -1;
    if (request->impersonate_groups == NULL)
        request->impersonate_groups = json_array();
    json_array_append_new(request->impersonate_groups, json_string("system:authenticated"));
    request->user = (struct sim_user){name, request->impersonate_groups};
    return 0;
}

int access_identify(struct sim_kube *sim, struct sim_request *request, struct sim_answer *answer)
{
    int open = sim->admin_token == NULL;
    request->user = sim->admin;
    if (request->certificate_user != NULL)
        request->user = (struct sim_user){request->certificate_user, request->certificate_groups};
    else if (!request->is_own && (request->authorization != NULL || !open) &&
             identify_token(sim, request) != 0) {
        request->user = (struct sim_user){"system:anonymous", sim->anonymous_groups};
        answer_status(answer, status_failure(401, "Unauthorized", NULL, "Unauthorized"));
        return -1;
    }
    if (request->impersonate_user != NULL)
        return impersonate(sim, request, answer);
    return 0;
}

static int is_member(const struct sim_user *user, const json_t *subject)
{
    const char *kind = tree_text(subject, "kind");
    const char *name = tree_text(subject, "name");
    if (name == NULL || kind == NULL)
        return 0;
    if (strcmp(kind, "User") == 0)
        return text_equal(user->name, name);
    if (strcmp(kind, "Group") == 0)
        return tree_array_has(user->groups, name);
    const char *space = tree_text(subject, "namespace");
    cleanup_free char *account =
        text_format("system:serviceaccount:%s:%s", space == NULL ? "" : space, name);
    return text_equal(user->name, account);
}

static int binds(const struct sim_user *user, const json_t *binding)
{
    size_t i;
    json_t *subject;
    json_array_foreach (tree_at(binding, "subjects"), i, subject)
        if (is_member(user, subject))
            return 1;
    return 0;
}

/* Visits the rules of the role a binding names; non-zero ends. */
static int visit_role(struct sim_kube *sim, const json_t *binding, const char *space,
                      access_rule_visitor *each, void *context)
{
    int cluster = text_equal(tree_text(binding, "roleRef.kind"), "ClusterRole");
    const char *name = tree_text(binding, "roleRef.name");
    struct store_table *table =
        store_table(sim->store, "rbac.authorization.k8s.io", cluster ? "clusterroles" : "roles");
    cleanup_free char *key = object_key(cluster ? "" : space, name == NULL ? "" : name);
    const struct store_object *role = store_get(table, key);
    if (role == NULL)
        return 0;
    cleanup_json json_t *tree = store_object_tree(role);
    size_t i;
    json_t *rule;
    json_array_foreach (json_object_get(tree, "rules"), i, rule)
        if (each(rule, context))
            return 1;
    return 0;
}

static int visit_bindings(struct sim_kube *sim, const struct sim_user *user, const char *plural,
                          const char *space, access_rule_visitor *each, void *context)
{
    struct store_table *table = store_table(sim->store, "rbac.authorization.k8s.io", plural);
    cleanup_free char *prefix = space[0] == '\0' ? text_copy("") : text_format("%s/", space);
    struct store_cursor cursor;
    const struct store_object *state;
    const char *key;
    store_walk(&cursor, table, sim->store->revision, prefix, prefix);
    while ((state = store_walk_next(&cursor, &key)) != NULL) {
        cleanup_json json_t *binding = store_object_tree(state);
        if (binds(user, binding) && visit_role(sim, binding, space, each, context))
            return 1;
    }
    return 0;
}

void access_visit_rules(struct sim_kube *sim, const struct sim_user *user, const char *space,
                        access_rule_visitor *each, void *context)
{
    if (tree_array_has(user->groups, masters)) {
        cleanup_json json_t *all =
            json_pack("{s:[s], s:[s], s:[s]}", "verbs", "*", "apiGroups", "*", "resources", "*");
        cleanup_json json_t *urls =
            json_pack("{s:[s], s:[s]}", "verbs", "*", "nonResourceURLs", "*");
        if (!each(all, context))
            each(urls, context);
        return;
    }
    /* What every signed-in user of a real cluster may: discovery, health, the own reviews. */
    cleanup_json json_t *discovery = json_pack(
        "{s:[s], s:[s,s,s,s,s,s,s,s,s]}", "verbs", "get", "nonResourceURLs", "/api", "/api/*",
        "/apis", "/apis/*", "/healthz", "/livez", "/readyz", "/version", "/version/");
    cleanup_json json_t *reviews =
        json_pack("{s:[s], s:[s], s:[s,s]}", "verbs", "create", "apiGroups", "authorization.k8s.io",
                  "resources", "selfsubjectaccessreviews", "selfsubjectrulesreviews");
    cleanup_json json_t *self =
        json_pack("{s:[s], s:[s], s:[s]}", "verbs", "create", "apiGroups", "authentication.k8s.io",
                  "resources", "selfsubjectreviews");
    if (each(discovery, context) || each(reviews, context) || each(self, context))
        return;
    if (!visit_bindings(sim, user, "clusterrolebindings", "", each, context) && space[0] != '\0')
        visit_bindings(sim, user, "rolebindings", space, each, context);
}

static int has_word(const json_t *rule, const char *member, const char *word)
{
    const json_t *array = json_object_get(rule, member);
    return tree_array_has(array, "*") || tree_array_has(array, word);
}

static int path_matches(const json_t *rule, const char *path)
{
    size_t i;
    json_t *value;
    json_array_foreach (json_object_get(rule, "nonResourceURLs"), i, value) {
        const char *pattern = json_string_value(value);
        size_t size = strlen(pattern);
        if (strcmp(pattern, path) == 0 ||
            (size > 0 && pattern[size - 1] == '*' && strncmp(pattern, path, size - 1) == 0))
            return 1;
    }
    return 0;
}

struct verdict {
    const struct access_question *question;
    int allowed;
};

static int judge(const json_t *rule, void *context)
{
    struct verdict *verdict = context;
    const struct access_question *question = verdict->question;
    if (!has_word(rule, "verbs", question->verb))
        return 0;
    if (question->path != NULL) {
        verdict->allowed = path_matches(rule, question->path);
        return verdict->allowed;
    }
    cleanup_free char *any = text_format("*/%s", question->subresource);
    cleanup_free char *full = question->subresource[0] == '\0'
                                  ? text_copy(question->plural)
                                  : text_format("%s/%s", question->plural, question->subresource);
    const json_t *names = json_object_get(rule, "resourceNames");
    verdict->allowed = has_word(rule, "apiGroups", question->group) &&
                       (has_word(rule, "resources", full) ||
                        (question->subresource[0] != '\0' && has_word(rule, "resources", any))) &&
                       (json_array_size(names) == 0 || tree_array_has(names, question->name));
    return verdict->allowed;
}

int access_allows(struct sim_kube *sim, const struct sim_user *user,
                  const struct access_question *question)
{
    if (tree_array_has(user->groups, masters))
        return 1;
    struct verdict verdict = {question, 0};
    access_visit_rules(sim, user, question->space, judge, &verdict);
    return verdict.allowed;
}

json_t *access_refusal(const struct sim_user *user, const struct access_question *question)
{
    if (question->path != NULL)
        return status_failure(403, "Forbidden", json_object(),
                              "forbidden: User \"%s\" cannot %s path \"%s\"", user->name,
                              question->verb, question->path);
    cleanup_free char *what = question->group[0] == '\0'
                                  ? text_copy(question->plural)
                                  : text_format("%s.%s", question->plural, question->group);
    cleanup_free char *full = question->subresource[0] == '\0'
                                  ? text_copy(question->plural)
                                  : text_format("%s/%s", question->plural, question->subresource);
    cleanup_free char *named = question->name[0] == '\0'
                                   ? text_copy(what)
                                   : text_format("%s \"%s\"", what, question->name);
    cleanup_free char *where = question->space[0] == '\0'
                                   ? text_copy("at the cluster scope")
                                   : text_format("in the namespace \"%s\"", question->space);
    json_t *details = json_pack("{s:s}", "kind", question->plural);
    if (question->name[0] != '\0')
        tree_set_text(details, "name", question->name);
    if (question->group[0] != '\0')
        tree_set_text(details, "group", question->group);
    return status_failure(403, "Forbidden", details,
                          "%s is forbidden: User \"%s\" cannot %s resource \"%s\" in API group "
                          "\"%s\" %s",
                          named, user->name, question->verb, full, question->group, where);
}
