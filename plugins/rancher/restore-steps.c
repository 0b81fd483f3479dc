#include "restore-steps.h"

#include <stdio.h>
#include <string.h>

#include "chosen-set.h"
#include "cluster.h"
#include "gather.h"
#include "restore-bulk.h"
#include "restore-context.h"

/* ---- what stands now ---------------------------------------------------------------------------
 */

static salvor_status run_artifact(salvor_call *call, const char *backup,
                                  char name[ARTIFACT_NAME_SIZE])
{
    salvor_auto_json json_t *list = NULL;
    struct salvor_span json = {NULL, 0};
    size_t index = 0;
    const json_t *one = NULL;
    SALVOR_TRY(salvor_stream_of(call)->list(call, &json));
    SALVOR_TRY(salvor_json_parse(call, json, "the list of artifacts", &list));
    json_array_foreach (list, index, one) {
        struct archive_name parts;
        const char *artifact = salvor_json_text(one, "/name", "");
        archive_name_read(artifact, &parts);
        if (parts.is_known && strcmp(parts.backup, backup) == 0 &&
            strcmp(salvor_json_text(one, "/origin", ""), "run") == 0)
            return salvor_span_copy(salvor_span_of(artifact), name, ARTIFACT_NAME_SIZE);
    }
    return SALVOR_NOT_FOUND;
}

/* The archive's own selection, so that whatever the restore may overwrite or prune is in it. */
static salvor_status gather_present(struct restore_context *context, const char *backup)
{
    salvor_call *call = context->call;
    struct chosen_set chosen = {.set = NULL};
    const struct resource_set *set = context->survey.set;
    salvor_auto_release char *set_json = NULL;
    char artifact[ARTIFACT_NAME_SIZE];
    struct gather_summary summary;
    struct site site;
    const int64_t now = call->host->realtime_ms(call) / 1000;
    SALVOR_TRY(site_look(call, context->client, &site));
    salvor_status status = SALVOR_OK;
    if (set == NULL) {
        status = chosen_set_find(call, context->client, &chosen);
        set = chosen.set;
    }
    if (status == SALVOR_OK &&
        archive_name_write(backup, site.cluster_uid, now, 0, artifact, sizeof artifact) != 0)
        status = salvor_fail(call, SALVOR_FAILED, NULL, "'%s' makes too long a file name", backup);
    if (status == SALVOR_OK) {
        set_json = salvor_json_write(set->json);
        status = set_json != NULL ? SALVOR_OK : salvor_fail_memory(call, "the ResourceSet");
    }
    if (status == SALVOR_OK) {
        const struct gather_request request = {.artifact = artifact,
                                               .flags = SALVOR_STREAM_SENSITIVE,
                                               .mtime = now,
                                               .set = set,
                                               .set_json = salvor_span_of(set_json)};
        status = gather_run(call, context->client, &request, &summary);
    }
    chosen_set_clear(&chosen);
    SALVOR_TRY(status);
    SALVOR_TRY(salvor_note(call, "%llu objects stand now, kept in '%s'",
                           (unsigned long long)summary.objects, artifact));
    return salvor_result(call, salvor_json_build(call, "{s:s, s:s, s:I}", "archive", artifact,
                                                 "sha256", summary.artifact.sha256, "objects",
                                                 (json_int_t)summary.objects));
}

salvor_status present_gather(salvor_call *call, const struct salvor_step *step, json_t *parameters)
{
    struct restore_context context;
    const char *backup = NULL;
    const char *archive = NULL;
    (void)step;
    SALVOR_TRY(salvor_json_need(call, parameters, "/backup", "the step", &backup));
    SALVOR_TRY(salvor_json_need(call, parameters, "/archive", "the step", &archive));
    salvor_status status = restore_context_open(call, 0, &context);
    if (status == SALVOR_OK)
        status = restore_context_survey(&context, archive);
    if (status == SALVOR_OK)
        status = gather_present(&context, backup);
    restore_context_close(&context);
    return status;
}

salvor_status present_is_gathered(salvor_call *call, const struct salvor_step *step,
                                  json_t *parameters, uint32_t *ret_answer)
{
    char name[ARTIFACT_NAME_SIZE];
    (void)step;
    const salvor_status status =
        run_artifact(call, salvor_json_text(parameters, "/backup", ""), name);
    *ret_answer = status == SALVOR_OK ? SALVOR_CHECK_DONE : SALVOR_CHECK_NOT_STARTED;
    return status == SALVOR_NOT_FOUND ? SALVOR_OK : status;
}

/* ---- phases ------------------------------------------------------------------------------------
 */

static salvor_status open_phase(salvor_call *call, const json_t *parameters,
                                struct restore_context *context)
{
    const char *archive = NULL;
    SALVOR_TRY(salvor_json_need(call, parameters, "/archive", "the step", &archive));
    SALVOR_TRY(restore_context_open(call, 1, context));
    return restore_context_survey(context, archive);
}

static salvor_status keep_pre_image(salvor_call *call, const json_t *parameters)
{
    if (call->host->last_checkpoint(call, SALVOR_CHECKPOINT_PRE_IMAGE) != NULL)
        return SALVOR_OK;
    return salvor_checkpoint(
        call, SALVOR_CHECKPOINT_PRE_IMAGE,
        salvor_json_build(call, "{s:O?}", "in", json_object_get(parameters, "present")));
}

static salvor_status tell(salvor_call *call, const struct restore_summary *summary)
{
    SALVOR_TRY(salvor_note(call,
                           "%llu created, %llu updated, %llu kept as they are, %llu done "
                           "before, %llu failed",
                           (unsigned long long)summary->created,
                           (unsigned long long)summary->updated, (unsigned long long)summary->kept,
                           (unsigned long long)summary->earlier,
                           (unsigned long long)summary->failed));
    if (summary->alone > 0)
        SALVOR_TRY(salvor_note(call,
                               "%llu objects lost a reference to an owner that does not live, the "
                               "first is '%s'",
                               (unsigned long long)summary->alone, summary->first_alone));
    return SALVOR_OK;
}

static salvor_status run_phase(salvor_call *call, json_t *parameters, enum restore_phase phase)
{
    struct restore_context context = {.call = call};
    struct restore_summary summary;
    salvor_status status = open_phase(call, parameters, &context);
    if (status == SALVOR_OK) /* only now: the archive was read to its end */
        status = keep_pre_image(call, parameters);
    if (status == SALVOR_OK) {
        const struct restore_request request = {.phase = phase,
                                                .survey = &context.survey,
                                                .config = context.config,
                                                .graph = &context.graph};
        status = restore_bulk_run(call, context.client, &request, &summary);
    }
    if (status == SALVOR_OK)
        status = tell(call, &summary);
    if (status == SALVOR_OK && summary.failed > 0)
        status =
            salvor_fail(call, summary.hopeless == summary.failed ? SALVOR_FAILED : SALVOR_RETRY,
                        "repair what the API server complains about, then 'salvor resume'",
                        "%llu of %llu objects are not restored, the first: %s",
                        (unsigned long long)summary.failed, (unsigned long long)summary.objects,
                        summary.first_failure);
    if (status == SALVOR_OK)
        status = salvor_result(call, salvor_json_build(call, "{s:I, s:I, s:I, s:I, s:I, s:I}",
                                                       "objects", (json_int_t)summary.objects,
                                                       "created", (json_int_t)summary.created,
                                                       "updated", (json_int_t)summary.updated,
                                                       "alone", (json_int_t)summary.alone, "kept",
                                                       (json_int_t)summary.kept, "conflicts",
                                                       (json_int_t)summary.conflicts));
    restore_context_close(&context);
    return status;
}

static salvor_status look_at_phase(salvor_call *call, json_t *parameters, enum restore_phase phase,
                                   struct restore_context *context, uint32_t *ret_answer)
{
    uint64_t all = 0;
    uint64_t standing = 0;
    uint64_t entries = 0;
    SALVOR_TRY(open_phase(call, parameters, context));
    const struct restore_request request = {.phase = phase,
                                            .survey = &context->survey,
                                            .config = context->config,
                                            .graph = &context->graph};
    SALVOR_TRY(restore_bulk_look(call, context->client, &request, &all, &standing, &entries));
    *ret_answer = standing == all ? SALVOR_CHECK_DONE
                  : entries > 0   ? SALVOR_CHECK_PARTIAL
                                  : SALVOR_CHECK_NOT_STARTED;
    return SALVOR_OK;
}

static salvor_status check_phase(salvor_call *call, json_t *parameters, enum restore_phase phase,
                                 uint32_t *ret_answer)
{
    struct restore_context context = {.call = call};
    const salvor_status status = look_at_phase(call, parameters, phase, &context, ret_answer);
    restore_context_close(&context);
    return status;
}

/* ---- definitions -------------------------------------------------------------------------------
 */

static int is_established(const struct salvor_object *object)
{
    return salvor_object_is(object, "Established");
}

/* How many of the archive's definitions are there and established. */
static salvor_status count_established(struct restore_context *context, uint64_t *ret_count)
{
    salvor_call *call = context->call;
    const struct salvor_kube *kube = salvor_kube_of(call);
    const struct object_index *index = context->survey.index;
    const uint32_t type =
        object_index_find_type(index, "customresourcedefinitions", "apiextensions.k8s.io", "v1");
    struct salvor_kube_page page = {.struct_size = sizeof page};
    salvor_kube_list *list = NULL;
    *ret_count = 0;
    if (type == OBJECT_NONE)
        return SALVOR_OK;
    SALVOR_TRY(kube->list_open(call, context->client,
                               "{\"group\":\"apiextensions.k8s.io\",\"version\":\"v1\","
                               "\"resource\":\"customresourcedefinitions\",\"limit\":50}",
                               &list));
    salvor_status status = SALVOR_OK;
    while (status == SALVOR_OK && (status = kube->list_next(call, list, &page)) == SALVOR_OK) {
        for (uint32_t i = 0; i < page.item_count; i++) {
            struct salvor_object object;
            if (salvor_object_read(page.items[i], &object, NULL) == SALVOR_OK &&
                is_established(&object) &&
                object_index_find(index, type, salvor_span_of(""), object.name) != OBJECT_NONE)
                ++*ret_count;
        }
    }
    kube->list_close(call, list);
    return status == SALVOR_END ? SALVOR_OK : status;
}

salvor_status restore_definitions(salvor_call *call, const struct salvor_step *step,
                                  json_t *parameters)
{
    (void)step;
    return run_phase(call, parameters, PHASE_DEFINITIONS);
}

salvor_status definitions_are_restored(salvor_call *call, const struct salvor_step *step,
                                       json_t *parameters, uint32_t *ret_answer)
{
    struct restore_context context = {.call = call};
    uint64_t established = 0;
    (void)step;
    salvor_status status = look_at_phase(call, parameters, PHASE_DEFINITIONS, &context, ret_answer);
    if (status == SALVOR_OK && *ret_answer == SALVOR_CHECK_DONE) {
        const uint32_t type = object_index_find_type(
            context.survey.index, "customresourcedefinitions", "apiextensions.k8s.io", "v1");
        uint64_t wanted = 0;
        for (uint32_t i = 0; i < context.survey.index->objects.count; i++) {
            const struct index_object *one = object_index_object(context.survey.index, i);
            wanted += one->type == type && (one->flags & OBJECT_SUPERSEDED) == 0;
        }
        status = count_established(&context, &established);
        if (status == SALVOR_OK && established < wanted)
            *ret_answer = SALVOR_CHECK_IN_PROGRESS;
    }
    restore_context_close(&context);
    return status;
}

salvor_status restore_cluster_scoped(salvor_call *call, const struct salvor_step *step,
                                     json_t *parameters)
{
    (void)step;
    return run_phase(call, parameters, PHASE_CLUSTER);
}

salvor_status cluster_scoped_are_restored(salvor_call *call, const struct salvor_step *step,
                                          json_t *parameters, uint32_t *ret_answer)
{
    (void)step;
    return check_phase(call, parameters, PHASE_CLUSTER, ret_answer);
}

salvor_status restore_namespaced(salvor_call *call, const struct salvor_step *step,
                                 json_t *parameters)
{
    (void)step;
    return run_phase(call, parameters, PHASE_NAMESPACED);
}

salvor_status namespaced_are_restored(salvor_call *call, const struct salvor_step *step,
                                      json_t *parameters, uint32_t *ret_answer)
{
    (void)step;
    return check_phase(call, parameters, PHASE_NAMESPACED, ret_answer);
}
