#include "picture.h"

#include <salvor/memory.h>
#include <salvor/report.h>
#include <string.h>

struct picture {
    const json_t *json;
    json_t *index[PICTURE_KEYS]; /* value -> array of entries */
    struct picture *capture;
};

static const struct {
    const char *entries;
    const char *member;
} keys[PICTURE_KEYS] = {
    [CONTROL_PLANE_BY_ID] = {"/managers/control_planes", "/id"},
    [CONTROL_PLANE_BY_NODE_ID] = {"/managers/control_planes", "/node_id"},
    [CONTROL_PLANE_BY_CERTIFICATE] = {"/managers/control_planes", "/certificate/sha256"},
    [PRINCIPAL_BY_ID] = {"/managers/principals", "/id"},
    [PRINCIPAL_BY_NAME] = {"/managers/principals", "/name"},
    [PRINCIPAL_BY_CERTIFICATE] = {"/managers/principals", NULL},
    [CERTIFICATE_BY_ID] = {"/managers/certificates", "/id"},
    [INVENTORY_BY_EXTERNAL_ID] = {"/managers/inventory", "/external_id"},
    [INVENTORY_BY_NAME] = {"/managers/inventory", "/name"},
    [CLUSTER_BY_NAME] = {"/clusters", "/name"},
    [CLUSTER_BY_CONTEXT] = {"/clusters", "/context"},
    [GONE_BY_NAME] = {"/gone", "/name"},
};

const char *text_at(const json_t *entry, const char *path)
{
    return salvor_json_text(entry, path, NULL);
}

int same_text(const char *one, const char *other)
{
    return one != NULL && other != NULL && strcmp(one, other) == 0;
}

static const json_t *array_at(const struct picture *picture, const char *path)
{
    const json_t *array = salvor_json_at(picture->json, path);
    return json_is_array(array) ? array : NULL;
}

/* A principal identity is found by the certificate that it refers to. */
static const char *value_of(const struct picture *picture, enum picture_key key,
                            const json_t *entry)
{
    if (key == PRINCIPAL_BY_CERTIFICATE)
        return text_at(picture_certificate_of(picture, entry), "/certificate/sha256");
    return text_at(entry, keys[key].member);
}

static int add(json_t *index, const char *value, json_t *entry)
{
    json_t *entries = json_object_get(index, value);
    if (entries == NULL) {
        entries = json_array();
        if (json_object_set_new(index, value, entries) != 0)
            return -1;
    }
    return json_array_append(entries, entry);
}

static int make_index(struct picture *picture, enum picture_key key)
{
    const json_t *entries = array_at(picture, keys[key].entries);
    picture->index[key] = json_object();
    if (picture->index[key] == NULL)
        return -1;
    for (size_t i = 0; i < json_array_size(entries); i++) {
        json_t *entry = json_array_get(entries, i);
        const char *value = value_of(picture, key, entry);
        if (value != NULL && add(picture->index[key], value, entry) != 0)
            return -1;
    }
    return 0;
}

static struct picture *open_picture(const json_t *json)
{
    struct picture *picture = salvor_allocate_zeroed(sizeof *picture);
    if (picture == NULL)
        return NULL;
    picture->json = json;
    const json_t *capture = salvor_json_at(json, "/capture");
    /* Certificates first: principal identities are found through them. */
    int failed = make_index(picture, CERTIFICATE_BY_ID) != 0;
    for (int key = 0; key < PICTURE_KEYS && !failed; key++)
        failed = key != CERTIFICATE_BY_ID && make_index(picture, (enum picture_key)key) != 0;
    if (!failed && json_is_object(capture)) {
        picture->capture = open_picture(capture);
        failed = picture->capture == NULL;
    }
    if (!failed)
        return picture;
    picture_free(picture);
    return NULL;
}

salvor_status picture_open(salvor_call *call, const json_t *json, struct picture **ret_picture)
{
    *ret_picture = open_picture(json);
    return *ret_picture != NULL ? SALVOR_OK : salvor_fail_memory(call, "the picture of the site");
}

void picture_free(struct picture *picture)
{
    if (picture == NULL)
        return;
    for (int key = 0; key < PICTURE_KEYS; key++)
        json_decref(picture->index[key]);
    picture_free(picture->capture);
    salvor_release(picture);
}

const json_t *picture_json(const struct picture *picture)
{
    return picture->json;
}

const struct picture *picture_capture(const struct picture *picture)
{
    return picture->capture;
}

int64_t picture_clock_margin(const struct picture *picture)
{
    const int64_t skew = salvor_json_integer(picture->json, "/skew_ms", 0);
    return (skew > 0 ? skew : 0) + CLOCK_MARGIN_MS;
}

const json_t *picture_control_planes(const struct picture *picture)
{
    return array_at(picture, keys[CONTROL_PLANE_BY_ID].entries);
}

const json_t *picture_principals(const struct picture *picture)
{
    return array_at(picture, keys[PRINCIPAL_BY_ID].entries);
}

const json_t *picture_clusters(const struct picture *picture)
{
    return array_at(picture, keys[CLUSTER_BY_NAME].entries);
}

static const json_t *found(const struct picture *picture, enum picture_key key, const char *value)
{
    return picture != NULL && value != NULL ? json_object_get(picture->index[key], value) : NULL;
}

const json_t *picture_find(const struct picture *picture, enum picture_key key, const char *value)
{
    return json_array_get(found(picture, key, value), 0);
}

size_t picture_count(const struct picture *picture, enum picture_key key, const char *value)
{
    return json_array_size(found(picture, key, value));
}

const json_t *picture_certificate_of(const struct picture *picture, const json_t *principal)
{
    return picture_find(picture, CERTIFICATE_BY_ID, text_at(principal, "/certificate_id"));
}

const json_t *picture_inventory_of(const struct picture *picture, const json_t *control_plane)
{
    const json_t *entry =
        picture_find(picture, INVENTORY_BY_EXTERNAL_ID, text_at(control_plane, "/node_id"));
    return entry != NULL ? entry
                         : picture_find(picture, INVENTORY_BY_NAME, text_at(control_plane, "/id"));
}
