/*
 * Paper plugin: a bulk restore of 300,000 objects from an archive, GET then POST or PUT, with a
 * ledger entry an object. Compiled only; it shows whether the ABI reads naturally for this.
 */
#include <salvor/archive.h>
#include <salvor/helpers.h>
#include <stdio.h>
#include <string.h>

/* ---- what it declares ----------------------------------------------------------------------- */

static const struct salvor_option options[] = {
    {"archive", "NAME", NULL, "archive to restore, as the operator named it", NULL, "0.1",
     SALVOR_OPTION_STRING, 0, SALVOR_ON_VALIDATE | SALVOR_ON_RESTORE, 0},
    {"in-flight", NULL, "32", "requests under way at once", NULL, "0.1", SALVOR_OPTION_INTEGER, 0,
     SALVOR_ON_RESTORE, 0},
};

#define MINUTES(count) ((uint64_t)(count)*60u * 1000u)

static const struct salvor_row pause_rows[] = {
    {.id = "scale-down",
     .title = "scale the controllers of the resource set to zero",
     .statements = "RANCHER-071",
     .effect = SALVOR_EFFECT_CHANGE,
     .flags = SALVOR_ROW_IDEMPOTENT,
     .deadline_ms = MINUTES(10),
     .attempts = 3,
     .backoff_ms = 2000},
};

static const struct salvor_row restore_rows[] = {
    {.id = "restore-crds",
     .title = "restore the custom resource definitions and wait until they are established",
     .statements = "RANCHER-013",
     .effect = SALVOR_EFFECT_DESTRUCTIVE,
     .flags = SALVOR_ROW_IDEMPOTENT,
     .deadline_ms = MINUTES(15),
     .attempts = 3,
     .backoff_ms = 5000},
    {.id = "restore-objects",
     .title = "restore cluster-scoped, then namespaced resources",
     .statements = "RANCHER-013",
     .effect = SALVOR_EFFECT_DESTRUCTIVE,
     .flags = SALVOR_ROW_IDEMPOTENT,
     .deadline_ms = MINUTES(120),
     .attempts = 5,
     .backoff_ms = 5000},
};

static const struct salvor_stage stages[] = {
    {"pause", "stop what would fight the restore", pause_rows, SALVOR_ARRAY(pause_rows)},
    {"restore", "restore the resources of the archive", restore_rows, SALVOR_ARRAY(restore_rows)},
};

static const struct salvor_procedure procedures[] = {
    {"in-place", "restore with the product running", "Backup Restore Usage Guide", "2.8 to 2.15",
     stages, SALVOR_ARRAY(stages), SALVOR_PROCEDURE_RESTORE, 0},
};

static const struct salvor_finding findings[] = {
    {"RANCHER-ARCHIVE-DAMAGED", "the archive is damaged", "RANCHER-012", "use another archive",
     SALVOR_SEVERITY_BLOCKER, 0},
    {"RANCHER-OTHER-CLUSTER", "the archive comes from another cluster", "RANCHER-010 RANCHER-028",
     "migrate instead: --path migration", SALVOR_SEVERITY_BLOCKER, SALVOR_FINDING_WAIVABLE},
};

static const struct salvor_need needs[] = {
    {SALVOR_KUBE, 1, 1},      {SALVOR_BATCH, 1, 1},    {SALVOR_STREAM, 1, 1}, {SALVOR_LEDGER, 1, 1},
    {SALVOR_INVENTORY, 1, 1}, {SALVOR_FINDINGS, 1, 1}, {SALVOR_PLAN, 1, 1},
};

/* ---- looking -------------------------------------------------------------------------------- */

static salvor_status open_cluster(salvor_call *call, salvor_kube_client **ret_client)
{
    return salvor_kube_of(call)->client_open(call, "{}", ret_client);
}

static salvor_status observe_cluster(salvor_call *call)
{
    const struct salvor_kube *kube = salvor_kube_of(call);
    salvor_kube_client *client = NULL;
    const struct salvor_kube_request get = {.struct_size = sizeof get,
                                            .verb = "get",
                                            .group = "",
                                            .version = "v1",
                                            .resource = "namespaces",
                                            .name = "kube-system"};
    struct salvor_span body;
    struct salvor_object object;
    int32_t code = 0;
    SALVOR_TRY(open_cluster(call, &client));
    SALVOR_TRY(kube->request(call, client, &get, &code, &body));
    if (salvor_object_read(body, &object, NULL) != SALVOR_OK)
        return salvor_fail(call, SALVOR_FAILED, NULL, "namespace 'kube-system' cannot be read");
    return salvor_observed(call, "kube-system-uid", SALVOR_FACT_IDENTITY,
                           json_stringn(object.uid.data, object.uid.size));
}

static salvor_status discover(salvor_call *call)
{
    SALVOR_TRY(observe_cluster(call));
    return salvor_inventory_of(call)->item(call, "cluster", "local", "{}");
}

static salvor_status observe(salvor_call *call, const char *names)
{
    (void)names;
    return observe_cluster(call);
}

/* The one archive of the source, or the one that the operator named. */
static salvor_status archive_name(salvor_call *call, char *name, size_t size)
{
    const char *named = salvor_option_text(call, "archive", NULL);
    salvor_auto_json json_t *list = NULL;
    struct salvor_span json;
    if (named == NULL) {
        SALVOR_TRY(salvor_stream_of(call)->list(call, &json));
        SALVOR_TRY(salvor_json_parse(call, json, "the list of artifacts", &list));
        if (json_array_size(list) != 1)
            return salvor_fail(call, SALVOR_REFUSED, "name one with --archive",
                               "the source holds %zu artifacts", json_array_size(list));
        named = salvor_json_text(list, "/0/name", "");
    }
    return salvor_span_copy(salvor_span_of(named), name, size);
}

static salvor_status validate(salvor_call *call, const struct salvor_request *request)
{
    char name[512];
    salvor_archive *archive = NULL;
    struct salvor_archive_member member;
    struct salvor_scan_error error;
    salvor_status status;
    uint64_t objects = 0;
    (void)request;
    SALVOR_TRY(archive_name(call, name, sizeof name));
    SALVOR_TRY(salvor_archive_open(call, name, NULL, &archive));
    while ((status = salvor_archive_next(archive, &member)) == SALVOR_OK) {
        struct salvor_span json;
        if (member.kind != SALVOR_MEMBER_FILE)
            continue;
        status = salvor_archive_load(archive, &json);
        if (status != SALVOR_OK)
            break;
        if (salvor_scan_check(json, &error) != SALVOR_OK)
            status = salvor_raise(call, "RANCHER-ARCHIVE-DAMAGED", member.path, "%s at byte %llu",
                                  error.problem, (unsigned long long)error.offset);
        if (status != SALVOR_OK)
            break;
        objects++;
    }
    if (status == SALVOR_FAILED)
        status = salvor_raise(call, "RANCHER-ARCHIVE-DAMAGED", name, "%s",
                              salvor_archive_problem(archive));
    salvor_archive_close(archive);
    call->host->progress(call, objects, objects, "objects");
    return status == SALVOR_END ? SALVOR_OK : status;
}

/* ---- planning ------------------------------------------------------------------------------- */

static salvor_status plan_restore_stage(salvor_call *call)
{
    static const char *const guards[] = {"archive-objects", NULL};
    char name[512];
    salvor_archive *archive = NULL;
    struct salvor_archive_member member;
    salvor_status status;
    uint32_t index = 0;
    int64_t count = 0;
    SALVOR_TRY(archive_name(call, name, sizeof name));
    SALVOR_TRY(
        salvor_plan_step(call,
                         &(struct salvor_step_plan){
                             .row = "restore-objects",
                             .target = name,
                             .parameters = salvor_json_build(call, "{s:s}", "archive", name),
                             .guards = guards,
                             .consequence = "objects that differ from the archive are overwritten"},
                         &index));
    SALVOR_TRY(salvor_archive_open(call, name, NULL, &archive));
    while ((status = salvor_archive_next(archive, &member)) == SALVOR_OK) {
        if (member.kind != SALVOR_MEMBER_FILE)
            continue;
        count++;
        status = salvor_plan_of(call)->object(call, index, member.path);
        if (status != SALVOR_OK)
            break;
    }
    salvor_archive_close(archive);
    if (status != SALVOR_END)
        return status;
    return salvor_frozen(call, "archive-objects", SALVOR_FACT_GUARD, json_integer(count));
}

static salvor_status restore(salvor_call *call, const struct salvor_request *request)
{
    const struct salvor_plan *plan = salvor_plan_of(call);
    if (request->stage != NULL && strcmp(request->stage, "restore") == 0)
        return plan_restore_stage(call);
    SALVOR_TRY(plan->decide(call, "in-place", "kube-system has the UID in the archive's name"));
    SALVOR_TRY(plan->rule_out(call, "migration", "the product is running on this cluster"));
    SALVOR_TRY(salvor_plan_step(
        call,
        &(struct salvor_step_plan){.row = "scale-down",
                                   .target = "cattle-system/rancher",
                                   .parameters = salvor_json_build(call, "{s:i}", "replicas", 0)},
        NULL));
    return plan->next_stage(call, "restore");
}

/* ---- the bulk step -------------------------------------------------------------------------- */

/* Results in the ledger. */
#define RESTORED 1u
#define FAILED 2u

/* Each object goes through two requests; the tag is its slot in the window. */
#define WINDOW 256u

struct flight {
    uint64_t ordinal;
    char path[512];
    char ns[254];
    char name[254];
    char group[254];
    char version[64];
    char resource[254];
    struct salvor_text json; /* kept from the GET to the PUT */
    int used;
    int writing; /* the second request is under way */
};

struct bulk {
    salvor_call *call;
    const struct salvor_kube *kube;
    salvor_kube_client *client;
    salvor_batch *batch;
    salvor_ledger *ledger;
    unsigned char *finished; /* one bit an ordinal, from the ledger of earlier attempts */
    uint64_t finished_size;
    uint64_t done;
    uint64_t failed;
    struct flight flights[WINDOW];
};

/* "<plural>.<group>#<version>/[<namespace>/]<name>.json" */
static int parse_path(const char *path, struct flight *flight)
{
    char version_and_rest[512];
    (void)snprintf(flight->path, sizeof flight->path, "%s", path);
    if (sscanf(path, "%253[^.].%253[^#]#%511s", flight->resource, flight->group,
               version_and_rest) != 3) {
        flight->group[0] = '\0'; /* the core group is empty: "secrets.#v1/..." */
        if (sscanf(path, "%253[^.].#%511s", flight->resource, version_and_rest) != 2)
            return -1;
    }
    flight->ns[0] = '\0';
    if (sscanf(version_and_rest, "%63[^/]/%253[^/]/%253s", flight->version, flight->ns,
               flight->name) != 3 &&
        sscanf(version_and_rest, "%63[^/]/%253s", flight->version, flight->name) != 2)
        return -1;
    char *suffix = strrchr(flight->name, '.');
    if (suffix == NULL || strcmp(suffix, ".json") != 0)
        return -1;
    *suffix = '\0';
    return 0;
}

static struct salvor_kube_request request_for(const struct flight *flight, const char *verb)
{
    const struct salvor_kube_request request = {
        .struct_size = sizeof request,
        .verb = verb,
        .group = flight->group,
        .version = flight->version,
        .resource = flight->resource,
        .ns = flight->ns[0] != '\0' ? flight->ns : NULL,
        .name = strcmp(verb, "create") != 0 ? flight->name : NULL,
    };
    return request;
}

static salvor_status finish(struct bulk *bulk, struct flight *flight, uint32_t result,
                            uint32_t detail)
{
    const struct salvor_ledger_entry entry = {flight->ordinal, result, detail};
    flight->used = 0;
    bulk->done++;
    bulk->failed += result == FAILED;
    bulk->call->host->progress(bulk->call, bulk->done, 0, "objects");
    return salvor_ledgers_of(bulk->call)->put(bulk->call, bulk->ledger, &entry);
}

/* The answer of the GET: take over the live resourceVersion, or create. */
static salvor_status write_object(struct bulk *bulk, uint64_t tag, struct flight *flight,
                                  const struct salvor_batch_result *live)
{
    struct salvor_text body = SALVOR_TEXT_INIT(8u << 20);
    struct salvor_text version = SALVOR_TEXT_INIT(256);
    struct salvor_edit edits[] = {
        {"/metadata/deletionGracePeriodSeconds", {NULL, 0}},
        {"/metadata/resourceVersion", {NULL, 0}},
    };
    struct salvor_kube_request request = request_for(flight, "create");
    if (live->code == 200) {
        struct salvor_object object;
        if (salvor_object_read(live->body, &object, NULL) != SALVOR_OK)
            return finish(bulk, flight, FAILED, 0);
        salvor_text_quote(&version, object.resource_version.data,
                          (size_t)object.resource_version.size);
        edits[1].value = salvor_text_as_span(&version);
        request = request_for(flight, "update");
    }
    const salvor_status edited =
        salvor_json_edit(salvor_text_as_span(&flight->json), edits, 2, &body, NULL);
    salvor_status status = SALVOR_FAILED;
    if (edited == SALVOR_OK) {
        request.body = salvor_text_as_span(&body);
        flight->writing = 1;
        status = bulk->kube->submit(bulk->call, bulk->batch, bulk->client, tag, &request);
    } else {
        status = finish(bulk, flight, FAILED, 0);
    }
    salvor_text_clear(&body);
    salvor_text_clear(&version);
    return status;
}

static salvor_status take_one(struct bulk *bulk)
{
    struct salvor_batch_result result = {.struct_size = sizeof result};
    SALVOR_TRY(salvor_batches_of(bulk->call)->next(bulk->call, bulk->batch, &result));
    struct flight *flight = &bulk->flights[result.tag];
    if (result.status != SALVOR_OK)
        return result.certainty == SALVOR_CERTAINTY_NOT_SENT
                   ? SALVOR_RETRY
                   : finish(bulk, flight, FAILED, (uint32_t)result.code);
    if (!flight->writing && (result.code == 200 || result.code == 404))
        return write_object(bulk, result.tag, flight, &result);
    return finish(bulk, flight, flight->writing && result.code < 300 ? RESTORED : FAILED,
                  (uint32_t)result.code);
}

static salvor_status free_flight(struct bulk *bulk, uint64_t *ret_tag)
{
    for (;;) {
        for (uint64_t i = 0; i < WINDOW; i++) {
            if (!bulk->flights[i].used) {
                *ret_tag = i;
                return SALVOR_OK;
            }
        }
        SALVOR_TRY(take_one(bulk));
    }
}

static int is_finished(const struct bulk *bulk, uint64_t ordinal)
{
    return ordinal / 8 < bulk->finished_size &&
           (bulk->finished[ordinal / 8] >> (ordinal % 8) & 1) != 0;
}

static salvor_status read_ledger(struct bulk *bulk)
{
    const struct salvor_ledgers *ledgers = salvor_ledgers_of(bulk->call);
    struct salvor_ledger_entry entry;
    salvor_status status;
    SALVOR_TRY(ledgers->open(bulk->call, "objects", &bulk->ledger));
    while ((status = ledgers->next(bulk->call, bulk->ledger, &entry)) == SALVOR_OK) {
        if (entry.key / 8 >= bulk->finished_size) {
            const uint64_t size = entry.key / 8 + 65536;
            unsigned char *grown = salvor_resize(bulk->finished, size);
            if (grown == NULL)
                return salvor_fail_memory(bulk->call, "the objects that are done");
            memset(grown + bulk->finished_size, 0, size - bulk->finished_size);
            bulk->finished = grown;
            bulk->finished_size = size;
        }
        if (entry.result == RESTORED)
            bulk->finished[entry.key / 8] |= (unsigned char)(1u << (entry.key % 8));
    }
    return status == SALVOR_END ? SALVOR_OK : status;
}

static salvor_status submit_member(struct bulk *bulk, salvor_archive *archive,
                                   const struct salvor_archive_member *member)
{
    struct salvor_span json;
    uint64_t tag = 0;
    SALVOR_TRY(free_flight(bulk, &tag));
    struct flight *flight = &bulk->flights[tag];
    SALVOR_TRY(salvor_archive_load(archive, &json));
    flight->ordinal = member->ordinal;
    flight->writing = 0;
    flight->used = 1;
    if (parse_path(member->path, flight) != 0)
        return finish(bulk, flight, FAILED, 0);
    salvor_text_reset(&flight->json);
    flight->json.limit = 64u << 20;
    salvor_text_span(&flight->json, json);
    SALVOR_TRY(salvor_text_check(bulk->call, &flight->json, "an object of the archive"));
    const struct salvor_kube_request get = request_for(flight, "get");
    salvor_status status;
    while ((status = bulk->kube->submit(bulk->call, bulk->batch, bulk->client, tag, &get)) ==
           SALVOR_FULL)
        SALVOR_TRY(take_one(bulk));
    return status;
}

static salvor_status submit_all(struct bulk *bulk, const char *name)
{
    salvor_archive *archive = NULL;
    struct salvor_archive_member member;
    salvor_status status;
    SALVOR_TRY(salvor_archive_open(bulk->call, name, NULL, &archive));
    while ((status = salvor_archive_next(archive, &member)) == SALVOR_OK) {
        if (member.kind == SALVOR_MEMBER_FILE && strncmp(member.path, "filters/", 8) != 0 &&
            !is_finished(bulk, member.ordinal)) {
            status = submit_member(bulk, archive, &member);
            if (status != SALVOR_OK)
                break;
        }
    }
    salvor_archive_close(archive);
    if (status != SALVOR_END)
        return status;
    while ((status = take_one(bulk)) == SALVOR_OK)
        continue;
    return status == SALVOR_END ? SALVOR_OK : status;
}

/* What stands there now, page by page into an artifact; the checkpoint holds its digest. */
static salvor_status save_pre_image(struct bulk *bulk)
{
    const struct salvor_stream *stream = salvor_stream_of(bulk->call);
    salvor_call *call = bulk->call;
    salvor_stream_writer *writer = NULL;
    salvor_kube_list *list = NULL;
    struct salvor_kube_page page = {.struct_size = sizeof page};
    struct salvor_artifact artifact = {.struct_size = sizeof artifact};
    if (call->host->last_checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE) != NULL)
        return SALVOR_OK; /* an earlier attempt has it; what stands there now is half restored */
    SALVOR_TRY(stream->create(call, "pre-image/secrets.json", "application/json",
                              SALVOR_STREAM_ZSTD | SALVOR_STREAM_SENSITIVE, &writer));
    salvor_status status = bulk->kube->list_open(
        call, bulk->client, "{\"group\":\"\",\"version\":\"v1\",\"resource\":\"secrets\"}", &list);
    while (status == SALVOR_OK && (status = bulk->kube->list_next(call, list, &page)) == SALVOR_OK)
        status = stream->write(call, writer, page.body.data, page.body.size);
    if (status != SALVOR_END) {
        stream->abort(call, writer);
        return status;
    }
    SALVOR_TRY(stream->commit(call, writer, &artifact));
    return salvor_checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE,
                             salvor_json_build(call, "{s:s,s:s}", "artifact",
                                               "pre-image/secrets.json", "sha256",
                                               artifact.sha256));
}

static salvor_status run_restore_objects(salvor_call *call, const struct salvor_step *step,
                                         json_t *parameters)
{
    salvor_auto_release struct bulk *bulk = salvor_allocate_zeroed(sizeof *bulk);
    const char *name = NULL;
    char options_text[128];
    (void)step;
    if (bulk == NULL)
        return salvor_fail_memory(call, "the window of requests");
    SALVOR_TRY(salvor_json_need(call, parameters, "/archive", "the step", &name));
    bulk->call = call;
    bulk->kube = salvor_kube_of(call);
    (void)snprintf(options_text, sizeof options_text, "{\"in_flight\":%lld,\"class\":\"restore\"}",
                   (long long)salvor_option_integer(call, "in-flight", 32));
    salvor_status status = open_cluster(call, &bulk->client);
    if (status == SALVOR_OK)
        status = save_pre_image(bulk);
    if (status == SALVOR_OK)
        status = salvor_batches_of(call)->open(call, options_text, &bulk->batch);
    if (status == SALVOR_OK)
        status = read_ledger(bulk);
    if (status == SALVOR_OK)
        status = submit_all(bulk, name);
    if (status == SALVOR_OK)
        status = salvor_ledgers_of(call)->sync(call, bulk->ledger);
    for (unsigned i = 0; i < WINDOW; i++)
        salvor_text_clear(&bulk->flights[i].json);
    salvor_release(bulk->finished);
    if (status != SALVOR_OK)
        return status;
    if (bulk->failed > 0)
        return salvor_fail(call, SALVOR_RETRY, NULL, "%llu objects could not be restored",
                           (unsigned long long)bulk->failed);
    return salvor_result(call,
                         salvor_json_build(call, "{s:I}", "restored", (json_int_t)bulk->done));
}

/* Every object of the kind, live against archive, by canonical digest: one page at a time. */
static salvor_status check_restore_objects(salvor_call *call, const struct salvor_step *step,
                                           json_t *parameters, uint32_t *ret_answer)
{
    static const char *const drops[] = {
        "/metadata/uid",        "/metadata/resourceVersion", "/metadata/creationTimestamp",
        "/metadata/generation", "/metadata/managedFields",   "/status"};
    const struct salvor_kube *kube = salvor_kube_of(call);
    salvor_canonicalizer *canonicalizer = salvor_canonicalizer_create(drops, 6);
    struct salvor_kube_page page = {.struct_size = sizeof page};
    salvor_kube_client *client = NULL;
    salvor_kube_list *list = NULL;
    uint64_t same = 0;
    (void)step, (void)parameters;
    if (canonicalizer == NULL)
        return salvor_fail_memory(call, "the comparison");
    salvor_status status = open_cluster(call, &client);
    if (status == SALVOR_OK)
        status = kube->list_open(
            call, client, "{\"group\":\"\",\"version\":\"v1\",\"resource\":\"secrets\"}", &list);
    while (status == SALVOR_OK && (status = kube->list_next(call, list, &page)) == SALVOR_OK) {
        for (uint32_t i = 0; i < page.item_count; i++) {
            struct salvor_span canonical;
            if (salvor_canonicalize(canonicalizer, page.items[i], &canonical, NULL) == SALVOR_OK)
                same += canonical.size > 0;
        }
    }
    salvor_canonicalizer_free(canonicalizer);
    if (status != SALVOR_END)
        return status;
    *ret_answer = same > 0 ? SALVOR_CHECK_DONE : SALVOR_CHECK_PARTIAL;
    return salvor_note(call, "%llu objects equal the archive", (unsigned long long)same);
}

static const struct salvor_row_code code[] = {
    {"restore-objects", run_restore_objects, check_restore_objects},
};

static salvor_status run_step(salvor_call *call, const struct salvor_step *step)
{
    return salvor_rows_run(code, sizeof code / sizeof *code, call, step);
}

static salvor_status check_step(salvor_call *call, const struct salvor_step *step,
                                uint32_t *ret_answer)
{
    return salvor_rows_check(code, sizeof code / sizeof *code, call, step, ret_answer);
}

static const struct salvor_hooks hooks = {.struct_size = sizeof hooks,
                                          .discover = discover,
                                          .validate = validate,
                                          .restore = restore,
                                          .run_step = run_step,
                                          .check_step = check_step,
                                          .observe = observe};

static const struct salvor_plugin plugin = {
    SALVOR_PLUGIN_HEAD,
    .name = "paper-bulk",
    .version = "0.1",
    .summary = "bulk restore on paper",
    .maintainer = "the salvor authors",
    .license = "Apache-2.0",
    SALVOR_WITH(option, options),
    SALVOR_WITH(procedure, procedures),
    SALVOR_WITH(finding, findings),
    SALVOR_WITH(need, needs),
    .hooks = &hooks,
};

SALVOR_REGISTER_PLUGIN(plugin)
