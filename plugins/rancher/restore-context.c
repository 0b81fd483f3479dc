#include "restore-context.h"

#include <stdio.h>
#include <string.h>

#include "cluster.h"

salvor_status restore_context_open(salvor_call *call, int bypass, struct restore_context *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->call = call;
    return cluster_open(call, bypass, &ret->client);
}

salvor_status restore_context_survey(struct restore_context *context, const char *artifact)
{
    salvor_call *call = context->call;
    char problem[512];
    if (artifact != NULL) {
        (void)snprintf(context->artifact, sizeof context->artifact, "%s", artifact);
    } else {
        const salvor_status found = source_archive_name(call, context->artifact, problem);
        if (found == SALVOR_NOT_FOUND)
            return salvor_fail(call, SALVOR_FAILED, "name a set or a file that holds one",
                               "there is no archive to restore: %s", problem);
        SALVOR_TRY(found);
    }
    SALVOR_TRY(source_encryption_config(call, &context->config));
    context->surveyed = 1;
    SALVOR_TRY(archive_survey_make(call, context->artifact, context->config, &context->survey));
    if (context->survey.damaged)
        return salvor_fail(call, SALVOR_FAILED, "take another copy of it, or another backup",
                           "archive '%s' is damaged: %s", context->artifact,
                           context->survey.problem);
    if (context->survey.closed > 0)
        return salvor_fail(call, SALVOR_REFUSED,
                           "give the encryption configuration that the backup was made with: "
                           "--encryption-config file:NAME",
                           "%llu members of archive '%s' do not open",
                           (unsigned long long)context->survey.closed, context->artifact);
    const struct known_kinds known = {&context->survey.definitions, NULL, NULL};
    if (owner_graph_make(context->survey.index, &known, &context->graph) != SALVOR_OK)
        return salvor_fail_memory(call, "the owners");
    return SALVOR_OK;
}

void restore_context_close(struct restore_context *context)
{
    if (context->surveyed)
        archive_survey_clear(&context->survey);
    owner_graph_clear(&context->graph);
    encryption_config_free(context->config);
    if (context->client != NULL)
        salvor_kube_of(context->call)->client_close(context->call, context->client);
    context->client = NULL;
}

struct path_evidence restore_evidence(const struct archive_survey *survey, const struct site *site)
{
    const struct archive_name *name = &survey->name;
    const struct version *archived = &survey->rancher;
    struct path_evidence evidence = {
        .cluster = CLUSTER_UNKNOWN, .rancher_there = site->has_rancher, .version = VERSION_UNKNOWN};
    if (name->is_known)
        evidence.cluster =
            strcmp(name->cluster_uid, site->cluster_uid) == 0 ? CLUSTER_SAME : CLUSTER_OTHER;
    if (archived->text[0] == '\0' || site->rancher.text[0] == '\0')
        return evidence;
    if (version_is_same(archived, &site->rancher))
        evidence.version = VERSION_SAME;
    else if (archived->known && site->rancher.known)
        evidence.version =
            version_compare(&site->rancher, archived) < 0 ? VERSION_OLDER_LIVE : VERSION_NEWER_LIVE;
    return evidence;
}

const char *restore_row(const char *procedure, const char *row, char buffer[96])
{
    (void)snprintf(buffer, 96, "%s-%s", procedure, row);
    return buffer;
}
