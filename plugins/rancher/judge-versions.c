#include "judge.h"

#include <stdio.h>
#include <string.h>

#include <salvor/options.h>
#include <salvor/scan.h>

#include "api-removals.h"
#include "findings.h"

static salvor_status judge_source(salvor_call *call, const struct archive_survey *survey)
{
    const struct version *rancher = &survey->rancher;
    if (rancher->text[0] == '\0')
        return salvor_raise(call, FINDING_NO_VERSION, survey->artifact, "%s",
                            survey->closed > 0
                                ? "the setting 'server-version' is not there, or encrypted"
                                : "the setting 'server-version' is not there");
    if (rancher->known && (rancher->major < 2 || (rancher->major == 2 && rancher->minor < 5)))
        return salvor_raise(call, FINDING_TOO_OLD, rancher->text, "2.5.0 is the oldest");
    if (version_is_development(rancher))
        return salvor_raise(call, FINDING_DEVELOPMENT, rancher->text, "it is no vX.Y.Z");
    return SALVOR_OK;
}

/* Every type of the archive, against the target's Kubernetes. */
static salvor_status judge_apis(salvor_call *call, const struct archive_survey *survey,
                                const struct version *target)
{
    for (uint32_t i = 0; i < survey->index->types.count; i++) {
        const struct index_type *type = object_index_type_at(survey->index, i);
        const struct api_removal *removal = api_removal_find(
            salvor_span_of(object_index_text(survey->index, type->group)),
            salvor_span_of(object_index_text(survey->index, type->version)),
            salvor_span_of(object_index_text(survey->index, type->resource)), target->minor);
        if (removal == NULL)
            continue;
        SALVOR_TRY(salvor_raise(call, FINDING_REMOVED_API,
                                names_text(&survey->index->types_seen, i),
                                "%u objects; Kubernetes 1.%u removed it%s%s", type->count,
                                removal->minor, removal->replacement != NULL ? ", it is now " : "",
                                removal->replacement != NULL ? removal->replacement : ""));
    }
    return SALVOR_OK;
}

static salvor_status judge_kubernetes(salvor_call *call, const struct archive_survey *survey,
                                      const struct version *rancher, const char *text)
{
    struct version target;
    version_read(text, &target);
    if (!target.known)
        return salvor_fail(call, SALVOR_REFUSED, "give it as 'kubectl version' shows it: v1.34.2",
                           "'%s' is no version of Kubernetes", text);
    SALVOR_TRY(judge_apis(call, survey, &target));
    if (survey->kubernetes.known && version_compare(&survey->kubernetes, &target) != 0)
        SALVOR_TRY(salvor_raise(call, FINDING_OTHER_KUBERNETES, text, "the source ran %s",
                                survey->kubernetes.text));
    const struct operator_line *line =
        rancher->known && rancher->major == 2 ? operator_line_of_rancher(rancher->minor) : NULL;
    if (line == NULL || (target.minor >= line->kubernetes_minor_first &&
                         target.minor <= line->kubernetes_minor_last))
        return SALVOR_OK;
    return salvor_raise(
        call, FINDING_OPERATOR_RANGE, text,
        "release %u of the operator, which goes with Rancher %s, needs 1.%u to 1.%u",
        line->operator_major, rancher->text, line->kubernetes_minor_first,
        line->kubernetes_minor_last);
}

salvor_status judge_versions(salvor_call *call, const struct archive_survey *survey)
{
    const char *rancher_text = salvor_option_text(call, "rancher-version", NULL);
    const char *kubernetes_text = salvor_option_text(call, "kubernetes-version", NULL);
    struct version rancher = survey->rancher;
    SALVOR_TRY(judge_source(call, survey));
    if (rancher_text != NULL) {
        version_read(rancher_text, &rancher);
        if (survey->rancher.text[0] != '\0' && !version_is_same(&survey->rancher, &rancher))
            SALVOR_TRY(salvor_raise(call, FINDING_OTHER_VERSION, rancher_text,
                                    "the backup is of %s", survey->rancher.text));
    }
    if (kubernetes_text != NULL)
        SALVOR_TRY(judge_kubernetes(call, survey, &rancher, kubernetes_text));
    if (rancher_text == NULL && kubernetes_text == NULL)
        return salvor_raise(call, FINDING_TARGET_UNKNOWN, survey->artifact,
                            "neither a version of Rancher nor one of Kubernetes is known");
    return SALVOR_OK;
}
