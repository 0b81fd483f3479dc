#include "store.h"

#include <stdlib.h>
#include <string.h>

#include "json-text.h"
#include "json-tree.h"

#include "base/banned.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

enum { OBJECT_LIMIT = 64 << 20 };

struct store_version {
    int64_t revision;
    struct store_object *object; /* NULL: deleted at this revision */
};

struct store_entry {
    char *key;
    struct store_version *versions; /* by revision */
    size_t count, capacity;
};

static struct store_object *object_hold(struct store_object *object)
{
    if (object != NULL)
        object->references++;
    return object;
}

static void object_drop(struct store_object *object)
{
    if (object == NULL || --object->references > 0)
        return;
    json_decref(object->labels);
    json_decref(object->fields);
    free(object);
}

static struct store_object *object_new(const struct store_table *table, json_t *tree,
                                       int64_t revision, store_fields_of *fields_of)
{
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)revision);
    tree_set_text(tree, "metadata.resourceVersion", number);

    cleanup_buffer struct buffer text = BUFFER_INIT(OBJECT_LIMIT);
    size_t metadata_size;
    if (json_text_write_object(&text, tree, &metadata_size) != 0)
        out_of_memory();
    struct store_object *object = memory_new(1, sizeof *object + text.size + 1);
    object->references = 1;
    object->revision = revision;
    object->size = text.size;
    object->metadata_size = metadata_size;
    object->labels = json_incref(tree_at(tree, "metadata.labels"));
    object->fields = fields_of == NULL ? NULL : fields_of(table, tree);
    memcpy(object->text, text.data, text.size + 1);
    return object;
}

struct store *store_new(int64_t first_revision, size_t event_limit)
{
    struct store *store = memory_new(1, sizeof *store);
    memset(store, 0, sizeof *store);
    store->revision = first_revision;
    store->compacted = first_revision;
    store->event_limit = event_limit;
    return store;
}

static void entry_free(struct store_entry *entry)
{
    for (size_t i = 0; i < entry->count; i++)
        object_drop(entry->versions[i].object);
    free(entry->versions);
    free(entry->key);
    free(entry);
}

static void event_clear(struct store_event *event)
{
    object_drop(event->object);
    object_drop(event->previous);
}

void store_free(struct store *store)
{
    if (store == NULL)
        return;
    for (size_t i = 0; i < store->event_count; i++)
        event_clear(&store->events[i]);
    free(store->events);
    for (size_t t = 0; t < store->table_count; t++) {
        struct store_table *table = store->tables[t];
        for (size_t i = 0; i < table->count; i++)
            entry_free(table->entries[i]);
        free(table->entries);
        free(table->group);
        free(table->plural);
        free(table);
    }
    free(store->tables);
    free(store);
}

struct store_table *store_table(struct store *store, const char *group, const char *plural)
{
    for (size_t i = 0; i < store->table_count; i++)
        if (text_equal(store->tables[i]->group, group) &&
            text_equal(store->tables[i]->plural, plural))
            return store->tables[i];
    struct store_table *table = memory_new(1, sizeof *table);
    memset(table, 0, sizeof *table);
    table->group = text_copy(group);
    table->plural = text_copy(plural);
    store->tables = memory_resize(store->tables, store->table_count + 1, sizeof *store->tables);
    store->tables[store->table_count++] = table;
    return table;
}

/* Index of the first entry whose key is >= `key`. */
static size_t lower_bound(const struct store_table *table, const char *key)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(table->entries[middle]->key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct store_entry *find_entry(const struct store_table *table, const char *key)
{
    size_t at = lower_bound(table, key);
    if (at == table->count || strcmp(table->entries[at]->key, key) != 0)
        return NULL;
    return table->entries[at];
}

static struct store_object *entry_live(const struct store_entry *entry)
{
    return entry->count == 0 ? NULL : entry->versions[entry->count - 1].object;
}

struct store_object *store_get(const struct store_table *table, const char *key)
{
    const struct store_entry *entry = find_entry(table, key);
    return entry == NULL ? NULL : entry_live(entry);
}

static struct store_entry *make_entry(struct store_table *table, const char *key)
{
    size_t at = lower_bound(table, key);
    if (at < table->count && strcmp(table->entries[at]->key, key) == 0)
        return table->entries[at];
    if (table->count == table->capacity) {
        table->capacity = table->capacity == 0 ? 16 : table->capacity * 2;
        table->entries = memory_resize(table->entries, table->capacity, sizeof(void *));
    }
    struct store_entry *entry = memory_new(1, sizeof *entry);
    memset(entry, 0, sizeof *entry);
    entry->key = text_copy(key);
    memmove(table->entries + at + 1, table->entries + at, (table->count - at) * sizeof(void *));
    table->entries[at] = entry;
    table->count++;
    return entry;
}

static void add_version(struct store_entry *entry, int64_t revision, struct store_object *object)
{
    if (entry->count == entry->capacity) {
        entry->capacity = entry->capacity == 0 ? 2 : entry->capacity * 2;
        entry->versions = memory_resize(entry->versions, entry->capacity, sizeof *entry->versions);
    }
    entry->versions[entry->count++] = (struct store_version){revision, object};
}

static void add_event(struct store *store, struct store_event event)
{
    if (store->event_count == store->event_capacity) {
        store->event_capacity = store->event_capacity == 0 ? 256 : store->event_capacity * 2;
        store->events = memory_resize(store->events, store->event_capacity, sizeof event);
    }
    event.time_ms = clock_monotonic_ms();
    store->events[store->event_count++] = event;
    /* Half at a time, so that the cost of moving the rest stays small. */
    if (store->event_limit > 0 && store->event_count > store->event_limit)
        store_compact(store, store->events[store->event_count / 2].revision);
}

struct store_object *store_put(struct store *store, struct store_table *table, const char *key,
                               json_t *object, store_fields_of *fields_of)
{
    struct store_entry *entry = make_entry(table, key);
    struct store_object *previous = entry_live(entry);
    struct store_object *state = object_new(table, object, ++store->revision, fields_of);
    add_version(entry, state->revision, state);
    if (previous == NULL)
        table->live++;
    add_event(store, (struct store_event){.revision = state->revision,
                                          .table = table,
                                          .key = entry->key,
                                          .object = object_hold(state),
                                          .previous = object_hold(previous)});
    return state;
}

void store_delete(struct store *store, struct store_table *table, const char *key,
                  store_fields_of *fields_of)
{
    struct store_entry *entry = find_entry(table, key);
    struct store_object *previous = entry == NULL ? NULL : entry_live(entry);
    if (previous == NULL)
        return;
    cleanup_json json_t *tree = store_object_tree(previous);
    struct store_object *last = object_new(table, tree, ++store->revision, fields_of);
    add_version(entry, last->revision, NULL);
    table->live--;
    add_event(store, (struct store_event){.revision = last->revision,
                                          .table = table,
                                          .key = entry->key,
                                          .object = last,
                                          .previous = object_hold(previous),
                                          .deleted = 1});
}

json_t *store_object_tree(const struct store_object *object)
{
    return json_loadb(object->text, object->size, JSON_ALLOW_NUL, NULL);
}

void store_walk(struct store_cursor *cursor, const struct store_table *table, int64_t revision,
                const char *prefix, const char *from)
{
    cursor->table = table;
    cursor->revision = revision;
    cursor->prefix = prefix;
    cursor->index = lower_bound(table, strcmp(from, prefix) > 0 ? from : prefix);
}

/* What the entry was at the revision; NULL when it did not exist. */
static const struct store_object *entry_at(const struct store_entry *entry, int64_t revision)
{
    for (size_t i = entry->count; i > 0; i--)
        if (entry->versions[i - 1].revision <= revision)
            return entry->versions[i - 1].object;
    return NULL;
}

const struct store_object *store_walk_next(struct store_cursor *cursor, const char **ret_key)
{
    while (cursor->index < cursor->table->count) {
        const struct store_entry *entry = cursor->table->entries[cursor->index++];
        if (!text_starts(entry->key, cursor->prefix))
            return NULL;
        const struct store_object *object = entry_at(entry, cursor->revision);
        if (object != NULL) {
            *ret_key = entry->key;
            return object;
        }
    }
    return NULL;
}

/* Drops versions that no revision above `revision` can see. */
static void compact_entry(struct store_entry *entry, int64_t revision)
{
    size_t keep = 0;
    while (keep + 1 < entry->count && entry->versions[keep + 1].revision <= revision)
        keep++;
    if (keep < entry->count && entry->versions[keep].revision <= revision &&
        entry->versions[keep].object == NULL)
        keep++;
    for (size_t i = 0; i < keep; i++)
        object_drop(entry->versions[i].object);
    entry->count -= keep;
    memmove(entry->versions, entry->versions + keep, entry->count * sizeof *entry->versions);
}

void store_compact(struct store *store, int64_t revision)
{
    if (revision > store->revision)
        revision = store->revision;
    if (revision <= store->compacted)
        return;
    store->compacted = revision;
    size_t gone = 0;
    while (gone < store->event_count && store->events[gone].revision <= revision)
        event_clear(&store->events[gone++]);
    store->event_count -= gone;
    store->event_base += gone;
    memmove(store->events, store->events + gone, store->event_count * sizeof *store->events);
    for (size_t t = 0; t < store->table_count; t++)
        for (size_t i = 0; i < store->tables[t]->count; i++)
            compact_entry(store->tables[t]->entries[i], revision);
    /* Entries stay even when empty: events borrow their keys. */
}

const struct store_event *store_event_at(const struct store *store, size_t index)
{
    if (index < store->event_base || index - store->event_base >= store->event_count)
        return NULL;
    return &store->events[index - store->event_base];
}

size_t store_event_after(const struct store *store, int64_t revision)
{
    size_t low = 0, high = store->event_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (store->events[middle].revision <= revision)
            low = middle + 1;
        else
            high = middle;
    }
    return store->event_base + low;
}
