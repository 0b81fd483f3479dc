#include "customize.h"

#include <stdio.h>
#include <string.h>

#include <salvor/canonical.h>
#include <salvor/report.h>

enum { SMALL = 65536 };

/* ---- owners ---------------------------------------------------------------------------------- */

/* The references as an array with the UIDs of this cluster; *ret_kept is how many are left. */
static salvor_status renew_owners(const struct salvor_object *object, customize_owner find_owner,
                                  void *data, json_t **ret_list, struct customized *ret)
{
    json_error_t error;
    salvor_auto_json json_t *list =
        json_loadb(object->owners.data, (size_t)object->owners.size, 0, &error);
    json_t *kept = json_array();
    for (uint32_t i = 0; i < json_array_size(list); i++) {
        json_t *reference = json_array_get(list, i);
        struct salvor_owner owner;
        char uid[64];
        salvor_status status = SALVOR_OK;
        if (salvor_object_owner(object, i, &owner) != SALVOR_OK)
            status = SALVOR_NOT_FOUND;
        else if (owner.api_version.size > 0 && owner.kind.size > 0)
            status = find_owner(data, &owner, object->ns, uid);
        else
            (void)snprintf(uid, sizeof uid, "%.*s",
                           (int)(owner.uid.size < 63 ? owner.uid.size : 63),
                           owner.uid.data != NULL ? owner.uid.data : "");
        if (status == SALVOR_NOT_FOUND) {
            ret->refs_dropped++;
            continue;
        }
        if (status != SALVOR_OK) {
            json_decref(kept);
            return status;
        }
        (void)json_object_set_new(reference, "uid", json_string(uid));
        (void)json_array_append(kept, reference);
    }
    *ret_list = kept;
    return SALVOR_OK;
}

/* ---- kinds ----------------------------------------------------------------------------------- */

static int is_kind(const struct salvor_object *object, const char *api_version, const char *kind)
{
    return salvor_span_is(object->kind, kind) &&
           (api_version == NULL || salvor_span_is(object->api_version, api_version));
}

/* The archive's number, one higher: so the agents are deployed again, and it stays one goal. */
static void next_generation(struct salvor_span json, const char *path, char *buffer, size_t size)
{
    struct salvor_token token;
    char digits[32] = "0";
    if (salvor_scan_find(json, path, &token, NULL, NULL) == SALVOR_OK &&
        token.type == SALVOR_TOKEN_NUMBER && token.text.size < sizeof digits) {
        memcpy(digits, token.text.data, (size_t)token.text.size);
        digits[token.text.size] = '\0';
    }
    (void)snprintf(buffer, size, "%lld", strtoll(digits, NULL, 10) + 1);
}

struct edits {
    struct salvor_edit items[8];
    size_t count;
    char number[32];
    struct salvor_text object; /* a whole new member */
    char *owners;
};

static void edit(struct edits *edits, const char *path, const char *value)
{
    edits->items[edits->count].path = path;
    edits->items[edits->count++].value = salvor_span_of(value);
}

static void edit_generation(struct edits *edits, const struct salvor_object *object,
                            const char *spec_path, const char *path, const char *name)
{
    struct salvor_token token;
    next_generation(object->json, path, edits->number, sizeof edits->number);
    if (salvor_scan_find(object->json, spec_path, &token, NULL, NULL) == SALVOR_OK &&
        token.type == SALVOR_TOKEN_OBJECT) {
        edit(edits, path, edits->number);
        return;
    }
    salvor_text_format(&edits->object, "{\"%s\":%s}", name, edits->number);
    edit(edits, spec_path, salvor_text_get(&edits->object));
}

static void edit_by_kind(struct edits *edits, const struct salvor_object *object)
{
    if (is_kind(object, NULL, "ServiceAccount"))
        edit(edits, "/secrets", NULL);
    if (is_kind(object, "fleet.cattle.io/v1alpha1", "Cluster"))
        edit_generation(edits, object, "/spec", "/spec/redeployAgentGeneration",
                        "redeployAgentGeneration");
    if (is_kind(object, "provisioning.cattle.io/v1", "Cluster"))
        edit_generation(edits, object, "/spec", "/spec/redeploySystemAgentGeneration",
                        "redeploySystemAgentGeneration");
    if (!is_kind(object, "management.cattle.io/v3", "Cluster"))
        return;
    if (object->annotations.size > 0)
        edit(edits, "/metadata/annotations/io.cattle.agent.force.deploy", "\"true\"");
    else
        edit(edits, "/metadata/annotations", "{\"io.cattle.agent.force.deploy\":\"true\"}");
}

static salvor_status edit_owners(struct edits *edits, const struct salvor_object *object,
                                 customize_owner find_owner, void *data, struct customized *ret)
{
    salvor_auto_json json_t *list = NULL;
    if (object->owners.size == 0)
        return SALVOR_OK;
    SALVOR_TRY(renew_owners(object, find_owner, data, &list, ret));
    if (json_array_size(list) == 0) {
        edit(edits, "/metadata/ownerReferences", NULL);
        return SALVOR_OK;
    }
    edits->owners = salvor_json_write(list);
    if (edits->owners == NULL)
        return SALVOR_FAILED;
    edit(edits, "/metadata/ownerReferences", edits->owners);
    return SALVOR_OK;
}

salvor_status customize(const struct salvor_object *object, customize_owner find_owner, void *data,
                        struct salvor_text *out, struct customized *ret)
{
    struct edits edits = {.count = 0, .object = SALVOR_TEXT_INIT(SMALL)};
    ret->refs_dropped = 0;
    edit(&edits, "/metadata/resourceVersion", NULL);
    edit(&edits, "/metadata/uid", NULL);
    edit(&edits, "/metadata/deletionGracePeriodSeconds", NULL);
    edit(&edits, "/metadata/deletionTimestamp", NULL);
    edit_by_kind(&edits, object);
    salvor_status status = edit_owners(&edits, object, find_owner, data, ret);
    if (status == SALVOR_OK)
        status = salvor_json_edit(object->json, edits.items, edits.count, out, NULL);
    salvor_text_clear(&edits.object);
    salvor_release(edits.owners);
    return status;
}

/* ---- definitions ------------------------------------------------------------------------------
 */

static const json_t *version_named(const json_t *versions, const char *name)
{
    size_t index = 0;
    const json_t *one = NULL;
    json_array_foreach (versions, index, one) {
        if (strcmp(salvor_json_text(one, "/name", ""), name) == 0)
            return one;
    }
    return NULL;
}

/* Live versions that the archive does not know: status.storedVersions may name them, and the server
 * refuses a definition without them. */
static int keep_live_versions(json_t *definition, const json_t *live)
{
    json_t *versions = salvor_json_at(definition, "/spec/versions");
    size_t index = 0;
    const json_t *one = NULL;
    json_array_foreach (salvor_json_at(live, "/spec/versions"), index, one) {
        if (version_named(versions, salvor_json_text(one, "/name", "")) != NULL)
            continue;
        json_t *kept = json_deep_copy(one);
        if (kept == NULL || json_object_set_new(kept, "storage", json_false()) != 0 ||
            json_array_append_new(versions, kept) != 0)
            return -1;
    }
    return 0;
}

static int loosen(json_t *definition)
{
    json_t *spec = json_object_get(definition, "spec");
    size_t index = 0;
    json_t *one = NULL;
    if (json_object_get(spec, "preserveUnknownFields") == NULL)
        return 0;
    if (json_object_set_new(spec, "preserveUnknownFields", json_false()) != 0)
        return -1;
    json_array_foreach (json_object_get(spec, "versions"), index, one) {
        json_t *schema = json_pack("{s:{s:s, s:b}}", "openAPIV3Schema", "type", "object",
                                   "x-kubernetes-preserve-unknown-fields", 1);
        if (schema == NULL || json_object_set_new(one, "schema", schema) != 0)
            return -1;
    }
    return 0;
}

salvor_status customize_definition(const json_t *archived, const json_t *live, json_t **ret_json)
{
    json_t *definition = json_deep_copy(archived);
    json_t *metadata = json_object_get(definition, "metadata");
    (void)json_object_del(metadata, "resourceVersion");
    (void)json_object_del(metadata, "uid");
    (void)json_object_del(metadata, "deletionGracePeriodSeconds");
    if (definition == NULL || loosen(definition) != 0 ||
        (live != NULL && keep_live_versions(definition, live) != 0)) {
        json_decref(definition);
        return SALVOR_FAILED;
    }
    *ret_json = definition;
    return SALVOR_OK;
}
