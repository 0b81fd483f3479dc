#include "restore-flight.h"

#include <stdio.h>
#include <string.h>

#include "customize.h"

enum { TRIES = 8, OBJECT_LIMIT = 64 << 20, BYTES_UNDER_WAY = 8 << 20 };

/* ---- life ------------------------------------------------------------------------------------ */

salvor_status flights_begin(struct bulk *bulk)
{
    char options[128];
    const int64_t wanted = salvor_option_integer(bulk->call, "in-flight", 32);
    const int64_t in_flight = wanted < 1 ? 1 : wanted > FLIGHTS ? FLIGHTS : wanted;
    for (size_t i = 0; i < FLIGHTS; i++)
        bulk->flights[i].json.limit = bulk->flights[i].path.limit = OBJECT_LIMIT;
    bulk->answers.item_size = 64;
    SALVOR_TRY(salvor_batches_of(bulk->call)
                   ->open(bulk->call, "{\"in_flight\":1,\"class\":\"owners\"}", &bulk->questions));
    (void)snprintf(options, sizeof options, "{\"in_flight\":%d,\"class\":\"restore\"}",
                   (int)in_flight);
    return salvor_batches_of(bulk->call)->open(bulk->call, options, &bulk->batch);
}

void flights_clear(struct bulk *bulk)
{
    if (bulk->batch != NULL)
        salvor_batches_of(bulk->call)->close(bulk->call, bulk->batch);
    if (bulk->questions != NULL)
        salvor_batches_of(bulk->call)->close(bulk->call, bulk->questions);
    bulk->batch = bulk->questions = NULL;
    names_clear(&bulk->asked);
    chunks_clear(&bulk->answers);
    for (size_t i = 0; i < FLIGHTS; i++) {
        salvor_text_clear(&bulk->flights[i].json);
        salvor_text_clear(&bulk->flights[i].path);
    }
}

/* ---- the end of an object -------------------------------------------------------------------- */

static salvor_status put_ledger(struct bulk *bulk, uint32_t number, uint32_t result,
                                uint32_t detail)
{
    const struct salvor_ledger_entry entry = {number, result, detail};
    return bulk->ledger != NULL
               ? salvor_ledgers_of(bulk->call)->put(bulk->call, bulk->ledger, &entry)
               : SALVOR_OK;
}

static void tell_progress(struct bulk *bulk)
{
    const struct restore_summary *summary = bulk->summary;
    bulk->call->host->progress(bulk->call,
                               summary->earlier + summary->created + summary->updated +
                                   summary->kept + summary->failed,
                               summary->objects, "objects");
}

static void free_flight(struct bulk *bulk, struct flight *flight)
{
    bulk->bytes_under_way -= flight->json.size;
    flight->state = FLIGHT_FREE;
}

salvor_status flight_finish_kept(struct bulk *bulk, uint32_t number)
{
    bulk->summary->kept++;
    tell_progress(bulk);
    return put_ledger(bulk, number, RESULT_KEPT, 0);
}

static salvor_status finish(struct bulk *bulk, struct flight *flight, int32_t code)
{
    struct restore_summary *summary = bulk->summary;
    const uint32_t result = flight->creating ? flight->alone ? RESULT_CREATED_ALONE : RESULT_CREATED
                            : flight->alone  ? RESULT_UPDATED_ALONE
                                             : RESULT_UPDATED;
    summary->created += flight->creating != 0;
    summary->updated += !flight->creating;
    if (flight->alone && summary->alone++ == 0)
        (void)snprintf(summary->first_alone, sizeof summary->first_alone, "%s",
                       salvor_text_get(&flight->path));
    free_flight(bulk, flight);
    tell_progress(bulk);
    return put_ledger(bulk, flight->number, result, (uint32_t)code);
}

/* What the server says about the request itself will not change by itself. A missing namespace may
 * come; what is being deleted may be gone. */
static int is_hopeless(int32_t code)
{
    return code >= 400 && code < 500 && code != 404 && code != 408 && code != 409 && code != 429;
}

static salvor_status fail(struct bulk *bulk, struct flight *flight, int32_t code, const char *why)
{
    struct restore_summary *summary = bulk->summary;
    summary->hopeless += is_hopeless(code);
    if (summary->failed++ == 0)
        (void)snprintf(summary->first_failure, sizeof summary->first_failure, "'%s': %s",
                       salvor_text_get(&flight->path), why);
    if (summary->failed <= 20)
        salvor_logf(bulk->call, SALVOR_LOG_WARNING, "'%s' is not restored: %s",
                    salvor_text_get(&flight->path), why);
    free_flight(bulk, flight);
    tell_progress(bulk);
    return put_ledger(bulk, flight->number, RESULT_FAILED, (uint32_t)code);
}

/* ---- owners ---------------------------------------------------------------------------------- */

struct owner_search {
    struct bulk *bulk;
    uint32_t number; /* of the dependent */
    uint32_t next_link;
};

/* The UID of a living object, "" when there is none. */
static salvor_status ask_uid(struct bulk *bulk, const struct salvor_kube_request *request,
                             char uid[64])
{
    struct salvor_batch_result result = {.struct_size = sizeof result};
    struct salvor_object object;
    uid[0] = '\0';
    SALVOR_TRY(
        salvor_kube_of(bulk->call)->submit(bulk->call, bulk->questions, bulk->client, 0, request));
    SALVOR_TRY(salvor_batches_of(bulk->call)->next(bulk->call, bulk->questions, &result));
    if (result.status != SALVOR_OK)
        return result.status;
    if (result.code != 200 && result.code != 404)
        return salvor_fail(bulk->call, SALVOR_FAILED, NULL, "owner '%s' cannot be read: status %d",
                           request->name, (int)result.code);
    if (result.code == 200 && salvor_object_read(result.body, &object, NULL) == SALVOR_OK &&
        salvor_span_copy(object.uid, uid, 64) != SALVOR_OK)
        uid[0] = '\0';
    return SALVOR_OK;
}

static salvor_status look_for_living(struct bulk *bulk, const struct salvor_owner *owner,
                                     struct salvor_span ns, char uid[64])
{
    const struct salvor_span any = {NULL, 0};
    struct salvor_span group;
    struct salvor_span version;
    char name[512];
    char space[256];
    uid[0] = '\0';
    salvor_group_version(owner->api_version, &group, &version);
    const struct api_type *type =
        api_catalog_find_kind(&bulk->catalog, group, version, owner->kind);
    if (type == NULL)
        type = api_catalog_find_kind(&bulk->catalog, group, any, owner->kind);
    if (type == NULL || salvor_span_copy(owner->name, name, sizeof name) != SALVOR_OK ||
        salvor_span_copy(ns, space, sizeof space) != SALVOR_OK ||
        (type->namespaced && space[0] == '\0'))
        return SALVOR_OK;
    const struct salvor_kube_request request = {.struct_size = sizeof request,
                                                .verb = "get",
                                                .group = type->group,
                                                .version = type->version,
                                                .resource = type->resource,
                                                .ns = type->namespaced ? space : NULL,
                                                .name = name};
    return ask_uid(bulk, &request, uid);
}

/* An owner that the archive does not have may live in the cluster. Asked once each. */
static salvor_status find_living(struct bulk *bulk, const struct salvor_owner *owner,
                                 struct salvor_span ns, char uid[64])
{
    salvor_auto_text struct salvor_text key = SALVOR_TEXT_INIT(4096);
    salvor_text_format(&key, "%.*s %.*s %.*s/%.*s", (int)owner->api_version.size,
                       owner->api_version.data, (int)owner->kind.size, owner->kind.data,
                       (int)ns.size, ns.data, (int)owner->name.size, owner->name.data);
    SALVOR_TRY(salvor_text_check(bulk->call, &key, "the name of an owner"));
    uint32_t number = names_find(&bulk->asked, salvor_text_as_span(&key));
    if (number == NAME_NONE) {
        SALVOR_TRY(look_for_living(bulk, owner, ns, uid));
        number = names_add(&bulk->asked, salvor_text_as_span(&key));
        char *answer = number != NAME_NONE ? chunks_add(&bulk->answers) : NULL;
        if (answer == NULL)
            return salvor_fail_memory(bulk->call, "the owners");
        memcpy(answer, uid, 64);
    }
    memcpy(uid, chunks_at(&bulk->answers, number), 64);
    return uid[0] != '\0' ? SALVOR_OK : SALVOR_NOT_FOUND;
}

static salvor_status find_owner(void *data, const struct salvor_owner *owner, struct salvor_span ns,
                                char uid[64])
{
    struct owner_search *search = data;
    struct bulk *bulk = search->bulk;
    const struct object_index *index = bulk->request->survey->index;
    /* the links stand in the order of the references, but for those without kind or name */
    if (owner->kind.size > 0 && owner->name.size > 0 && search->next_link < index->links.count) {
        const struct index_link *link = object_index_link(index, search->next_link);
        if (link->object == search->number) {
            const uint32_t number = owner_graph_owner(bulk->request->graph, link);
            search->next_link++;
            if (number != OBJECT_NONE) {
                const struct live_object *live = live_object(&bulk->live, number);
                if ((live->flags & LIVE_THERE) != 0) {
                    live_object_uid(live, uid);
                    if (uid[0] != '\0')
                        return SALVOR_OK;
                }
            }
        }
    }
    return find_living(bulk, owner, ns, uid);
}

/* ---- requests -------------------------------------------------------------------------------- */

static struct salvor_kube_request request_of(const struct bulk *bulk, const struct flight *flight,
                                             const char *verb)
{
    const struct salvor_kube_request request = {
        .struct_size = sizeof request,
        .dry_run = (uint32_t)bulk->request->dry_run,
        .verb = verb,
        .group = flight->group,
        .version = flight->version,
        .resource = flight->resource,
        .ns = flight->ns[0] != '\0' ? flight->ns : NULL,
        .name = strcmp(verb, "create") != 0 ? flight->name : NULL,
    };
    return request;
}

static salvor_status take_one(struct bulk *bulk);

/* Right after an answer there is room for what follows from it. */
static salvor_status submit(struct bulk *bulk, struct flight *flight,
                            const struct salvor_kube_request *request)
{
    const uint64_t tag = (uint64_t)(flight - bulk->flights);
    return salvor_kube_of(bulk->call)->submit(bulk->call, bulk->batch, bulk->client, tag, request);
}

static salvor_status write_object(struct bulk *bulk, struct flight *flight)
{
    const struct live_object *live = live_object(&bulk->live, flight->number);
    salvor_auto_text struct salvor_text body = SALVOR_TEXT_INIT(OBJECT_LIMIT);
    char revision[32];
    struct salvor_edit edit = {"/metadata/resourceVersion", {revision, 0}};
    struct salvor_kube_request request = request_of(bulk, flight, "create");
    flight->state = FLIGHT_WRITING;
    flight->creating = (live->flags & LIVE_THERE) == 0;
    request.body = salvor_text_as_span(&flight->json);
    if (!flight->creating) {
        edit.value.size = (uint64_t)snprintf(revision, sizeof revision, "\"%llu\"",
                                             (unsigned long long)live->revision);
        if (salvor_json_edit(request.body, &edit, 1, &body, NULL) != SALVOR_OK)
            return salvor_fail_memory(bulk->call, "an object");
        request = request_of(bulk, flight, "update");
        request.body = salvor_text_as_span(&body);
    }
    return submit(bulk, flight, &request);
}

static salvor_status look_at_object(struct bulk *bulk, struct flight *flight)
{
    struct salvor_kube_request request = request_of(bulk, flight, "get");
    request.dry_run = 0;
    flight->state = FLIGHT_LOOKING;
    return submit(bulk, flight, &request);
}

/* The archived status onto the object that was just answered. */
static salvor_status write_status(struct bulk *bulk, struct flight *flight,
                                  struct salvor_span answer)
{
    salvor_auto_text struct salvor_text body = SALVOR_TEXT_INIT(OBJECT_LIMIT);
    struct salvor_edit edit = {"/status", {NULL, 0}};
    struct salvor_kube_request request = request_of(bulk, flight, "update");
    if (salvor_scan_find(salvor_text_as_span(&flight->json), "/status", NULL, &edit.value, NULL) !=
            SALVOR_OK ||
        salvor_json_edit(answer, &edit, 1, &body, NULL) != SALVOR_OK)
        return salvor_fail_memory(bulk->call, "a status");
    flight->state = FLIGHT_STATUS;
    request.subresource = "status";
    request.body = salvor_text_as_span(&body);
    return submit(bulk, flight, &request);
}

/* ---- answers --------------------------------------------------------------------------------- */

static salvor_status refused(struct bulk *bulk, struct flight *flight,
                             const struct salvor_batch_result *result)
{
    char reason[1024];
    char why[1200];
    (void)cluster_reason(result->body, reason, sizeof reason);
    (void)snprintf(why, sizeof why, "status %d%s%s", (int)result->code,
                   reason[0] != '\0' ? ": " : "", reason);
    return fail(bulk, flight, result->code, why);
}

/* rancher-webhook refuses settings that it owns; the operator takes that as done, too. */
static int is_refusal_of_setting(const struct flight *flight, struct salvor_span body)
{
    char reason[1024];
    if (strcmp(flight->resource, "settings") != 0 ||
        strcmp(flight->group, "management.cattle.io") != 0)
        return 0;
    (void)cluster_reason(body, reason, sizeof reason);
    return strstr(reason, "rancher.cattle.io.settings") != NULL &&
           strstr(reason, "denied the request") != NULL;
}

static salvor_status written(struct bulk *bulk, struct flight *flight,
                             const struct salvor_batch_result *result)
{
    struct live_object *live = live_object(&bulk->live, flight->number);
    struct salvor_object object;
    if (salvor_object_read(result->body, &object, NULL) == SALVOR_OK)
        live_object_take(live, &object);
    else
        live->flags |= LIVE_THERE;
    /* a dry run made no object whose status could be written */
    if (flight->has_status && !bulk->request->dry_run)
        return write_status(bulk, flight, result->body);
    return finish(bulk, flight, result->code);
}

/* Somebody was there first, or took it away: look, and go on from what is there now. */
static salvor_status again(struct bulk *bulk, struct flight *flight,
                           const struct salvor_batch_result *result)
{
    if (++flight->tries >= TRIES)
        return refused(bulk, flight, result);
    bulk->summary->conflicts++;
    return look_at_object(bulk, flight);
}

/* Replaces the archived definition by one that this cluster takes. */
static salvor_status merge_definition(struct bulk *bulk, struct flight *flight,
                                      const struct salvor_span *answer)
{
    salvor_auto_json json_t *archived = NULL;
    salvor_auto_json json_t *live = NULL;
    salvor_auto_json json_t *made = NULL;
    SALVOR_TRY(salvor_json_parse(bulk->call, salvor_text_as_span(&flight->json),
                                 salvor_text_get(&flight->path), &archived));
    if (answer != NULL)
        SALVOR_TRY(salvor_json_parse(bulk->call, *answer, flight->name, &live));
    if (customize_definition(archived, live, &made) != SALVOR_OK)
        return salvor_fail_memory(bulk->call, "a definition");
    salvor_auto_release char *text = salvor_json_write(made);
    if (text == NULL)
        return salvor_fail_memory(bulk->call, "a definition");
    bulk->bytes_under_way -= flight->json.size;
    salvor_text_reset(&flight->json);
    salvor_text_put(&flight->json, text);
    bulk->bytes_under_way += flight->json.size;
    return salvor_text_check(bulk->call, &flight->json, "a definition");
}

static salvor_status looked(struct bulk *bulk, struct flight *flight,
                            const struct salvor_batch_result *result)
{
    struct live_object *live = live_object(&bulk->live, flight->number);
    struct salvor_object object;
    if (result->code != 200 && result->code != 404)
        return refused(bulk, flight, result);
    if (bulk->request->phase == PHASE_DEFINITIONS)
        SALVOR_TRY(merge_definition(bulk, flight, result->code == 200 ? &result->body : NULL));
    if (result->code == 404) {
        live->flags = 0;
        return write_object(bulk, flight);
    }
    if (object_reader_read(&bulk->reader, result->body, &object, NULL) != SALVOR_OK)
        return fail(bulk, flight, 0, "the live object cannot be read");
    live_object_take(live, &object);
    if ((live->flags & LIVE_DELETING) != 0)
        return fail(bulk, flight, 0, "it is being deleted: it can be restored once it is gone");
    return write_object(bulk, flight);
}

static salvor_status answered(struct bulk *bulk, struct flight *flight,
                              const struct salvor_batch_result *result)
{
    const int good = result->code >= 200 && result->code < 300;
    switch (flight->state) {
    case FLIGHT_LOOKING:
        return looked(bulk, flight, result);
    case FLIGHT_STATUS:
        if (good)
            return finish(bulk, flight, result->code);
        return result->code == 409 ? again(bulk, flight, result) : refused(bulk, flight, result);
    default:
        break;
    }
    if (good)
        return written(bulk, flight, result);
    if (result->code == 409 || (result->code == 404 && !flight->creating))
        return again(bulk, flight, result);
    if ((result->code == 400 || result->code == 403) && is_refusal_of_setting(flight, result->body))
        return finish(bulk, flight, result->code);
    return refused(bulk, flight, result);
}

static salvor_status take_one(struct bulk *bulk)
{
    struct salvor_batch_result result = {.struct_size = sizeof result};
    const salvor_status status =
        salvor_batches_of(bulk->call)->next(bulk->call, bulk->batch, &result);
    if (status != SALVOR_OK)
        return status;
    struct flight *flight = &bulk->flights[result.tag];
    if (result.status == SALVOR_CANCELLED)
        return SALVOR_CANCELLED;
    if (result.status != SALVOR_OK)
        return fail(bulk, flight, result.code, bulk->call->host->last_error(bulk->call));
    return answered(bulk, flight, &result);
}

salvor_status flights_land(struct bulk *bulk)
{
    salvor_status status;
    while ((status = take_one(bulk)) == SALVOR_OK)
        continue;
    return status == SALVOR_END ? SALVOR_OK : status;
}

/* ---- starting -------------------------------------------------------------------------------- */

static salvor_status free_one(struct bulk *bulk, struct flight **ret_flight)
{
    for (;;) {
        if (bulk->bytes_under_way < BYTES_UNDER_WAY) {
            for (size_t i = 0; i < FLIGHTS; i++) {
                if (bulk->flights[i].state == FLIGHT_FREE) {
                    *ret_flight = &bulk->flights[i];
                    return SALVOR_OK;
                }
            }
        }
        SALVOR_TRY(take_one(bulk));
    }
}

static int place(const struct member_path *at, struct flight *flight)
{
    return salvor_span_copy(at->group, flight->group, sizeof flight->group) == SALVOR_OK &&
                   salvor_span_copy(at->version, flight->version, sizeof flight->version) ==
                       SALVOR_OK &&
                   salvor_span_copy(at->resource, flight->resource, sizeof flight->resource) ==
                       SALVOR_OK &&
                   salvor_span_copy(at->ns, flight->ns, sizeof flight->ns) == SALVOR_OK &&
                   salvor_span_copy(at->name, flight->name, sizeof flight->name) == SALVOR_OK
               ? 0
               : -1;
}

/* Statuses are written for types whose definition, with such a subresource, is in the archive. */
static int wants_status(const struct bulk *bulk, const struct member_path *at,
                        const struct salvor_object *object)
{
    const struct definition *definition =
        definitions_find(&bulk->request->survey->definitions, at->group, at->resource);
    const struct definition_version *version =
        definition != NULL ? definition_version(definition, at->version) : NULL;
    return object->status.size > 0 && version != NULL && version->has_status;
}

static salvor_status customize_object(struct bulk *bulk, const struct archive_member *member,
                                      struct flight *flight)
{
    struct salvor_object object;
    struct customized customized;
    const struct index_object *entry =
        object_index_object(bulk->request->survey->index, flight->number);
    struct owner_search search = {bulk, flight->number, entry->first_link};
    if (object_reader_read(&bulk->reader, member->json, &object, NULL) != SALVOR_OK)
        return SALVOR_NOT_FOUND;
    flight->has_status = wants_status(bulk, &member->at, &object);
    const salvor_status status =
        customize(&object, find_owner, &search, &flight->json, &customized);
    flight->alone = customized.refs_dropped > 0;
    return status;
}

salvor_status flight_start(struct bulk *bulk, const struct archive_member *member)
{
    struct flight *flight = NULL;
    SALVOR_TRY(free_one(bulk, &flight));
    salvor_text_reset(&flight->json);
    salvor_text_reset(&flight->path);
    salvor_text_put(&flight->path, member->path);
    flight->number = (uint32_t)member->number;
    flight->tries = 0;
    flight->alone = flight->has_status = flight->creating = 0;
    if (place(&member->at, flight) != 0)
        return fail(bulk, flight, 0, "a part of its path is too long");
    const int definition = bulk->request->phase == PHASE_DEFINITIONS;
    salvor_status status = SALVOR_OK;
    if (definition) { /* it will be merged with what is there */
        salvor_text_span(&flight->json, member->json);
        status = salvor_text_check(bulk->call, &flight->json, "a definition");
    } else {
        status = customize_object(bulk, member, flight);
    }
    if (status == SALVOR_NOT_FOUND)
        return fail(bulk, flight, 0, "it cannot be read");
    SALVOR_TRY(status);
    bulk->bytes_under_way += flight->json.size;
    const struct live_object *live = live_object(&bulk->live, flight->number);
    salvor_status submitted;
    do {
        submitted = definition || (live->flags & LIVE_DELETING) != 0 ||
                            ((live->flags & LIVE_THERE) != 0 && live->revision == 0)
                        ? look_at_object(bulk, flight)
                        : write_object(bulk, flight);
        if (submitted == SALVOR_FULL)
            SALVOR_TRY(take_one(bulk));
    } while (submitted == SALVOR_FULL);
    return submitted;
}
