#include "store.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

const char *nsx_table_name(enum nsx_table_id table)
{
    static const char *const names[NSX_TABLES] = {
        "principals", "tokenPrincipals", "certificates", "controlPlanes", "heartbeats", "policies",
        "rules",      "spans",           "groups",       "services",      "drafts",     "settings"};
    return names[table];
}

static void drop(struct nsx_record *record)
{
    if (--record->references > 0)
        return;
    free(record->key);
    free(record);
}

size_t nsx_table_from(const struct nsx_table *table, const char *key)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(table->items[middle]->key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct nsx_record *nsx_table_at(const struct nsx_table *table, size_t index,
                                      const char *prefix)
{
    if (index >= table->count || !text_starts(table->items[index]->key, prefix))
        return NULL;
    return table->items[index];
}

const struct nsx_record *nsx_table_get(const struct nsx_table *table, const char *key)
{
    size_t index = nsx_table_from(table, key);
    if (index < table->count && strcmp(table->items[index]->key, key) == 0)
        return table->items[index];
    return NULL;
}

void nsx_table_put(struct nsx_table *table, const char *key, const json_t *object, int64_t order)
{
    cleanup_free char *text = json_dumps(object, JSON_COMPACT);
    if (text == NULL)
        out_of_memory();
    size_t size = strlen(text), index = nsx_table_from(table, key);
    struct nsx_record *record = memory_new(1, sizeof *record + size + 1);
    record->references = 1;
    record->key = text_copy(key);
    record->size = size;
    record->order = order;
    memcpy(record->text, text, size + 1);
    if (index < table->count && strcmp(table->items[index]->key, key) == 0) {
        drop(table->items[index]);
        table->items[index] = record;
        return;
    }
    if (table->count == table->capacity) {
        table->capacity = table->capacity == 0 ? 64 : table->capacity * 2;
        table->items = memory_resize(table->items, table->capacity, sizeof *table->items);
    }
    memmove(table->items + index + 1, table->items + index,
            (table->count - index) * sizeof *table->items);
    table->items[index] = record;
    table->count++;
}

int nsx_table_remove(struct nsx_table *table, const char *key)
{
    size_t index = nsx_table_from(table, key);
    if (index >= table->count || strcmp(table->items[index]->key, key) != 0)
        return 0;
    drop(table->items[index]);
    table->count--;
    memmove(table->items + index, table->items + index + 1,
            (table->count - index) * sizeof *table->items);
    return 1;
}

json_t *nsx_record_tree(const struct nsx_record *record)
{
    json_t *tree = json_loadb(record->text, record->size, 0, NULL);
    if (tree == NULL)
        out_of_memory();
    return tree;
}

json_t *nsx_table_tree(const struct nsx_table *table, const char *key)
{
    const struct nsx_record *record = nsx_table_get(table, key);
    return record == NULL ? NULL : nsx_record_tree(record);
}

json_t *nsx_table_find(const struct nsx_table *table, const char *field, const char *value)
{
    for (size_t i = 0; i < table->count; i++) {
        /* Reading every object is dear; the text tells most of them apart. */
        if (strstr(table->items[i]->text, value) == NULL)
            continue;
        json_t *tree = nsx_record_tree(table->items[i]);
        if (text_equal(json_string_value(json_object_get(tree, field)), value))
            return tree;
        json_decref(tree);
    }
    return NULL;
}

void nsx_intent_copy(struct nsx_intent *to, const struct nsx_intent *from)
{
    for (int i = 0; i < NSX_TABLES; i++) {
        const struct nsx_table *source = &from->tables[i];
        struct nsx_table *copy = &to->tables[i];
        *copy = (struct nsx_table){.count = source->count, .capacity = source->count};
        copy->items = memory_new(source->count + 1, sizeof *copy->items);
        for (size_t k = 0; k < source->count; k++) {
            copy->items[k] = source->items[k];
            copy->items[k]->references++;
        }
    }
}

void nsx_intent_clear(struct nsx_intent *intent)
{
    for (int i = 0; i < NSX_TABLES; i++) {
        for (size_t k = 0; k < intent->tables[i].count; k++)
            drop(intent->tables[i].items[k]);
        free(intent->tables[i].items);
        intent->tables[i] = (struct nsx_table){NULL, 0, 0};
    }
}
