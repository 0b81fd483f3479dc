#include "owner-graph.h"

#include <string.h>
#include <strings.h>

#include <salvor/memory.h>
#include <salvor/scan.h>

#include "api-removals.h"

enum { ROUND_LIMIT = 512 }; /* owners of owners; deeper is taken as going in circles */

int kind_is_builtin(struct salvor_span group, struct salvor_span kind)
{
    static const char *const core[] = {"Namespace",
                                       "Node",
                                       "Pod",
                                       "Secret",
                                       "ConfigMap",
                                       "Service",
                                       "ServiceAccount",
                                       "PersistentVolume",
                                       "Endpoints",
                                       "PersistentVolumeClaim",
                                       "Event",
                                       "ReplicationController",
                                       "ResourceQuota",
                                       "LimitRange"};
    if (group.size > 0)
        return api_group_is_builtin(group);
    for (size_t i = 0; i < sizeof core / sizeof *core; i++) {
        if (salvor_span_is(kind, core[i]))
            return 1;
    }
    return 0;
}

/* ---- kinds --------------------------------------------------------------------------------- */

static struct owner_kind look_up(const struct object_index *index, const struct known_kinds *known,
                                 const char *text)
{
    struct owner_kind found = {OWNER_UNKNOWN, OBJECT_NONE};
    const char *space = strrchr(text, ' ');
    const struct salvor_span api_version = {text, (uint64_t)(space - text)};
    const struct salvor_span kind = salvor_span_of(space + 1);
    struct salvor_span group;
    struct salvor_span version;
    salvor_group_version(api_version, &group, &version);
    if (strcasecmp(space + 1, "GlobalRole") == 0 || strcasecmp(space + 1, "RoleTemplate") == 0)
        found.state = OWNER_DROPPED;
    uint32_t type = object_index_find_kind(index, group, version, kind);
    if (type != OBJECT_NONE) {
        found.type = type;
        if (found.state != OWNER_DROPPED)
            found.state = OWNER_HERE;
        return found;
    }
    const struct salvor_span any = {NULL, 0};
    type = object_index_find_kind(index, group, any, kind);
    found.type = type;
    if (found.state == OWNER_DROPPED)
        return found;
    if (type != OBJECT_NONE)
        found.state = OWNER_OTHER_VERSION;
    else if (definitions_find_kind(known->definitions, group, kind) != NULL ||
             kind_is_builtin(group, kind) ||
             (known->is_served != NULL && known->is_served(known->data, group, kind)))
        found.state = OWNER_ABSENT;
    return found;
}

static void resolve(struct owner_graph *graph)
{
    const struct object_index *index = graph->index;
    for (uint32_t i = 0; i < index->links.count; i++) {
        struct index_link *link = object_index_link(index, i);
        const struct owner_kind *kind = &graph->kinds[link->kind];
        uint32_t owner = OBJECT_NONE;
        if (kind->type != OBJECT_NONE) {
            const struct index_type *type = object_index_type_at(index, kind->type);
            const uint32_t ns = object_index_object(index, link->object)->ns;
            if (type->namespaced > 0 && ns != 0)
                owner = object_index_find_key(index, kind->type, ns, link->key);
            if (owner == OBJECT_NONE && type->namespaced < type->count)
                owner = object_index_find_key(index, kind->type, 0, link->key);
        }
        link->key = owner;
    }
}

uint32_t owner_graph_owner(const struct owner_graph *graph, const struct index_link *link)
{
    (void)graph;
    return (uint32_t)link->key;
}

/* ---- levels -------------------------------------------------------------------------------- */

/* Visits the owners of each object that has some: [first, end) of the links. */
static uint32_t end_of_links(const struct object_index *index, uint32_t first)
{
    const uint32_t object = object_index_link(index, first)->object;
    uint32_t end = first + 1;
    while (end < index->links.count && object_index_link(index, end)->object == object)
        end++;
    return end;
}

static void level_of(const struct object_index *index, uint32_t first, uint32_t end,
                     struct index_object *object)
{
    uint32_t level = 0;
    for (uint32_t i = first; i < end; i++) {
        const uint32_t owner = (uint32_t)object_index_link(index, i)->key;
        if (owner == OBJECT_NONE)
            continue;
        const struct index_object *one = object_index_object(index, owner);
        if (one == object)
            continue;
        if (one->level == LEVEL_NONE)
            return;
        if (one->level >= level)
            level = one->level + 1u;
    }
    object->level = (uint16_t)level;
}

/* Rounds over all objects with owners, until none gets a level any more; what is left then waits in
 * a circle, and comes last. */
static void find_levels(struct owner_graph *graph)
{
    const struct object_index *index = graph->index;
    for (uint32_t i = 0; i < index->objects.count; i++) {
        struct index_object *object = object_index_object(index, i);
        object->level = (object->flags & OBJECT_OWNED) != 0 ? LEVEL_NONE : 0;
    }
    int found = 1;
    for (int round = 0; found && round < ROUND_LIMIT; round++) {
        found = 0;
        for (uint32_t i = 0; i < index->links.count;) {
            const uint32_t end = end_of_links(index, i);
            struct index_object *object =
                object_index_object(index, object_index_link(index, i)->object);
            if (object->level == LEVEL_NONE) {
                level_of(index, i, end, object);
                found = found || object->level != LEVEL_NONE;
                if (object->level != LEVEL_NONE && object->level > graph->deepest)
                    graph->deepest = object->level;
            }
            i = end;
        }
    }
    for (uint32_t i = 0; i < index->objects.count; i++) {
        struct index_object *object = object_index_object(index, i);
        if (object->level != LEVEL_NONE)
            continue;
        object->flags |= OBJECT_CYCLE;
        object->level = (uint16_t)(graph->deepest + 1);
    }
}

/* ---- losses -------------------------------------------------------------------------------- */

/* Whether the operator would have restored the owner by then. */
static int never_comes(const struct owner_graph *graph, const struct index_link *link)
{
    const uint32_t owner = (uint32_t)link->key;
    switch (graph->kinds[link->kind].state) {
    case OWNER_DROPPED:
    case OWNER_UNKNOWN: /* not counted when the cluster does not know the kind either */
        return 0;
    case OWNER_HERE:
        break;
    default:
        return 1;
    }
    if (owner == OBJECT_NONE)
        return 1;
    const uint16_t flags = object_index_object(graph->index, owner)->flags;
    return (flags &
            (OBJECT_LOST | OBJECT_HIDDEN | OBJECT_LEFT_OUT | OBJECT_BUILTIN | OBJECT_CYCLE)) != 0;
}

/* By level, so that a loss reaches all that depends on it. */
static void find_losses(struct owner_graph *graph)
{
    const struct object_index *index = graph->index;
    for (uint32_t level = 0; level <= graph->deepest + 1; level++) {
        for (uint32_t i = 0; i < index->links.count;) {
            const uint32_t end = end_of_links(index, i);
            struct index_object *object =
                object_index_object(index, object_index_link(index, i)->object);
            int lost = object->level == level && (object->flags & OBJECT_CYCLE) != 0;
            for (uint32_t j = i; object->level == level && j < end; j++)
                lost = lost || never_comes(graph, object_index_link(index, j));
            /* what is not restored anyway cannot be lost */
            if (lost && (object->flags & (OBJECT_SUPERSEDED | OBJECT_HIDDEN | OBJECT_LEFT_OUT |
                                          OBJECT_BUILTIN)) == 0) {
                object->flags |= OBJECT_LOST;
                graph->lost++;
            }
            i = end;
        }
    }
}

/* ---- all ----------------------------------------------------------------------------------- */

salvor_status owner_graph_make(struct object_index *index, const struct known_kinds *known,
                               struct owner_graph *ret_graph)
{
    memset(ret_graph, 0, sizeof *ret_graph);
    ret_graph->index = index;
    ret_graph->kinds =
        salvor_allocate_zeroed((index->owner_kinds.count + 1) * sizeof *ret_graph->kinds);
    if (ret_graph->kinds == NULL)
        return SALVOR_FAILED;
    for (uint32_t i = 0; i < index->owner_kinds.count; i++)
        ret_graph->kinds[i] = look_up(index, known, names_text(&index->owner_kinds, i));
    resolve(ret_graph);
    find_levels(ret_graph);
    find_losses(ret_graph);
    return SALVOR_OK;
}

void owner_graph_clear(struct owner_graph *graph)
{
    salvor_release(graph->kinds);
    memset(graph, 0, sizeof *graph);
}
