#include "strategy.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "json-tree.h"
#include "status.h"

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "json-text.h"

static int is_type(const struct kube_type *type, const char *group, const char *plural)
{
    return strcmp(type->group, group) == 0 && strcmp(type->plural, plural) == 0;
}

static void set_default(json_t *object, const char *path, json_t *value)
{
    if (tree_at(object, path) == NULL)
        tree_set(object, path, value);
    else
        json_decref(value);
}

/* stringData is a convenience for writers: its values go into data, base64. */
static void fold_string_data(json_t *secret)
{
    const char *key;
    json_t *value;
    json_object_foreach (json_object_get(secret, "stringData"), key, value) {
        size_t size = json_string_length(value);
        size_t room = sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL);
        cleanup_free char *text = memory_new(room, 1);
        sodium_bin2base64(text, room, (const unsigned char *)json_string_value(value), size,
                          sodium_base64_VARIANT_ORIGINAL);
        set_default(secret, "data", json_object());
        json_object_set_new(json_object_get(secret, "data"), key, json_string(text));
    }
    json_object_del(secret, "stringData");
}

static void default_namespace(json_t *object)
{
    const char *name = tree_text(object, "metadata.name");
    json_t *labels = tree_at(object, "metadata.labels");
    if (!json_is_object(labels)) {
        tree_set(object, "metadata.labels", json_object());
        labels = tree_at(object, "metadata.labels");
    }
    json_object_set_new(labels, "kubernetes.io/metadata.name", json_string(name));
}

static void default_role_group(json_t *object)
{
    size_t i;
    json_t *subject;
    if (json_is_object(tree_at(object, "roleRef")))
        set_default(object, "roleRef.apiGroup", json_string("rbac.authorization.k8s.io"));
    json_array_foreach (tree_at(object, "subjects"), i, subject)
        if (!text_equal(tree_text(subject, "kind"), "ServiceAccount"))
            set_default(subject, "apiGroup", json_string("rbac.authorization.k8s.io"));
}

static void default_crd(json_t *object)
{
    const char *kind = tree_text(object, "spec.names.kind");
    if (kind == NULL)
        return;
    cleanup_free char *list_kind = text_format("%sList", kind);
    cleanup_free char *singular = text_copy(kind);
    for (char *at = singular; *at != '\0'; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    set_default(object, "spec.names.listKind", json_string(list_kind));
    set_default(object, "spec.names.singular", json_string(singular));
    set_default(object, "spec.conversion", json_pack("{s:s}", "strategy", "None"));
}

/* Adds the storage version to status.storedVersions. */
static void note_stored_version(json_t *crd)
{
    size_t i;
    json_t *version;
    set_default(crd, "status.storedVersions", json_array());
    json_t *stored = tree_at(crd, "status.storedVersions");
    json_array_foreach (tree_at(crd, "spec.versions"), i, version)
        if (tree_is_true(version, "storage") && !tree_array_has(stored, tree_text(version, "name")))
            json_array_append(stored, json_object_get(version, "name"));
}

static void default_workload(const struct kube_type *type, json_t *object)
{
    if (!is_type(type, "apps", "daemonsets"))
        set_default(object, "spec.replicas", json_integer(1));
    if (is_type(type, "apps", "deployments")) {
        set_default(object, "spec.progressDeadlineSeconds", json_integer(600));
        set_default(object, "spec.strategy",
                    json_pack("{s:{s:s, s:s}, s:s}", "rollingUpdate", "maxSurge", "25%",
                              "maxUnavailable", "25%", "type", "RollingUpdate"));
    }
    if (!is_type(type, "apps", "replicasets"))
        set_default(object, "spec.revisionHistoryLimit", json_integer(10));
}

static void apply_defaults(const struct kube_type *type, json_t *object)
{
    if (is_type(type, "", "namespaces")) {
        default_namespace(object);
    } else if (is_type(type, "", "secrets")) {
        fold_string_data(object);
        set_default(object, "type", json_string("Opaque"));
    } else if (strcmp(type->group, "apps") == 0 && (type->flags & TYPE_STATUS) != 0) {
        default_workload(type, object);
    } else if (strcmp(type->group, "rbac.authorization.k8s.io") == 0) {
        default_role_group(object);
    } else if (is_type(type, "apiextensions.k8s.io", "customresourcedefinitions")) {
        default_crd(object);
    } else if (is_type(type, "batch", "jobs")) {
        set_default(object, "spec.backoffLimit", json_integer(6));
        set_default(object, "spec.completions", json_integer(1));
        set_default(object, "spec.parallelism", json_integer(1));
    } else if (is_type(type, "", "services")) {
        set_default(object, "spec.type", json_string("ClusterIP"));
    }
}

void strategy_prepare_create(const struct sim_route *route, json_t *object)
{
    const struct kube_type *type = route->type;
    if ((type->flags & TYPE_STATUS) != 0 && (type->flags & TYPE_STATUS_KEPT) == 0)
        json_object_del(object, "status");
    if ((type->flags & TYPE_GENERATION) != 0)
        tree_set(object, "metadata.generation", json_integer(1));
    apply_defaults(type, object);
    if (is_type(type, "", "namespaces")) {
        tree_set(object, "spec.finalizers", json_pack("[s]", "kubernetes"));
        tree_set(object, "status", json_pack("{s:s}", "phase", "Active"));
    } else if (is_type(type, "", "persistentvolumeclaims") ||
               is_type(type, "", "persistentvolumes") || is_type(type, "", "pods")) {
        tree_set(object, "status", json_pack("{s:s}", "phase", "Pending"));
    } else if (is_type(type, "apiextensions.k8s.io", "customresourcedefinitions")) {
        tree_set(object, "status",
                 json_pack("{s:n, s:{s:s, s:s}}", "conditions", "acceptedNames", "kind", "",
                           "plural", ""));
        note_stored_version(object);
    } else if ((type->flags & TYPE_STATUS) != 0 && (type->flags & TYPE_CUSTOM) == 0 &&
               json_object_get(object, "status") == NULL) {
        tree_set(object, "status", json_object());
    }
}

/* 1 when the objects differ apart from metadata (and status, when `without_status`). */
static int spec_differs(const json_t *a, const json_t *b, int without_status)
{
    cleanup_json json_t *one = json_copy((json_t *)(uintptr_t)a);
    cleanup_json json_t *two = json_copy((json_t *)(uintptr_t)b);
    static const char *const ignored[] = {"metadata", "apiVersion", "kind", "status"};
    for (size_t i = 0; i < (without_status ? 4U : 3U); i++) {
        json_object_del(one, ignored[i]);
        json_object_del(two, ignored[i]);
    }
    return !json_equal(one, two);
}

/* `old` with one member replaced by the new object's. */
static json_t *with_member(const json_t *old, const json_t *object, const char *path)
{
    json_t *result = json_deep_copy(old);
    json_t *value = tree_at(object, path);
    if (value == NULL)
        tree_remove(result, path);
    else
        tree_set(result, path, json_deep_copy(value));
    return result;
}

void strategy_prepare_update(const struct sim_route *route, const json_t *old, json_t **object)
{
    const struct kube_type *type = route->type;
    const char *member = strcmp(route->subresource, "status") == 0     ? "status"
                         : strcmp(route->subresource, "finalize") == 0 ? "spec.finalizers"
                                                                       : NULL;
    if (member != NULL) {
        json_t *result = with_member(old, *object, member);
        json_decref(*object);
        *object = result;
        return;
    }
    if ((type->flags & TYPE_STATUS) != 0) {
        json_t *status = json_object_get(old, "status");
        if (status != NULL)
            json_object_set_new(*object, "status", json_deep_copy(status));
        else
            json_object_del(*object, "status");
    }
    apply_defaults(type, *object);
    if (is_type(type, "", "namespaces"))
        tree_set(*object, "spec", json_deep_copy(json_object_get(old, "spec")));
    if (is_type(type, "apiextensions.k8s.io", "customresourcedefinitions"))
        note_stored_version(*object);
    if ((type->flags & TYPE_GENERATION) != 0 &&
        spec_differs(old, *object, (type->flags & TYPE_STATUS) != 0))
        tree_set(*object, "metadata.generation",
                 json_integer(tree_integer(old, "metadata.generation", 0) + 1));
}

/* What the API refuses to change. */
static const struct immutable {
    const char *group, *plural, *path, *message;
} immutables[] = {
    {"", "secrets", "type", "field is immutable"},
    {"apps", "deployments", "spec.selector", "field is immutable"},
    {"apps", "daemonsets", "spec.selector", "field is immutable"},
    {"apps", "replicasets", "spec.selector", "field is immutable"},
    {"batch", "jobs", "spec.template", "field is immutable"},
    {"rbac.authorization.k8s.io", "rolebindings", "roleRef", "cannot change roleRef"},
    {"rbac.authorization.k8s.io", "clusterrolebindings", "roleRef", "cannot change roleRef"},
    {"storage.k8s.io", "storageclasses", "provisioner", "field is immutable"},
    {"scheduling.k8s.io", "priorityclasses", "value", "may not be changed in an update."},
    {"apiextensions.k8s.io", "customresourcedefinitions", "spec.scope", "field is immutable"},
    {"apiextensions.k8s.io", "customresourcedefinitions", "spec.group", "field is immutable"},
    {"apiextensions.k8s.io", "customresourcedefinitions", "spec.names.plural",
     "field is immutable"},
};

static json_t *check_immutable(const struct kube_type *type, const json_t *old,
                               const json_t *object)
{
    const char *name = tree_text(object, "metadata.name");
    for (size_t i = 0; i < sizeof immutables / sizeof *immutables; i++) {
        const struct immutable *rule = &immutables[i];
        if (!is_type(type, rule->group, rule->plural))
            continue;
        json_t *before = tree_at(old, rule->path), *after = tree_at(object, rule->path);
        if (before == NULL || (after != NULL && json_equal(before, after)))
            continue;
        cleanup_buffer struct buffer value = BUFFER_INIT(1 << 20);
        if (after == NULL)
            buffer_append_text(&value, "null");
        else
            json_text_write(&value, after);
        cleanup_free char *message =
            text_format("Invalid value: %s: %s", value.data, rule->message);
        return status_invalid(type->group, type->kind, name, "FieldValueInvalid", rule->path,
                              message);
    }
    if ((is_type(type, "", "configmaps") || is_type(type, "", "secrets")) &&
        tree_is_true(old, "immutable") &&
        (!json_equal(json_object_get(old, "data"), json_object_get(object, "data")) ||
         !tree_is_true(object, "immutable")))
        return status_invalid(type->group, type->kind, name, "FieldValueForbidden", "data",
                              "Forbidden: field is immutable when `immutable` is set");
    return NULL;
}

static json_t *check_crd(const struct kube_type *type, const json_t *object)
{
    const char *name = tree_text(object, "metadata.name");
    const char *plural = tree_text(object, "spec.names.plural");
    const char *group = tree_text(object, "spec.group");
    static const char *const required[] = {"spec.group", "spec.names.plural", "spec.names.kind",
                                           "spec.scope"};
    for (size_t i = 0; i < sizeof required / sizeof *required; i++)
        if (tree_text(object, required[i]) == NULL)
            return status_invalid(type->group, type->kind, name, "FieldValueRequired", required[i],
                                  "Required value");
    cleanup_free char *expected = text_format("%s.%s", plural, group);
    if (!text_equal(name, expected)) {
        cleanup_free char *message =
            text_format("Invalid value: \"%s\": must be spec.names.plural+\".\"+spec.group", name);
        return status_invalid(type->group, type->kind, name, "FieldValueInvalid", "metadata.name",
                              message);
    }
    const char *scope = tree_text(object, "spec.scope");
    if (strcmp(scope, "Cluster") != 0 && strcmp(scope, "Namespaced") != 0)
        return status_invalid(type->group, type->kind, name, "FieldValueNotSupported", "spec.scope",
                              "Unsupported value: supported values: \"Cluster\", \"Namespaced\"");
    int storage = 0;
    size_t i;
    json_t *version;
    json_array_foreach (tree_at(object, "spec.versions"), i, version)
        storage += tree_is_true(version, "storage");
    if (storage != 1)
        return status_invalid(type->group, type->kind, name, "FieldValueInvalid", "spec.versions",
                              "Invalid value: must have exactly one version marked as storage "
                              "version");
    return NULL;
}

/* A version that objects are stored in may not leave the definition. */
static json_t *check_stored_versions(const struct kube_type *type, const json_t *object)
{
    size_t i, v;
    json_t *stored, *version;
    json_array_foreach (tree_at(object, "status.storedVersions"), i, stored) {
        int found = 0;
        json_array_foreach (tree_at(object, "spec.versions"), v, version)
            found |= text_equal(tree_text(version, "name"), json_string_value(stored));
        if (!found) {
            cleanup_free char *field = text_format("status.storedVersions[%zu]", i);
            cleanup_free char *message =
                text_format("Invalid value: \"%s\": missing from spec.versions; "
                            "%s was previously a storage version, and must remain in "
                            "spec.versions until a storage migration ensures no data remains "
                            "persisted in %s and removes %s from status.storedVersions",
                            json_string_value(stored), json_string_value(stored),
                            json_string_value(stored), json_string_value(stored));
            return status_invalid(type->group, type->kind, tree_text(object, "metadata.name"),
                                  "FieldValueInvalid", field, message);
        }
    }
    return NULL;
}

json_t *strategy_check(const struct kube_type *type, const json_t *old, const json_t *object)
{
    if (is_type(type, "apiextensions.k8s.io", "customresourcedefinitions")) {
        json_t *failure = check_crd(type, object);
        if (failure == NULL && old != NULL)
            failure = check_stored_versions(type, object);
        if (failure != NULL)
            return failure;
    }
    if (strcmp(type->group, "rbac.authorization.k8s.io") == 0 &&
        text_ends(type->plural, "bindings") && tree_text(object, "roleRef.name") == NULL)
        return status_invalid(type->group, type->kind, tree_text(object, "metadata.name"),
                              "FieldValueRequired", "roleRef.name", "Required value");
    return old == NULL ? NULL : check_immutable(type, old, object);
}
