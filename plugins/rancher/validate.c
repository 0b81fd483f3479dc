#include "validate.h"

#include <salvor/helpers.h>

#include "archive-survey.h"
#include "findings.h"
#include "judge.h"
#include "source-archive.h"

static salvor_status judge(salvor_call *call, struct archive_survey *survey,
                           const struct encryption_config *config, const struct target *target)
{
    SALVOR_TRY(judge_file(call, survey));
    SALVOR_TRY(judge_secrets(call, survey, config));
    if (survey->damaged) /* whatever is missing may be in what was not read */
        return SALVOR_OK;
    SALVOR_TRY(judge_relations(call, survey, config, target));
    SALVOR_TRY(judge_versions(call, survey, target));
    return target != NULL ? judge_target(call, survey, target) : SALVOR_OK;
}

/* With the target where the site names one. */
static salvor_status judge_here(salvor_call *call, struct archive_survey *survey,
                                const struct encryption_config *config)
{
    struct target target;
    if (!cluster_is_named(call) || survey->damaged)
        return judge(call, survey, config, NULL);
    salvor_status status = target_look(call, survey, &target);
    if (status == SALVOR_OK)
        status = judge(call, survey, config, &target);
    target_clear(&target);
    return status;
}

salvor_status rancher_validate(salvor_call *call, const struct salvor_request *request)
{
    char artifact[ARTIFACT_NAME_SIZE];
    char problem[512];
    auto_encryption_config struct encryption_config *config = NULL;
    struct archive_survey survey;
    if (request->source == NULL)
        return salvor_fail(call, SALVOR_REFUSED, "name it with '--from latest|SET|FILE'",
                           "there is no backup to validate");
    const salvor_status found = source_archive_name(call, artifact, problem);
    if (found == SALVOR_NOT_FOUND)
        return salvor_raise(call, FINDING_NO_ARCHIVE, request->source, "%s", problem);
    SALVOR_TRY(found);
    SALVOR_TRY(source_encryption_config(call, &config));
    salvor_status status = archive_survey_make(call, artifact, config, &survey);
    if (status == SALVOR_OK)
        status = judge_here(call, &survey, config);
    archive_survey_clear(&survey);
    return status;
}
