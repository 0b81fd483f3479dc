#include "validate.h"

#include <salvor/helpers.h>

#include "archive-survey.h"
#include "findings.h"
#include "judge.h"
#include "source-archive.h"

static salvor_status judge(salvor_call *call, struct archive_survey *survey,
                           const struct encryption_config *config)
{
    SALVOR_TRY(judge_file(call, survey));
    SALVOR_TRY(judge_secrets(call, survey, config));
    if (survey->damaged) /* whatever is missing may be in what was not read */
        return SALVOR_OK;
    SALVOR_TRY(judge_relations(call, survey, config));
    return judge_versions(call, survey);
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
        status = judge(call, &survey, config);
    archive_survey_clear(&survey);
    return status;
}
