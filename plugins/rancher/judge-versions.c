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

/* Every type of the archive, against what the guide says of the target's Kubernetes. */
static salvor_status judge_removals(salvor_call *call, const struct archive_survey *survey,
                                    const struct version *kubernetes)
{
    for (uint32_t i = 0; i < survey->index->types.count; i++) {
        const struct index_type *type = object_index_type_at(survey->index, i);
        const struct api_removal *removal = api_removal_find(
            salvor_span_of(object_index_text(survey->index, type->group)),
            salvor_span_of(object_index_text(survey->index, type->version)),
            salvor_span_of(object_index_text(survey->index, type->resource)), kubernetes->minor);
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

/* The target itself is the authority where it can be asked; custom types may come with their
 * definitions in the archive. */
static salvor_status judge_served(salvor_call *call, const struct archive_survey *survey,
                                  const struct target *target)
{
    for (uint32_t i = 0; i < survey->index->types.count; i++) {
        const struct index_type *type = object_index_type_at(survey->index, i);
        const struct salvor_span group =
            salvor_span_of(object_index_text(survey->index, type->group));
        const struct salvor_span resource =
            salvor_span_of(object_index_text(survey->index, type->resource));
        const char *version = object_index_text(survey->index, type->version);
        if (!api_group_is_builtin(group) ||
            api_catalog_find(&target->catalog, group, version, resource) != NULL)
            continue;
        const struct api_removal *removal =
            api_removal_find(group, salvor_span_of(version), resource, UINT32_MAX);
        SALVOR_TRY(salvor_raise(
            call, FINDING_REMOVED_API, names_text(&survey->index->types_seen, i),
            "%u objects; the target does not serve it%s%s", type->count,
            removal != NULL && removal->replacement != NULL ? ", it is now " : "",
            removal != NULL && removal->replacement != NULL ? removal->replacement : ""));
    }
    return SALVOR_OK;
}

static salvor_status judge_kubernetes(salvor_call *call, const struct archive_survey *survey,
                                      const struct version *rancher,
                                      const struct version *kubernetes)
{
    if (survey->kubernetes.known && version_compare(&survey->kubernetes, kubernetes) != 0)
        SALVOR_TRY(salvor_raise(call, FINDING_OTHER_KUBERNETES, kubernetes->text,
                                "the source ran %s", survey->kubernetes.text));
    const struct operator_line *line =
        rancher->known && rancher->major == 2 ? operator_line_of_rancher(rancher->minor) : NULL;
    if (line == NULL || (kubernetes->minor >= line->kubernetes_minor_first &&
                         kubernetes->minor <= line->kubernetes_minor_last))
        return SALVOR_OK;
    return salvor_raise(
        call, FINDING_OPERATOR_RANGE, kubernetes->text,
        "release %u of the operator, which goes with Rancher %s, needs 1.%u to 1.%u",
        line->operator_major, rancher->text, line->kubernetes_minor_first,
        line->kubernetes_minor_last);
}

/* A Rancher that is newer here can be rolled back; anything else that differs must not be restored
 * over. */
static salvor_status judge_rancher(salvor_call *call, const struct archive_survey *survey,
                                   const struct version *rancher, int may_roll_back)
{
    const struct version *archived = &survey->rancher;
    if (archived->text[0] == '\0' || rancher->text[0] == '\0' || version_is_same(archived, rancher))
        return SALVOR_OK;
    const int newer = archived->known && rancher->known && version_compare(rancher, archived) >= 0;
    return salvor_raise_as(call, may_roll_back && newer ? SALVOR_SEVERITY_WARNING : 0,
                           FINDING_OTHER_VERSION, rancher->text, "the backup is of %s",
                           archived->text);
}

static salvor_status judge_operator(salvor_call *call, const struct archive_survey *survey,
                                    const struct site *site)
{
    struct version operator_version;
    version_read(site->operator_version, &operator_version);
    const struct operator_line *line = survey->rancher.known && survey->rancher.major == 2
                                           ? operator_line_of_rancher(survey->rancher.minor)
                                           : NULL;
    if (!site->has_operator || !operator_version.known || line == NULL ||
        line->operator_major == operator_version.major)
        return SALVOR_OK;
    return salvor_raise(call, FINDING_OPERATOR_LINE, site->operator_version,
                        "Rancher %s goes with release %u", survey->rancher.text,
                        line->operator_major);
}

static salvor_status judge_live(salvor_call *call, const struct archive_survey *survey,
                                const struct target *target)
{
    const struct site *site = &target->site;
    if (site->has_rancher)
        SALVOR_TRY(judge_rancher(call, survey, &site->rancher, 1));
    SALVOR_TRY(judge_served(call, survey, target));
    SALVOR_TRY(judge_operator(call, survey, site));
    return site->kubernetes.known
               ? judge_kubernetes(call, survey, &survey->rancher, &site->kubernetes)
               : SALVOR_OK;
}

static salvor_status judge_named(salvor_call *call, const struct archive_survey *survey)
{
    const char *rancher_text = salvor_option_text(call, "rancher-version", NULL);
    const char *kubernetes_text = salvor_option_text(call, "kubernetes-version", NULL);
    struct version rancher = survey->rancher;
    struct version kubernetes;
    if (rancher_text != NULL) {
        version_read(rancher_text, &rancher);
        SALVOR_TRY(judge_rancher(call, survey, &rancher, 0));
    }
    if (kubernetes_text != NULL) {
        version_read(kubernetes_text, &kubernetes);
        if (!kubernetes.known)
            return salvor_fail(call, SALVOR_REFUSED,
                               "give it as 'kubectl version' shows it: v1.34.2",
                               "'%s' is no version of Kubernetes", kubernetes_text);
        SALVOR_TRY(judge_removals(call, survey, &kubernetes));
        SALVOR_TRY(judge_kubernetes(call, survey, &rancher, &kubernetes));
    }
    if (rancher_text == NULL && kubernetes_text == NULL)
        return salvor_raise(call, FINDING_TARGET_UNKNOWN, survey->artifact,
                            "neither a version of Rancher nor one of Kubernetes is known");
    return SALVOR_OK;
}

salvor_status judge_versions(salvor_call *call, const struct archive_survey *survey,
                             const struct target *target)
{
    SALVOR_TRY(judge_source(call, survey));
    return target != NULL ? judge_live(call, survey, target) : judge_named(call, survey);
}
