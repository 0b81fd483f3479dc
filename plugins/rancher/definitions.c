#include "definitions.h"

#include <string.h>

#include <salvor/memory.h>
#include <salvor/scan.h>

/* Only what is asked for later: schemas make the bulk of a definition. */
static json_t *take(struct salvor_span json, const char *path)
{
    struct salvor_span value;
    json_error_t error;
    if (salvor_scan_find(json, path, NULL, &value, NULL) != SALVOR_OK)
        return NULL;
    return json_loadb(value.data, (size_t)value.size, JSON_DECODE_ANY, &error);
}

static json_t *version_without_schema(const json_t *version, const json_t *outer_subresources,
                                      int old)
{
    const json_t *subresources = json_object_get(version, "subresources");
    if (subresources == NULL && old)
        subresources = outer_subresources;
    return json_pack("{s:O?, s:b, s:b, s:b}", "name", json_object_get(version, "name"), "served",
                     json_is_true(json_object_get(version, "served")), "storage",
                     json_is_true(json_object_get(version, "storage")), "status",
                     json_object_get(subresources, "status") != NULL);
}

/* v1beta1 may have a single spec.version instead of a list. */
static json_t *read_versions(struct salvor_span json, int old)
{
    salvor_auto_json json_t *list = take(json, "/spec/versions");
    salvor_auto_json json_t *outer = old ? take(json, "/spec/subresources") : NULL;
    salvor_auto_json json_t *single = old ? take(json, "/spec/version") : NULL;
    json_t *versions = json_array();
    size_t index = 0;
    const json_t *one = NULL;
    json_array_foreach (list, index, one)
        (void)json_array_append_new(versions, version_without_schema(one, outer, old));
    if (json_array_size(versions) == 0 && json_is_string(single))
        (void)json_array_append_new(versions, json_pack("{s:O, s:b, s:b, s:b}", "name", single,
                                                        "served", 1, "storage", 1, "status",
                                                        json_object_get(outer, "status") != NULL));
    return versions;
}

static salvor_status fill(struct definition *definition, struct salvor_span json)
{
    salvor_auto_json json_t *api_version = take(json, "/apiVersion");
    const int old = json_is_string(api_version) &&
                    strcmp(json_string_value(api_version), "apiextensions.k8s.io/v1beta1") == 0;
    json_t *versions = read_versions(json, old);
    definition->json =
        json_pack("{s:o?, s:o?, s:o?, s:o?, s:o}", "group", take(json, "/spec/group"), "plural",
                  take(json, "/spec/names/plural"), "kind", take(json, "/spec/names/kind"), "scope",
                  take(json, "/spec/scope"), "versions", versions);
    if (definition->json == NULL)
        return SALVOR_FAILED;
    definition->group = salvor_json_text(definition->json, "/group", NULL);
    definition->plural = salvor_json_text(definition->json, "/plural", NULL);
    definition->kind = salvor_json_text(definition->json, "/kind", NULL);
    const char *scope = salvor_json_text(definition->json, "/scope", "");
    definition->namespaced = strcmp(scope, "Namespaced") == 0;
    salvor_auto_json json_t *preserves = take(json, "/spec/preserveUnknownFields");
    definition->preserves_unknown = preserves != NULL;
    if (definition->group == NULL || definition->plural == NULL || definition->kind == NULL ||
        json_array_size(versions) == 0)
        return SALVOR_REFUSED;
    definition->versions =
        salvor_allocate_zeroed(json_array_size(versions) * sizeof *definition->versions);
    if (definition->versions == NULL)
        return SALVOR_FAILED;
    for (size_t i = 0; i < json_array_size(versions); i++) {
        const json_t *one = json_array_get(versions, i);
        struct definition_version *version = &definition->versions[i];
        version->name = salvor_json_text(one, "/name", "");
        version->served = salvor_json_flag(one, "/served", 0);
        version->storage = salvor_json_flag(one, "/storage", 0);
        version->has_status = salvor_json_flag(one, "/status", 0);
        definition->version_count++;
    }
    return SALVOR_OK;
}

static void clear(struct definition *definition)
{
    salvor_release(definition->versions);
    json_decref(definition->json);
}

salvor_status definitions_add(struct definitions *definitions, struct salvor_span json)
{
    struct definition definition = {.json = NULL};
    salvor_status status = fill(&definition, json);
    struct definition *items = NULL;
    if (status == SALVOR_OK)
        items = salvor_resize(definitions->items, (definitions->count + 1) * sizeof *items);
    if (items == NULL) {
        clear(&definition);
        return status == SALVOR_OK ? SALVOR_FAILED : status;
    }
    items[definitions->count++] = definition;
    definitions->items = items;
    return SALVOR_OK;
}

void definitions_clear(struct definitions *definitions)
{
    for (size_t i = 0; i < definitions->count; i++)
        clear(&definitions->items[i]);
    salvor_release(definitions->items);
    memset(definitions, 0, sizeof *definitions);
}

const struct definition *definitions_find(const struct definitions *definitions,
                                          struct salvor_span group, struct salvor_span plural)
{
    for (size_t i = 0; i < definitions->count; i++) {
        if (salvor_span_is(group, definitions->items[i].group) &&
            salvor_span_is(plural, definitions->items[i].plural))
            return &definitions->items[i];
    }
    return NULL;
}

const struct definition *definitions_find_kind(const struct definitions *definitions,
                                               struct salvor_span group, struct salvor_span kind)
{
    for (size_t i = 0; i < definitions->count; i++) {
        if (salvor_span_is(group, definitions->items[i].group) &&
            salvor_span_is(kind, definitions->items[i].kind))
            return &definitions->items[i];
    }
    return NULL;
}

const struct definition_version *definition_version(const struct definition *definition,
                                                    struct salvor_span version)
{
    for (size_t i = 0; i < definition->version_count; i++) {
        if (salvor_span_is(version, definition->versions[i].name))
            return &definition->versions[i];
    }
    return NULL;
}
