#include "types.h"

#include <stdlib.h>
#include <string.h>

#include "json-tree.h"

#include "base/banned.h"
#include "base/buffer.h"
#include "base/text.h"

static void type_free(struct kube_type *type)
{
    free(type->group);
    free(type->version);
    free(type->kind);
    free(type->list_kind);
    free(type->plural);
    free(type->singular);
    free(type->short_names);
    free(type->categories);
    free(type->warning);
    json_decref(type->field_labels);
    free(type);
}

void types_clear(struct types *types)
{
    for (size_t i = 0; i < types->count; i++)
        type_free(types->items[i]);
    for (size_t i = 0; i < types->retired_count; i++)
        type_free(types->retired[i]);
    free(types->items);
    free(types->retired);
    *types = (struct types){NULL, 0, NULL, 0};
}

static char *joined(const json_t *array)
{
    struct buffer text = BUFFER_INIT(4096);
    for (size_t i = 0; i < json_array_size(array); i++)
        buffer_format(&text, "%s%s", i > 0 ? " " : "", json_string_value(json_array_get(array, i)));
    return buffer_take(&text);
}

static int is_established(const json_t *crd)
{
    size_t i;
    json_t *condition;
    json_array_foreach (tree_at(crd, "status.conditions"), i, condition)
        if (text_equal(tree_text(condition, "type"), "Established") &&
            text_equal(tree_text(condition, "status"), "True"))
            return 1;
    return 0;
}

static void remove_custom(struct types *types, const char *group, const char *plural)
{
    size_t kept = 0;
    for (size_t i = 0; i < types->count; i++) {
        struct kube_type *type = types->items[i];
        if ((type->flags & TYPE_CUSTOM) != 0 && text_equal(type->group, group) &&
            text_equal(type->plural, plural)) {
            types->retired = memory_resize(types->retired, types->retired_count + 1, sizeof type);
            types->retired[types->retired_count++] = type;
        } else {
            types->items[kept++] = type;
        }
    }
    types->count = kept;
}

static json_t *selectable_fields(const json_t *version)
{
    json_t *labels = json_array();
    size_t i;
    json_t *field;
    json_array_foreach (tree_at(version, "selectableFields"), i, field) {
        const char *path = tree_text(field, "jsonPath");
        if (path != NULL && path[0] == '.')
            json_array_append_new(labels, json_string(path + 1));
    }
    return labels;
}

static char *deprecation_warning(const json_t *crd, const json_t *version)
{
    const char *given = tree_text(version, "deprecationWarning");
    const char *group = tree_text(crd, "spec.group"), *kind = tree_text(crd, "spec.names.kind");
    const char *name = tree_text(version, "name"), *best = NULL;
    size_t i;
    json_t *other;
    if (given != NULL)
        return text_copy(given);
    json_array_foreach (tree_at(crd, "spec.versions"), i, other) {
        const char *candidate = tree_text(other, "name");
        if (tree_is_true(other, "served") && !tree_is_true(other, "deprecated") &&
            types_version_rank(candidate) > types_version_rank(name) &&
            (best == NULL || types_version_rank(candidate) > types_version_rank(best)))
            best = candidate;
    }
    if (best == NULL)
        return text_format("%s/%s %s is deprecated", group, name, kind);
    return text_format("%s/%s %s is deprecated; use %s/%s %s", group, name, kind, group, best,
                       kind);
}

static void add_custom(struct types *types, struct store *store, const json_t *crd,
                       const json_t *version)
{
    const char *group = tree_text(crd, "spec.group");
    const char *plural = tree_text(crd, "spec.names.plural");
    const char *kind = tree_text(crd, "spec.names.kind");
    const char *name = tree_text(version, "name");
    const char *list_kind = tree_text(crd, "spec.names.listKind");
    const char *singular = tree_text(crd, "spec.names.singular");
    unsigned flags = TYPE_CUSTOM | TYPE_GENERATION;
    if (text_equal(tree_text(crd, "spec.scope"), "Namespaced"))
        flags |= TYPE_NAMESPACED;
    if (tree_at(version, "subresources.status") != NULL)
        flags |= TYPE_STATUS;
    if (tree_at(version, "subresources.scale") != NULL)
        flags |= TYPE_SCALE;
    struct kube_type *type = memory_new(1, sizeof *type);
    *type = (struct kube_type){.group = text_copy(group),
                               .version = text_copy(name),
                               .kind = text_copy(kind),
                               .list_kind = list_kind != NULL ? text_copy(list_kind)
                                                              : text_format("%sList", kind),
                               .plural = text_copy(plural),
                               .singular = text_copy(singular != NULL ? singular : ""),
                               .short_names = joined(tree_at(crd, "spec.names.shortNames")),
                               .categories = joined(tree_at(crd, "spec.names.categories")),
                               .field_labels = selectable_fields(version),
                               .table = store_table(store, group, plural)};
    if (tree_is_true(version, "deprecated")) {
        flags |= TYPE_DEPRECATED;
        type->warning = deprecation_warning(crd, version);
    }
    type->flags = flags;
    types->items = memory_resize(types->items, types->count + 1, sizeof(void *));
    types->items[types->count++] = type;
}

void types_set_custom(struct types *types, struct store *store, const char *crd_name,
                      const json_t *crd)
{
    const char *dot = strchr(crd_name, '.');
    if (dot == NULL)
        return;
    char *plural = text_copy_span(crd_name, (size_t)(dot - crd_name));
    remove_custom(types, dot + 1, plural);
    free(plural);
    if (crd == NULL || !is_established(crd))
        return;
    size_t i;
    json_t *version;
    json_array_foreach (tree_at(crd, "spec.versions"), i, version)
        if (tree_is_true(version, "served"))
            add_custom(types, store, crd, version);
}

const struct kube_type *types_find(const struct types *types, const char *group,
                                   const char *version, const char *plural)
{
    for (size_t i = 0; i < types->count; i++)
        if (text_equal(types->items[i]->plural, plural) &&
            text_equal(types->items[i]->version, version) &&
            text_equal(types->items[i]->group, group))
            return types->items[i];
    return NULL;
}

const struct kube_type *types_find_group(const struct types *types, const char *group,
                                         const char *plural)
{
    for (size_t i = 0; i < types->count; i++)
        if (text_equal(types->items[i]->plural, plural) &&
            text_equal(types->items[i]->group, group))
            return types->items[i];
    return NULL;
}

const struct kube_type *types_find_kind(const struct types *types, const char *api_version,
                                        const char *kind)
{
    for (size_t i = 0; i < types->count; i++) {
        const struct kube_type *type = types->items[i];
        if (!text_equal(type->kind, kind))
            continue;
        char *own = types_api_version(type);
        int same = text_equal(own, api_version);
        free(own);
        if (same)
            return type;
    }
    return NULL;
}

char *types_api_version(const struct kube_type *type)
{
    return type->group[0] == '\0' ? text_copy(type->version)
                                  : text_format("%s/%s", type->group, type->version);
}

/* What field selectors may name beyond metadata.name and metadata.namespace. */
static const struct {
    const char *group, *plural, *field;
} builtin_fields[] = {
    {"", "secrets", "type"},
    {"", "pods", "spec.nodeName"},
    {"", "pods", "spec.restartPolicy"},
    {"", "pods", "spec.schedulerName"},
    {"", "pods", "spec.serviceAccountName"},
    {"", "pods", "spec.hostNetwork"},
    {"", "pods", "status.phase"},
    {"", "pods", "status.podIP"},
    {"", "pods", "status.nominatedNodeName"},
    {"", "namespaces", "status.phase"},
    {"", "nodes", "spec.unschedulable"},
    {"", "services", "spec.clusterIP"},
    {"", "services", "spec.type"},
    {"", "events", "involvedObject.kind"},
    {"", "events", "involvedObject.namespace"},
    {"", "events", "involvedObject.name"},
    {"", "events", "involvedObject.uid"},
    {"", "events", "involvedObject.apiVersion"},
    {"", "events", "reason"},
    {"", "events", "type"},
    {"apps", "replicasets", "status.replicas"},
    {"batch", "jobs", "status.successful"},
    {"certificates.k8s.io", "certificatesigningrequests", "spec.signerName"},
};

static char *field_value(const json_t *object, const char *field)
{
    const json_t *value = tree_at(object, field);
    if (json_is_string(value))
        return text_copy(json_string_value(value));
    if (json_is_integer(value))
        return text_format("%lld", (long long)json_integer_value(value));
    if (json_is_boolean(value))
        return text_copy(json_is_true(value) ? "true" : "false");
    if (text_equal(field, "spec.unschedulable") || text_equal(field, "spec.hostNetwork"))
        return text_copy("false");
    return text_copy("");
}

static void add_field(json_t **fields, const json_t *object, const char *field)
{
    char *value = field_value(object, field);
    if (*fields == NULL)
        *fields = json_object();
    json_object_set_new(*fields, field, json_string(value));
    free(value);
}

json_t *types_fields_of(const struct store_table *table, const json_t *object)
{
    json_t *fields = NULL;
    int builtin = 0;
    for (size_t i = 0; i < sizeof builtin_fields / sizeof *builtin_fields; i++)
        if (text_equal(builtin_fields[i].plural, table->plural) &&
            text_equal(builtin_fields[i].group, table->group)) {
            add_field(&fields, object, builtin_fields[i].field);
            builtin = 1;
        }
    if (builtin || strchr(table->group, '.') == NULL)
        return fields;
    /* Selectable fields of a custom type lie anywhere below spec; keep its plain values. */
    const char *key;
    json_t *value;
    json_object_foreach (tree_at(object, "spec"), key, value)
        if (json_is_string(value) || json_is_integer(value) || json_is_boolean(value)) {
            char *field = text_format("spec.%s", key);
            add_field(&fields, object, field);
            free(field);
        }
    return fields;
}

int types_has_field(const struct kube_type *type, const char *field)
{
    if (text_equal(field, "metadata.name") ||
        (text_equal(field, "metadata.namespace") &&
         (type->flags & (TYPE_NAMESPACED | TYPE_CUSTOM)) != 0))
        return 1;
    if (tree_array_has(type->field_labels, field))
        return 1;
    for (size_t i = 0; i < sizeof builtin_fields / sizeof *builtin_fields; i++)
        if (text_equal(builtin_fields[i].field, field) &&
            text_equal(builtin_fields[i].plural, type->plural) &&
            text_equal(builtin_fields[i].group, type->group))
            return 1;
    return 0;
}

int types_version_rank(const char *version)
{
    char *end;
    if (version[0] != 'v')
        return 0;
    int major = (int)strtol(version + 1, &end, 10);
    int stage = 3, minor = 0;
    if (text_starts(end, "beta"))
        stage = 2, minor = (int)strtol(end + 4, NULL, 10);
    else if (text_starts(end, "alpha"))
        stage = 1, minor = (int)strtol(end + 5, NULL, 10);
    return stage * 1000000 + major * 1000 + minor;
}
