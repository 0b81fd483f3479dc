#include "live-objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

salvor_status live_objects_begin(salvor_call *call, const struct object_index *index,
                                 struct live_objects *ret_live)
{
    memset(ret_live, 0, sizeof *ret_live);
    ret_live->index = index;
    ret_live->items.item_size = sizeof(struct live_object);
    ret_live->listed = salvor_allocate_zeroed(index->types.count + 1);
    for (size_t i = 0; ret_live->listed != NULL && i < index->objects.count; i++) {
        if (chunks_add(&ret_live->items) == NULL) {
            live_objects_clear(ret_live);
            return salvor_fail_memory(call, "the live objects");
        }
    }
    return ret_live->listed != NULL ? SALVOR_OK : salvor_fail_memory(call, "the live objects");
}

void live_objects_clear(struct live_objects *live)
{
    chunks_clear(&live->items);
    object_reader_clear(&live->reader);
    salvor_release(live->listed);
    memset(live, 0, sizeof *live);
}

struct live_object *live_object(const struct live_objects *live, uint32_t number)
{
    return chunks_at(&live->items, number);
}

/* ---- UIDs ------------------------------------------------------------------------------------ */

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int read_uid(struct salvor_span text, unsigned char uid[16])
{
    size_t used = 0;
    int high = -1;
    if (text.size != 36)
        return -1;
    for (uint64_t i = 0; i < text.size; i++) {
        const int dash = i == 8 || i == 13 || i == 18 || i == 23;
        const int value = hex(text.data[i]);
        if (dash ? text.data[i] != '-' : value < 0)
            return -1;
        if (dash)
            continue;
        if (high >= 0)
            uid[used++] = (unsigned char)(high * 16 + value);
        high = high >= 0 ? -1 : value;
    }
    return 0;
}

void live_object_uid(const struct live_object *live, char uid[64])
{
    const unsigned char *u = live->uid;
    unsigned any = 0;
    for (int i = 0; i < 16; i++)
        any |= u[i];
    uid[0] = '\0';
    if (any != 0)
        (void)snprintf(uid, 64,
                       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0],
                       u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12],
                       u[13], u[14], u[15]);
}

void live_object_take(struct live_object *live, const struct salvor_object *object)
{
    char digits[24];
    live->flags = LIVE_THERE | (object->deletion_timestamp.size > 0 ? LIVE_DELETING : 0);
    live->revision = 0;
    if (salvor_span_copy(object->resource_version, digits, sizeof digits) == SALVOR_OK &&
        strspn(digits, "0123456789") == strlen(digits))
        live->revision = strtoull(digits, NULL, 10);
    if (read_uid(object->uid, live->uid) != 0)
        memset(live->uid, 0, sizeof live->uid);
}

/* ---- lists ----------------------------------------------------------------------------------- */

static salvor_status take_page(salvor_call *call, const struct salvor_kube_page *page,
                               uint32_t type, struct live_objects *live)
{
    for (uint32_t i = 0; i < page->item_count; i++) {
        struct salvor_object object;
        if (object_reader_read(&live->reader, page->items[i], &object, NULL) != SALVOR_OK)
            return salvor_fail(call, SALVOR_FAILED, NULL, "an object of the API is malformed");
        const uint32_t number = object_index_find(live->index, type, object.ns, object.name);
        if (number != OBJECT_NONE)
            live_object_take(live_object(live, number), &object);
    }
    return call->host->cancelled(call) ? SALVOR_CANCELLED : SALVOR_OK;
}

salvor_status live_objects_list(salvor_call *call, salvor_kube_client *client,
                                const struct api_catalog *catalog, uint32_t type,
                                struct live_objects *live)
{
    const struct salvor_kube *kube = salvor_kube_of(call);
    const struct index_type *one = object_index_type_at(live->index, type);
    const char *group = object_index_text(live->index, one->group);
    const char *version = object_index_text(live->index, one->version);
    const char *resource = object_index_text(live->index, one->resource);
    const struct api_type *served =
        api_catalog_find(catalog, salvor_span_of(group), version, salvor_span_of(resource));
    struct salvor_kube_page page = {.struct_size = sizeof page};
    salvor_kube_list *list = NULL;
    if (live->listed[type] || served == NULL || !served->can_list)
        return SALVOR_OK;
    salvor_auto_json json_t *options =
        salvor_json_build(call, "{s:s, s:s, s:s, s:b}", "group", group, "version", version,
                          "resource", resource, "metadata_only", 1);
    salvor_auto_release char *text = options != NULL ? salvor_json_write(options) : NULL;
    if (text == NULL)
        return salvor_fail_memory(call, "a list");
    SALVOR_TRY(kube->list_open(call, client, text, &list));
    salvor_status status = SALVOR_OK;
    while (status == SALVOR_OK && (status = kube->list_next(call, list, &page)) == SALVOR_OK)
        status = take_page(call, &page, type, live);
    kube->list_close(call, list);
    if (status != SALVOR_END)
        return status;
    live->listed[type] = 1;
    return SALVOR_OK;
}
