#include "metadata.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "json-tree.h"
#include "status.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

/* No vowels and no digits that look like letters: generated names spell nothing. */
static const char name_letters[] = "bcdfghjklmnpqrstvwxz2456789";
enum { SUFFIX_SIZE = 5, GENERATED_BASE_MAX = 58, NAME_MAX_SIZE = 253, LABEL_MAX_SIZE = 63 };

static void generate_name(struct sim_kube *sim, json_t *object, const char *base)
{
    char suffix[SUFFIX_SIZE + 1] = "";
    uint64_t number = sim_random(sim);
    for (int i = 0; i < SUFFIX_SIZE; i++, number >>= 8)
        suffix[i] = name_letters[(number & 0xff) % (sizeof name_letters - 1)];
    cleanup_free char *name = text_format("%.*s%s", GENERATED_BASE_MAX, base, suffix);
    tree_set_text(object, "metadata.name", name);
}

void metadata_prepare_create(struct sim_kube *sim, const struct sim_route *route, json_t *object)
{
    const char *name = tree_text(object, "metadata.name");
    const char *base = tree_text(object, "metadata.generateName");
    if ((name == NULL || name[0] == '\0') && base != NULL && base[0] != '\0')
        generate_name(sim, object, base);
    if (route->space[0] != '\0')
        tree_set_text(object, "metadata.namespace", route->space);
    char text[40];
    sim_uid(sim, text);
    tree_set_text(object, "metadata.uid", text);
    sim_now(text);
    tree_set_text(object, "metadata.creationTimestamp", text);
    tree_remove(object, "metadata.deletionTimestamp");
    tree_remove(object, "metadata.deletionGracePeriodSeconds");
    tree_remove(object, "metadata.selfLink");
    tree_remove(object, "metadata.resourceVersion");
}

static void keep(const json_t *old, json_t *object, const char *path)
{
    json_t *value = tree_at(old, path);
    if (value != NULL)
        tree_set(object, path, json_incref(value));
    else
        tree_remove(object, path);
}

/* Finalizers that a deleted object did not have yet. */
static json_t *check_new_finalizers(const struct kube_type *type, const json_t *old,
                                    const json_t *object)
{
    if (tree_at(old, "metadata.deletionTimestamp") == NULL)
        return NULL;
    size_t i;
    json_t *value;
    json_array_foreach (tree_at(object, "metadata.finalizers"), i, value) {
        const char *name = json_string_value(value);
        if (tree_array_has(tree_at(old, "metadata.finalizers"), name))
            continue;
        cleanup_free char *message =
            text_format("Forbidden: no new finalizers can be added if the object is being "
                        "deleted, found new finalizers []string{\"%s\"}",
                        name);
        return status_invalid(type->group, type->kind, tree_text(old, "metadata.name"),
                              "FieldValueForbidden", "metadata.finalizers", message);
    }
    return NULL;
}

/* Nobody begins a deletion by writing its time. */
static json_t *check_deletion_fields(const struct kube_type *type, const json_t *old,
                                     const json_t *object)
{
    static const char *const fields[] = {"metadata.deletionTimestamp",
                                         "metadata.deletionGracePeriodSeconds"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const json_t *value = tree_at(object, fields[i]);
        if (value == NULL || json_is_null(value) || tree_at(old, fields[i]) != NULL)
            continue;
        cleanup_free char *shown = json_dumps(value, JSON_ENCODE_ANY);
        cleanup_free char *message =
            text_format("Invalid value: %s: field is immutable", shown == NULL ? "" : shown);
        return status_invalid(type->group, type->kind, tree_text(old, "metadata.name"),
                              "FieldValueInvalid", fields[i], message);
    }
    return NULL;
}

json_t *metadata_check_uid(const struct sim_route *route, const json_t *old, const json_t *object)
{
    const char *uid = tree_text(object, "metadata.uid");
    const char *own_uid = old != NULL ? tree_text(old, "metadata.uid") : "";
    if (uid == NULL || uid[0] == '\0' || text_equal(uid, own_uid))
        return NULL;
    cleanup_free char *cause = text_format(
        "Precondition failed: UID in precondition: %s, UID in object meta: %s", uid, own_uid);
    return status_conflict(route->type->group, route->type->plural, route->name, cause);
}

json_t *metadata_prepare_update(const struct sim_route *route, const json_t *old, json_t *object)
{
    const struct kube_type *type = route->type;
    json_t *other = metadata_check_uid(route, old, object);
    if (other != NULL)
        return other;
    const char *version = tree_text(object, "metadata.resourceVersion");
    int given = version != NULL && version[0] != '\0' && strcmp(version, "0") != 0;
    if (!given && (type->flags & TYPE_NO_RV_NEEDED) == 0) {
        return status_invalid(type->group,
                              (type->flags & TYPE_CUSTOM) != 0 ? type->plural : type->kind,
                              route->name, "FieldValueInvalid", "metadata.resourceVersion",
                              "Invalid value: 0: must be specified for an update");
    }
    if (given && !text_equal(version, tree_text(old, "metadata.resourceVersion")))
        return status_modified(type, route->name);
    json_t *failure = check_deletion_fields(type, old, object);
    if (failure != NULL)
        return failure;
    keep(old, object, "metadata.uid");
    keep(old, object, "metadata.creationTimestamp");
    keep(old, object, "metadata.deletionTimestamp");
    keep(old, object, "metadata.deletionGracePeriodSeconds");
    keep(old, object, "metadata.resourceVersion");
    keep(old, object, "metadata.namespace");
    keep(old, object, "metadata.name");
    keep(old, object, "metadata.generation");
    if (tree_at(object, "metadata.generateName") == NULL)
        keep(old, object, "metadata.generateName");
    tree_remove(object, "metadata.selfLink");
    return check_new_finalizers(type, old, object);
}

static int is_text_map(const json_t *map)
{
    const char *key;
    json_t *value;
    if (map == NULL || json_is_null(map))
        return 1;
    if (!json_is_object(map))
        return 0;
    json_object_foreach ((json_t *)(uintptr_t)map, key, value)
        if (!json_is_string(value) && !json_is_null(value))
            return 0;
    return 1;
}

json_t *metadata_check_types(const json_t *object)
{
    static const char *const maps[] = {"labels", "annotations"};
    const json_t *metadata = json_object_get(object, "metadata");
    if (metadata != NULL && !json_is_object(metadata) && !json_is_null(metadata))
        return status_bad_request("json: cannot unmarshal into Go struct field .metadata of type "
                                  "v1.ObjectMeta");
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        if (!is_text_map(json_object_get(metadata, maps[i])))
            return status_bad_request("json: cannot unmarshal into Go struct field "
                                      "ObjectMeta.metadata.%s of type string",
                                      maps[i]);
    const json_t *finalizers = json_object_get(metadata, "finalizers");
    if (finalizers != NULL && !json_is_array(finalizers) && !json_is_null(finalizers))
        return status_bad_request("json: cannot unmarshal into Go struct field "
                                  "ObjectMeta.metadata.finalizers of type []string");
    return NULL;
}

/* Lower-case letters, digits and '-' (and '.' unless a label), alphanumeric at both ends. */
static int is_dns_name(const char *name, int is_label)
{
    size_t size = strlen(name);
    if (size == 0 || size > (is_label ? (size_t)LABEL_MAX_SIZE : (size_t)NAME_MAX_SIZE))
        return 0;
    for (size_t i = 0; i < size; i++) {
        char c = name[i];
        int alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        int at_edge =
            i == 0 || i + 1 == size || c == '.' || name[i - 1] == '.' || name[i + 1] == '.';
        if (!alnum && (at_edge ? c != '.' || is_label || i == 0 || i + 1 == size ||
                                     name[i - 1] == '.' || name[i - 1] == '-'
                               : c != '-'))
            return 0;
    }
    return 1;
}

static int is_path_segment(const char *name)
{
    return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strpbrk(name, "/%") == NULL;
}

static const char *name_rule(const struct kube_type *type, const char *name)
{
    if ((type->flags & TYPE_PATH_NAME) != 0)
        return is_path_segment(name) ? NULL : "may not contain '/' or '%'";
    if ((type->flags & TYPE_LABEL_NAME) != 0)
        return is_dns_name(name, 1)
                   ? NULL
                   : "a lowercase RFC 1123 label must consist of lower case alphanumeric "
                     "characters or '-', and must start and end with an alphanumeric character";
    return is_dns_name(name, 0)
               ? NULL
               : "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
                 "characters, '-' or '.', and must start and end with an alphanumeric character";
}

static json_t *check_owners(const struct kube_type *type, const json_t *object)
{
    static const char *const required[] = {"apiVersion", "kind", "name", "uid"};
    size_t i;
    json_t *owner;
    json_array_foreach (tree_at(object, "metadata.ownerReferences"), i, owner)
        for (size_t f = 0; f < sizeof required / sizeof *required; f++) {
            const char *value = tree_text(owner, required[f]);
            if (value != NULL && value[0] != '\0')
                continue;
            cleanup_free char *field =
                text_format("metadata.ownerReferences[%zu].%s", i, required[f]);
            return status_invalid(type->group, type->kind, tree_text(object, "metadata.name"),
                                  "FieldValueInvalid", field,
                                  "Invalid value: \"\": must not be empty");
        }
    return NULL;
}

json_t *metadata_check(const struct kube_type *type, const json_t *object)
{
    const char *name = tree_text(object, "metadata.name");
    if (name == NULL || name[0] == '\0')
        return status_invalid(type->group, type->kind, "", "FieldValueRequired", "metadata.name",
                              "Required value: name or generateName is required");
    const char *rule = name_rule(type, name);
    if (rule != NULL) {
        cleanup_free char *message = text_format("Invalid value: \"%s\": %s", name, rule);
        return status_invalid(type->group, type->kind, name, "FieldValueInvalid", "metadata.name",
                              message);
    }
    return check_owners(type, object);
}

void metadata_mark_deleted(json_t *object, json_int_t grace)
{
    json_int_t generation = tree_integer(object, "metadata.generation", 0);
    if (tree_at(object, "metadata.deletionTimestamp") != NULL)
        return;
    if (generation > 0)
        tree_set(object, "metadata.generation", json_integer(generation + 1));
    char now[32];
    sim_now(now);
    tree_set_text(object, "metadata.deletionTimestamp", now);
    tree_set(object, "metadata.deletionGracePeriodSeconds", json_integer(grace));
}

int metadata_is_released(const json_t *object)
{
    return tree_at(object, "metadata.deletionTimestamp") != NULL &&
           tree_integer(object, "metadata.deletionGracePeriodSeconds", 0) == 0 &&
           json_array_size(tree_at(object, "metadata.finalizers")) == 0 &&
           json_array_size(tree_at(object, "spec.finalizers")) == 0;
}
