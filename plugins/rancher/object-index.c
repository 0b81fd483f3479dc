#include "object-index.h"

#include <string.h>

#include <sodium.h>

#include <salvor/memory.h>
#include <salvor/scan.h>

struct object_index *object_index_create(void)
{
    struct object_index *index = salvor_allocate_zeroed(sizeof *index);
    if (index == NULL || sodium_init() < 0) {
        salvor_release(index);
        return NULL;
    }
    index->objects.item_size = sizeof(struct index_object);
    index->types.item_size = sizeof(struct index_type);
    index->links.item_size = sizeof(struct index_link);
    index->last_type = OBJECT_NONE;
    randombytes_buf(index->secret, sizeof index->secret);
    return index;
}

void object_index_free(struct object_index *index)
{
    if (index == NULL)
        return;
    chunks_clear(&index->objects);
    chunks_clear(&index->types);
    chunks_clear(&index->links);
    names_clear(&index->texts);
    names_clear(&index->types_seen);
    names_clear(&index->namespaces);
    names_clear(&index->owner_kinds);
    salvor_release(index->slots);
    salvor_release(index);
}

struct index_object *object_index_object(const struct object_index *index, uint32_t number)
{
    return chunks_at(&index->objects, number);
}

struct index_type *object_index_type_at(const struct object_index *index, uint32_t number)
{
    return chunks_at(&index->types, number);
}

struct index_link *object_index_link(const struct object_index *index, uint32_t number)
{
    return chunks_at(&index->links, number);
}

const char *object_index_text(const struct object_index *index, uint32_t text)
{
    return text != NAME_NONE ? names_text(&index->texts, text) : "";
}

/* ---- types --------------------------------------------------------------------------------- */

uint32_t object_index_type(struct object_index *index, const struct member_path *at)
{
    /* objects of one type stand together */
    if (index->last_type != OBJECT_NONE &&
        salvor_span_is(at->type, names_text(&index->types_seen, index->last_type)))
        return index->last_type;
    const uint32_t number = names_add(&index->types_seen, at->type);
    if (number == NAME_NONE)
        return OBJECT_NONE;
    if (number == index->types.count) {
        struct index_type *type = chunks_add(&index->types);
        if (type == NULL)
            return OBJECT_NONE;
        type->number = number;
        type->resource = names_add(&index->texts, at->resource);
        type->group = names_add(&index->texts, at->group);
        type->version = names_add(&index->texts, at->version);
        type->kind = NAME_NONE;
        if (type->resource == NAME_NONE || type->group == NAME_NONE || type->version == NAME_NONE)
            return OBJECT_NONE;
    }
    index->last_type = number;
    return number;
}

uint32_t object_index_find_type(const struct object_index *index, const char *resource,
                                const char *group, const char *version)
{
    for (uint32_t i = 0; i < index->types.count; i++) {
        const struct index_type *type = object_index_type_at(index, i);
        if (strcmp(object_index_text(index, type->resource), resource) == 0 &&
            strcmp(object_index_text(index, type->group), group) == 0 &&
            (version == NULL || strcmp(object_index_text(index, type->version), version) == 0))
            return i;
    }
    return OBJECT_NONE;
}

uint32_t object_index_find_kind(const struct object_index *index, struct salvor_span group,
                                struct salvor_span version, struct salvor_span kind)
{
    for (uint32_t i = 0; i < index->types.count; i++) {
        const struct index_type *type = object_index_type_at(index, i);
        if (type->kind != NAME_NONE && salvor_span_is(kind, object_index_text(index, type->kind)) &&
            salvor_span_is(group, object_index_text(index, type->group)) &&
            (version.data == NULL ||
             salvor_span_is(version, object_index_text(index, type->version))))
            return i;
    }
    return OBJECT_NONE;
}

/* ---- objects ------------------------------------------------------------------------------- */

static void digest(const struct object_index *index, struct salvor_span name, unsigned char key[16])
{
    (void)crypto_shorthash_siphashx24(key, (const unsigned char *)name.data, name.size,
                                      index->secret);
}

static uint64_t first_bytes(const unsigned char key[16])
{
    uint64_t value;
    memcpy(&value, key, sizeof value);
    return value;
}

static uint32_t slot_at(const struct object_index *index, uint32_t type, uint32_t ns, uint64_t key)
{
    uint64_t mixed = key ^ ((uint64_t)type << 32 | ns) * UINT64_C(0x9E3779B97F4A7C15);
    mixed ^= mixed >> 29;
    return (uint32_t)mixed & (index->slot_count - 1);
}

/* The slot of that place, or the free one where it belongs. full: all of the key counts. */
static uint32_t find_slot(const struct object_index *index, uint32_t type, uint32_t ns,
                          const unsigned char *full, uint64_t key)
{
    uint32_t slot = slot_at(index, type, ns, key);
    for (; index->slots[slot] != 0; slot = (slot + 1) & (index->slot_count - 1)) {
        const struct index_object *one = object_index_object(index, index->slots[slot] - 1);
        if (one->type == type && one->ns == ns && first_bytes(one->key) == key &&
            (full == NULL || memcmp(one->key, full, sizeof one->key) == 0))
            break;
    }
    return slot;
}

static int grow_slots(struct object_index *index)
{
    /* up to 4/5 full: 5 to 10 bytes an object */
    if (((uint64_t)index->objects.count + 1) * 5 < (uint64_t)index->slot_count * 4)
        return 0;
    if (index->slot_count > UINT32_MAX / 4)
        return -1;
    const uint32_t slot_count = index->slot_count > 0 ? index->slot_count * 2 : 1024;
    uint32_t *slots = salvor_allocate_zeroed(slot_count * sizeof *slots);
    if (slots == NULL)
        return -1;
    salvor_release(index->slots);
    index->slots = slots;
    index->slot_count = slot_count;
    for (uint32_t i = 0; i < index->objects.count; i++) {
        const struct index_object *one = object_index_object(index, i);
        const uint32_t slot = find_slot(index, one->type, one->ns, one->key, first_bytes(one->key));
        index->slots[slot] = i + 1; /* of two with one path the later one stays */
    }
    return 0;
}

salvor_status object_index_add(struct object_index *index, const struct member_path *at,
                               uint32_t type, uint16_t flags, uint32_t *ret_number,
                               uint32_t *ret_earlier)
{
    uint32_t ns = 0;
    if (at->ns.size > 0) {
        ns = names_add(&index->namespaces, at->ns);
        if (ns == NAME_NONE)
            return SALVOR_FAILED;
        ns++;
    }
    if (index->objects.count >= OBJECT_NONE - 1 || grow_slots(index) != 0)
        return SALVOR_FAILED;
    const uint32_t number = (uint32_t)index->objects.count;
    struct index_object *object = chunks_add(&index->objects);
    if (object == NULL)
        return SALVOR_FAILED;
    digest(index, at->name, object->key);
    object->type = type;
    object->ns = ns;
    object->flags = flags;
    object->first_link = OBJECT_NONE;
    object->level = LEVEL_NONE;
    const uint32_t slot = find_slot(index, type, ns, object->key, first_bytes(object->key));
    *ret_earlier = index->slots[slot] != 0 ? index->slots[slot] - 1 : OBJECT_NONE;
    if (*ret_earlier != OBJECT_NONE)
        object_index_object(index, *ret_earlier)->flags |= OBJECT_SUPERSEDED;
    index->slots[slot] = number + 1;
    object_index_type_at(index, type)->count++;
    object_index_type_at(index, type)->namespaced += ns != 0;
    *ret_number = number;
    return SALVOR_OK;
}

salvor_status object_index_own(struct object_index *index, uint32_t number,
                               const struct salvor_owner *owner)
{
    unsigned char key[16];
    char text[1024];
    const uint64_t size = owner->api_version.size + 1 + owner->kind.size;
    if (size > sizeof text)
        return SALVOR_FAILED;
    if (owner->api_version.size > 0)
        memcpy(text, owner->api_version.data, (size_t)owner->api_version.size);
    text[owner->api_version.size] = ' ';
    if (owner->kind.size > 0)
        memcpy(text + owner->api_version.size + 1, owner->kind.data, (size_t)owner->kind.size);
    const struct salvor_span kind = {text, size};
    const uint32_t kind_number = names_add(&index->owner_kinds, kind);
    struct index_link *link =
        kind_number != NAME_NONE ? chunks_add(&index->links) : (struct index_link *)NULL;
    if (link == NULL)
        return SALVOR_FAILED;
    digest(index, owner->name, key);
    link->key = first_bytes(key);
    link->kind = kind_number;
    link->object = number;
    struct index_object *object = object_index_object(index, number);
    if ((object->flags & OBJECT_OWNED) == 0)
        object->first_link = (uint32_t)index->links.count - 1;
    object->flags |= OBJECT_OWNED;
    return SALVOR_OK;
}

uint32_t object_index_find_key(const struct object_index *index, uint32_t type, uint32_t ns,
                               uint64_t key)
{
    if (index->slot_count == 0)
        return OBJECT_NONE;
    return index->slots[find_slot(index, type, ns, NULL, key)] - 1;
}

uint32_t object_index_find(const struct object_index *index, uint32_t type, struct salvor_span ns,
                           struct salvor_span name)
{
    unsigned char key[16];
    uint32_t ns_number = 0;
    if (index->slot_count == 0 || type == OBJECT_NONE)
        return OBJECT_NONE;
    if (ns.size > 0) {
        ns_number = names_find(&index->namespaces, ns);
        if (ns_number == NAME_NONE)
            return OBJECT_NONE;
        ns_number++;
    }
    digest(index, name, key);
    return index->slots[find_slot(index, type, ns_number, key, first_bytes(key))] - 1;
}

uint64_t object_index_bytes(const struct object_index *index)
{
    return chunks_bytes(&index->objects) + chunks_bytes(&index->links) +
           (uint64_t)index->slot_count * sizeof *index->slots;
}
