#include "guard.h"

#include <stdlib.h>
#include <string.h>

#include "json-tree.h"
#include "status.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"

void guard_add(struct sim_kube *sim, const json_t *rule)
{
    size_t i;
    json_t *other;
    if (sim->guards == NULL)
        sim->guards = json_array();
    json_array_foreach (sim->guards, i, other)
        if (json_equal(other, rule))
            return;
    json_array_append_new(sim->guards, json_deep_copy(rule));
}

void guards_clear(struct sim_kube *sim)
{
    json_decref(sim->guards);
    sim->guards = NULL;
}

static size_t users(const struct sim_kube *sim, const char *plural, const char *field,
                    const char *name)
{
    size_t found = 0;
    for (size_t i = 0; i < sim->store->table_count; i++) {
        const struct store_table *table = sim->store->tables[i];
        struct store_cursor cursor;
        const struct store_object *state;
        const char *key;
        if (!text_equal(table->plural, plural))
            continue;
        store_walk(&cursor, table, sim->store->revision, "", "");
        while ((state = store_walk_next(&cursor, &key)) != NULL) {
            if (strstr(state->text, name) == NULL)
                continue;
            cleanup_json json_t *object = store_object_tree(state);
            found += (size_t)text_equal(tree_text(object, field), name);
        }
    }
    return found;
}

json_t *guard_refusal(const struct sim_kube *sim, const struct kube_type *type, const char *name)
{
    size_t i;
    json_t *rule;
    json_array_foreach (sim->guards, i, rule) {
        const char *field = tree_text(rule, "field"), *webhook = tree_text(rule, "webhook");
        if (!text_equal(tree_text(rule, "plural"), type->plural) || field == NULL)
            continue;
        size_t found = users(sim, tree_text(rule, "referredBy"), field, name);
        if (found > 0)
            return status_failure(400, "", NULL,
                                  "admission webhook \"%s\" denied the request: %s is referenced "
                                  "by %zu %s",
                                  webhook == NULL ? "guard" : webhook, name, found,
                                  tree_text(rule, "referredBy"));
    }
    return NULL;
}
