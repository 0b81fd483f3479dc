/*
 * The object store: every version of every object since the last compaction, one revision counter,
 * one event log. Objects are kept as text without apiVersion and kind, which the answer adds for
 * the version that was asked for.
 */
#ifndef SIM_KUBE_STORE_H
#define SIM_KUBE_STORE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* One stored state of one object; immutable, counted. */
struct store_object {
    unsigned references;
    int64_t revision;
    size_t size;
    size_t metadata_size; /* the value after `{"metadata":` */
    json_t *labels;       /* or NULL */
    json_t *fields;       /* what field selectors of the type may name, or NULL */
    char text[];
};

struct store_entry;

/* All objects of one type, whatever version serves them; lives as long as the store. */
struct store_table {
    char *group;
    char *plural;
    struct store_entry **entries; /* sorted by key */
    size_t count, capacity;
    size_t live; /* entries that exist now */
};

struct store_event {
    int64_t revision;
    int64_t time_ms; /* monotonic; controllers act some time later */
    struct store_table *table;
    const char *key;               /* "name" or "namespace/name", borrowed from the entry */
    struct store_object *object;   /* for a deletion the last state, with the deletion's revision */
    struct store_object *previous; /* NULL: created */
    int deleted;
};

struct store {
    int64_t revision;
    int64_t compacted; /* lists and watches at or below this revision are gone */
    struct store_table **tables;
    size_t table_count;
    struct store_event *events;
    size_t event_count, event_capacity;
    size_t event_base; /* index of events[0] since the beginning */
    size_t event_limit;
};

/* Names the fields of an object of this table that field selectors may use; a new object or NULL.
 */
typedef json_t *store_fields_of(const struct store_table *table, const json_t *object);

struct store *store_new(int64_t first_revision, size_t event_limit);
void store_free(struct store *store);

/* The table of the type, made when absent. */
struct store_table *store_table(struct store *store, const char *group, const char *plural);

/* The live object, borrowed until the next change; NULL when absent. */
struct store_object *store_get(const struct store_table *table, const char *key);

/*
 * Writes the object under the next revision, which is also put into its metadata; apiVersion and
 * kind must have been taken out. Returns the new state, borrowed.
 */
struct store_object *store_put(struct store *store, struct store_table *table, const char *key,
                               json_t *object, store_fields_of *fields_of);

/* Removes the live object; the event carries its last state with the deletion's revision. */
void store_delete(struct store *store, struct store_table *table, const char *key,
                  store_fields_of *fields_of);

/* The state of the object as a new tree without apiVersion and kind. */
json_t *store_object_tree(const struct store_object *object);

/* Walks live objects at `revision` in key order, from the first key >= `from` within `prefix`. */
struct store_cursor {
    const struct store_table *table;
    int64_t revision;
    const char *prefix;
    size_t index;
};
void store_walk(struct store_cursor *cursor, const struct store_table *table, int64_t revision,
                const char *prefix, const char *from);
/* The next object and its key, both borrowed; NULL at the end. */
const struct store_object *store_walk_next(struct store_cursor *cursor, const char **ret_key);

/* Forgets versions and events up to `revision`. */
void store_compact(struct store *store, int64_t revision);

/* The event with this index since the beginning, or NULL when not there (yet, or any more). */
const struct store_event *store_event_at(const struct store *store, size_t index);

/* Index of the first event later than `revision`. */
size_t store_event_after(const struct store *store, int64_t revision);

#endif
