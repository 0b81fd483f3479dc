#include "judge.h"

#include <string.h>

#include "findings.h"
#include "restore-context.h"

static salvor_status judge_origin(salvor_call *call, const struct archive_survey *survey,
                                  const struct site *site, const struct path_evidence *evidence)
{
    if (evidence->cluster == CLUSTER_OTHER)
        return salvor_raise(call, FINDING_OTHER_CLUSTER, survey->name.cluster_uid,
                            "the UID of kube-system here is %s", site->cluster_uid);
    if (evidence->cluster == CLUSTER_UNKNOWN)
        return salvor_raise(call, FINDING_UNKNOWN_CLUSTER, survey->artifact,
                            "its name holds no UID of a cluster");
    if (site->install_uuid[0] != '\0' && survey->install_uuid[0] != '\0' &&
        strcmp(site->install_uuid, survey->install_uuid) != 0)
        return salvor_raise(call, FINDING_OTHER_INSTALLATION, site->install_uuid,
                            "install-uuid is %s in the backup", survey->install_uuid);
    return SALVOR_OK;
}

/* Versions of live definitions that the archive does not know. */
static salvor_status judge_definitions(salvor_call *call, const struct archive_survey *survey,
                                       const struct target *target)
{
    struct tally tally = {.finding = FINDING_LIVE_VERSIONS};
    salvor_status status = SALVOR_OK;
    for (size_t i = 0; status == SALVOR_OK && i < target->definitions.count; i++) {
        const struct definition *live = &target->definitions.items[i];
        const struct definition *archived = definitions_find(
            &survey->definitions, salvor_span_of(live->group), salvor_span_of(live->plural));
        for (size_t j = 0; archived != NULL && status == SALVOR_OK && j < live->version_count;
             j++) {
            salvor_auto_text struct salvor_text name = SALVOR_TEXT_INIT(1024);
            if (definition_version(archived, salvor_span_of(live->versions[j].name)) != NULL)
                continue;
            salvor_text_format(&name, "%s.%s", live->plural, live->group);
            status = tally_add(call, &tally, salvor_text_get(&name), "version '%s'%s",
                               live->versions[j].name,
                               live->versions[j].storage ? ", in which objects are stored" : "");
        }
    }
    if (status == SALVOR_OK)
        status = tally_raise(call, &tally);
    tally_clear(&tally);
    return status;
}

salvor_status judge_target(salvor_call *call, const struct archive_survey *survey,
                           const struct target *target)
{
    const struct site *site = &target->site;
    const struct path_evidence evidence = restore_evidence(survey, site);
    const struct path_choice choice = path_choose(&evidence);
    SALVOR_TRY(judge_origin(call, survey, site, &evidence));
    if (site->server_url[0] != '\0' && survey->server_url[0] != '\0' &&
        strcmp(site->server_url, survey->server_url) != 0)
        SALVOR_TRY(salvor_raise(call, FINDING_OTHER_URL, site->server_url, "in the backup it is %s",
                                survey->server_url));
    SALVOR_TRY(judge_definitions(call, survey, target));
    return salvor_raise(call, FINDING_TARGET, site->cluster_uid,
                        "Kubernetes %s; Rancher %s%s%s; operator %s; path: %s, since %s",
                        site->kubernetes.text[0] != '\0' ? site->kubernetes.text : "unknown",
                        site->has_rancher ? site->rancher.text : "not installed",
                        site->has_rancher && site->replicas == 0 ? ", scaled to 0" : "",
                        !site->has_rancher && site->has_settings ? ", but its settings are there"
                                                                 : "",
                        site->has_operator ? site->operator_version : "not installed",
                        choice.path != PATH_NONE ? path_name(choice.path) : "none", choice.reason);
}
