#include "discovery.h"

#include <stdlib.h>
#include <string.h>

#include "json-tree.h"
#include "status.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

static json_t *words(const char *text)
{
    json_t *array = json_array();
    while (*text != '\0') {
        text += strspn(text, " ");
        size_t size = strcspn(text, " ");
        if (size > 0)
            json_array_append_new(array, json_stringn(text, size));
        text += size;
    }
    return array;
}

static json_t *verbs_of(const struct kube_type *type)
{
    if ((type->flags & TYPE_CREATE_ONLY) != 0)
        return words("create");
    if (strcmp(type->plural, "namespaces") == 0)
        return words("create delete get list patch update watch");
    return words("create delete deletecollection get list patch update watch");
}

/* Calls `add` for the subresources of the type: name, kind, verbs. */
struct subresource {
    unsigned flag;
    const char *name, *verbs;
};
static const struct subresource subresources[] = {
    {TYPE_FINALIZE, "finalize", "update"},
    {TYPE_SCALE, "scale", "get patch update"},
    {TYPE_STATUS, "status", "get patch update"},
};

static json_t *resource_entry(const struct kube_type *type, const struct subresource *sub)
{
    cleanup_free char *name =
        sub == NULL ? text_copy(type->plural) : text_format("%s/%s", type->plural, sub->name);
    int scale = sub != NULL && sub->flag == TYPE_SCALE;
    json_t *entry =
        json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", name, "singularName",
                  sub == NULL ? type->singular : "", "namespaced",
                  (type->flags & TYPE_NAMESPACED) != 0, "kind", scale ? "Scale" : type->kind,
                  "verbs", sub == NULL ? verbs_of(type) : words(sub->verbs));
    if (scale) {
        tree_set_text(entry, "group", "autoscaling");
        tree_set_text(entry, "version", "v1");
    }
    if (sub == NULL && type->short_names[0] != '\0')
        tree_set(entry, "shortNames", words(type->short_names));
    if (sub == NULL && type->categories[0] != '\0')
        tree_set(entry, "categories", words(type->categories));
    return entry;
}

static json_t *resource_list(const struct sim_kube *sim, const char *group, const char *version)
{
    json_t *resources = json_array();
    for (size_t i = 0; i < sim->types.count; i++) {
        const struct kube_type *type = sim->types.items[i];
        if (strcmp(type->group, group) != 0 || strcmp(type->version, version) != 0)
            continue;
        json_array_append_new(resources, resource_entry(type, NULL));
        for (size_t s = 0; s < sizeof subresources / sizeof *subresources; s++)
            if ((type->flags & subresources[s].flag) != 0)
                json_array_append_new(resources, resource_entry(type, &subresources[s]));
    }
    if (json_array_size(resources) == 0) {
        json_decref(resources);
        return NULL;
    }
    cleanup_free char *group_version =
        group[0] == '\0' ? text_copy(version) : text_format("%s/%s", group, version);
    return json_pack("{s:s, s:s, s:s, s:o}", "kind", "APIResourceList", "apiVersion", "v1",
                     "groupVersion", group_version, "resources", resources);
}

/* Names of the groups that have types, in order of appearance. */
static json_t *group_names(const struct sim_kube *sim)
{
    json_t *names = json_array();
    for (size_t i = 0; i < sim->types.count; i++) {
        const char *group = sim->types.items[i]->group;
        if (group[0] != '\0' && !tree_array_has(names, group))
            json_array_append_new(names, json_string(group));
    }
    return names;
}

/* Versions of the group, best first. */
static json_t *version_names(const struct sim_kube *sim, const char *group)
{
    json_t *names = json_array();
    for (size_t i = 0; i < sim->types.count; i++) {
        const struct kube_type *type = sim->types.items[i];
        if (strcmp(type->group, group) != 0 || tree_array_has(names, type->version))
            continue;
        size_t at = 0;
        while (at < json_array_size(names) &&
               types_version_rank(json_string_value(json_array_get(names, at))) >=
                   types_version_rank(type->version))
            at++;
        json_array_insert_new(names, at, json_string(type->version));
    }
    return names;
}

static json_t *group_entry(const struct sim_kube *sim, const char *group)
{
    cleanup_json json_t *versions = version_names(sim, group);
    if (json_array_size(versions) == 0)
        return NULL;
    json_t *entry = json_pack("{s:s, s:[]}", "name", group, "versions");
    size_t i;
    json_t *version;
    json_array_foreach (versions, i, version) {
        cleanup_free char *group_version = text_format("%s/%s", group, json_string_value(version));
        json_array_append_new(
            tree_at(entry, "versions"),
            json_pack("{s:s, s:O}", "groupVersion", group_version, "version", version));
        if (i == 0)
            tree_set(entry, "preferredVersion",
                     json_pack("{s:s, s:O}", "groupVersion", group_version, "version", version));
    }
    return entry;
}

static json_t *group_list(const struct sim_kube *sim)
{
    json_t *groups = json_array();
    cleanup_json json_t *names = group_names(sim);
    size_t i;
    json_t *name;
    json_array_foreach (names, i, name)
        json_array_append_new(groups, group_entry(sim, json_string_value(name)));
    return json_pack("{s:s, s:s, s:o}", "kind", "APIGroupList", "apiVersion", "v1", "groups",
                     groups);
}

static json_t *aggregated_resource(const struct kube_type *type)
{
    json_t *entry = json_pack("{s:s, s:{s:s, s:s, s:s}, s:s, s:s, s:o}", "resource", type->plural,
                              "responseKind", "group", type->group, "version", type->version,
                              "kind", type->kind, "scope",
                              (type->flags & TYPE_NAMESPACED) != 0 ? "Namespaced" : "Cluster",
                              "singularResource", type->singular, "verbs", verbs_of(type));
    if (type->short_names[0] != '\0')
        tree_set(entry, "shortNames", words(type->short_names));
    if (type->categories[0] != '\0')
        tree_set(entry, "categories", words(type->categories));
    for (size_t s = 0; s < sizeof subresources / sizeof *subresources; s++) {
        const struct subresource *sub = &subresources[s];
        if ((type->flags & sub->flag) == 0)
            continue;
        int scale = sub->flag == TYPE_SCALE;
        if (tree_at(entry, "subresources") == NULL)
            tree_set(entry, "subresources", json_array());
        json_array_append_new(tree_at(entry, "subresources"),
                              json_pack("{s:s, s:{s:s, s:s, s:s}, s:o}", "subresource", sub->name,
                                        "responseKind", "group",
                                        scale ? "autoscaling" : type->group, "version",
                                        scale ? "v1" : type->version, "kind",
                                        scale ? "Scale" : type->kind, "verbs", words(sub->verbs)));
    }
    return entry;
}

static json_t *aggregated_version(const struct sim_kube *sim, const char *group,
                                  const char *version)
{
    json_t *resources = json_array();
    for (size_t i = 0; i < sim->types.count; i++) {
        const struct kube_type *type = sim->types.items[i];
        if (strcmp(type->group, group) == 0 && strcmp(type->version, version) == 0)
            json_array_append_new(resources, aggregated_resource(type));
    }
    return json_pack("{s:s, s:o, s:s}", "version", version, "resources", resources, "freshness",
                     "Current");
}

static json_t *aggregated_group(const struct sim_kube *sim, const char *group)
{
    json_t *entry = json_pack("{s:{s:n}, s:[]}", "metadata", "creationTimestamp", "versions");
    if (group[0] != '\0')
        tree_set_text(entry, "metadata.name", group);
    cleanup_json json_t *versions = version_names(sim, group);
    size_t i;
    json_t *version;
    json_array_foreach (versions, i, version)
        json_array_append_new(tree_at(entry, "versions"),
                              aggregated_version(sim, group, json_string_value(version)));
    return entry;
}

static json_t *aggregated(const struct sim_kube *sim, int core)
{
    json_t *items = json_array();
    if (core) {
        json_array_append_new(items, aggregated_group(sim, ""));
    } else {
        cleanup_json json_t *names = group_names(sim);
        size_t i;
        json_t *name;
        json_array_foreach (names, i, name)
            json_array_append_new(items, aggregated_group(sim, json_string_value(name)));
    }
    return json_pack("{s:s, s:s, s:{}, s:o}", "kind", "APIGroupDiscoveryList", "apiVersion",
                     "apidiscovery.k8s.io/v2", "metadata", "items", items);
}

static int wants_aggregated(const struct sim_request *request)
{
    return request->accept != NULL && strstr(request->accept, "g=apidiscovery.k8s.io") != NULL &&
           strstr(request->accept, "v=v2") != NULL &&
           strstr(request->accept, "as=APIGroupDiscoveryList") != NULL;
}

static void answer_root(const struct sim_kube *sim, const struct sim_request *request,
                        struct sim_answer *answer, int core)
{
    if (wants_aggregated(request)) {
        answer_json(answer, 200, aggregated(sim, core));
        answer->content_type =
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    } else if (core) {
        cleanup_free char *address = text_format("127.0.0.1:%u", sim->port);
        answer_json(answer, 200,
                    json_pack("{s:s, s:[s], s:[{s:s, s:s}]}", "kind", "APIVersions", "versions",
                              "v1", "serverAddressByClientCIDRs", "clientCIDR", "0.0.0.0/0",
                              "serverAddress", address));
    } else {
        answer_json(answer, 200, group_list(sim));
    }
}

static json_t *version_info(const struct sim_kube *sim)
{
    const char *dot = strchr(sim->version, '.');
    cleanup_free char *major =
        text_copy_span(sim->version + 1, dot == NULL ? 0 : (size_t)(dot - sim->version - 1));
    cleanup_free char *minor =
        dot == NULL ? text_copy("") : text_copy_span(dot + 1, strspn(dot + 1, "0123456789"));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "major", major, "minor",
                     minor, "gitVersion", sim->version, "gitCommit",
                     "0000000000000000000000000000000000000000", "gitTreeState", "clean",
                     "buildDate", "2026-01-01T00:00:00Z", "goVersion", "none", "compiler", "none",
                     "platform", "linux/amd64");
}

/* /apis/G and /apis/G/V. */
static int answer_group(const struct sim_kube *sim, struct sim_answer *answer, const char *rest)
{
    const char *slash = strchr(rest, '/');
    cleanup_free char *group =
        text_copy_span(rest, slash == NULL ? strlen(rest) : (size_t)(slash - rest));
    if (slash != NULL && strchr(slash + 1, '/') != NULL)
        return -1;
    json_t *tree;
    if (slash == NULL || slash[1] == '\0') {
        tree = group_entry(sim, group);
        if (tree != NULL) {
            tree_set_text(tree, "kind", "APIGroup");
            tree_set_text(tree, "apiVersion", "v1");
        }
    } else {
        tree = resource_list(sim, group, slash + 1);
    }
    if (tree == NULL)
        return -1;
    answer_json(answer, 200, tree);
    return 0;
}

int discovery_answer(const struct sim_kube *sim, const struct sim_request *request,
                     struct sim_answer *answer)
{
    const char *path = request->path;
    if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0)
        return -1;
    if (strcmp(path, "/healthz") == 0 || strcmp(path, "/livez") == 0 ||
        strcmp(path, "/readyz") == 0)
        answer_text(answer, 200, "ok");
    else if (strcmp(path, "/version") == 0)
        answer_json(answer, 200, version_info(sim));
    else if (strcmp(path, "/api") == 0 || strcmp(path, "/api/") == 0)
        answer_root(sim, request, answer, 1);
    else if (strcmp(path, "/apis") == 0 || strcmp(path, "/apis/") == 0)
        answer_root(sim, request, answer, 0);
    else if (strcmp(path, "/api/v1") == 0)
        answer_json(answer, 200, resource_list(sim, "", "v1"));
    else if (text_starts(path, "/apis/"))
        return answer_group(sim, answer, path + 6);
    else
        return -1;
    return 0;
}
