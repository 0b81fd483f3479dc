#include "net/kube-resources.h"

#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"

json_t *kube_resources_new(void)
{
    return json_make("{s:[],s:[],s:[]}", "groups", "resources", "unavailable");
}

void kube_resources_add_group(json_t *resources, const char *group, const json_t *versions)
{
    json_add(json_object_get(resources, "groups"),
             json_make("{s:s,s:o}", "group", group, "versions", json_clone(versions)));
}

void kube_resources_add_unavailable(json_t *resources, const char *group, const char *version,
                                    const char *reason)
{
    json_add(json_object_get(resources, "unavailable"),
             json_make("{s:s,s:s,s:s}", "group", group, "version", version, "reason", reason));
}

static int is_preferred(const json_t *resources, const char *group, const char *version)
{
    size_t index = 0;
    json_t *entry = NULL;
    json_array_foreach (json_object_get(resources, "groups"), index, entry) {
        if (text_equal(json_text(entry, "group"), group))
            return text_equal(
                json_string_value(json_array_get(json_object_get(entry, "versions"), 0)), version);
    }
    return 0;
}

/* A list of texts, empty when it is not there. */
static json_t *texts(const json_t *object, const char *key)
{
    const json_t *list = json_object_get(object, key);
    return json_is_array(list) ? json_clone(list) : json_make("[]");
}

static const char *text_or(const json_t *object, const char *key, const char *otherwise)
{
    const char *text = json_text(object, key);
    return text != NULL ? text : otherwise;
}

/* A resource without sub-resources yet; borrowed. */
static json_t *add_resource(json_t *resources, const char *group, const char *version,
                            const char *name, const char *kind, int namespaced, json_t *verbs)
{
    json_t *resource =
        json_make("{s:s,s:s,s:s,s:s,s:b,s:b,s:o,s:[]}", "group", group, "version", version,
                  "resource", name, "kind", kind, "namespaced", namespaced, "preferred",
                  is_preferred(resources, group, version), "verbs", verbs, "subresources");
    json_add(json_object_get(resources, "resources"), resource);
    return resource;
}

static void add_names(json_t *resource, const json_t *from, const char *singular)
{
    json_put_text(resource, "singular", text_or(from, singular, ""));
    json_put(resource, "short_names", texts(from, "shortNames"));
    json_put(resource, "categories", texts(from, "categories"));
}

static void add_subresource(json_t *resource, const char *name, const char *kind, json_t *verbs)
{
    json_add(json_object_get(resource, "subresources"),
             json_make("{s:s,s:s,s:o}", "name", name, "kind", kind, "verbs", verbs));
}

/* ---- aggregated ------------------------------------------------------------------------------ */

static const char *kind_of(const json_t *entry)
{
    return text_or(json_object_get(entry, "responseKind"), "kind", "");
}

static void add_version(json_t *resources, const char *group, const json_t *version)
{
    const char *name = text_or(version, "version", "");
    size_t index = 0;
    json_t *entry = NULL;
    if (text_equal(json_text(version, "freshness"), "Stale"))
        kube_resources_add_unavailable(resources, group, name,
                                       "its server does not answer the API server");
    json_array_foreach (json_object_get(version, "resources"), index, entry) {
        json_t *resource = add_resource(
            resources, group, name, text_or(entry, "resource", ""), kind_of(entry),
            text_equal(json_text(entry, "scope"), "Namespaced"), texts(entry, "verbs"));
        size_t sub_index = 0;
        json_t *sub = NULL;
        add_names(resource, entry, "singularResource");
        json_array_foreach (json_object_get(entry, "subresources"), sub_index, sub)
            add_subresource(resource, text_or(sub, "subresource", ""), kind_of(sub),
                            texts(sub, "verbs"));
    }
}

int kube_resources_add_aggregated(json_t *resources, const json_t *list, struct error *reterr)
{
    const json_t *items = json_object_get(list, "items");
    size_t index = 0;
    json_t *item = NULL;
    if (!text_equal(json_text(list, "kind"), "APIGroupDiscoveryList") ||
        (items != NULL && !json_is_array(items) && !json_is_null(items)))
        return error_set(reterr, EXIT_FAILED, "the answer is no list of API groups");
    json_array_foreach (items, index, item) {
        const char *group = text_or(json_object_get(item, "metadata"), "name", "");
        const json_t *versions = json_object_get(item, "versions");
        cleanup_json json_t *names = json_make("[]");
        size_t version_index = 0;
        json_t *version = NULL;
        json_array_foreach (versions, version_index, version)
            json_add(names, json_string(text_or(version, "version", "")));
        kube_resources_add_group(resources, group, names);
        json_array_foreach (versions, version_index, version)
            add_version(resources, group, version);
    }
    return 0;
}

/* ---- one document a version ------------------------------------------------------------------ */

int kube_resources_add_legacy(json_t *resources, const char *group, const char *version,
                              const json_t *list, struct error *reterr)
{
    const json_t *entries = json_object_get(list, "resources");
    cleanup_json json_t *named = json_make("{}"); /* name -> resource, borrowed */
    size_t index = 0;
    json_t *entry = NULL;
    if (!text_equal(json_text(list, "kind"), "APIResourceList") ||
        (entries != NULL && !json_is_array(entries) && !json_is_null(entries)))
        return error_set(reterr, EXIT_FAILED, "the answer is no list of API resources");
    json_array_foreach (entries, index, entry) {
        const char *name = text_or(entry, "name", "");
        if (strchr(name, '/') != NULL)
            continue;
        json_t *resource = add_resource(resources, group, version, name, text_or(entry, "kind", ""),
                                        json_flag(entry, "namespaced"), texts(entry, "verbs"));
        add_names(resource, entry, "singularName");
        json_put(named, name, json_incref(resource));
    }
    json_array_foreach (entries, index, entry) {
        const char *name = text_or(entry, "name", "");
        const char *slash = strchr(name, '/');
        if (slash == NULL)
            continue;
        cleanup_free char *parent = text_copy_span(name, (size_t)(slash - name));
        json_t *resource = json_object_get(named, parent);
        if (resource != NULL)
            add_subresource(resource, slash + 1, text_or(entry, "kind", ""), texts(entry, "verbs"));
    }
    return 0;
}
