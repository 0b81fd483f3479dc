#include "restore-bulk.h"

#include <stdio.h>
#include <string.h>

#include "cluster.h"
#include "customize.h"
#include "live-objects.h"
#include "restore-flight.h"

enum { LOOK_EVERY = 256 };

/* ---- what belongs to it ---------------------------------------------------------------------- */

int restore_is_in_phase(const struct archive_survey *survey, const struct index_object *object,
                        enum restore_phase phase)
{
    const struct index_type *type = object_index_type_at(survey->index, object->type);
    const int definition =
        strcmp(object_index_text(survey->index, type->resource), "customresourcedefinitions") == 0;
    if ((object->flags & OBJECT_SUPERSEDED) != 0)
        return 0;
    if (definition || phase == PHASE_DEFINITIONS)
        return definition && phase == PHASE_DEFINITIONS;
    return (object->ns == 0) == (phase == PHASE_CLUSTER);
}

static int is_kept(const struct index_object *object)
{
    return (object->flags & (OBJECT_BUILTIN | OBJECT_LEFT_OUT | OBJECT_REGISTRATION)) != 0;
}

/* ---- preparing ------------------------------------------------------------------------------- */

/* Types of the phase, and of the owners that its objects name. */
static salvor_status list_live(struct bulk *bulk)
{
    const struct object_index *index = bulk->request->survey->index;
    unsigned char *wanted = salvor_allocate_zeroed(index->types.count + 1);
    salvor_status status = SALVOR_OK;
    if (wanted == NULL)
        return salvor_fail_memory(bulk->call, "the live objects");
    for (uint32_t i = 0; i < index->objects.count; i++) {
        const struct index_object *object = object_index_object(index, i);
        if (restore_is_in_phase(bulk->request->survey, object, bulk->request->phase))
            wanted[object->type] = 1;
    }
    for (uint32_t i = 0; bulk->request->phase != PHASE_DEFINITIONS && i < index->links.count; i++) {
        const uint32_t owner = owner_graph_owner(bulk->request->graph, object_index_link(index, i));
        if (owner != OBJECT_NONE)
            wanted[object_index_object(index, owner)->type] = 1;
    }
    for (uint32_t i = 0; status == SALVOR_OK && i < index->types.count; i++) {
        if (wanted[i])
            status = live_objects_list(bulk->call, bulk->client, &bulk->catalog, i, &bulk->live);
    }
    salvor_release(wanted);
    return status;
}

/* Marks what the ledger has as done, as far as it still stands. */
static salvor_status read_ledger(struct bulk *bulk)
{
    const struct salvor_ledgers *ledgers = salvor_ledgers_of(bulk->call);
    struct salvor_ledger_entry entry;
    salvor_status status;
    SALVOR_TRY(ledgers->open(bulk->call, "objects", &bulk->ledger));
    while ((status = ledgers->next(bulk->call, bulk->ledger, &entry)) == SALVOR_OK) {
        if (entry.key >= bulk->request->survey->index->objects.count)
            return salvor_fail(bulk->call, SALVOR_FAILED, NULL,
                               "the ledger is of another archive: entry %llu",
                               (unsigned long long)entry.key);
        bulk->done[entry.key] = (unsigned char)entry.result;
        bulk->entries++;
    }
    return status == SALVOR_END ? SALVOR_OK : status;
}

/* 1: restored by an earlier attempt, and not gone since. */
static int is_done(const struct bulk *bulk, uint32_t number)
{
    const unsigned result = bulk->done[number];
    if (result == RESULT_KEPT)
        return 1;
    return result != 0 && result != RESULT_FAILED &&
           (live_object(&bulk->live, number)->flags & LIVE_THERE) != 0;
}

static salvor_status prepare(struct bulk *bulk)
{
    const struct object_index *index = bulk->request->survey->index;
    bulk->done = salvor_allocate_zeroed(index->objects.count + 1);
    if (bulk->done == NULL)
        return salvor_fail_memory(bulk->call, "the objects that are done");
    SALVOR_TRY(live_objects_begin(bulk->call, index, &bulk->live));
    SALVOR_TRY(api_catalog_read(bulk->call, bulk->client, &bulk->catalog));
    if (!bulk->request->dry_run)
        SALVOR_TRY(read_ledger(bulk));
    return SALVOR_OK;
}

static void clear(struct bulk *bulk)
{
    if (bulk->ledger != NULL)
        salvor_ledgers_of(bulk->call)->close(bulk->call, bulk->ledger);
    flights_clear(bulk);
    live_objects_clear(&bulk->live);
    api_catalog_clear(&bulk->catalog);
    object_reader_clear(&bulk->reader);
    salvor_release(bulk->done);
}

/* ---- passes ---------------------------------------------------------------------------------- */

static salvor_status take_member(struct bulk *bulk, archive_reader *reader,
                                 struct archive_member *member)
{
    const uint32_t number = (uint32_t)member->number;
    const struct index_object *object = object_index_object(bulk->request->survey->index, number);
    if (is_kept(object))
        return flight_finish_kept(bulk, number);
    SALVOR_TRY(archive_reader_load(reader, member));
    if (member->json.size == 0)
        return salvor_fail(bulk->call, SALVOR_FAILED, NULL, "'%s' does not open: %s", member->path,
                           cipher_answer_text(member->answer));
    return flight_start(bulk, member);
}

/* One pass through the stream for the objects of one level. */
static salvor_status run_level(struct bulk *bulk, archive_reader *reader, uint32_t level)
{
    const struct object_index *index = bulk->request->survey->index;
    struct archive_member member;
    salvor_status status;
    uint32_t seen = 0;
    while ((status = archive_reader_next(reader, &member)) == SALVOR_OK) {
        if (member.role != MEMBER_OBJECT)
            continue;
        const uint32_t number = (uint32_t)member.number;
        const struct index_object *object = object_index_object(index, number);
        if (object->level != level ||
            !restore_is_in_phase(bulk->request->survey, object, bulk->request->phase) ||
            is_done(bulk, number))
            continue;
        SALVOR_TRY(take_member(bulk, reader, &member));
        if (++seen % LOOK_EVERY == 0 && bulk->call->host->cancelled(bulk->call))
            return SALVOR_CANCELLED;
    }
    return status == SALVOR_END ? flights_land(bulk) : status;
}

static void count(struct bulk *bulk, unsigned char *levels, uint32_t level_count)
{
    const struct object_index *index = bulk->request->survey->index;
    for (uint32_t i = 0; i < index->objects.count; i++) {
        const struct index_object *object = object_index_object(index, i);
        if (!restore_is_in_phase(bulk->request->survey, object, bulk->request->phase))
            continue;
        bulk->summary->objects++;
        if (is_done(bulk, i))
            bulk->summary->earlier++;
        else if (object->level < level_count)
            levels[object->level] = 1;
    }
}

static salvor_status run_levels(struct bulk *bulk)
{
    auto_archive_reader archive_reader *reader = NULL;
    const uint32_t level_count = bulk->request->graph->deepest + 2;
    unsigned char *levels = salvor_allocate_zeroed(level_count);
    if (levels == NULL)
        return salvor_fail_memory(bulk->call, "the levels");
    count(bulk, levels, level_count);
    salvor_status status = archive_reader_open(bulk->call, bulk->request->survey->artifact,
                                               bulk->request->config, &reader);
    for (uint32_t level = 0; status == SALVOR_OK && level < level_count; level++) {
        if (!levels[level])
            continue;
        status = archive_reader_rewind(reader);
        if (status == SALVOR_OK)
            status = run_level(bulk, reader, level);
    }
    salvor_release(levels);
    return status;
}

salvor_status restore_bulk_run(salvor_call *call, salvor_kube_client *client,
                               const struct restore_request *request,
                               struct restore_summary *ret_summary)
{
    struct bulk bulk = {.call = call, .client = client, .request = request, .summary = ret_summary};
    memset(ret_summary, 0, sizeof *ret_summary);
    salvor_status status = prepare(&bulk);
    if (status == SALVOR_OK)
        status = list_live(&bulk);
    if (status == SALVOR_OK)
        status = flights_begin(&bulk);
    if (status == SALVOR_OK)
        status = run_levels(&bulk);
    /* what was done stays done, however it ended */
    if (bulk.ledger != NULL) {
        const salvor_status synced = salvor_ledgers_of(call)->sync(call, bulk.ledger);
        status = status == SALVOR_OK ? synced : status;
    }
    clear(&bulk);
    return status;
}

salvor_status restore_bulk_look(salvor_call *call, salvor_kube_client *client,
                                const struct restore_request *request, uint64_t *ret_all,
                                uint64_t *ret_standing, uint64_t *ret_entries)
{
    struct restore_summary summary;
    struct bulk bulk = {.call = call, .client = client, .request = request, .summary = &summary};
    memset(&summary, 0, sizeof summary);
    salvor_status status = prepare(&bulk);
    *ret_entries = bulk.entries;
    /* nothing was begun: no need to ask the cluster */
    if (status == SALVOR_OK && bulk.entries > 0)
        status = list_live(&bulk);
    if (status == SALVOR_OK)
        count(&bulk, (unsigned char[1]){0}, 0);
    *ret_all = summary.objects;
    *ret_standing = summary.earlier;
    clear(&bulk);
    return status;
}
