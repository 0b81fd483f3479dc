#include <stdio.h>
#include <string.h>

#include "archive-name.h"
#include "archive-survey.h"
#include "chosen-set.h"
#include "cluster.h"
#include "gather.h"
#include "procedures.h"
#include "site.h"
#include "source-archive.h"

/* ---- planning -------------------------------------------------------------------------------- */

salvor_status rancher_plan_backup(salvor_call *call, const struct salvor_request *request)
{
    const char *set = salvor_option_text(call, "resource-set", "");
    struct salvor_step_plan gather = {
        .row = "native-gather",
        .target = set,
        .parameters = salvor_json_build(call, "{s:s}", "backup",
                                        salvor_option_text(call, "backup-name", ""))};
    struct salvor_step_plan verify = {
        .row = "native-verify", .target = set, .parameters = SALVOR_NO_PARAMETERS};
    (void)request;
    SALVOR_TRY(salvor_plan_of(call)->decide(call, PROCEDURE_NATIVE_BACKUP,
                                            "the native engine was asked for"));
    SALVOR_TRY(salvor_plan_step(call, &gather, NULL));
    return salvor_plan_step(call, &verify, NULL);
}

/* ---- native-gather --------------------------------------------------------------------------- */

/* The archive that this run has committed; SALVOR_NOT_FOUND: none yet. */
static salvor_status made_archive(salvor_call *call, char name[ARTIFACT_NAME_SIZE])
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
        if (parts.is_known && strcmp(salvor_json_text(one, "/origin", ""), "run") == 0)
            return salvor_span_copy(salvor_span_of(artifact), name, ARTIFACT_NAME_SIZE);
    }
    return SALVOR_NOT_FOUND;
}

/* 1: Secrets and tokens are encrypted in the archive itself, so that it holds none in clear. */
static int covers_secrets(const struct encryption_config *config)
{
    static const struct {
        const char *group;
        const char *resource;
    } types[] = {{"", "secrets"}, {"management.cattle.io", "tokens"}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const struct encryption_target *target =
            config != NULL ? encryption_config_find(config, salvor_span_of(types[i].group),
                                                    salvor_span_of(types[i].resource))
                           : NULL;
        if (target == NULL || target->providers[0]->cipher == CIPHER_IDENTITY)
            return 0;
    }
    return 1;
}

static salvor_status gather_into(salvor_call *call, salvor_kube_client *client, const char *backup,
                                 const struct chosen_set *set,
                                 const struct encryption_config *config)
{
    struct site site;
    char artifact[ARTIFACT_NAME_SIZE];
    struct gather_summary summary;
    const int64_t now = call->host->realtime_ms(call) / 1000;
    SALVOR_TRY(site_look(call, client, &site));
    if (archive_name_write(backup, site.cluster_uid, now, config != NULL, artifact,
                           sizeof artifact) != 0)
        return salvor_fail(call, SALVOR_FAILED, NULL, "'%s' makes too long a file name", backup);
    const int sensitive = resource_set_takes_secrets(set->set) && !covers_secrets(config);
    const struct gather_request request = {.artifact = artifact,
                                           .flags = sensitive ? SALVOR_STREAM_SENSITIVE : 0,
                                           .mtime = now,
                                           .set = set->set,
                                           .set_json = salvor_span_of(set->json),
                                           .config = config};
    SALVOR_TRY(gather_run(call, client, &request, &summary));
    SALVOR_TRY(salvor_note(call, "%llu objects of %llu types, %llu encrypted, by %s, in '%s'",
                           (unsigned long long)summary.objects, (unsigned long long)summary.types,
                           (unsigned long long)summary.encrypted, set->origin, artifact));
    if (summary.deleting > 0)
        SALVOR_TRY(salvor_note(call,
                               "%llu objects are being deleted and come back to life in a "
                               "restore, the first is '%s'",
                               (unsigned long long)summary.deleting, summary.first_deleting));
    if (summary.inconsistent > 0)
        SALVOR_TRY(salvor_note(call,
                               "%llu lists lost their moment and went on at a later one: what "
                               "changed meanwhile may be missing or old",
                               (unsigned long long)summary.inconsistent));
    return salvor_result(
        call,
        salvor_json_build(
            call, "{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "archive", artifact, "sha256",
            summary.artifact.sha256, "size", (json_int_t)summary.artifact.size, "objects",
            (json_int_t)summary.objects, "types", (json_int_t)summary.types, "encrypted",
            (json_int_t)summary.encrypted, "deleting", (json_int_t)summary.deleting, "inconsistent",
            (json_int_t)summary.inconsistent, "index_bytes", (json_int_t)summary.index_bytes));
}

salvor_status native_gather(salvor_call *call, const struct salvor_step *step, json_t *parameters)
{
    auto_encryption_config struct encryption_config *config = NULL;
    salvor_kube_client *client = NULL;
    struct chosen_set set = {.set = NULL};
    const char *backup = NULL;
    (void)step;
    SALVOR_TRY(salvor_json_need(call, parameters, "/backup", "the step", &backup));
    SALVOR_TRY(source_encryption_config(call, &config));
    SALVOR_TRY(cluster_open(call, 0, &client));
    salvor_status status = chosen_set_find(call, client, &set);
    if (status == SALVOR_OK)
        status = gather_into(call, client, backup, &set, config);
    chosen_set_clear(&set);
    salvor_kube_of(call)->client_close(call, client);
    return status;
}

salvor_status native_is_gathered(salvor_call *call, const struct salvor_step *step,
                                 json_t *parameters, uint32_t *ret_answer)
{
    char name[ARTIFACT_NAME_SIZE];
    (void)step, (void)parameters;
    const salvor_status status = made_archive(call, name);
    *ret_answer = status == SALVOR_OK ? SALVOR_CHECK_DONE : SALVOR_CHECK_NOT_STARTED;
    return status == SALVOR_NOT_FOUND ? SALVOR_OK : status;
}

/* ---- native-verify --------------------------------------------------------------------------- */

salvor_status native_verify(salvor_call *call, const struct salvor_step *step, json_t *parameters)
{
    auto_encryption_config struct encryption_config *config = NULL;
    struct archive_survey survey;
    char name[ARTIFACT_NAME_SIZE];
    (void)step, (void)parameters;
    SALVOR_TRY(made_archive(call, name));
    SALVOR_TRY(source_encryption_config(call, &config));
    salvor_status status = archive_survey_make(call, name, config, &survey);
    if (status == SALVOR_OK && (survey.damaged || survey.closed > 0))
        status = salvor_fail(call, SALVOR_FAILED, "take the backup again",
                             "the archive '%s' cannot be read back: %s", name,
                             survey.damaged ? survey.problem : "a member does not open");
    if (status == SALVOR_OK)
        status = salvor_checkpoint(call, SALVOR_CHECKPOINT_CURSOR,
                                   salvor_json_build(call, "{s:s}", "verified", name));
    if (status == SALVOR_OK)
        status =
            salvor_note(call, "read back to its end: %zu objects", survey.index->objects.count);
    archive_survey_clear(&survey);
    return status;
}

/* A reading leaves nothing behind but that it was made. */
salvor_status native_is_verified(salvor_call *call, const struct salvor_step *step,
                                 json_t *parameters, uint32_t *ret_answer)
{
    (void)step, (void)parameters;
    *ret_answer = call->host->last_checkpoint(call, SALVOR_CHECKPOINT_CURSOR) != NULL
                      ? SALVOR_CHECK_DONE
                      : SALVOR_CHECK_NOT_STARTED;
    return SALVOR_OK;
}
