#include "judge.h"

#include <salvor/scan.h>

#include "findings.h"

/* Types that the configuration covers, and whose objects lie there all the same. */
static salvor_status judge_coverage(salvor_call *call, const struct archive_survey *survey,
                                    const struct encryption_config *config)
{
    for (uint32_t i = 0; i < survey->index->types.count; i++) {
        const struct index_type *type = object_index_type_at(survey->index, i);
        const struct encryption_target *target = encryption_config_find(
            config, salvor_span_of(object_index_text(survey->index, type->group)),
            salvor_span_of(object_index_text(survey->index, type->resource)));
        if (target == NULL || target->providers[0]->cipher == CIPHER_IDENTITY ||
            type->encrypted == type->count)
            continue;
        SALVOR_TRY(salvor_raise(
            call, FINDING_NOT_ENCRYPTED, names_text(&survey->index->types_seen, i),
            "%u of %u objects are plain%s", type->count - type->encrypted, type->count,
            encryption_config_has_wildcards(config) ? ", and the configuration has wildcards"
                                                    : ""));
    }
    return SALVOR_OK;
}

salvor_status judge_secrets(salvor_call *call, struct archive_survey *survey,
                            const struct encryption_config *config)
{
    for (size_t i = 0; i < SURVEY_TALLIES; i++)
        SALVOR_TRY(tally_raise(call, &survey->tallies[i]));
    if (survey->clear_secrets > 0)
        SALVOR_TRY(salvor_raise(call, FINDING_CLEAR_SECRETS, survey->artifact,
                                "%llu Secrets and tokens",
                                (unsigned long long)survey->clear_secrets));
    return config != NULL && survey->encrypted > 0 ? judge_coverage(call, survey, config)
                                                   : SALVOR_OK;
}
